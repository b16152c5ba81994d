"""Asking, answering, sighting, notifying; and what such a bundle does when it arrives.

What is sent is parsed by the rules for receivers before it is sealed, and the row that says what
was sent is written with the sealed bundle, in one transaction. What arrives counts only when it
fits what we sent: an answer to our request by somebody who was asked, a sighting of our bundle by
somebody who got it. The note guard is the faces' business, who can show what it took away.
"""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from accord.clock import Clock
from accord.desk.exchange.mirror import DirectoryMirror
from accord.desk.exchange.submission import Plan, SentBundle, Submissions
from accord.desk.storage import Mark, MarkState, StoredBundle, Vault, Way
from accord.desk.storage.bundles import WHOLE, add_mark, find_bundle
from accord.desk.storage.outbox import outbox_row
from accord.desk.storage.requests import (
    AnswerRow,
    RequestRow,
    SightingRow,
    add_answer,
    add_request,
    add_sightings,
    close_request,
    find_request,
)
from accord.kernel.bundle.model import HandlingPolicy, Header
from accord.kernel.correspondence.notice import Notice, format_notice, parse_notice, read_notice
from accord.kernel.correspondence.request import (
    Closing,
    Request,
    format_closing,
    format_request,
    parse_request,
    read_request,
)
from accord.kernel.correspondence.response import (
    Response,
    format_response,
    parse_response,
    read_response,
)
from accord.kernel.correspondence.sighting import (
    Saw,
    Sighting,
    format_sighting,
    parse_sighting,
    read_sightings,
)
from accord.kernel.directory.organisation import Status
from accord.kernel.envelope.payload import PayloadHead
from accord.kernel.errors import Malformed, NotFound, Refused, VerificationFailed
from accord.kernel.identifiers import BundleId, OrgId
from accord.kernel.indicators import IndicatorRecord, encode_line
from accord.kernel.markings import BundleKind, LegalBasis, Onward, OrgKind, Purpose, Tlp

DAY = 86_400
AFTER_DEADLINE = 30 * DAY
"""Seconds that a request stays valid behind its deadline, so that late answers find it."""

REPLY_LIFETIME = 180 * DAY

USUAL_BASIS: Mapping[OrgKind, LegalBasis] = {
    OrgKind.FINANCIAL: LegalBasis.LEGAL_OBLIGATION,
    OrgKind.LAW_ENFORCEMENT: LegalBasis.LAW_ENFORCEMENT,
}
"""On what basis organisations of a kind usually share; others: a legitimate interest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """What a received bundle says: its searchable records, and the rows to be written."""

    note: Callable[[sqlite3.Connection], None] = lambda _connection: None
    records: tuple[IndicatorRecord | None, ...] = ()
    quarantined: tuple[tuple[int, str], ...] = ()


class Correspondence:
    """Sends for one organisation."""

    def __init__(
        self,
        *,
        vault: Vault,
        submissions: Submissions,
        mirror: DirectoryMirror,
        org: OrgId,
        clock: Clock,
    ) -> None:
        """Work with what is handed down."""
        self._vault = vault
        self._submissions = submissions
        self._mirror = mirror
        self._org = org
        self._clock = clock

    def contact(self) -> str:
        """Return our own duty contact, as the directory has it."""
        return self._mirror.recent([self._org]).organisation(self._org).profile.contact

    def plan_request(
        self, request: Request, recipients: Sequence[OrgId], policy: HandlingPolicy
    ) -> Plan:
        """Return what would be sent; ``Submissions.decide`` says whether it may."""
        return Plan(
            recipients=tuple(recipients),
            policy=policy,
            expires=request.deadline + AFTER_DEADLINE,
            head=PayloadHead(title=f"Request: {request.ask}"),
            kind=BundleKind.REQUEST,
            refs=request.refs,
        )

    def ask(self, request: Request, plan: Plan) -> SentBundle:
        """Send a request.

        Raises:
            Malformed: what ``parse_request`` says of it; ``deadline_invalid``.
            Refused: the charter's code, ``recipient_gone``.
            Unavailable: it waits in the outbox.
        """
        line = format_request(request)
        parse_request(line)
        now = self._clock()
        if request.deadline <= now:
            raise Malformed("deadline_invalid", "The deadline has passed already.")

        def note(connection: sqlite3.Connection, bundle: BundleId) -> None:
            add_request(
                connection,
                RequestRow(
                    org=self._org,
                    id=bundle,
                    way=Way.SENT,
                    ask=request.ask.value,
                    arrived=now,
                    deadline=request.deadline,
                ),
            )

        return self._submissions.send_lines(plan, [line], note=note)

    def close(self, request: RequestRow, closing: Closing) -> SentBundle:
        """End a request of ours at everybody who was asked and is still enrolled.

        Raises:
            Refused: ``request_not_ours``, ``request_closed``, or the charter's code.
        """
        row = outbox_row(self._vault, request.id)
        if request.way is not Way.SENT or row is None:
            raise Refused(
                "request_not_ours",
                "Only the organisation that asked can close a request.",
                observed=f"asked by {request.org}",
                next_step=f"Answer it: accord respond {request.id}",
            )
        if request.closed is not None:
            raise Refused("request_closed", "This request is closed already.", observed=request.id)
        line = format_closing(closing)
        parse_request(line)
        now = self._clock()

        def note(connection: sqlite3.Connection, _bundle: BundleId) -> None:
            close_request(connection, request.org, request.id, closing.close.value, now=now)

        plan = self._reply_plan(
            find_bundle(self._vault, request.id, request.org),
            self._still_enrolled(row.recipients),
            kind=BundleKind.REQUEST,
            title="Request closed",
        )
        return self._submissions.send_lines(plan, [line], note=note)

    def answer(
        self, request: RequestRow, response: Response, records: Sequence[IndicatorRecord] = ()
    ) -> SentBundle:
        """Answer a request that we got.

        Raises:
            Malformed: what ``parse_response`` says of it.
            Refused: ``request_is_ours``, ``request_closed``, or the charter's code.
        """
        if request.way is not Way.RECEIVED:
            raise Refused(
                "request_is_ours",
                "This request is our own.",
                observed=request.id,
                next_step=f"End it with: accord respond {request.id} --close settled",
            )
        if request.closed is not None:
            raise Refused("request_closed", "This request is closed already.", observed=request.id)
        line = format_response(response)
        parse_response(line)
        lines = [line, *(encode_line(record) for record in records)]
        now = self._clock()

        def note(connection: sqlite3.Connection, bundle: BundleId) -> None:
            add_answer(connection, _answer_row(request, self._org, bundle, response, now))

        plan = self._reply_plan(
            find_bundle(self._vault, request.id, request.org),
            (request.org,),
            kind=BundleKind.RESPONSE,
            title=f"Answer: {response.outcome}",
        )
        return self._submissions.send_lines(plan, lines, records=[None, *records], note=note)

    def sight(self, bundle: StoredBundle, sightings: Sequence[Sighting]) -> SentBundle:
        """Tell the sender of a bundle what we saw of it.

        Raises:
            Malformed: what ``parse_sighting`` says.
            Refused: ``sighting_not_received``, ``record_unknown``, or the charter's code.
        """
        if bundle.way is not Way.RECEIVED:
            raise Refused(
                "sighting_not_received",
                "A sighting is of a bundle that somebody sent to us.",
                observed=bundle.id,
            )
        _require_records(bundle, sightings)
        lines = [format_sighting(one) for one in sightings]
        for line in lines:
            parse_sighting(line)
        now = self._clock()

        def note(connection: sqlite3.Connection, sent: BundleId) -> None:
            rows = _sighting_rows(bundle, self._org, sent, sightings, now)
            add_sightings(connection, rows)

        plan = self._reply_plan(bundle, (bundle.org,), kind=BundleKind.SIGHTING, title="Sighting")
        return self._submissions.send_lines(plan, lines, note=note)

    def plan_notice(
        self,
        notice: Notice,
        recipients: Sequence[OrgId],
        policy: HandlingPolicy,
        refs: Sequence[BundleId] = (),
    ) -> Plan:
        """Return what would be sent."""
        return Plan(
            recipients=tuple(recipients),
            policy=policy,
            expires=self._clock() + REPLY_LIFETIME,
            head=PayloadHead(title=notice.subject),
            kind=BundleKind.NOTICE,
            refs=tuple(refs),
        )

    def notify(self, notice: Notice, plan: Plan) -> SentBundle:
        """Send a notice.

        Raises:
            Malformed: what ``parse_notice`` says.
            Refused: the charter's code.
        """
        line = format_notice(notice)
        parse_notice(line)
        return self._submissions.send_lines(plan, [line])

    def policy(
        self,
        *,
        tlp: Tlp = Tlp.AMBER,
        purpose: Purpose = Purpose.INVESTIGATION,
        legal_basis: LegalBasis | None = None,
    ) -> HandlingPolicy:
        """Return a policy with what is usual for our kind of organisation."""
        kind = self._mirror.recent([self._org]).organisation(self._org).profile.kind
        return HandlingPolicy(
            tlp=tlp,
            purpose=purpose,
            legal_basis=legal_basis or USUAL_BASIS.get(kind, LegalBasis.LEGITIMATE_INTEREST),
            onward=Onward.NONE,
        )

    def _reply_plan(
        self, original: StoredBundle, recipients: Sequence[OrgId], *, kind: BundleKind, title: str
    ) -> Plan:
        """Reply under the original's marking and purpose; where that may not go, to investigate."""
        plan = Plan(
            recipients=tuple(recipients),
            policy=self.policy(tlp=Tlp(original.tlp), purpose=Purpose(original.purpose)),
            expires=self._clock() + REPLY_LIFETIME,
            head=PayloadHead(title=title),
            kind=kind,
            refs=(original.id,),
        )
        other = replace(plan, policy=replace(plan.policy, purpose=Purpose.INVESTIGATION))
        if self._submissions.decide(plan).code == "charter_purpose":
            return other
        return plan

    def _still_enrolled(self, orgs: Sequence[OrgId]) -> tuple[OrgId, ...]:
        state = self._mirror.recent(orgs)
        found = [state.find_organisation(org) for org in orgs]
        active = tuple(one.org for one in found if one is not None and one.status is Status.ACTIVE)
        if not active:
            raise Refused("recipient_none", "Nobody who was asked is enrolled any more.")
        return active


def read_arrival(
    vault: Vault, header: Header, lines: Sequence[bytes], *, own: OrgId, now: int
) -> Arrival:
    """Return what a received bundle says, checked against what this desk has sent.

    Raises:
        Malformed, VerificationFailed: as the kind's reader; ``request_other_sender``.
        Refused: ``response_not_asked``, ``sighting_not_received``, ``record_unknown``.
    """
    match header.kind:
        case BundleKind.REQUEST:
            return _request_arrival(vault, header, lines, now)
        case BundleKind.RESPONSE:
            return _response_arrival(vault, header, lines, own)
        case BundleKind.SIGHTING:
            return _sighting_arrival(vault, header, lines, own)
        case BundleKind.NOTICE:
            read_notice(lines)
            return Arrival(note=lambda connection: _dispute_own(connection, header))
        case BundleKind.INDICATORS | BundleKind.LIST | BundleKind.RETRACTION:
            pass
    return Arrival()


def dispute(
    connection: sqlite3.Connection,
    org: OrgId,
    id_: BundleId,
    header: Header,
    records: Sequence[int],
    code: str,
) -> None:
    """Mark records of (``org``, ``id_``) as disputed by the verified bundle ``header``.

    A recipient disputes with a sighting what it got from us; a sender with a notice what it sent
    itself, to those whom it tells. Nobody else's word marks anything.
    """
    for record in records:
        mark = Mark(
            record=record,
            state=MarkState.DISPUTED,
            by_org=header.org,
            by_id=header.id,
            code=code,
            at=header.created,
        )
        add_mark(connection, org, id_, mark)


def _dispute_own(connection: sqlite3.Connection, header: Header) -> None:
    for ref in header.refs:
        dispute(connection, header.org, ref, header, [WHOLE], header.kind.value)


def _request_arrival(vault: Vault, header: Header, lines: Sequence[bytes], now: int) -> Arrival:
    said = read_request(header, lines)
    if isinstance(said, Closing):
        request = _request_of(vault, header.refs[0], header.org)
        if request is None:
            raise VerificationFailed(
                "request_other_sender",
                "A closing names a request that its sender never sent to us.",
                observed=header.refs[0],
            )
        close = said.close.value
        return Arrival(
            note=lambda connection: close_request(
                connection, header.org, header.refs[0], close, now=now
            )
        )
    row = RequestRow(
        org=header.org,
        id=header.id,
        way=Way.RECEIVED,
        ask=said.ask.value,
        arrived=now,
        deadline=said.deadline,
    )
    return Arrival(note=lambda connection: add_request(connection, row))


def _response_arrival(vault: Vault, header: Header, lines: Sequence[bytes], own: OrgId) -> Arrival:
    said, outcomes = read_response(header, lines)
    request = _request_of(vault, header.refs[0], own)
    if request is None or not _was_sent_to(vault, header.refs[0], header.org):
        raise Refused(
            "response_not_asked",
            "An answer comes from an organisation that we had not asked.",
            observed=f"{header.org}, request {header.refs[0]}",
        )
    row = _answer_row(request, header.org, header.id, said, header.created)
    records = [None if isinstance(one, Malformed) else one for one in outcomes]
    bad = [
        (place, one.code)
        for place, one in enumerate(outcomes, start=1)
        if isinstance(one, Malformed)
    ]
    return Arrival(
        note=lambda connection: add_answer(connection, row),
        records=(None, *records),
        quarantined=tuple(bad),
    )


def _sighting_arrival(vault: Vault, header: Header, lines: Sequence[bytes], own: OrgId) -> Arrival:
    said = read_sightings(header, lines)
    ref = header.refs[0]
    if not _was_sent_to(vault, ref, header.org):
        raise Refused(
            "sighting_not_received",
            "A sighting comes from an organisation that never got the bundle from us.",
            observed=f"{header.org}, bundle {ref}",
        )
    bundle = find_bundle(vault, ref, own)
    _require_records(bundle, said)
    rows = _sighting_rows(bundle, header.org, header.id, said, header.created)
    wrong = [
        WHOLE if one.record is None else one.record for one in said if one.saw is Saw.FALSE_POSITIVE
    ]

    def note(connection: sqlite3.Connection) -> None:
        add_sightings(connection, rows)
        dispute(connection, own, ref, header, wrong, Saw.FALSE_POSITIVE.value)

    return Arrival(note=note)


def _request_of(vault: Vault, id_: BundleId, org: OrgId) -> RequestRow | None:
    try:
        return find_request(vault, id_, org)
    except NotFound:
        return None


def _was_sent_to(vault: Vault, id_: BundleId, org: OrgId) -> bool:
    row = outbox_row(vault, id_)
    return row is not None and org in row.recipients


def _require_records(bundle: StoredBundle, sightings: Sequence[Sighting]) -> None:
    numbers = [one.record for one in sightings if one.record is not None]
    if numbers and max(numbers) >= bundle.n:
        raise Refused(
            "record_unknown",
            f"The bundle has {bundle.n} records, counted from 0.",
            observed=str(max(numbers)),
        )


def _answer_row(
    request: RequestRow, org: OrgId, bundle: BundleId, response: Response, at: int
) -> AnswerRow:
    return AnswerRow(
        request_org=request.org,
        request=request.id,
        org=org,
        id=bundle,
        outcome=response.outcome.value,
        reason=None if response.reason is None else response.reason.value,
        at=at,
    )


def _sighting_rows(
    bundle: StoredBundle, org: OrgId, by: BundleId, sightings: Sequence[Sighting], at: int
) -> list[SightingRow]:
    return [
        SightingRow(
            org=bundle.org,
            bundle=bundle.id,
            record=WHOLE if one.record is None else one.record,
            by_org=org,
            by_id=by,
            saw=one.saw.value,
            count=one.count.value,
            period=one.period.value,
            at=at,
        )
        for one in sightings
    ]
