"""What is written to members about records: requests, answers, sightings, notices, before it goes.

A letter is its plan and its lines and nothing else, so that one which waited for a second person is
the same as one that goes at once: what this desk keeps of it (``read_letter``) is read from the
lines by the rules for receivers, and asked anew when it goes.
"""

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from accord.desk.exchange.submission import Plan
from accord.desk.storage import StoredBundle, Vault, Way
from accord.desk.storage.bundles import WHOLE, find_bundle
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
from accord.kernel.correspondence.notice import parse_notice
from accord.kernel.correspondence.request import Closing, Request, parse_request
from accord.kernel.correspondence.response import Response, parse_response
from accord.kernel.correspondence.sighting import Sighting, parse_sighting
from accord.kernel.errors import Malformed, Refused
from accord.kernel.identifiers import BundleId, OrgId
from accord.kernel.indicators import IndicatorRecord
from accord.kernel.markings import BundleKind

_decode = msgspec.json.Decoder(IndicatorRecord).decode

LETTERS = frozenset(
    {BundleKind.REQUEST, BundleKind.RESPONSE, BundleKind.SIGHTING, BundleKind.NOTICE}
)
"""The kinds that are letters. A recall is none: it waits for nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What is sent, to whom and how, and its lines without LF; nothing has been sent."""

    plan: Plan
    lines: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What this desk keeps of a letter that goes: its searchable records, and the rows of it."""

    note: Callable[[sqlite3.Connection, BundleId], None] = lambda _connection, _bundle: None
    records: tuple[IndicatorRecord | None, ...] = ()


def read_letter(vault: Vault, letter: Letter, *, own: OrgId, now: int) -> Kept:
    """Return what is kept of a letter that may go now.

    Raises:
        Malformed: as the kind's parser; ``deadline_invalid``.
        NotFound: what it answers is not here.
        Refused: ``request_is_ours``, ``request_not_ours``, ``request_closed``,
            ``sighting_not_received``, ``record_unknown``.
    """
    plan, lines = letter.plan, letter.lines
    match plan.kind:
        case BundleKind.REQUEST:
            said = parse_request(lines[0])
            if isinstance(said, Closing):
                return _closing(vault, plan.refs[0], said, own, now)
            return _request(said, own, now)
        case BundleKind.RESPONSE:
            return _response(vault, letter, own, now)
        case BundleKind.SIGHTING:
            seen = [parse_sighting(line) for line in lines]
            bundle = find_bundle(vault, plan.refs[0], plan.recipients[0])
            return _sighting(bundle, seen, own, now)
        case BundleKind.NOTICE:
            parse_notice(lines[0])
        case BundleKind.INDICATORS | BundleKind.LIST | BundleKind.RETRACTION:
            raise Malformed("kind_mismatch", "This is no letter.", observed=plan.kind.value)
    return Kept()


def _request(said: Request, own: OrgId, now: int) -> Kept:
    if said.deadline <= now:
        raise Malformed("deadline_invalid", "The deadline has passed already.")

    def note(connection: sqlite3.Connection, bundle: BundleId) -> None:
        row = RequestRow(
            org=own,
            id=bundle,
            way=Way.SENT,
            ask=said.ask.value,
            arrived=now,
            deadline=said.deadline,
        )
        add_request(connection, row)

    return Kept(note=note)


def _closing(vault: Vault, ref: BundleId, said: Closing, own: OrgId, now: int) -> Kept:
    request = find_request(vault, ref, own)
    require_open(request, Way.SENT)

    def note(connection: sqlite3.Connection, _bundle: BundleId) -> None:
        close_request(connection, own, ref, said.close.value, now=now)

    return Kept(note=note)


def _response(vault: Vault, letter: Letter, own: OrgId, now: int) -> Kept:
    request = find_request(vault, letter.plan.refs[0], letter.plan.recipients[0])
    require_open(request, Way.RECEIVED)
    said = parse_response(letter.lines[0])

    def note(connection: sqlite3.Connection, bundle: BundleId) -> None:
        add_answer(connection, answer_row(request, own, bundle, said, now))

    return Kept(note=note, records=(None, *map(_decode, letter.lines[1:])))


def _sighting(bundle: StoredBundle, seen: Sequence[Sighting], own: OrgId, now: int) -> Kept:
    if bundle.way is not Way.RECEIVED:
        raise Refused(
            "sighting_not_received",
            "A sighting is of a bundle that somebody sent to us.",
            observed=bundle.id,
        )
    require_records(bundle, seen)

    def note(connection: sqlite3.Connection, sent: BundleId) -> None:
        add_sightings(connection, sighting_rows(bundle, own, sent, seen, now))

    return Kept(note=note)


def require_open(request: RequestRow, way: Way) -> None:
    """Refuse to answer what we asked ourselves, to close what others asked, and what is closed.

    Raises:
        Refused: ``request_is_ours``, ``request_not_ours``, ``request_closed``.
    """
    if request.way is not way and way is Way.RECEIVED:
        raise Refused(
            "request_is_ours",
            "This request is our own.",
            observed=request.id,
            next_step=f"End it with: accord respond {request.id} --close settled",
        )
    if request.way is not way:
        raise Refused(
            "request_not_ours",
            "Only the organisation that asked can close a request.",
            observed=f"asked by {request.org}",
            next_step=f"Answer it: accord respond {request.id}",
        )
    if request.closed is not None:
        raise Refused("request_closed", "This request is closed already.", observed=request.id)


def require_records(bundle: StoredBundle, sightings: Sequence[Sighting]) -> None:
    """Refuse sightings of records that the bundle does not have.

    Raises:
        Refused: ``record_unknown``.
    """
    numbers = [one.record for one in sightings if one.record is not None]
    if numbers and max(numbers) >= bundle.n:
        raise Refused(
            "record_unknown",
            f"The bundle has {bundle.n} records, counted from 0.",
            observed=str(max(numbers)),
        )


def answer_row(
    request: RequestRow, org: OrgId, bundle: BundleId, response: Response, at: int
) -> AnswerRow:
    """Return the row of an answer by ``org``, in or out."""
    return AnswerRow(
        request_org=request.org,
        request=request.id,
        org=org,
        id=bundle,
        outcome=response.outcome.value,
        reason=None if response.reason is None else response.reason.value,
        at=at,
    )


def sighting_rows(
    bundle: StoredBundle, org: OrgId, by: BundleId, sightings: Sequence[Sighting], at: int
) -> list[SightingRow]:
    """Return the rows of sightings by ``org``, in or out."""
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
