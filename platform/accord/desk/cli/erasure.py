"""``accord erasure ID -o FILE``: fetch and check the hub's proof that it deleted a bundle."""

from pathlib import Path

import click

from accord.clock import moment
from accord.desk.cli.opened import opened_desk
from accord.desk.exchange.erasure import FetchedErasure, fetch_erasure
from accord.kernel.identifiers import parse_bundle_id, parse_org_id
from accord.terminal import Terminal, common_options
from accord.written import check_new, write_new


@click.command()
@click.argument("bundle_id", metavar="ID")
@click.option("--from", "org", help="The sender, when two used the same id: name@hub.")
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file to write; it must not exist. Anyone can check it: accord verify FILE",
)
@common_options
def erasure(terminal: Terminal, *, bundle_id: str, org: str | None, output: Path) -> None:
    """Fetch the hub's proof that it deleted the sealed bytes of a bundle at the end of its time.

    The sender and each recipient may ask. It is written only when it holds.
    """
    check_new(output)
    with opened_desk(terminal) as desk:
        found = fetch_erasure(
            desk.vault,
            desk.client,
            desk.mirror,
            org=desk.org,
            bundle=parse_bundle_id(bundle_id),
            sender=None if org is None else parse_org_id(org),
        )
    write_new(output, found.data)
    terminal.result(_data(found, output), _text(found, output))


def _data(found: FetchedErasure, output: Path) -> dict[str, object]:
    told = found.shows.erasure
    return {
        "id": told.bundle,
        "sender": told.sender,
        "erased": told.at,
        "basis": told.basis,
        "sha256": told.sha256,
        "compared": found.compared,
        "index": found.shows.index,
        "size": found.shows.size,
        "log": found.shows.log,
        "file": str(output),
    }


def _text(found: FetchedErasure, output: Path) -> str:
    told = found.shows.erasure
    whose = "" if told.sender is None else f" of {told.sender}"
    place = f"entry {found.shows.index} of {found.shows.log}"
    lines = [
        f"The hub erased {told.bundle}{whose} on {moment(told.at)} ({told.basis}): {place}.",
        f"Written to {output}.",
    ]
    if told.sender is None:
        lines.append("The event tells no sender; hubs did not, before. It is about these bytes:")
        lines.append(f"SHA-256 {told.sha256}")
    if not found.compared:
        lines.append("This desk has no acceptance of the bundle to compare the SHA-256 with.")
    if told.sender is None and not found.compared:
        lines.append("Not shown: whose bundle of this id it was.")
    return "\n".join(lines)
