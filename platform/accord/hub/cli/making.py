"""``accord hub init``: settings, log keys, the root file's draft, a recovery sheet.

At a terminal it asks three questions for what was not given; elsewhere it never asks. It never
overwrites a hub.
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from accord.clock import system_clock
from accord.hub.cli.identity import HubKeys, as_mapping
from accord.hub.cli.sheets import hub_sheet, write_sheet
from accord.hub.config import FILE_NAME, Reached, new_config
from accord.kernel.directory.registrars import Registrar, parse_registrar
from accord.kernel.directory.rootfile import LogName, RootFile, Witness
from accord.kernel.errors import AccordError, Conflict, Malformed
from accord.kernel.identifiers import parse_origin
from accord.kernel.keys import require_post_quantum
from accord.kernel.tlog.notes import LogKeyPair, parse_vkey
from accord.keyfile import save_keys
from accord.terminal import Terminal, common_options

MAX_FILE = 256 * 1024
SHEET_NAME = "recovery-sheet.pdf"

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What was asked for by options; what is missing is asked at a terminal."""

    origin: str | None
    url: str | None
    registrars: tuple[Path, ...]
    threshold: int | None
    witnesses: tuple[Path, ...]
    quorum: int | None
    listen: str
    database: str
    sheet: Path | None


@click.command()
@click.option("--origin", help="The hub's name in ids and logs: hub.example.")
@click.option("--url", help="Where people and desks reach it: https://hub.example. Default: here.")
@click.option(
    "--registrar",
    "registrars",
    multiple=True,
    type=_FILE,
    help="A registrar's public key file; repeat for each.",
)
@click.option("--threshold", type=int, default=None, help="Registrars needed. Default: all.")
@click.option(
    "--witness",
    "witnesses",
    multiple=True,
    type=_FILE,
    help="A witness's file {name, vkeys, url}; repeat for each.",
)
@click.option("--quorum", type=int, default=None, help="Witnesses that must cosign. Default: all.")
@click.option("--listen", default="127.0.0.1:8600", show_default=True, help="ADDRESS:PORT; 0: any.")
@click.option("--database", default="", help="A PostgreSQL address. Default: a file in the home.")
@click.option(
    "--sheet",
    type=click.Path(path_type=Path, dir_okay=False),
    help=f"Where to write the recovery sheet (.pdf or .txt). Default: {SHEET_NAME} in the home.",
)
@common_options
def init(terminal: Terminal, **words: Any) -> None:  # noqa: ANN401 - passed on as they are
    """Make a hub. The registrars then sign the root file's draft on their own machine."""
    require_post_quantum()
    if (terminal.home / FILE_NAME).exists():
        raise Conflict(
            "hub_exists",
            "There is a hub in this folder already; it is not overwritten.",
            observed=str(terminal.home),
            next_step="Choose another --home.",
        )
    wanted = _complete(Wanted(**words))
    _make(terminal, wanted)


def _make(terminal: Terminal, wanted: Wanted) -> None:
    origin = parse_origin(wanted.origin)
    host, port = _parse_listen(wanted.listen)
    keys = {name: LogKeyPair.generate(f"{origin}/{name}") for name in LogName}
    root = _root(origin, keys, wanted)
    reached = parse_reached(wanted.url)
    if terminal.dry_run:
        terminal.result({"made": False, "origin": origin}, f"Would make the hub {origin}.")
        return
    passphrase = terminal.passphrase("Passphrase for the hub's log keys", twice=True)
    config = new_config(
        terminal.home,
        origin=origin,
        host=host,
        port=port,
        database=wanted.database,
        reached=reached,
    )
    save_keys(config.keys, as_mapping(keys), passphrase)
    config.root_draft.write_bytes(root.payload)
    sheet = wanted.sheet or config.home / SHEET_NAME
    write_sheet(sheet, hub_sheet(config, root, now=system_clock()))
    terminal.result(
        {
            "made": True,
            "origin": origin,
            "home": str(config.home),
            "draft": str(config.root_draft),
            "sheet": str(sheet),
        },
        f"Made the hub {origin} in {config.home}.\n"
        f"Print {sheet}, fill it in by hand, and keep it in a safe.\n"
        f"Next, each registrar: accord registrar sign {config.root_draft} -o root.json\n"
        "Then here: accord hub root install root.json",
    )


def _complete(wanted: Wanted) -> Wanted:
    """Ask for what is missing, at a terminal only.

    Raises:
        UsageError: something is missing and nobody can be asked.
    """
    missing = [
        name
        for name, value in (
            ("--origin", wanted.origin),
            ("--registrar", wanted.registrars),
            ("--witness", wanted.witnesses),
        )
        if not value
    ]
    if not missing:
        return wanted
    if not sys.stdin.isatty():
        raise click.MissingParameter(param_hint=missing[0], param_type="option")
    origin = wanted.origin or click.prompt(
        "1. The hub's name in ids and logs, for example hub.example", err=True
    )
    url = wanted.url
    if url is None:
        url = click.prompt(
            "2. Where people and desks reach it (https://…; empty: this computer only)",
            default="",
            show_default=False,
            err=True,
        )
    registrars, witnesses = wanted.registrars, wanted.witnesses
    if not registrars or not witnesses:
        answer = click.prompt(
            "3. The public files of its registrars and witnesses, separated by spaces", err=True
        )
        found = [Path(word) for word in answer.split()]
        registrars += tuple(path for path in found if _is_registrar(path))
        witnesses += tuple(path for path in found if not _is_registrar(path))
    if not registrars or not witnesses:
        raise Malformed(
            "registrar_or_witness_missing",
            "A hub needs at least one registrar and one witness.",
            observed=f"{len(registrars)} registrars, {len(witnesses)} witnesses",
            next_step="Have them run accord registrar init and accord witness init first.",
        )
    return Wanted(
        origin=origin,
        url=url or None,
        registrars=registrars,
        threshold=wanted.threshold,
        witnesses=witnesses,
        quorum=wanted.quorum,
        listen=wanted.listen,
        database=wanted.database,
        sheet=wanted.sheet,
    )


def _is_registrar(path: Path) -> bool:
    try:
        parse_registrar(_read(path))
    except AccordError:
        return False
    return True


def _root(origin: str, keys: HubKeys, wanted: Wanted) -> RootFile:
    known: tuple[Registrar, ...] = tuple(parse_registrar(_read(path)) for path in wanted.registrars)
    seen = tuple(_parse_witness(path) for path in wanted.witnesses)
    return RootFile(
        hub=parse_origin(origin),
        version=1,
        created=system_clock(),
        directory_log=keys[LogName.DIRECTORY].vkeys,
        audit_log=keys[LogName.AUDIT].vkeys,
        registrars=known,
        threshold=len(known) if wanted.threshold is None else wanted.threshold,
        witnesses=seen,
        quorum=len(seen) if wanted.quorum is None else wanted.quorum,
    )


def parse_reached(url: str | None) -> Reached:
    """Return how the hub is reached from outside; ``None`` is not at all.

    Raises:
        Malformed: ``hub_url_invalid``.
    """
    if url is None:
        return Reached()
    parts = urlsplit(url)
    plain = not (parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc)
    if parts.scheme not in {"http", "https"} or not parts.netloc or not plain:
        raise Malformed(
            "hub_url_invalid",
            "A hub's address is https:// with host and port and nothing else.",
            observed=url[:120],
            next_step="For example: https://hub.example",
        )
    return Reached(https=parts.scheme == "https", authorities=(parts.netloc.lower(),))


def _parse_listen(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65_535:  # noqa: PLR2004 - TCP's own limit
        raise Malformed(
            "listen_invalid", "Give ADDRESS:PORT, for example 127.0.0.1:8600.", observed=text
        )
    return host, int(port)


def _read(path: Path) -> bytes:
    data = path.read_bytes()[: MAX_FILE + 1]
    if len(data) > MAX_FILE:
        raise Malformed("too_long", f"{path.name} is longer than {MAX_FILE} bytes.")
    return data


def _parse_witness(path: Path) -> Witness:
    wrong = Malformed(
        "witness_file_invalid",
        "A witness's file is JSON with name, vkeys (two) and url.",
        observed=path.name,
        next_step="Take the output of: accord witness init --json, and add its url.",
    )
    try:
        found = json.loads(_read(path))
        first, second = found["vkeys"]
        name, url = found["name"], found["url"]
        names = {parse_vkey(first).name, parse_vkey(second).name}
    except (ValueError, KeyError, TypeError) as error:
        raise wrong from error
    if names != {name} or not isinstance(url, str):
        raise wrong
    return Witness(name=name, vkeys=(first, second), url=url)
