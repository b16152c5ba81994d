"""``accord retract ID``: take a bundle, or records of it, back at every recipient."""

from typing import Any

import click

from accord.desk.app import Desk
from accord.desk.cli.opened import opened_desk
from accord.desk.cli.shown import confirmation_data
from accord.desk.exchange.confirmations import confirmations
from accord.desk.exchange.retraction import DEADLINE, Reason, Retraction, send_retraction
from accord.desk.storage.bundles import find_bundle
from accord.desk.storage.outbox import OutboxState, outbox_row
from accord.kernel.errors import Refused
from accord.kernel.identifiers import BundleId, parse_bundle_id
from accord.terminal import Failed, Terminal, common_options

MAX_HOURS = 720


@click.command()
@click.argument("bundle_id", metavar="ID")
@click.option("--record", "records", multiple=True, type=click.IntRange(0), help="Only these.")
@click.option("--reason", required=True, type=click.Choice([reason.value for reason in Reason]))
@click.option("--note", help="In words, for the recipients; up to 500 characters.")
@click.option(
    "--deadline",
    type=click.IntRange(1, MAX_HOURS),
    default=DEADLINE // 3600,
    show_default=True,
    metavar="HOURS",
    help="By when recipients should have applied it.",
)
@common_options
def retract(
    terminal: Terminal,
    /,
    *,
    bundle_id: str,
    records: tuple[int, ...],
    reason: str,
    note: str | None,
    deadline: int,
) -> None:
    """Take a bundle of yours back, or single records of it (counted from 0)."""
    original = parse_bundle_id(bundle_id)
    with opened_desk(terminal) as desk:
        retraction = Retraction(
            id=original,
            reason=Reason(reason),
            note=note,
            deadline=desk.clock() + deadline * 3600,
            records=tuple(sorted(set(records))),
        )
        if terminal.dry_run:
            row = outbox_row(desk.vault, original)
            recipients = list(row.recipients) if row else []
            data = _data(retraction, None, "not-sent", [], [])
            terminal.result(
                data | {"recipients": [{"org": org, "standing": "pending"} for org in recipients]},
                f"Would take back {original} at: {', '.join(recipients) or 'nobody'}.",
            )
            return
        if not terminal.confirm(f"Take back {_what(retraction)} at every recipient?"):
            raise Refused(
                "not_confirmed",
                "Nothing was taken back.",
                next_step="Answer yes, or give --yes.",
            )
        _send(terminal, desk, original, retraction)


def _send(terminal: Terminal, desk: Desk, original: BundleId, retraction: Retraction) -> None:
    recall = send_retraction(
        desk.submissions,
        desk.vault,
        desk.mirror.recent(),
        find_bundle(desk.vault, original, desk.org),
        retraction=retraction,
        clock=desk.clock,
    )
    said = confirmations(desk.vault, recall.sent.id, now=desk.clock(), deadline=retraction.deadline)
    standing = [confirmation_data(one) for one in said]
    data = _data(retraction, recall.sent.id, recall.sent.state.value, standing, list(recall.gone))
    data |= {"code": recall.sent.code, "message": recall.sent.message}
    terminal.result(
        data,
        f"Took back {_what(retraction)}: {recall.sent.state}; "
        f"{len(recall.recipients)} recipients have to confirm. accord show {recall.sent.id}",
    )
    if recall.sent.state is OutboxState.REFUSED:
        raise Failed


def _what(retraction: Retraction) -> str:
    if not retraction.records:
        return f"all of {retraction.id}"
    return f"{len(retraction.records)} records of {retraction.id}"


def _data(
    retraction: Retraction,
    sent: BundleId | None,
    state: str,
    recipients: list[dict[str, Any]],
    gone: list[str],
) -> dict[str, Any]:
    return {
        "id": retraction.id,
        "retraction": sent,
        "state": state,
        "records": list(retraction.records),
        "reason": retraction.reason.value,
        "deadline": retraction.deadline,
        "recipients": recipients,
        "gone": gone,
        "code": None,
        "message": None,
    }
