"""``accord sighting ID``: tell a sender what you saw of its records, in coarse steps only."""

from pathlib import Path

import click

from accord.desk.cli.correspondence import deliver, unsent
from accord.desk.cli.opened import opened_desk
from accord.desk.cli.signed_in import signer_options
from accord.desk.storage.bundles import find_bundle
from accord.desk.storage.journal import Act
from accord.kernel.correspondence.sighting import Count, Period, Saw, Sighting
from accord.kernel.identifiers import parse_bundle_id
from accord.terminal import Terminal, common_options


@click.command()
@click.argument("bundle_id", metavar="ID")
@click.option(
    "--record", "records", multiple=True, type=click.IntRange(0), help="Of these records."
)
@click.option("--seen", "saw", flag_value="seen", help="It occurs in our own data.")
@click.option("--not-seen", "saw", flag_value="not-seen", help="It does not.")
@click.option("--false-positive", "saw", flag_value="false-positive", help="It is wrong.")
@click.option("--outdated", "saw", flag_value="outdated", help="It no longer holds.")
@click.option("--helpful", "saw", flag_value="helpful", help="It helped.")
@click.option("--count", type=click.Choice([str(one) for one in Count]), help="How often; coarse.")
@click.option(
    "--period",
    type=click.Choice([str(one) for one in Period]),
    default="month",
    show_default=True,
    help="How far back was looked.",
)
@click.option("--from", "org", help="The sender, when two used the same id: name@hub.")
@signer_options
@common_options
def sighting(  # noqa: PLR0913 - one argument for each option
    terminal: Terminal,
    /,
    *,
    bundle_id: str,
    records: tuple[int, ...],
    saw: str | None,
    count: str | None,
    period: str,
    org: str | None,
    login: str | None,
    password_file: Path | None,
) -> None:
    """Send a sighting of a bundle (or of single records of it) to whoever sent it to you."""
    if saw is None:
        raise click.UsageError(  # noqa: TRY003 - click's own form
            "Say one of --seen, --not-seen, --false-positive, --outdated, --helpful."
        )
    steps = Count(count or ("1" if saw == "seen" else "0"))
    places: list[int | None] = [*sorted(set(records))] or [None]
    said = [
        Sighting(record=place, saw=Saw(saw), count=steps, period=Period(period)) for place in places
    ]
    with opened_desk(terminal) as desk:
        bundle = find_bundle(desk.vault, parse_bundle_id(bundle_id), org)
        data = {
            "bundle": bundle.id,
            "records": sorted(set(records)),
            "saw": saw,
            "count": steps.value,
            "period": period,
        }
        if terminal.dry_run:
            terminal.result(data | unsent([bundle.org]), f"Would tell {bundle.org}: {saw}.")
            return
        deliver(
            terminal,
            desk,
            desk.correspondence.sighting_letter(bundle, said),
            signer=(login, password_file),
            act=(Act.SIGHTING_SEND, bundle.id, saw),
            data=data,
            words=f"Told {bundle.org}: {saw}, {steps}, {period}.",
        )
