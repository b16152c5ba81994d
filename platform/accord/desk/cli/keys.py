"""``accord keys``: the desk's own keys: see, rotate, back up, restore, recover, revoke.

Every answer says who acts next. Nothing secret is printed but a recovery sheet that was asked for,
and that goes to a file for its owner alone.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from accord import oskeyring
from accord.clock import system_clock
from accord.config import read_passphrase_file
from accord.desk.app import Desk, open_desk
from accord.desk.app.keys import changes_of
from accord.desk.app.keys import rotate as rotate_keys
from accord.desk.cli.keys_shown import (
    keys_data,
    keys_text,
    standing_data,
    standing_text,
)
from accord.desk.cli.opened import person_here
from accord.desk.config import RECOVERY_FILE, DeskConfig, read_config, write_config
from accord.desk.exchange import enrol as enrolment
from accord.desk.exchange.own_keys import note_backup, note_sheet
from accord.desk.keyring import KeyFile, create_recovery, load_recovery
from accord.desk.keyring.backup import read_backup, restore_keys, write_backup
from accord.desk.keyring.people import People
from accord.desk.keyring.recovery import MAX_TEXT, parse_recovery
from accord.desk.keyring.sheet import Sheet, sheet_pdf, sheet_text
from accord.desk.storage import create_vault, open_vault
from accord.desk.storage.journal import Act, record_act
from accord.kernel.directory.rootfile import MAX_ROOT
from accord.kernel.errors import Conflict, Malformed, Refused
from accord.kernel.identifiers import KeyId, parse_org_id
from accord.kernel.keys import SigningKeyPair, SigningPublicKey
from accord.terminal import Terminal, common_options
from accord.written import write_new

_FILE = click.Path(path_type=Path, dir_okay=False)
_THERE = click.Path(path_type=Path, dir_okay=False, exists=True)

Command = Callable[..., Any]


@click.group()
def keys() -> None:
    """The desk's own keys."""


def _since(command: Command) -> Command:
    return click.option(
        "--compromised-since",
        type=click.DateTime(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M"]),
        help="What the old keys signed from then on (UTC) is shown with a warning everywhere.",
    )(command)


def _by_recovery(command: Command) -> Command:
    for option in (
        click.option("--org", help="Which organisation, when this desk is a new one."),
        click.option("--root", type=_THERE, help="The hub's root file, when this desk is new."),
        click.option("--recovery", type=_THERE, help="The recovery key's file."),
        click.option("--words", metavar="FILE", help="The sheet's words; - reads them as typed."),
        click.option("--passphrase-file", type=_THERE, help="Passphrase of the recovery file."),
    ):
        command = option(command)
    return command


@contextmanager
def _opened(terminal: Terminal) -> Iterator[tuple[Desk, KeyFile]]:
    """Give the unlocked desk and its key file for one change."""
    passphrase = terminal.passphrase("Passphrase of the desk")
    with open_desk(terminal.home, passphrase, clock=system_clock) as desk:
        yield desk, KeyFile(path=desk.config.keys_file, passphrase=passphrase)


@keys.command("list")
@common_options
def list_(terminal: Terminal) -> None:
    """Show this desk's keys, what the directory says of them, and who acts next."""
    with _opened(terminal) as (desk, _):
        data = keys_data(desk)
    terminal.result(data, keys_text(data))


@keys.command()
@_since
@common_options
def rotate(terminal: Terminal, /, *, compromised_since: datetime | None) -> None:
    """Replace all keys of this desk; a command that was stopped is simply run again."""
    with _opened(terminal) as (desk, key_file):
        if terminal.dry_run:
            desk.mirror.refresh()
            terminal.result({"rotated": False}, "Nothing was changed (--dry-run).")
            return
        since = _unix(compromised_since)
        found = rotate_keys(desk, key_file, person=person_here(), compromised_since=since)
    terminal.result(
        {"rotated": True, **standing_data(found)},
        f"{found.org} has new keys; everybody seals to the new one from now on.\n"
        "What was sealed to the old one still opens here. Next: make a new backup: "
        "accord keys backup -o FILE",
    )


@keys.command()
@click.option("-o", "--output", type=_FILE, required=True, help="The backup; it must not exist.")
@click.option("--passphrase-file", type=_THERE, help="Passphrase of the backup, if another one.")
@click.option("--sheet", type=_FILE, help="Also write the recovery sheet: NAME.pdf or NAME.txt.")
@click.option("--recovery", type=_THERE, help="The recovery key's file, if it is not here.")
@common_options
def backup(
    terminal: Terminal,
    /,
    *,
    output: Path,
    passphrase_file: Path | None,
    sheet: Path | None,
    recovery: Path | None,
) -> None:
    """Write every key of this desk to one file under a passphrase, and a sheet if asked for."""
    for path in filter(None, (output, sheet)):
        if path.exists():
            raise Conflict("file_exists", "The file exists already.", observed=str(path))
    with _opened(terminal) as (desk, key_file):
        config = desk.config
        entries = key_file.entries()
        page = None if sheet is None else _sheet(terminal, desk, key_file, sheet, recovery)
        if not terminal.dry_run:
            record_act(
                desk.vault,
                person=person_here(),
                act=Act.KEY_BACKUP,
                subject=f"file {output.name[:80]}",
                reason="" if page is None else "with a recovery sheet",
                now=desk.clock(),
            )
            write_backup(
                output,
                entries,
                hub=config.hub,
                org=config.org,
                root_file=config.root_file.read_bytes() if config.root_file.is_file() else None,
                passphrase=_other_passphrase(terminal, passphrase_file, "Passphrase of the backup"),
            )
            note_backup(desk.vault, desk.keyring, now=desk.clock())
            if sheet is not None and page is not None:
                write_new(sheet, page[1])
                note_sheet(desk.vault, page[0], now=desk.clock())
    terminal.result(
        {
            "org": config.org,
            "file": str(output),
            "sheet": None if sheet is None else str(sheet),
            "written": not terminal.dry_run,
        },
        f"Every key of this desk is in {output}, under its passphrase.\n"
        "Keep the file and the passphrase apart, and both away from this computer."
        + (
            f"\n{sheet} is NOT encrypted. Print it, put it into a safe, delete the file."
            if sheet
            else ""
        ),
    )


def _sheet(
    terminal: Terminal, desk: Desk, key_file: KeyFile, sheet: Path, recovery: Path | None
) -> tuple[KeyId, bytes]:
    """Return whose key it is and the page; the person said that it may be written in the clear."""
    if sheet.suffix not in {".pdf", ".txt"}:
        raise Malformed("sheet_name", "A sheet is NAME.pdf or NAME.txt.", observed=sheet.name)
    if not terminal.confirm("The sheet holds the recovery key, not encrypted. Write it?"):
        raise Refused(
            "not_confirmed",
            "Nothing was written.",
            next_step="Answer yes, or give --yes; without --sheet only the backup is written.",
        )
    path = recovery or _newest_recovery(desk.config)
    pair = load_recovery(path, key_file.passphrase)
    page = Sheet(
        org=desk.config.org or "not enrolled yet",
        hub=desk.config.hub,
        made=system_clock(),
        pair=pair,
    )
    return pair.kid, sheet_pdf(page) if sheet.suffix == ".pdf" else sheet_text(page).encode()


@keys.command()
@click.argument("file", type=_THERE)
@click.option("--passphrase-file", type=_THERE, help="Passphrase of the backup, if another one.")
@click.option("--person", default="analyst", show_default=True, help="Who may sign in here.")
@common_options
def restore(
    terminal: Terminal, /, *, file: Path, passphrase_file: Path | None, person: str
) -> None:
    """Make a desk on this computer from the backup FILE."""
    old = _other_passphrase(terminal, passphrase_file, "Passphrase of the backup")
    found = read_backup(file, old)
    config = DeskConfig(home=terminal.home, hub=found.hub, org=found.org)
    password, made = None, False
    if not terminal.dry_run:
        config.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        new = terminal.passphrase("Passphrase for this desk's keys", twice=True)
        restore_keys(config.keys_file, file, passphrase=old, new_passphrase=new)
        made = not config.vault_file.exists()
        opened = create_vault if made else open_vault
        vault = opened(config.vault_file, found.keyring.vault)
        if made:
            password = People(vault).set_password(person, by=person_here(), now=system_clock())
        record_act(
            vault,
            person=person_here(),
            act=Act.KEY_RESTORE,
            subject=f"file {file.name[:80]}",
            reason="",
            now=system_clock(),
        )
        vault.close()
        if found.root_file is not None:
            config.root_file.write_bytes(found.root_file)
        write_config(config, replace=True)
    terminal.result(
        {
            "org": found.org,
            "home": str(config.home),
            "hub": config.hub,
            "written": not terminal.dry_run,
            "vault": None if terminal.dry_run else "made" if made else "found",
            "person": person if made else None,
            "password": password,
        },
        f"The desk of {found.org or 'no organisation yet'} is in {config.home}."
        + (
            f"\nSign in at its pages as {person} with {password} (shown this once)."
            "\nThe vault is new: accord pull fetches again what the hub still keeps."
            "\nIts journal is new, too. After that pull say why, once: accord journal restart "
            "--because made-anew --reason WHY."
            if made
            else ""
        )
        + "\nNext: accord keys list, which asks the directory whether these keys are the newest."
        "\nStop the old computer's desk: two desks at once take each other's deliveries.",
    )


@keys.command()
@_by_recovery
@_since
@common_options
def recover(
    terminal: Terminal,
    /,
    *,
    org: str | None,
    root: Path | None,
    recovery: Path | None,
    words: str | None,
    passphrase_file: Path | None,
    compromised_since: datetime | None,
) -> None:
    """Get new keys with the recovery key; without one: where the recovery stands.

    The registrars compare six words and sign. Everybody is told; after 72 hours they resume you.
    """
    with _opened(terminal) as (opened, key_file):
        pair = _recovery_key(terminal, recovery, words, passphrase_file)
        desk = _of_org(opened, org, root)
        changes = changes_of(desk, key_file, person=person_here())
        if pair is None:
            found = changes.status()
        elif terminal.dry_run:
            terminal.result({"begun": False}, "Nothing was changed (--dry-run).")
            return
        else:
            found = changes.recover(
                pair,
                new_recovery=lambda: _next_recovery(desk.config, key_file),
                compromised_since=_unix(compromised_since),
            )
        _keep_config(desk)
        newest = _newest_recovery(desk.config)
    text = standing_text(found)
    if pair is not None:
        text += f"\nTake {newest} off this computer: it is the recovery key from now on."
    terminal.result({"begun": True, **standing_data(found)}, text)


@keys.command()
@_by_recovery
@_since
@common_options
def revoke(
    terminal: Terminal,
    /,
    *,
    org: str | None,
    root: Path | None,
    recovery: Path | None,
    words: str | None,
    passphrase_file: Path | None,
    compromised_since: datetime | None,
) -> None:
    """End all keys of the organisation: a computer with them is lost. Works from any desk.

    With the recovery key; or, without one, with this desk's own key.
    """
    with _opened(terminal) as (opened, key_file):
        pair = _recovery_key(terminal, recovery, words, passphrase_file)
        desk = _of_org(opened, org, root)
        question = f"End all keys of {desk.org}? It comes back only by a recovery."
        if terminal.dry_run:
            terminal.result({"revoked": False}, "Nothing was changed (--dry-run).")
            return
        if not terminal.confirm(question):
            raise Refused("not_confirmed", "Nothing was changed.", next_step="Answer yes.")
        found = changes_of(desk, key_file, person=person_here()).revoke(
            pair, compromised_since=_unix(compromised_since)
        )
    terminal.result({"revoked": True, **standing_data(found)}, standing_text(found))


@keys.command()
@common_options
def remember(terminal: Terminal) -> None:
    """Keep this desk's passphrase in the operating system's keyring, after checking it."""
    backend = oskeyring.real_keyring()
    passphrase = replace(terminal, from_keyring=False).passphrase("Passphrase of the desk")
    KeyFile(path=read_config(terminal.home).keys_file, passphrase=passphrase).unlock()
    if not terminal.dry_run:
        oskeyring.remember(terminal.home, passphrase, backend)
    terminal.result(
        {"kept": not terminal.dry_run, "keyring": type(backend).__module__.rpartition(".")[2]},
        "Nothing was kept (--dry-run)."
        if terminal.dry_run
        else "Kept. From now on: --passphrase-from keyring. To take it out: accord keys forget.",
    )


@keys.command()
@common_options
def forget(terminal: Terminal) -> None:
    """Take this desk's passphrase out of the operating system's keyring."""
    backend = oskeyring.real_keyring()
    gone = not terminal.dry_run and oskeyring.forget(terminal.home, backend)
    terminal.result({"forgotten": gone}, "Forgotten." if gone else "Nothing was taken out.")


def _of_org(desk: Desk, org: str | None, root: Path | None) -> Desk:
    """Return the desk as that of ``org``; a new one pins the root file that was given.

    Raises:
        Malformed: ``recovery_incomplete``.
        VerificationFailed: ``root_other``.
    """
    if desk.config.org is not None:
        if org is not None and org != desk.config.org:
            raise Malformed(
                "recovery_incomplete", "This desk is that of another organisation.", observed=org
            )
        return desk
    if org is None or (root is None and not desk.config.root_file.is_file()):
        raise Malformed(
            "recovery_incomplete",
            "A new desk must be told whose keys they are and which root file to trust.",
            next_step="Give --org NAME@HUB and --root FILE.",
        )
    if not desk.config.root_file.is_file() and root is not None:
        data = root.read_bytes()[: MAX_ROOT + 1]
        desk.config.root_file.write_bytes(enrolment.fetch_root(desk.client, data))
    return replace(desk, config=replace(desk.config, org=parse_org_id(org)))


def _keep_config(desk: Desk) -> None:
    write_config(desk.config, replace=True)


def _recovery_key(
    terminal: Terminal, recovery: Path | None, words: str | None, passphrase_file: Path | None
) -> SigningKeyPair | None:
    if recovery is not None:
        passphrase = _other_passphrase(
            terminal, passphrase_file, "Passphrase of the recovery file", twice=False
        )
        return load_recovery(recovery, passphrase)
    if words is None:
        return None
    if words == "-":
        if sys.stdin.isatty():
            terminal.say("The 48 words, or the scanned line; end with Ctrl-D:")
        return parse_recovery(sys.stdin.read(MAX_TEXT + 1))
    with Path(words).open(encoding="utf-8") as file:
        return parse_recovery(file.read(MAX_TEXT + 1))


def _next_recovery(config: DeskConfig, key_file: KeyFile) -> SigningPublicKey:
    number = 2
    while (path := _numbered(config, number)).exists():
        number += 1
    return create_recovery(path, key_file.passphrase).public


def _newest_recovery(config: DeskConfig) -> Path:
    newest, number = config.recovery_file, 2
    while (path := _numbered(config, number)).exists():
        newest, number = path, number + 1
    return newest


def _numbered(config: DeskConfig, number: int) -> Path:
    return config.home / RECOVERY_FILE.replace(".", f"-{number}.", 1)


def _other_passphrase(
    terminal: Terminal, path: Path | None, prompt: str, *, twice: bool = True
) -> bytes:
    if path is not None:
        return read_passphrase_file(path)
    return terminal.passphrase(prompt, twice=twice, own=False)


def _unix(time: datetime | None) -> int | None:
    return None if time is None else int(time.replace(tzinfo=UTC).timestamp())
