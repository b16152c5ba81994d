"""Asking, answering, sighting, notifying; and what such a bundle does when it arrives.

What is sent is a letter first (letters.py), and the row that says what was sent is written with the
sealed bundle, in one transaction. What arrives counts only when it
fits what we sent: an answer to our request by somebody who was asked, a sighting of our bundle by
somebody who got it. The note guard is the faces' business, who can show what it took away.
"""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from accord.clock import Clock
from accord.desk.exchange.letters import (
    Letter,
    answer_row,
    read_letter,
    require_open,
    require_records,
    sighting_rows,
)
from accord.desk.exchange.mirror import DirectoryMirror
from accord.desk.exchange.submission import Plan, SentBundle, Submissions
from accord.desk.storage import Mark, MarkState, StoredBundle, Vault, Way
from accord.desk.storage.bundles import WHOLE, add_mark, find_bundle
from accord.desk.storage.outbox import outbox_row
from accord.desk.storage.requests import (
    RequestRow,
    add_answer,
    add_request,
    add_sightings,
    close_request,
    find_request,
)
from accord.kernel.bundle.model import HandlingPolicy, Header
from accord.kernel.correspondence.notice import Notice, format_notice, read_notice
from accord.kernel.correspondence.request import (
    Closing,
    Request,
    format_closing,
    format_request,
    read_request,
)
from accord.kernel.correspondence.response import (
    Response,
    format_response,
    read_response,
)
from accord.kernel.correspondence.sighting import (
    Saw,
    Sighting,
    format_sighting,
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

    def request_letter(self, request: Request, plan: Plan) -> Letter:
        """Return a request as it would be sent.

        Raises:
            Malformed: what ``parse_request`` says of it; ``deadline_invalid``.
        """
        return self._checked(plan, [format_request(request)])

    def closing_letter(self, request: RequestRow, closing: Closing) -> Letter:
        """Return the end of a request of ours, for everybody who was asked and is still enrolled.

        Raises:
            Refused: ``request_not_ours``, ``request_closed``.
        """
        require_open(request, Way.SENT)
        row = outbox_row(self._vault, request.id)
        plan = self._reply_plan(
            find_bundle(self._vault, request.id, request.org),
            self._still_enrolled(row.recipients if row else ()),
            kind=BundleKind.REQUEST,
            title="Request closed",
        )
        return self._checked(plan, [format_closing(closing)])

    def answer_letter(
        self, request: RequestRow, response: Response, records: Sequence[IndicatorRecord] = ()
    ) -> Letter:
        """Return an answer to a request that we got.

        Raises:
            Malformed: what ``parse_response`` says of it.
            Refused: ``request_is_ours``, ``request_closed``.
        """
        require_open(request, Way.RECEIVED)
        plan = self._reply_plan(
            find_bundle(self._vault, request.id, request.org),
            (request.org,),
            kind=BundleKind.RESPONSE,
            title=f"Answer: {response.outcome}",
        )
        return self._checked(plan, [format_response(response), *map(encode_line, records)])

    def sighting_letter(self, bundle: StoredBundle, sightings: Sequence[Sighting]) -> Letter:
        """Return what we tell the sender of a bundle that we saw of it.

        Raises:
            Malformed: what ``parse_sighting`` says.
            Refused: ``sighting_not_received``, ``record_unknown``.
        """
        plan = self._reply_plan(bundle, (bundle.org,), kind=BundleKind.SIGHTING, title="Sighting")
        return self._checked(plan, [format_sighting(one) for one in sightings])

    def notice_letter(self, notice: Notice, plan: Plan) -> Letter:
        """Return a notice as it would be sent.

        Raises:
            Malformed: what ``parse_notice`` says.
        """
        return self._checked(plan, [format_notice(notice)])

    def post(self, letter: Letter, *, first: Callable[[], None] = lambda: None) -> SentBundle:
        """Send a letter, and keep what it says; ``first`` as in ``Submissions.send_encoded``.

        Raises:
            Malformed, NotFound, Refused: it may not go any more (``read_letter``).
            Refused: the charter's code, ``approval_needed``, ``recipient_gone``.
            Unavailable: it waits in the outbox.
        """
        source = letter.plan.source
        under_way = None if source is None else self._submissions.take_up(source)
        if under_way is not None:
            return under_way
        kept = read_letter(self._vault, letter, own=self._org, now=self._clock())
        return self._submissions.send_lines(
            letter.plan, letter.lines, records=kept.records, note=kept.note, first=first
        )

    def ask(self, request: Request, plan: Plan) -> SentBundle:
        """Send a request; raises as ``request_letter`` and ``post``."""
        return self.post(self.request_letter(request, plan))

    def close(self, request: RequestRow, closing: Closing) -> SentBundle:
        """End a request of ours; raises as ``closing_letter`` and ``post``."""
        return self.post(self.closing_letter(request, closing))

    def answer(
        self, request: RequestRow, response: Response, records: Sequence[IndicatorRecord] = ()
    ) -> SentBundle:
        """Answer a request that we got; raises as ``answer_letter`` and ``post``."""
        return self.post(self.answer_letter(request, response, records))

    def sight(self, bundle: StoredBundle, sightings: Sequence[Sighting]) -> SentBundle:
        """Tell what we saw; raises as ``sighting_letter`` and ``post``."""
        return self.post(self.sighting_letter(bundle, sightings))

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

    def _checked(self, plan: Plan, lines: Sequence[bytes]) -> Letter:
        letter = Letter(plan=plan, lines=tuple(lines))
        read_letter(self._vault, letter, own=self._org, now=self._clock())
        return letter

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
    row = answer_row(request, header.org, header.id, said, header.created)
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
    require_records(bundle, said)
    rows = sighting_rows(bundle, header.org, header.id, said, header.created)
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
