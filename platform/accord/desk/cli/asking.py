"""``accord request`` and ``accord requests``: ask others about records or values; what is open."""

from dataclasses import replace
from pathlib import Path

import click

from accord.clock import moment
from accord.desk.app import Desk
from accord.desk.cli.addressing import confirmed_recipients
from accord.desk.cli.correspondence import (
    deadline_of,
    deliver,
    guarded_text,
    unsent,
    view_data,
    view_line,
)
from accord.desk.cli.opened import opened_desk
from accord.desk.cli.signed_in import signer_options
from accord.desk.exchange.standing import requests_now
from accord.desk.storage import Way
from accord.desk.storage.bundles import find_bundle
from accord.desk.storage.journal import Act
from accord.kernel.correspondence.request import About, AboutRecords, AboutValue, Ask, Request
from accord.kernel.errors import Malformed, Refused
from accord.kernel.identifiers import parse_bundle_id
from accord.kernel.indicators import network_of_label, normalise
from accord.kernel.markings import LegalBasis, Purpose, Tlp
from accord.terminal import Terminal, common_options

TO_HELP = "name@hub, or kind:financial@NL. Default: who sent the bundle that is named."


@click.command()
@click.argument("subjects", metavar="VALUE|ID…", nargs=-1, required=True)
@click.option("--kind", "ask", required=True, type=click.Choice([str(ask) for ask in Ask]))
@click.option("--to", "names", multiple=True, help=TO_HELP)
@click.option("--deadline", required=True, help="48h, 5d, 2026-12-01 or 2026-12-01T12:00 (UTC).")
@click.option("--basis", required=True, help="On what legal basis: article, order, number.")
@click.option(
    "--record", "records", multiple=True, type=click.IntRange(0), help="Only these of ID."
)
@click.option("--network", help="The network of the values, for example btc.")
@click.option("--contact", help="Where to reply by voice. Default: your contact in the directory.")
@click.option("--text", help="More in words; the note guard masks what may identify a person.")
@click.option("--tlp", type=click.Choice([str(tlp) for tlp in Tlp]), default="amber")
@click.option(
    "--purpose", type=click.Choice([str(one) for one in Purpose]), default="investigation"
)
@click.option("--legal-basis", type=click.Choice([str(basis) for basis in LegalBasis]))
@signer_options
@common_options
def request(  # noqa: PLR0913 - one argument for each option
    terminal: Terminal,
    /,
    *,
    subjects: tuple[str, ...],
    ask: str,
    names: tuple[str, ...],
    deadline: str,
    basis: str,
    records: tuple[int, ...],
    network: str | None,
    contact: str | None,
    text: str | None,
    tlp: str,
    purpose: str,
    legal_basis: str | None,
    login: str | None,
    password_file: Path | None,
) -> None:
    """Ask to preserve, freeze, identify, or for information, about values or a bundle's records."""
    with opened_desk(terminal) as desk:
        about = [_about(desk, one, records, network) for one in subjects]
        to = names or tuple(
            dict.fromkeys(
                one.org for one in about if isinstance(one, AboutRecords) and one.org != desk.org
            )
        )
        if not to:
            raise click.UsageError("Say --to whom.")  # noqa: TRY003 - click's own form
        wish = Request(
            ask=Ask(ask),
            about=tuple(about),
            basis=basis,
            deadline=deadline_of(deadline, now=desk.clock()),
            contact=contact or desk.correspondence.contact(),
            text=guarded_text(terminal, text),
        )
        recipients = confirmed_recipients(terminal, desk, to)
        policy = desk.correspondence.policy(
            tlp=Tlp(tlp),
            purpose=Purpose(purpose),
            legal_basis=LegalBasis(legal_basis) if legal_basis else None,
        )
        plan = desk.correspondence.plan_request(wish, recipients, policy)
        data = {"kind": ask, "deadline": wish.deadline, "text": wish.text}
        asked = ", ".join(recipients)
        if terminal.dry_run:
            desk.submissions.decide(replace(plan, approved=True)).require()
            words = f"Would ask {asked}, until {moment(wish.deadline)}."
            terminal.result(data | unsent(recipients), words)
            return
        letter = desk.correspondence.request_letter(wish, plan)
        deliver(
            terminal,
            desk,
            letter,
            signer=(login, password_file),
            act=(Act.REQUEST_SEND, " ".join(recipients)[:400], basis),
            data=data,
            words=f"Asked {asked} to {ask}, until {moment(wish.deadline)}. "
            "Next: they act. accord requests shows where it stands.",
        )


def _about(desk: Desk, text: str, records: tuple[int, ...], network: str | None) -> About:
    try:
        name = parse_bundle_id(text)
    except Malformed:
        told = network_of_label(network) if network else None
        if network and told is None:
            raise Malformed(
                "network_unknown", "This network is not known.", observed=network[:20]
            ) from None
        found = normalise(text, network=told)
        return AboutValue(
            kind=found.kind, network=found.network, value=found.value, memo=found.memo
        )
    bundle = find_bundle(desk.vault, name)
    numbers = tuple(sorted(set(records)))
    if numbers and numbers[-1] >= bundle.n:
        raise Refused(
            "record_unknown",
            f"The bundle has {bundle.n} records, counted from 0.",
            observed=str(numbers[-1]),
        )
    return AboutRecords(bundle=bundle.id, org=bundle.org, records=numbers)


@click.command()
@click.option("--in", "only_in", is_flag=True, help="Only what others ask of you.")
@click.option("--out", "only_out", is_flag=True, help="Only what you ask of others.")
@click.option("--all", "everything", is_flag=True, help="Also what is closed.")
@common_options
def requests(terminal: Terminal, *, only_in: bool, only_out: bool, everything: bool) -> None:
    """List requests in and out: state, clock, who acts next. The most urgent first."""
    way = None
    if only_in != only_out:
        way = Way.RECEIVED if only_in else Way.SENT
    with opened_desk(terminal) as desk:
        found = requests_now(
            desk.vault, desk.org, now=desk.clock(), way=way, unclosed=not everything
        )
    terminal.result(
        {
            "items": [view_data(view) for view in found],
            "overdue": sum(view.overdue for view in found),
            "due": sum(view.due for view in found),
        },
        "\n".join(map(view_line, found)) or "No open requests.",
    )
