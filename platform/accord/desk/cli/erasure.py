"""``accord erasure ID -o FILE``: fetch and check the hub's proof that it deleted a bundle."""

from pathlib import Path

import click

from accord.desk.cli.opened import opened_desk
from accord.desk.cli.shown import moment
from accord.desk.exchange.client import query_of
from accord.desk.storage.outbox import outbox_row
from accord.kernel.directory.rootfile import LogName
from accord.kernel.identifiers import parse_bundle_id, parse_org_id
from accord.kernel.tlog.erasure import verify_erasure
from accord.protocol import paths
from accord.protocol.schemas.bundles import MAX_WAIT
from accord.terminal import Terminal, common_options


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
    bundle = parse_bundle_id(bundle_id)
    with opened_desk(terminal) as desk:
        sender = {} if org is None else {"sender": parse_org_id(org)}
        data = desk.client.get(
            paths.erasure(bundle), query_of({"wait": MAX_WAIT, **sender}), signed=True
        )
        row = outbox_row(desk.vault, bundle) if org in {None, desk.org} else None
        found = verify_erasure(
            data,
            desk.mirror.root.log_policy(LogName.AUDIT),
            bundle=bundle,
            sha256=None if row is None else row.digest.hex(),
        )
    with output.open("xb") as file:
        file.write(data)
    told = found.erasure
    terminal.result(
        {
            "id": bundle,
            "erased": told.at,
            "basis": told.basis,
            "sha256": told.sha256,
            "index": found.index,
            "size": found.size,
            "log": found.log,
            "file": str(output),
        },
        f"The hub erased {bundle} on {moment(told.at)} ({told.basis}): entry {found.index} of "
        f"{found.log}. Written to {output}.",
    )
