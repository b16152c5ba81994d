"""``accord desk init`` and ``enrol``: keys made here, an organisation joined to its hub."""

import sys
import threading
from dataclasses import replace
from pathlib import Path

import click

from accord.clock import system_clock
from accord.desk.app import Desk
from accord.desk.cli.opened import opened_desk, person_here
from accord.desk.config import (
    DEFAULT_PORT,
    DEFAULT_RETENTION_DAYS,
    DeskConfig,
    parse_hub_url,
    write_config,
)
from accord.desk.exchange import enrol as enrolment
from accord.desk.keyring import create_keyring, load_recovery
from accord.desk.keyring.people import People, check_login, person_unknown
from accord.desk.storage import create_vault
from accord.kernel.directory.rootfile import MAX_ROOT, verify_root
from accord.kernel.directory.statements import Profile
from accord.kernel.encoding import b64encode
from accord.kernel.errors import Malformed, Unavailable, VerificationFailed
from accord.kernel.identifiers import OrgId
from accord.kernel.markings import OrgKind
from accord.terminal import Terminal, common_options

MAX_PORT = 65_535
MAX_INVITE = 200

CONFIRM_TRIES = 20
CONFIRM_PAUSE = 0.5
"""How often, and after how many seconds, a fresh approval is looked for in the directory."""


@click.command()
@click.option("--hub", required=True, help="The hub's address: https://hub.example")
@click.option("--port", type=click.IntRange(0, MAX_PORT), default=DEFAULT_PORT, show_default=True)
@click.option("--person", default="analyst", show_default=True, help="Who may sign in here.")
@click.option(
    "--retention",
    type=click.IntRange(0, 3650),
    default=DEFAULT_RETENTION_DAYS,
    show_default=True,
    metavar="DAYS",
    help="Days that plaintext is kept after it has expired.",
)
@common_options
def init(terminal: Terminal, *, hub: str, port: int, person: str, retention: int) -> None:
    """Make a desk: keys, vault, and the account of its pages."""
    config = DeskConfig(
        home=terminal.home, hub=parse_hub_url(hub), port=port, retention_days=retention
    )
    if terminal.dry_run:
        terminal.result(
            {"made": False, "home": str(config.home), "hub": config.hub},
            f"Would make a desk in {config.home}.",
        )
        return
    passphrase = terminal.passphrase("Passphrase for this desk's keys", twice=True)
    # Last of the files: a desk is there when its settings are.
    config.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    keyring = create_keyring(config.keys_file, config.recovery_file, passphrase)
    vault = create_vault(config.vault_file, keyring.vault)
    password = People(vault).set_password(person, by=person_here(), now=system_clock())
    vault.close()
    write_config(config)
    terminal.result(
        {
            "made": True,
            "home": str(config.home),
            "hub": config.hub,
            "keys": {
                "signing": b64encode(keyring.signing.kid),
                "kem": b64encode(keyring.kem[-1].kid),
                "request": b64encode(keyring.request.kid),
            },
            "recovery_file": str(config.recovery_file),
            "person": person,
            "password": password,
        },
        f"Made a desk in {config.home}.\n"
        f"Sign in at its pages as {person} with {password} (shown this once).\n"
        f"Take {config.recovery_file} off this computer and keep it safe.\n"
        "Next: accord desk enrol --invite CODE …",
    )


@click.command()
@click.option(
    "--invite",
    metavar="CODE",
    help="The registrar's one-off code; - reads it from standard input, so that it stands in no "
    "process list or shell history. Without it: where the enrolment stands.",
)
@click.option("--name", help="Short name: lower-case letters, digits, hyphens.")
@click.option("--display-name", help="Full name of the organisation.")
@click.option("--kind", type=click.Choice([kind.value for kind in OrgKind]))
@click.option("--country", help="ISO 3166-1, two letters.")
@click.option("--contact", help="Duty contact; public for ever, so no person's name.")
@click.option("--role", "roles", multiple=True, help="A capability, for example hotline.")
@click.option(
    "--root",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The root file that your operator gave you.",
)
@common_options
def enrol(  # noqa: PLR0913 - one argument for each option
    terminal: Terminal,
    /,
    *,
    invite: str | None,
    name: str | None,
    display_name: str | None,
    kind: str | None,
    country: str | None,
    contact: str | None,
    roles: tuple[str, ...],
    root: Path | None,
) -> None:
    """Join the hub: prints six words to compare with the registrar by voice."""
    with opened_desk(terminal) as desk:
        if invite is None:
            found = _check(desk)
        else:
            if not (name and kind and country and contact):
                raise Malformed(
                    "enrolment_incomplete",
                    "An enrolment names the organisation.",
                    next_step="Give --name, --kind, --country and --contact.",
                )
            application = enrolment.Application(
                name=name,
                profile=Profile(
                    name=display_name or name,
                    kind=OrgKind(kind),
                    country=country.upper(),
                    contact=contact,
                ),
                roles=roles,
                invite=_code(terminal, invite),
            )
            found = _begin(terminal, desk, application, root)
        root_digest = b64encode(verify_root(desk.config.root_file.read_bytes()).sha256)
    terminal.result(
        {
            "org": found.org,
            "state": found.state,
            "next_actor": found.next_actor,
            "words": list(found.words),
            "expires": found.expires,
            "reason": found.reason,
            "root_sha256": root_digest,
        },
        _text(found),
    )


def _code(terminal: Terminal, invite: str) -> str:
    """Return the invite's code; ``-`` reads one line of standard input.

    Raises:
        Malformed: ``invite_missing``.
    """
    if invite != "-":
        return invite
    if sys.stdin.isatty():
        terminal.say("The invite's code, then Enter:")
    code = sys.stdin.readline(MAX_INVITE + 1).strip()
    if not code:
        raise Malformed(
            "invite_missing",
            "There is no code on standard input.",
            next_step="Give --invite CODE, or --invite - and one line with the code.",
        )
    return code


def _begin(
    terminal: Terminal, desk: Desk, application: enrolment.Application, root: Path | None
) -> enrolment.Enrolment:
    expected = root.read_bytes()[: MAX_ROOT + 1] if root is not None else None
    root_file = enrolment.fetch_root(desk.client, expected)
    _require_same_root(desk.config.root_file, root_file)
    passphrase = terminal.passphrase("Passphrase of the desk")
    recovery = load_recovery(desk.config.recovery_file, passphrase).public
    desk.config.root_file.write_bytes(root_file)
    return enrolment.begin(
        desk.client,
        desk.vault,
        desk.keyring,
        root_file=root_file,
        application=application,
        recovery=recovery,
        now=system_clock(),
    )


def _require_same_root(pinned: Path, offered: bytes) -> None:
    """Check that no hub can talk a desk out of the root file that it trusts already.

    Raises:
        VerificationFailed: ``root_other``.
    """
    if pinned.is_file() and pinned.read_bytes() != offered:
        raise VerificationFailed(
            "root_other",
            "The hub shows another root file than the one that this desk trusts.",
            observed=f"version {verify_root(offered).version}",
            next_step="Ask your operator which one is right. A desk for another hub needs "
            "another --home.",
        )


def _check(desk: Desk) -> enrolment.Enrolment:
    if not desk.config.root_file.is_file():
        raise Malformed(
            "enrolment_incomplete",
            "This desk has not sent an enrolment.",
            next_step="Ask the registrar for an invite, then give --invite CODE.",
        )
    root_file = desk.config.root_file.read_bytes()
    found = enrolment.check(desk.client, desk.vault, desk.keyring, root_file=root_file)
    if found.state == "active":
        _confirm(desk, found.org)
        write_config(replace(desk.config, org=found.org), replace=True)
    return found


def _confirm(desk: Desk, org: OrgId) -> None:
    """Check that the directory holds us; witnesses need a moment to cosign a fresh approval."""
    for _ in range(CONFIRM_TRIES):
        try:
            enrolment.confirm(desk.mirror, desk.vault, desk.keyring, org)
        except Unavailable as error:
            if error.code != "enrolment_pending":
                raise
            threading.Event().wait(CONFIRM_PAUSE)
        else:
            return
    enrolment.confirm(desk.mirror, desk.vault, desk.keyring, org)


def _text(found: enrolment.Enrolment) -> str:
    words = " ".join(found.words)
    if found.state == "active":
        return f"{found.org} is enrolled. The directory holds exactly this desk's keys."
    if found.state == "refused":
        return (
            f"{found.org}: the registrars refused it ({found.reason}). Talk to them; with a new "
            "invite run accord desk enrol --invite again."
        )
    if found.state == "expired":
        return (
            f"{found.org}: nobody signed it within 24 hours. Ask the registrar for a new invite, "
            "then run accord desk enrol --invite again."
        )
    return (
        f"{found.org}: {found.state}. Next to act: the {found.next_actor}.\n"
        f"Words (not secret): {words}\n"
        "Call the registrar on a number that you did not get from the hub and compare the words. "
        "When they are the same and the registrar has signed, run accord desk enrol again."
    )


def _would_change(terminal: Terminal, people: People, login: str, *, remove: bool) -> None:
    """Say what the command would do to the account; no password is made."""
    known = people.has(login)
    if remove and not known:
        raise person_unknown(login)
    if not remove:
        check_login(login)
    what = "be taken away" if remove else "get a new password" if known else "be added"
    terminal.result({"person": login, "password": None}, f"{login} would {what}.")


@click.command()
@click.argument("login", metavar="NAME")
@click.option("--remove", is_flag=True, help="Take the account away instead.")
@common_options
def person(terminal: Terminal, *, login: str, remove: bool) -> None:
    """Add somebody who may sign in at this desk's pages, or set a new password."""
    with opened_desk(terminal) as desk:
        people, by, now = People(desk.vault), person_here(), desk.clock()
        if terminal.dry_run:
            _would_change(terminal, people, login, remove=remove)
            return
        if remove:
            people.remove(login, by=by, now=now)
            terminal.result(
                {"person": login, "password": None}, f"{login} cannot sign in here any more."
            )
            return
        password = people.set_password(login, by=by, now=now)
    terminal.result(
        {"person": login, "password": password},
        f"Sign in as {login} with {password} (shown this once).",
    )
