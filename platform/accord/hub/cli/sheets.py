"""The hub's recovery sheet: what to keep where, with fingerprints; nothing in it is secret.

It is printed and kept in a safe; what only people know (where the passphrase lies, whom to call) is
written on it by hand. PDF, or plain text for a name that ends in ``.txt``.
"""

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click
import typst

from accord.clock import system_clock
from accord.hub.cli.opened import read_root
from accord.hub.config import HubConfig, load_config
from accord.kernel.directory.rootfile import LogName, RootFile
from accord.kernel.encoding import b64encode
from accord.kernel.errors import Conflict
from accord.terminal import Terminal, common_options

_KEEP = (
    ("keys.accord", "The log keys, wrapped. In every backup; a copy on a medium of its own."),
    ("its passphrase", "On paper in a safe, never beside the file. Without both the logs end."),
    ("backups", "accord hub backup FILE, each day, in another place than the hub."),
    ("erasures.jsonl", "The newest copy beside the backups: a restore is held to it."),
    ("root.json", "Every member, witness and auditor has it; compare it by its SHA-256."),
    ("registrars' keys", "Never on the hub's computer. Each registrar keeps their own."),
)
_LOST = (
    ("the hub's computer", "accord hub restore FILE --home NEW, then accord doctor"),
    ("the log keys or their passphrase", "Stop. The runbook on key compromise."),
    ("a witness or an auditor disagrees", "Stop, copy. The runbook on log disagreement."),
)
_BY_HAND = (
    "Passphrase lies at",
    "Backups lie at",
    "Registrars, by telephone",
    "Witnesses' operators, by telephone",
    "Last rehearsal of a restore",
)

_PAGE = """
#let d = json(bytes(sys.inputs.data))
#set document(title: d.title)
#set page(paper: "a4", margin: 2cm)
#set text(size: 10pt, lang: "en")
#let pairs(rows) = table(columns: (4.6cm, 1fr), stroke: 0.4pt + gray, inset: 5pt,
  ..rows.flatten().map(cell => [#cell]))
= #d.title
#pairs(d.facts)
== Fingerprints
#pairs(d.fingerprints)
== What to keep where
#pairs(d.keep)
== When it is lost
#pairs(d.lost)
== By hand
#for line in d.by_hand [ #line: #box(width: 1fr, repeat[.]) #v(4pt) ]
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class HubSheet:
    """What the sheet says; pairs of a name and a text. ``made`` is unix seconds."""

    origin: str
    made: int
    facts: list[tuple[str, str]]
    fingerprints: list[tuple[str, str]]

    @property
    def title(self) -> str:
        """The heading."""
        return f"Recovery sheet of the hub {self.origin}"


def hub_sheet(config: HubConfig, root: RootFile, *, now: int) -> HubSheet:
    """Return the sheet of the hub of ``config`` under ``root``."""
    day = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d")
    logs = [
        (f"log {name}", "\n".join(_short(vkey) for vkey in root.log_vkeys(name)))
        for name in LogName
    ]
    registrars = [(f"registrar {one.name}", b64encode(one.key.kid)) for one in root.registrars]
    witnesses = [
        (f"witness {one.name}", "\n".join(_short(vkey) for vkey in one.vkeys))
        for one in root.witnesses
    ]
    return HubSheet(
        origin=root.hub,
        made=now,
        facts=[
            ("Hub", root.hub),
            ("Home", str(config.home)),
            ("Reached at", ", ".join(config.authorities) or f"{config.host}:{config.port}"),
            ("Database", "a file in the home" if not config.database else config.database),
            ("Registrars needed", f"{root.threshold} of {len(root.registrars)}"),
            ("Witnesses needed", f"{root.quorum} of {len(root.witnesses)}"),
            ("Printed", day),
        ],
        fingerprints=[
            (f"root file {root.version}, SHA-256", root.sha256.hex()),
            *logs,
            *registrars,
            *witnesses,
        ],
    )


def sheet_pdf(sheet: HubSheet) -> bytes:
    """Return the sheet as PDF."""
    data = {
        "title": sheet.title,
        "facts": sheet.facts,
        "fingerprints": sheet.fingerprints,
        "keep": _KEEP,
        "lost": _LOST,
        "by_hand": _BY_HAND,
    }
    made: bytes = typst.compile(
        _PAGE.encode(),
        format="pdf",
        sys_inputs={"data": json.dumps(data)},
        ignore_system_fonts=True,
        timestamp=sheet.made,
        pdf_standards=["ua-1"],
    )
    return made


def sheet_text(sheet: HubSheet) -> str:
    """Return the sheet as plain text."""
    lines = [sheet.title, "=" * len(sheet.title)]
    parts = (
        ("", sheet.facts),
        ("Fingerprints", sheet.fingerprints),
        ("What to keep where", _KEEP),
        ("When it is lost", _LOST),
    )
    for heading, rows in parts:
        lines += ["", *([heading] if heading else [])]
        for name, value in rows:
            first, *more = value.split("\n")
            lines += [f"{name:34} {first}", *(f"{'':34} {line}" for line in more)]
    lines += ["", "By hand", *(f"{line}: {'.' * 40}" for line in _BY_HAND), ""]
    return "\n".join(lines)


def write_sheet(path: Path, sheet: HubSheet) -> None:
    """Write the sheet to the new file ``path``; text when its name ends in ``.txt``.

    Raises:
        Conflict: ``sheet_exists``.
    """
    data = sheet_text(sheet).encode("utf-8") if path.suffix == ".txt" else sheet_pdf(sheet)
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError as error:
        raise Conflict(
            "sheet_exists",
            "There is a file of this name; nothing is overwritten.",
            observed=str(path),
            next_step="Give another name.",
        ) from error
    with os.fdopen(handle, "wb") as file:
        file.write(data)


def _short(vkey: str) -> str:
    """Return the name and the key's id of a vkey; the key itself is in the root file."""
    name, key_id, _ = vkey.split("+", 2)
    return f"{name} {key_id}"


@click.command()
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="The new file: .pdf, or .txt for plain text.",
)
@common_options
def sheet(terminal: Terminal, output: Path) -> None:
    """Write the recovery sheet anew: what to keep where, with fingerprints. Nothing is secret."""
    config = load_config(terminal.home)
    _, root = read_root(config)
    if not terminal.dry_run:
        write_sheet(output, hub_sheet(config, root, now=system_clock()))
    terminal.result(
        {"sheet": str(output), "written": not terminal.dry_run, "sha256": b64encode(root.sha256)},
        f"Print {output}, fill it in by hand, and keep it in a safe.",
    )
