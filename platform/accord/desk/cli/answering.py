"""``accord respond ID``: acknowledge, answer or decline a request; or close one of your own."""

from collections.abc import Sequence

import click

from accord.desk.app import Desk
from accord.desk.cli.correspondence import finish, guarded_text, journal, sent_data
from accord.desk.cli.opened import opened_desk, person_here
from accord.desk.exchange.templates import TEMPLATES, template_of
from accord.desk.storage.journal import Act
from accord.desk.storage.outbox import outbox_row
from accord.desk.storage.requests import RequestRow, find_request
from accord.kernel.correspondence.request import Close, Closing
from accord.kernel.correspondence.response import DeclineReason, Outcome, Response
from accord.kernel.errors import Malformed
from accord.kernel.identifiers import parse_bundle_id
from accord.kernel.indicators import Basis, network_of_label, normalise, record_of
from accord.terminal import Terminal, common_options

_READY = "\n".join(
    f"  {name}: {one.outcome}{f', {one.reason}' if one.reason else ''}. {one.text}"
    for name, one in sorted(TEMPLATES.items())
)


@click.command(
    epilog=f"\b\nTemplates:\n{_READY}\n\n\b\nExamples:\n"
    "  accord respond ID --outcome acknowledged\n  accord respond ID --template frozen\n"
    "  accord respond ID --outcome declined --reason needs-order\n"
    "  accord respond ID --close settled"
)
@click.argument("request_id", metavar="ID")
@click.option("--outcome", type=click.Choice([str(one) for one in Outcome]))
@click.option("--reason", type=click.Choice([str(one) for one in DeclineReason]))
@click.option("--template", type=click.Choice(sorted(TEMPLATES)), help="Outcome and text ready.")
@click.option("--text", help="In words; the note guard masks what may identify a person.")
@click.option("--reference", help="Your own file number.")
@click.option("--value", "values", multiple=True, help="An indicator to give with the answer.")
@click.option("--network", help="The network of the values, for example btc.")
@click.option("--confidence", type=click.IntRange(0, 100), default=80, show_default=True)
@click.option("--close", "close", type=click.Choice([str(one) for one in Close]))
@click.option("--from", "org", help="Who asked, when two used the same id: name@hub.")
@common_options
def respond(  # noqa: PLR0913 - one argument for each option
    terminal: Terminal,
    /,
    *,
    request_id: str,
    outcome: str | None,
    reason: str | None,
    template: str | None,
    text: str | None,
    reference: str | None,
    values: tuple[str, ...],
    network: str | None,
    confidence: int,
    close: str | None,
    org: str | None,
) -> None:
    """Answer the request ID, or (--close) end a request of yours."""
    told = template_of(template) if template else None
    said = outcome or (told.outcome if told else None)
    if (close is None) == (said is None):
        raise click.UsageError("Say one of --outcome, --template, --close.")  # noqa: TRY003 - click's own form
    words = guarded_text(terminal, text or (told.text if told else None))
    with opened_desk(terminal) as desk:
        row = find_request(desk.vault, parse_bundle_id(request_id), org)
        if close is not None:
            _close(terminal, desk, row, Closing(close=Close(close), text=words))
            return
        why = reason or (told.reason if told else None)
        response = Response(
            outcome=Outcome(said or ""),
            reason=DeclineReason(why) if why else None,
            reference=reference,
            text=words,
        )
        told_network = network_of_label(network) if network else None
        if network and told_network is None:
            raise Malformed("network_unknown", "This network is not known.", observed=network[:20])
        records = [
            record_of(
                normalise(value, network=told_network), confidence=confidence, basis=Basis.OBSERVED
            )
            for value in values
        ]
        data = {"request": row.id, "outcome": response.outcome.value, "text": words}
        if terminal.dry_run:
            _not_sent(terminal, data, [row.org], f"Would answer {row.org}: {response.outcome}.")
            return
        reason_words = f"{response.outcome} {response.reason or ''}".strip()
        journal(desk, person_here(), Act.REQUEST_ANSWER, row.id, reason_words)
        sent = desk.correspondence.answer(row, response, records)
        finish(
            terminal,
            sent,
            data | sent_data(sent, [row.org]),
            f"Answered {row.org}: {response.outcome}. "
            + ("Next: they close it." if response.outcome.final else "Next: you answer it."),
        )


def _close(terminal: Terminal, desk: Desk, row: RequestRow, closing: Closing) -> None:
    outbox = outbox_row(desk.vault, row.id)
    recipients = list(outbox.recipients) if outbox else []
    data = {"request": row.id, "outcome": closing.close.value, "text": closing.text}
    if terminal.dry_run:
        _not_sent(terminal, data, recipients, f"Would close {row.id}.")
        return
    journal(desk, person_here(), Act.REQUEST_SEND, row.id, f"closed: {closing.close}")
    sent = desk.correspondence.close(row, closing)
    finish(terminal, sent, data | sent_data(sent, recipients), f"Closed {row.id}: {closing.close}.")


def _not_sent(
    terminal: Terminal, data: dict[str, str | None], recipients: Sequence[str], words: str
) -> None:
    nothing = {"id": None, "state": "not-sent", "code": None, "message": None}
    terminal.result(data | nothing | {"recipients": list(recipients)}, words)
