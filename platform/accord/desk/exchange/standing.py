"""Where a request stands: state, clock and who acts next, for each of those who were asked.

Derived each time from what was signed: the recipients' acknowledgements, their answers, and the
closing. Nothing is kept that could contradict them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from accord.desk.exchange.confirmations import Standing, confirmations
from accord.desk.storage import Vault, Way
from accord.desk.storage.bundles import find_bundle, has_bundle, lines_of
from accord.desk.storage.outbox import OutboxState, outbox_row
from accord.desk.storage.requests import AnswerRow, RequestRow, answers_to, list_requests
from accord.kernel.correspondence.request import Closing, Request, parse_request
from accord.kernel.correspondence.response import Outcome
from accord.kernel.identifiers import BundleId, OrgId

SOON = 24 * 3600
"""Seconds before its deadline from which a request counts as due."""


class State(StrEnum):
    """How far a request came (docs/formats/correspondence.md)."""

    REFUSED = "refused"
    SENT = "sent"
    RECEIVED = "received"
    ACKNOWLEDGED = "acknowledged"
    ANSWERED = "answered"
    DECLINED = "declined"
    CLOSED = "closed"


_OPEN = (State.SENT, State.RECEIVED, State.ACKNOWLEDGED)


class Next(StrEnum):
    """Who acts next."""

    YOU = "you"
    THEM = "them"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """One of those who were asked; ``answer`` is the bundle of its last word."""

    org: OrgId
    state: State
    outcome: str | None
    reason: str | None
    answer: BundleId | None
    at: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestView:
    """A request as people look at it.

    Attributes:
        row: the request.
        said: its content; ``None`` after its plaintext was deleted.
        state: the least of the parties' states, or ``closed``.
        overdue: the deadline has passed without an answer from everybody.
        due: it will pass within a day.
        left: seconds to the deadline, negative behind it.
        next: who acts next; ``step`` says what, as a code of ``STEPS``.
        parties: each of those who were asked (here: us alone, for a request that we got).
    """

    row: RequestRow
    said: Request | None
    state: State
    overdue: bool
    due: bool
    left: int
    next: Next
    step: str
    parties: tuple[Party, ...]


def requests_now(
    vault: Vault, own: OrgId, *, now: int, way: Way | None = None, unclosed: bool = False
) -> list[RequestView]:
    """Return every request that went in or out, the most urgent first."""
    found = list_requests(vault, way=way, unclosed=unclosed)
    return [view_of(vault, row, own, now=now) for row in found]


def view_of(vault: Vault, row: RequestRow, own: OrgId, *, now: int) -> RequestView:
    """Return where one request stands."""
    answers = answers_to(vault, row)
    if row.way is Way.SENT:
        parties = _asked(vault, row, answers, now=now)
    else:
        mine = [one for one in answers if one.org == own]
        parties = (_party(own, mine, State.RECEIVED, row.arrived),)
    state = _overall(vault, row, parties)
    running = state in _OPEN
    overdue = running and now > row.deadline
    due = running and not overdue and row.deadline - now <= SOON
    following, step = _next(row, state, parties, overdue=overdue)
    return RequestView(
        row=row,
        said=_said(vault, row),
        state=state,
        overdue=overdue,
        due=due,
        left=row.deadline - now,
        next=following,
        step=step,
        parties=parties,
    )


def _asked(
    vault: Vault, row: RequestRow, answers: Sequence[AnswerRow], *, now: int
) -> tuple[Party, ...]:
    parties = []
    for one in confirmations(vault, row.id, now=now):
        got = one.standing is Standing.CONFIRMED
        theirs = [answer for answer in answers if answer.org == one.org]
        parties.append(_party(one.org, theirs, State.RECEIVED if got else State.SENT, one.at))
    return tuple(parties)


def _party(org: OrgId, answers: Sequence[AnswerRow], state: State, at: int | None) -> Party:
    if not answers:
        return Party(org=org, state=state, outcome=None, reason=None, answer=None, at=at)
    last = answers[-1]
    outcome = Outcome(last.outcome)
    states = {Outcome.ACKNOWLEDGED: State.ACKNOWLEDGED, Outcome.DECLINED: State.DECLINED}
    return Party(
        org=org,
        state=states.get(outcome, State.ANSWERED),
        outcome=last.outcome,
        reason=last.reason,
        answer=last.id,
        at=last.at,
    )


def _overall(vault: Vault, row: RequestRow, parties: Sequence[Party]) -> State:
    if row.closed is not None:
        return State.CLOSED
    if row.way is Way.SENT:
        sent = outbox_row(vault, row.id)
        if sent is not None and sent.state is OutboxState.REFUSED:
            return State.REFUSED
    states = {one.state for one in parties}
    if not states:
        return State.SENT
    running = [state for state in _OPEN if state in states]
    if running:
        return running[0]
    return State.ANSWERED if State.ANSWERED in states else State.DECLINED


def _next(
    row: RequestRow, state: State, parties: Sequence[Party], *, overdue: bool
) -> tuple[Next, str]:
    if state in {State.CLOSED, State.REFUSED}:
        return Next.NOBODY, "none" if state is State.CLOSED else "mend"
    final = all(one.state not in _OPEN for one in parties)
    if row.way is Way.SENT:
        if final:
            return Next.YOU, "close"
        return (Next.YOU, "call") if overdue else (Next.THEM, "wait")
    if final:
        return Next.THEM, "closing"
    return Next.YOU, "answer" if state is State.ACKNOWLEDGED else "acknowledge"


def _said(vault: Vault, row: RequestRow) -> Request | None:
    if not has_bundle(vault, row.org, row.id):
        return None
    line = next(iter(lines_of(vault, find_bundle(vault, row.id, row.org))), None)
    if line is None:
        return None
    said = parse_request(line)
    return None if isinstance(said, Closing) else said
