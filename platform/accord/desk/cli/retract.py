"""``accord retract ID``: take a bundle, or records of it, back at every recipient."""

from collections.abc import Sequence
from typing import Any

import click

from accord.desk.app import Desk
from accord.desk.cli.opened import opened_desk, person_here
from accord.desk.cli.shown import confirmation_data
from accord.desk.exchange.confirmations import Confirmation, Standing, collect, confirmations
from accord.desk.exchange.recalls import wait_for_all
from accord.desk.exchange.retraction import DEADLINE, Reason, Retraction, send_retraction
from accord.desk.storage.bundles import find_bundle
from accord.desk.storage.journal import Act, record_act
from accord.desk.storage.outbox import OutboxState, outbox_row
from accord.kernel.errors import Refused
from accord.kernel.identifiers import BundleId, parse_bundle_id
from accord.terminal import Failed, Partly, Terminal, common_options

MAX_HOURS = 720
MAX_WAIT = 3600


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
@click.option(
    "--wait",
    type=click.IntRange(1, MAX_WAIT),
    metavar="SECONDS",
    help="Wait so long for every recipient to confirm; exit code 5 when one has not.",
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
    wait: int | None,
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
        _send(terminal, desk, original, retraction, wait=wait or 0)


def _send(
    terminal: Terminal, desk: Desk, original: BundleId, retraction: Retraction, *, wait: int
) -> None:
    bundle = find_bundle(desk.vault, original, desk.org)
    recall = send_retraction(
        desk.submissions,
        desk.vault,
        desk.mirror.recent(),
        bundle,
        retraction=retraction,
        clock=desk.clock,
    )
    record_act(
        desk.vault,
        person=person_here(),
        act=Act.BUNDLE_RETRACT,
        subject=bundle.subject,
        reason=retraction.reason.value,
        now=desk.clock(),
    )
    if wait and recall.sent.state is not OutboxState.REFUSED:
        wait_for_all(
            desk.vault,
            desk.org,
            recall.sent.id,
            ask=lambda: collect(desk.vault, desk.client, desk.mirror),
            pause=desk.pause,
            seconds=wait,
        )
    said = confirmations(desk.vault, recall.sent.id, now=desk.clock(), deadline=retraction.deadline)
    standing = [confirmation_data(one) for one in said]
    data = _data(retraction, recall.sent.id, recall.sent.state.value, standing, list(recall.gone))
    data |= {"code": recall.sent.code, "message": recall.sent.message}
    terminal.result(
        data,
        f"Took back {_what(retraction)}: {recall.sent.state}; "
        f"{_standing(said)}. accord show {recall.sent.id}",
    )
    if recall.sent.state is OutboxState.REFUSED:
        raise Failed
    if wait and any(one.standing is not Standing.CONFIRMED for one in said):
        raise Partly


def _standing(said: Sequence[Confirmation]) -> str:
    done = sum(1 for one in said if one.standing is Standing.CONFIRMED)
    return f"{done} of {len(said)} recipients have confirmed"


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
