"""``accord evidence VALUE``: one record with everything that proves it, in a file for a court."""

from pathlib import Path

import click

from accord.clock import moment
from accord.desk.app.evidence import maker_at
from accord.desk.cli.opened import opened_desk, person_here
from accord.desk.evidence.service import (
    USUAL_REASON,
    MadeEvidence,
    Wanted,
    make_evidence,
)
from accord.kernel.errors import Malformed
from accord.kernel.evidence.timestamp import MAX_TOKEN
from accord.kernel.identifiers import parse_org_id
from accord.kernel.markings import Tlp
from accord.terminal import Terminal, common_options
from accord.written import check_new, write_new


@click.command()
@click.argument("value")
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="File to make.",
)
@click.option(
    "--reason", default=USUAL_REASON, show_default=True, help="Why, for example a case number."
)
@click.option("--from", "org", help="The sender, when two used the same id: name@hub.")
@click.option("--bundle", help="Which bundle, when several records hold the value.")
@click.option("--record", type=click.IntRange(0), help="Which record of that bundle.")
@click.option(
    "--tlp", type=click.Choice([Tlp.RED.value]), help="TLP:RED goes into a file only when named."
)
@click.option(
    "--timestamp",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A time-stamp (RFC 3161) of signatures.json, made elsewhere.",
)
@common_options
def evidence(  # noqa: PLR0913 - one for each option
    terminal: Terminal,
    *,
    value: str,
    output: Path,
    reason: str,
    org: str | None,
    bundle: str | None,
    record: int | None,
    tlp: str | None,
    timestamp: Path | None,
) -> None:
    """Make evidence of the one record that holds VALUE; no other record of its bundle is in it."""
    check_new(output)
    wanted = Wanted(
        value=value,
        org=None if org is None else parse_org_id(org),
        bundle=bundle,
        record=record,
        red=tlp is not None,
        token=None if timestamp is None else _token(timestamp),
    )
    with opened_desk(terminal) as desk:
        made = make_evidence(desk.vault, wanted, maker_at(desk, person_here(), reason))
    write_new(output, made.data)
    terminal.result(_data(made, output), _text(made, output))


def _token(path: Path) -> bytes:
    if path.stat().st_size > MAX_TOKEN:
        raise Malformed("token_invalid", f"A token has at most {MAX_TOKEN} bytes.")
    return path.read_bytes()


def _data(made: MadeEvidence, output: Path) -> dict[str, object]:
    shows, token = made.shows, made.shows.token
    header = shows.disclosure.header
    return {
        "no": made.no,
        "file": str(output),
        "bytes": len(made.data),
        "sha256": made.sha256.hex(),
        "again": made.again,
        "sender": header.org,
        "bundle": header.id,
        "record": shows.disclosure.index,
        "accepted": shows.acceptance.time,
        "made": shows.statement.made,
        "root": shows.root.sha256.hex(),
        "timestamp": None if token is None else token.time,
    }


def _text(made: MadeEvidence, output: Path) -> str:
    shows = made.shows
    header = shows.disclosure.header
    lines = [
        f"Evidence of record {shows.disclosure.index} of {header.org} written to {output}.",
        f"SHA-256 {made.sha256.hex()}",
        f"Accepted by the hub {moment(shows.acceptance.time)}; every check holds.",
        f"Root file, for whoever checks it: SHA-256 {shows.root.sha256.hex()}",
    ]
    if made.again:
        lines.append(f"The same file was made before, {moment(shows.statement.made)}.")
    return "\n".join(lines)
