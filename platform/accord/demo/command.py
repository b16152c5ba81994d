"""``accord demo``: the whole story on this computer, then the pages stay up until Ctrl-C."""

import secrets
import shlex
import shutil
import signal
import threading
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from types import FrameType
from typing import Any

import click

from accord.demo.processes import Processes
from accord.demo.story import Story
from accord.kernel.errors import Conflict
from accord.terminal import Failed, Terminal, common_options

ROWS = 5_000


@click.command()
@click.option(
    "--rows",
    type=click.IntRange(1, 10_000_000),
    default=ROWS,
    show_default=True,
    help="Rows of the sample export.",
)
@click.option(
    "--input",
    "export",
    type=click.Path(path_type=Path, exists=True, dir_okay=False, resolve_path=True),
    help="An export of your own instead of the sample.",
)
@click.option("--once", is_flag=True, help="End after the report; the pages do not stay up.")
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False, resolve_path=True),
    metavar="DIR",
    help="Copy the receipt and the root file to this new or empty folder.",
)
@common_options
def demo(
    terminal: Terminal, *, rows: int, export: Path | None, once: bool, keep: Path | None
) -> None:
    """Show the whole story: a bank submits, police pull and search, an NGO sees a safe count.

    One hub, one witness and desks of seven organisations run as processes on this computer, in a
    folder that goes away at the end. The receipt and the root file to check it with accord verify
    are kept in --keep DIR, or with --once in a temporary folder. Nothing leaves the machine.
    """
    if terminal.dry_run:
        terminal.result({"ok": True, "rows": rows}, f"Would show the story with {rows} rows.")
        return
    if keep is not None:
        _make_empty(keep)
    elif once:
        # The demo's own folder is gone before anybody could look at the receipt.
        keep = Path(mkdtemp(prefix="accord-receipt-"))
    with TemporaryDirectory(prefix="accord-demo-") as name:
        folder = Path(name)
        passphrase = folder / "passphrase"
        passphrase.touch(mode=0o600)
        passphrase.write_text(secrets.token_urlsafe(24), encoding="ascii")
        with Processes(folder=folder, passphrase_file=passphrase) as processes:
            story = Story(processes, say=terminal.say)
            report = story.tell(rows=rows, export=export)
            receipt = report["receipt"]
            receipt["file"] = lasting(receipt["file"], story.root, keep)
            if once:
                report["homes"] = None  # they go away with the folder
            terminal.line(report, in_words(report, stays=not once))
            if not report["ok"]:
                raise Failed
            if not once:
                terminal.say("The pages stay up. Stop with Ctrl-C.")
                _wait()


def _make_empty(folder: Path) -> None:
    """Make ``folder``, or find it empty: nobody's own root file is written over.

    Raises:
        Conflict: ``keep_not_empty``.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise Conflict(
            "keep_not_empty",
            "The folder for the receipt holds other files.",
            observed=str(folder),
            next_step="Name a new folder.",
        )


def lasting(receipt: str | None, root: Path, keep: Path | None) -> str | None:
    """Return where the receipt is after the report: its copy in ``keep``, beside the root file."""
    if keep is None:
        return receipt
    shutil.copyfile(root, keep / root.name)
    return receipt and str(shutil.copyfile(receipt, keep / Path(receipt).name))


def _wait() -> None:
    stop = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    stop.wait()


def in_words(report: dict[str, Any], *, stays: bool) -> str:
    """Return the report for a person; the pages are named only when they stay up."""
    rows, log, summary = report["rows"], report["log"], report["summary"]
    counts = ", ".join(f"{rows[name]:,} {name}" for name in rows if name != "read" and rows[name])
    lines = [
        "",
        f"The bank's export     {rows['read']:,} rows: {counts}",
    ]
    if report["bundles"]:
        police = report["police"]
        lines += [
            (
                f"Sealed and sent       {report['bundles']} bundle(s), "
                f"{report['bytes_per_record']} bytes a record; the hub cannot open them"
            ),
            f"Receipt               {'verified' if report['receipt']['verified'] else 'MISSING'}",
            f"The police            found {police['found']} of {police['searched']} values",
        ]
    lines += [f"Skipped               {stage}: {why}" for stage, why in report["skipped"].items()]
    lines += [
        (
            f"The NGO's summary     {summary['month']}: {summary['shown']} counts shown, "
            f"{summary['hidden']} hidden"
        ),
        (
            f"The log               {'verified' if log['verified'] else 'WRONG'}, "
            f"{log['size']} entries"
        ),
        "Seconds               "
        + ", ".join(f"{stage} {spent}" for stage, spent in report["seconds"].items() if spent),
    ]
    if not stays:
        return "\n".join(lines)
    lines += ["", "Pages:"]
    lines += [
        f"  {page['role']:26} {page['url']}  {page['user']}  {page['password']}"
        for page in report["pages"]
    ]
    homes = report["homes"]
    lines += [
        "",
        "Commands at these desks, in another window, while this runs:",
        f"  export ACCORD_PASSPHRASE_FILE={shlex.quote(homes['passphrase_file'])}",
        f"  accord inbox --home {shlex.quote(homes['police'])}",
        f"  accord inbox --sent --home {shlex.quote(homes['bank'])}",
    ]
    return "\n".join(lines)
