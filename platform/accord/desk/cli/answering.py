"""``accord respond ID``: acknowledge, answer or decline a request; or close one of your own."""

from pathlib import Path

import click

from accord.desk.app import Desk
from accord.desk.cli.correspondence import deliver, guarded_text, unsent
from accord.desk.cli.opened import opened_desk
from accord.desk.cli.signed_in import Signer, signer_options
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
@signer_options
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
    login: str | None,
    password_file: Path | None,
) -> None:
    """Answer the request ID, or (--close) end a request of yours."""
    told = template_of(template) if template else None
    said = outcome or (told.outcome if told else None)
    if (close is None) == (said is None):
        raise click.UsageError("Say one of --outcome, --template, --close.")  # noqa: TRY003 - click's own form
    signer = (login, password_file)
    words = guarded_text(terminal, text or (told.text if told else None))
    with opened_desk(terminal) as desk:
        row = find_request(desk.vault, parse_bundle_id(request_id), org)
        if close is not None:
            _close(terminal, desk, row, Closing(close=Close(close), text=words), signer)
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
            terminal.result(
                data | unsent([row.org]), f"Would answer {row.org}: {response.outcome}."
            )
            return
        deliver(
            terminal,
            desk,
            desk.correspondence.answer_letter(row, response, records),
            signer=signer,
            act=(Act.REQUEST_ANSWER, row.id, f"{response.outcome} {response.reason or ''}".strip()),
            data=data,
            words=f"Answered {row.org}: {response.outcome}. "
            + ("Next: they close it." if response.outcome.final else "Next: you answer it."),
        )


def _close(
    terminal: Terminal, desk: Desk, row: RequestRow, closing: Closing, signer: Signer
) -> None:
    outbox = outbox_row(desk.vault, row.id)
    data = {"request": row.id, "outcome": closing.close.value, "text": closing.text}
    if terminal.dry_run:
        asked = outbox.recipients if outbox else ()
        terminal.result(data | unsent(asked), f"Would close {row.id}.")
        return
    deliver(
        terminal,
        desk,
        desk.correspondence.closing_letter(row, closing),
        signer=signer,
        act=(Act.REQUEST_SEND, row.id, f"closed: {closing.close}"),
        data=data,
        words=f"Closed {row.id}: {closing.close}.",
    )
