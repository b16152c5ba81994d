"""A request: do something about these records or values, by then, on this basis; and its end.

A request asks its recipients to preserve, freeze, identify or tell more. It names records of
bundles, or values. Whoever asked ends it with a closing: a bundle of kind ``request`` too (so that
who may ask may also close), whose only ref is the request itself.

Invariants: ``format_request(parse_request(b)) == b``, likewise for closings.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from accord.kernel.bundle.model import MAX_REFS, Header
from accord.kernel.correspondence.words import (
    only_line,
    only_ref,
    refs_other,
    require_text,
    require_words,
)
from accord.kernel.encoding import (
    JsonValue,
    dump_object,
    parse_object,
    require_int,
    require_keys,
    require_list,
)
from accord.kernel.errors import Malformed
from accord.kernel.identifiers import BundleId, OrgId, parse_bundle_id, parse_org_id
from accord.kernel.indicators import Kind, Network, normalise
from accord.kernel.indicators.kinds import MAX_MEMO, MAX_VALUE
from accord.kernel.markings import parse_code

MAX_LINE = 1024 * 1024
MAX_ABOUT = 500
"""Records' bundles and values that one request may name."""

MAX_NUMBERS = 10_000
"""Record numbers of one bundle in a request."""

MAX_BASIS = 300
MAX_CONTACT = 200

_ASK = ("ask", "about", "basis", "deadline", "contact", "text")
_CLOSE = ("close", "text")
_RECORDS = ("bundle", "org", "records")
_VALUE = ("kind", "network", "value", "memo")


class Ask(StrEnum):
    """What is asked for."""

    PRESERVE = "preserve"
    FREEZE = "freeze"
    IDENTIFY = "identify"
    INFORMATION = "information"


class Close(StrEnum):
    """Why whoever asked ends a request."""

    SETTLED = "settled"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class AboutRecords:
    """Records of the bundle that ``org`` sent; no ``records`` means all of it."""

    bundle: BundleId
    org: OrgId
    records: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AboutValue:
    """A canonical value, as an indicator record would hold it."""

    kind: Kind
    network: Network | None
    value: str
    memo: str | None = None


About = AboutRecords | AboutValue


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What one organisation asks of others.

    Attributes:
        ask: what is to be done.
        about: of which records or values, at least one.
        basis: legal basis in words: article, order, case of a court; the code is in the header.
        deadline: unix seconds by which an answer is expected.
        contact: where to reply by voice: a duty desk, never a person's name.
        text: more, in words.
    """

    ask: Ask
    about: tuple[About, ...]
    basis: str
    deadline: int
    contact: str
    text: str | None = None

    @property
    def refs(self) -> tuple[BundleId, ...]:
        """The bundles that it names, each once, in order: the header's refs."""
        named = (one.bundle for one in self.about if isinstance(one, AboutRecords))
        return tuple(dict.fromkeys(named))


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """The end of a request, by whoever asked; the header's ref says of which."""

    close: Close
    text: str | None = None


def format_request(request: Request) -> bytes:
    """Return the line, without LF; ``parse_request`` judges it."""
    obj: dict[str, JsonValue] = {
        "ask": request.ask.value,
        "about": [_about_object(one) for one in request.about],
        "basis": request.basis,
        "deadline": request.deadline,
        "contact": request.contact,
    }
    if request.text is not None:
        obj["text"] = request.text
    return dump_object(obj)


def format_closing(closing: Closing) -> bytes:
    """Return the line, without LF; ``parse_request`` judges it."""
    obj: dict[str, JsonValue] = {"close": closing.close.value}
    if closing.text is not None:
        obj["text"] = closing.text
    return dump_object(obj)


def parse_request(line: bytes) -> Request | Closing:
    """Parse the one line of a bundle of kind ``request``.

    Raises:
        Malformed: ``too_long``, ``json_*``, ``key_*``, ``value_invalid``, ``ask_unknown``,
            ``close_unknown``, ``about_twice``, ``about_many``, ``bundle_id_invalid``,
            ``org_id_invalid``, ``indicator_kind_unknown``, ``network_unknown``,
            ``value_not_canonical``, or what ``normalise`` says of a value.
    """
    obj = parse_object(line, limit=MAX_LINE)
    if "close" in obj:
        require_keys(obj, required=_CLOSE, optional=("text",))
        return Closing(
            close=parse_code(Close, obj["close"], code="close_unknown"),
            text=require_text(obj, "text") if "text" in obj else None,
        )
    require_keys(obj, required=_ASK, optional=("text",))
    return Request(
        ask=parse_code(Ask, obj["ask"], code="ask_unknown"),
        about=_parse_about(obj),
        basis=require_words(obj, "basis", limit=MAX_BASIS),
        deadline=require_int(obj, "deadline"),
        contact=require_words(obj, "contact", limit=MAX_CONTACT),
        text=require_text(obj, "text") if "text" in obj else None,
    )


def read_request(header: Header, lines: Sequence[bytes]) -> Request | Closing:
    """Return what a bundle of kind ``request`` says, checked against its header.

    Raises:
        Malformed: ``lines_count``, ``deadline_invalid``, or as ``parse_request``.
        VerificationFailed: ``refs_other``.
    """
    said = parse_request(only_line(lines))
    if isinstance(said, Closing):
        only_ref(header)
        return said
    if header.refs != said.refs:
        raise refs_other(header)
    if not header.created < said.deadline <= header.expires:
        raise Malformed(
            "deadline_invalid",
            "The deadline lies after the bundle was made and not after it expires.",
            observed=f"created {header.created}, deadline {said.deadline}",
        )
    return said


def _about_object(one: About) -> dict[str, JsonValue]:
    if isinstance(one, AboutRecords):
        obj: dict[str, JsonValue] = {"bundle": one.bundle, "org": one.org}
        if one.records:
            obj["records"] = list(one.records)
        return obj
    obj = {"kind": one.kind.value}
    if one.network is not None:
        obj["network"] = one.network.value
    obj["value"] = one.value
    if one.memo is not None:
        obj["memo"] = one.memo
    return obj


def _parse_about(obj: dict[str, JsonValue]) -> tuple[About, ...]:
    found: list[About] = []
    for item in require_list(obj, "about", minimum=1, maximum=MAX_ABOUT):
        if not isinstance(item, dict):
            raise Malformed("value_invalid", "An item of 'about' must be an object.")
        found.append(_parse_records(item) if "bundle" in item else _parse_value(item))
    keys = [(one.org, one.bundle) if isinstance(one, AboutRecords) else one for one in found]
    if len(set(keys)) != len(keys):
        raise Malformed("about_twice", "A request names a bundle or a value twice.")
    if len({one.bundle for one in found if isinstance(one, AboutRecords)}) > MAX_REFS:
        raise Malformed("about_many", f"A request names at most {MAX_REFS} bundles.")
    return tuple(found)


def _parse_records(obj: dict[str, JsonValue]) -> AboutRecords:
    require_keys(obj, required=_RECORDS, optional=("records",))
    numbers: list[int] = []
    if "records" in obj:
        for number in require_list(obj, "records", minimum=1, maximum=MAX_NUMBERS):
            if not isinstance(number, int) or isinstance(number, bool) or number < 0:
                raise Malformed("value_invalid", "A record is a number from 0.")
            numbers.append(number)
        if numbers != sorted(set(numbers)):
            raise Malformed("value_invalid", "'records' must rise, each number once.")
    return AboutRecords(
        bundle=parse_bundle_id(obj["bundle"]),
        org=parse_org_id(obj["org"]),
        records=tuple(numbers),
    )


def _parse_value(obj: dict[str, JsonValue]) -> AboutValue:
    require_keys(obj, required=_VALUE, optional=("network", "memo"))
    value = require_words(obj, "value", limit=MAX_VALUE)
    kind = parse_code(Kind, obj["kind"], code="indicator_kind_unknown")
    network = (
        parse_code(Network, obj["network"], code="network_unknown") if "network" in obj else None
    )
    found = normalise(value, network=network, kind=kind)
    if (found.kind, found.network, found.value) != (kind, network, value):
        raise Malformed(
            "value_not_canonical", "A value does not stand in its one form.", observed=value[:80]
        )
    return AboutValue(
        kind=kind,
        network=network,
        value=value,
        memo=require_words(obj, "memo", limit=MAX_MEMO) if "memo" in obj else None,
    )
