"""How requests, answers and what was sent look in ``--json`` and in a line for people."""

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from accord.clock import moment
from accord.desk.app import Desk
from accord.desk.cli.drafts import draft_data
from accord.desk.cli.opened import person_here
from accord.desk.cli.signed_in import Signer, maker_of
from accord.desk.exchange.letters import Letter
from accord.desk.exchange.standing import Next, RequestView
from accord.desk.exchange.submission import SentBundle
from accord.desk.intake.notes import guard_note
from accord.desk.storage.journal import Act, record_act
from accord.desk.storage.outbox import OutboxState
from accord.desk.storage.requests import SightingRow
from accord.kernel.correspondence.request import About, AboutRecords
from accord.kernel.correspondence.words import MAX_TEXT
from accord.kernel.errors import Malformed
from accord.terminal import Failed, Terminal

STEPS = {
    "wait": "wait for their answer",
    "call": "call their contact (accord contacts): the deadline has passed",
    "close": "close it: accord respond {id} --close settled",
    "acknowledge": "say that you have it: accord respond {id} --outcome acknowledged",
    "answer": "answer it: accord respond {id} --outcome done",
    "closing": "they close it",
    "mend": "the hub refused it; mend the cause and ask again",
    "none": "nothing is left to do",
}
"""What is to be done next, in words, by the codes of ``standing``."""

_HOURS = re.compile(r"([1-9][0-9]{0,3})([hd])")


def deadline_of(text: str, *, now: int) -> int:
    """Return ``48h``, ``5d``, ``2026-12-01`` or ``2026-12-01T12:00`` (UTC) as unix seconds.

    Raises:
        Malformed: ``deadline_unreadable``. A date alone means its last minute.
    """
    match = _HOURS.fullmatch(text)
    if match:
        return now + int(match[1]) * (3600 if match[2] == "h" else 86_400)
    try:
        found = dt.datetime.fromisoformat(text if "T" in text else f"{text}T23:59")
    except ValueError as error:
        raise Malformed(
            "deadline_unreadable",
            "A deadline is 48h, 5d, 2026-12-01 or 2026-12-01T12:00 (UTC).",
            observed=text[:40],
        ) from error
    return int((found if found.tzinfo else found.replace(tzinfo=dt.UTC)).timestamp())


def guarded_text(terminal: Terminal, text: str | None) -> str | None:
    """Return the text as the note guard lets it go; say so when something was taken away."""
    if text is None:
        return None
    shown, taken = guard_note(text, limit=MAX_TEXT)
    if taken:
        terminal.say("The note guard masked part of the text; see what goes with --dry-run.")
    return shown


def journal(desk: Desk, person: str, act: Act, subject: str, reason: str) -> None:
    """Write down who does what, before it is done."""
    record_act(desk.vault, person=person, act=act, subject=subject, reason=reason, now=desk.clock())


def unsent(recipients: Sequence[str]) -> dict[str, Any]:
    """Return how far something came that was not sent."""
    nothing = {"id": None, "state": "not-sent", "code": None, "message": None}
    return nothing | {"recipients": list(recipients)}


def deliver(
    terminal: Terminal,
    desk: Desk,
    letter: Letter,
    *,
    signer: Signer,
    act: tuple[Act, str, str],
    data: dict[str, Any],
    words: str,
) -> None:
    """Send a letter and print how far it came; or lay it aside where a second person approves.

    Args:
        terminal: where to.
        desk: whose.
        letter: what is sent.
        signer: account and password file of whoever makes a draft.
        act: of the journal, its subject and reason, when it goes at once.
        data: what is printed beside how far it came.
        words: for people, once it is sent.

    Raises:
        Refused: the charter's code; ``approval_needed`` without an account.
        Failed: the hub refused it.
    """
    plan = letter.plan
    desk.submissions.decide(replace(plan, approved=True)).require()
    if desk.submissions.needs_approval(plan):
        draft = desk.drafts.make(plan, letter.lines, maker=maker_of(desk, *signer))
        terminal.result(
            data | unsent(plan.recipients) | {"draft": draft_data(draft)},
            f"Nothing has left this computer yet. Draft {draft.no} waits for a second person. "
            f"{desk.submissions.opened_by(plan)}\n"
            f"Next, a colleague: accord approve {draft.no} --as THEIR-ACCOUNT",
        )
        return
    journal(desk, person_here(), *act)
    sent = desk.correspondence.post(letter)
    finish(terminal, sent, data | sent_data(sent, plan.recipients), f"{words} ({sent.id})")


def sent_data(sent: SentBundle, recipients: Sequence[str]) -> dict[str, Any]:
    """Return how far a bundle came that was just sent."""
    return {
        "id": sent.id,
        "state": sent.state.value,
        "recipients": list(recipients),
        "code": sent.code,
        "message": sent.message,
    }


def finish(terminal: Terminal, sent: SentBundle, data: dict[str, Any], words: str) -> None:
    """Print what was sent; fail when the hub refused it."""
    if sent.state is OutboxState.REFUSED:
        words = f"The hub refused it: {sent.message}"
    terminal.result(data, words)
    if sent.state is OutboxState.REFUSED:
        raise Failed


def view_data(view: RequestView) -> dict[str, Any]:
    """Return a request with its state, clock and who acts next."""
    said = view.said
    return {
        "id": view.row.id,
        "org": view.row.org,
        "way": "in" if view.row.way == "received" else "out",
        "kind": view.row.ask,
        "state": view.state.value,
        "overdue": view.overdue,
        "due": view.due,
        "deadline": view.row.deadline,
        "seconds_left": view.left,
        "next": view.next.value,
        "next_step": STEPS[view.step].format(id=view.row.id),
        "arrived": view.row.arrived,
        "closed": view.row.closed,
        "close": view.row.close,
        "basis": said.basis if said else None,
        "contact": said.contact if said else None,
        "text": said.text if said else None,
        "about": [about_data(one) for one in said.about] if said else [],
        "parties": [
            {
                "org": party.org,
                "state": party.state.value,
                "outcome": party.outcome,
                "reason": party.reason,
                "answer": party.answer,
                "at": party.at,
            }
            for party in view.parties
        ],
    }


def about_data(one: About) -> dict[str, Any]:
    """Return what a request is about."""
    if isinstance(one, AboutRecords):
        return {"bundle": one.bundle, "org": one.org, "records": list(one.records)}
    data: dict[str, Any] = {"kind": one.kind.value, "value": one.value}
    if one.network is not None:
        data["network"] = one.network.value
    if one.memo is not None:
        data["memo"] = one.memo
    return data


def sighting_data(row: SightingRow) -> dict[str, Any]:
    """Return a sighting; ``record`` is absent for the whole bundle."""
    data: dict[str, Any] = {
        "org": row.by_org,
        "saw": row.saw,
        "count": row.count,
        "period": row.period,
        "at": row.at,
        "by": row.by_id,
    }
    return data if row.record < 0 else {"record": row.record} | data


def view_line(view: RequestView) -> str:
    """Return a request in one line, and a line for what comes next."""
    way = "from" if view.row.way == "received" else "by us to"
    who = view.row.org if view.row.way == "received" else ", ".join(p.org for p in view.parties)
    late = "  OVERDUE" if view.overdue else "  due" if view.due else ""
    acts = {Next.YOU: "you", Next.THEM: "they", Next.NOBODY: "nobody"}[view.next]
    return (
        f"{view.row.id}  {view.row.ask} {way} {who}  {view.state}{late}  "
        f"until {moment(view.row.deadline)} ({clock(view.left)})\n"
        f"    next: {acts} - {STEPS[view.step].format(id=view.row.id)}"
    )


def clock(left: int) -> str:
    """Return seconds to a deadline in words."""
    size, day = abs(left), 86_400
    hours = (
        f"{size // day} d {size % day // 3600} h"
        if size >= day
        else (f"{size // 3600} h {size % 3600 // 60} min")
    )
    return f"{hours} left" if left >= 0 else f"{hours} over"
