"""Records as lines: one strict NDJSON line, as it is salted, hashed and signed in a bundle.

Invariants: ``encode_line(parse_line(line)) == line``; a parsed record's ``value`` is canonical for
its kind and network; nothing in it is a private key or seed phrase. Format:
docs/formats/indicators.md.
"""

import re
from collections.abc import Sequence

import msgspec

from accord.kernel.errors import Malformed
from accord.kernel.indicators.batch import judge
from accord.kernel.indicators.countries import COUNTRIES
from accord.kernel.indicators.hosts import canonical_host
from accord.kernel.indicators.kinds import CANON_VERSION, Checksum, Kind, Network, Outcome
from accord.kernel.indicators.normalise import Told, normalise
from accord.kernel.indicators.private_keys import refuse_secrets
from accord.kernel.indicators.records import IndicatorRecord, Moment, Precision
from accord.kernel.indicators.transactions import read_transaction
from accord.kernel.indicators.urls import read_url

MAX_LINE = 64 * 1024
"""Bytes of one line, checked before anything is parsed (100 moves fit)."""

_SPAN = {
    Precision.SECOND: 0,
    Precision.DAY: 86_399,
    Precision.MONTH: 31 * 86_400 - 1,
    Precision.YEAR: 366 * 86_400 - 1,
}

_DECODER = msgspec.json.Decoder(IndicatorRecord, strict=True)
_ENCODER = msgspec.json.Encoder()
_PLACE = re.compile(r"at `\$((?:\.[a-z]{1,12}|\[[0-9]{1,4}\]|\[\.\.\.\])*)`")
_HIDDEN = re.compile(
    "[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ud800-\udfff\ufff9-\ufffb]"
)
# Bound here because on Python 3.11 each ``Kind.WALLET`` is a call.
_WALLET, _TRANSACTION, _DOMAIN, _ONION, _URL = Kind
_EVM, _SOL, _TON, _DOT = Network.EVM, Network.SOL, Network.TON, Network.DOT
_STRONG, _EIP55, _NONE = Checksum
# Looked up by plain text: the hash of an enumeration's member is Python code.
_TOLD = {
    kind._value_: {network._value_: Told(network, kind) for network in Network}
    for kind in (Kind.WALLET, Kind.TRANSACTION)
}
_TOLD_ONION = Told(None, Kind.ONION)


def encode_line(record: IndicatorRecord) -> bytes:
    """Return the record's one line, without LF.

    Raises:
        Malformed: what ``parse_line`` raises, but for the value itself, which its maker has
            normalised already.
    """
    (line,) = encode_lines([record])
    if isinstance(line, Malformed):
        raise line
    return line


def encode_lines(records: Sequence[IndicatorRecord]) -> list[bytes | Malformed]:
    """Return for each record what ``encode_line`` returns, or the ``Malformed`` that it raises."""
    lines = [_ENCODER.encode(record) for record in records]
    checked = _checked(lines)
    return [
        outcome if isinstance(outcome, Malformed) else line
        for line, outcome in zip(lines, checked, strict=True)
    ]


def parse_line(line: bytes) -> IndicatorRecord:
    """Return the record that ``line`` (without LF) holds.

    Raises:
        Malformed: ``too_long``, ``json_invalid``, ``json_not_canonical``, ``key_unknown``,
            ``key_missing``, ``value_invalid``, ``canon_unsupported``, ``network_needed``,
            ``not_canonical``, ``alias_wrong``, ``private_key``, ``seed_phrase``, or why the
            value is none of its kind and network.
    """
    outcome = parse_lines([line])[0]
    if isinstance(outcome, Malformed):
        raise outcome
    return outcome


def parse_lines(lines: Sequence[bytes]) -> list[IndicatorRecord | Malformed]:
    """Return for each line what ``parse_line`` returns, or the ``Malformed`` that it raises."""
    outcomes = _checked(lines)
    _check_values(outcomes)
    return outcomes


def _checked(lines: Sequence[bytes]) -> list[IndicatorRecord | Malformed]:
    """Decode lines and check all of each but its value."""
    outcomes: list[IndicatorRecord | Malformed] = []
    sound: set[str] = set()
    for decoded in _decode_all(lines):
        outcome = decoded
        if isinstance(decoded, IndicatorRecord):
            try:
                _check_context(decoded, sound)
            except Malformed as error:
                outcome = error
        outcomes.append(outcome)
    return outcomes


def _decode_all(lines: Sequence[bytes]) -> Sequence[IndicatorRecord | Malformed]:
    """Decode all lines in one go, or each by itself when one of them is wrong."""
    whole = b"\n".join(lines)
    if max(map(len, lines), default=0) <= MAX_LINE:
        try:
            records = _DECODER.decode_lines(whole)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            records = []
        # Encoded lines hold no LF, so equality of the whole is equality of each line.
        if len(records) == len(lines) and _ENCODER.encode_lines(records) == whole + b"\n":
            return records
    outcomes: list[IndicatorRecord | Malformed] = []
    for line in lines:
        try:
            outcomes.append(_decode(line))
        except Malformed as error:
            outcomes.append(error)
    return outcomes


def _decode(line: bytes) -> IndicatorRecord:
    if len(line) > MAX_LINE:
        raise Malformed("too_long", f"A record line has at most {MAX_LINE} bytes.")
    try:
        record = _DECODER.decode(line)
    except msgspec.ValidationError as error:
        raise _misfit(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Malformed("json_invalid", "The line is not one JSON object.") from None
    if _ENCODER.encode(record) != line:
        raise Malformed(
            "json_not_canonical", "The line is not in its one byte form, or a key is out of place."
        )
    return record


def _misfit(text: str) -> Malformed:
    """Turn the decoder's sentence into a code and a place; the sentence may quote the input."""
    if "unknown field" in text:
        return Malformed("key_unknown", "A key is not part of the record.")
    if "missing required field" in text:
        return Malformed("key_missing", "A required key is missing.")
    place = _PLACE.search(text)
    return Malformed(
        "value_invalid",
        "A field has a wrong type, a value outside its list, or a length outside its limit.",
        observed=place.group(1).lstrip(".") or None if place else None,
    )


def _check_context(record: IndicatorRecord, sound: set[str]) -> None:
    """Check what types cannot say; the order is that of the fields.

    ``sound`` are notes that were checked already: those of one bundle repeat.
    """
    kind, network = record.kind, record.network
    needed = kind is _WALLET or kind is _TRANSACTION
    if needed is (network is None):
        raise Malformed(
            "network_needed", "Wallets and transactions, and only they, name a network."
        )
    if record.canon != CANON_VERSION:
        raise Malformed(
            "canon_unsupported",
            "The value was made by other rules than ours.",
            observed=str(record.canon),
            next_step="Update the older of the two installations.",
        )
    if record.checksum is not None and not _may_claim(record.checksum, kind, network):
        raise _wrong("checksum")
    if (
        record.memo is not None
        or record.token is not None
        or record.vasp is not None
        or record.note is not None
        or record.report is not None
    ):
        _check_texts(record, sound)
    if record.memo is not None and kind is not _WALLET:
        raise _wrong("memo")
    if record.roles is not None and len(set(record.roles)) != len(record.roles):
        raise _wrong("roles")
    if record.first is not None and record.last is not None:
        _check_order(record.first, record.last)
    if record.moves is not None:
        _check_moves(record)
    if record.countries is not None:
        codes = set(record.countries)
        if len(codes) != len(record.countries) or not codes <= COUNTRIES:
            raise _wrong("countries")


def _check_order(first: Moment, last: Moment) -> None:
    """``first`` is not after the whole period that ``last`` may mean."""
    if first.t > last.t + _SPAN[last.p]:
        raise _wrong("last")


def _may_claim(checksum: Checksum, kind: Kind, network: Network | None) -> bool:
    """Say whether a value of this network can have been read with this strength."""
    if kind is not _WALLET:
        return kind is _ONION and checksum is _STRONG
    if network is _EVM:
        return checksum is not _STRONG
    if network is _SOL:
        return checksum is _NONE
    if network is _TON or network is _DOT:
        return checksum is not _EIP55
    return checksum is _STRONG


def _check_texts(record: IndicatorRecord, sound: set[str]) -> None:
    report, note = record.report, None if record.note in sound else record.note
    texts = [
        (name, text)
        for name, text in (
            ("memo", record.memo),
            ("token", record.token),
            ("vasp", record.vasp),
            ("report", None if report is None else f"{report.system} {report.id}"),
        )
        if text is not None
    ]
    for name, text in texts:
        if _HIDDEN.search(text) or text != text.strip():
            raise _wrong(name)
    if note is not None and _HIDDEN.search(note.replace("\n", "")):
        raise _wrong("note")
    for _, text in texts:
        refuse_secrets(text)
    if note is not None:
        refuse_secrets(note)
        sound.add(note)


def _check_moves(record: IndicatorRecord) -> None:
    if record.kind is not _WALLET or record.network is None:
        raise _wrong("moves")
    for move in record.moves or ():
        if _HIDDEN.search(move.asset) or not move.tx.isascii():
            raise _wrong("moves")
        found = read_transaction(move.tx, record.network)
        if found is None or found.value != move.tx:
            raise _wrong("moves.tx")
        if move.peer is not None:
            peer = normalise(move.peer, network=record.network, kind=_WALLET)
            if peer.value != move.peer:
                raise _wrong("moves.peer")


def _wrong(field: str) -> Malformed:
    return Malformed(
        "value_invalid", "A field does not fit the others or its list.", observed=field
    )


def _check_values(outcomes: list[IndicatorRecord | Malformed]) -> None:
    """Replace each record whose value or aliases are not what our own rules give."""
    indices: list[int] = []
    records: list[IndicatorRecord] = []
    values: list[str] = []
    tolds: list[Told] = []
    for index, record in enumerate(outcomes):
        if isinstance(record, Malformed):
            continue
        if record.network is None and record.kind is not _ONION:
            problem = _host_problem(record)
            if problem is not None:
                outcomes[index] = problem
            continue
        indices.append(index)
        records.append(record)
        values.append(record.value)
        if record.network is None:
            tolds.append(_TOLD_ONION)
        else:
            tolds.append(_TOLD[record.kind._value_][record.network._value_])
    for index, record, answer in zip(indices, records, judge(values, tolds), strict=True):
        problem = _value_problem(record, answer)
        if problem is not None:
            outcomes[index] = problem


def _value_problem(record: IndicatorRecord, answer: Outcome) -> Malformed | None:
    if isinstance(answer, Malformed):
        return answer
    if answer.value != record.value:
        return _not_canonical()
    if record.alias is not None and record.alias != answer.aliases:
        return Malformed("alias_wrong", "The aliases are not those of this value.")
    return None


def _not_canonical() -> Malformed:
    return Malformed("not_canonical", "The value is not in its canonical form.")


def _host_problem(record: IndicatorRecord) -> Malformed | None:
    """Judge a domain or URL without our public suffix list, which may differ from the sender's."""
    try:
        if record.kind is _DOMAIN:
            host = canonical_host(record.value, listed=False)
            if host.kind is not _DOMAIN or host.value != record.value:
                return _not_canonical()
            own = host.host
        else:
            found = read_url(record.value, listed=False)
            if found.value != record.value:
                return _not_canonical()
            own = found.aliases[0] if found.aliases else ""
    except Malformed as error:
        return error
    for alias in record.alias or ():
        parent = own.endswith("." + alias) and "." in alias
        if not parent and not (record.kind is _URL and alias == own):
            return Malformed("alias_wrong", "An alias is not this host or a domain above it.")
    return None
