"""What the desk that made a file of evidence says and signs: who, when, why, and what was done.

It lists every other member with its hash, so that none can be swapped for that of another file.
Custody is the desk's own word, but for lines that carry their row of its journal (``custody``). No
reason of another act is in it: such words may name other values.

Invariant: ``format_statement(parse_statement(b)) == b``.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from accord.kernel import dsse
from accord.kernel.encoding import (
    JsonValue,
    b64decode,
    b64encode,
    dump_object,
    parse_object,
    require_int,
    require_keys,
    require_list,
    require_object,
    require_str,
)
from accord.kernel.errors import Malformed
from accord.kernel.evidence.journal import (
    Journal,
    Row,
    check_whole,
    journal_value,
    parse_journal,
    parse_row,
    row_value,
)
from accord.kernel.identifiers import BundleId, OrgId, parse_bundle_id, parse_org_id
from accord.kernel.keys import SigningKeyPair

STATEMENT_TYPE = "application/vnd.accord.evidence.v1+json"
CONTEXT = b"accord/1/evidence"
MAX_STATEMENT = 24 * 1024 * 1024
MAX_CUSTODY = 5000
MAX_WORDS = 500

_MAX_STATES = 8
_MAX_FILES = 32
_DIGEST = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Custody:
    """One thing that was done with the record at the desk: when (unix seconds), by whom, what.

    ``row`` is the row of the desk's journal that says so, where it stands under a head.
    """

    at: int
    who: str
    what: str
    row: Row | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One member of the file, by its hash and length in bytes."""

    name: str
    sha256: bytes
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What is signed.

    Attributes:
        org: whose desk made the file.
        made: unix seconds.
        person: who made it.
        reason: why, as stated.
        sender, bundle, index: the record, by its bundle's sender and id and its number in it.
        states: what had become of the record by then, as the desk knew it.
        custody: oldest first.
        files: every other member, in order.
        journal: the heads over the rows of custody, if it has some.
    """

    org: OrgId
    made: int
    person: str
    reason: str
    sender: OrgId
    bundle: BundleId
    index: int
    states: tuple[str, ...]
    custody: tuple[Custody, ...]
    files: tuple[Listed, ...]
    journal: Journal | None = None


def listed(members: Mapping[str, bytes]) -> tuple[Listed, ...]:
    """Return the list of ``members``, in their order."""
    return tuple(
        Listed(name=name, sha256=hashlib.sha256(content).digest(), size=len(content))
        for name, content in members.items()
    )


def format_statement(statement: Statement) -> bytes:
    """Return the payload; ``parse_statement`` judges it."""
    custody: list[JsonValue] = [
        {"at": one.at, "who": one.who, "what": one.what}
        | ({} if one.row is None else {"row": row_value(one.row)})
        for one in statement.custody
    ]
    journal = {} if statement.journal is None else {"journal": journal_value(statement.journal)}
    files: list[JsonValue] = [
        {"name": one.name, "sha256": b64encode(one.sha256), "len": one.size}
        for one in statement.files
    ]
    return dump_object(
        {
            "v": 1,
            "org": statement.org,
            "made": statement.made,
            "person": statement.person,
            "reason": statement.reason,
            "record": {
                "org": statement.sender,
                "bundle": statement.bundle,
                "index": statement.index,
            },
            "states": list(statement.states),
            "custody": custody,
            **journal,
            "files": files,
        }
    )


def parse_statement(payload: bytes) -> Statement:
    """Parse a payload strictly.

    Raises:
        Malformed: ``too_long``, ``json_*``, ``key_*``, ``value_invalid``, ``base64_invalid``,
            ``org_id_invalid``, ``bundle_id_invalid``, ``opening_invalid``, ``custody_invalid``.
    """
    obj = parse_object(payload, limit=MAX_STATEMENT)
    require_keys(
        obj,
        required=(
            "v",
            "org",
            "made",
            "person",
            "reason",
            "record",
            "states",
            "custody",
            "journal",
            "files",
        ),
        optional=("journal",),
    )
    require_int(obj, "v", minimum=1, maximum=1)
    record = require_object(obj, "record")
    require_keys(record, required=("org", "bundle", "index"))
    custody = tuple(map(_custody, require_list(obj, "custody", maximum=MAX_CUSTODY)))
    journal = parse_journal(obj)
    check_whole(journal, [one.row for one in custody if one.row is not None])
    return Statement(
        org=parse_org_id(obj["org"]),
        made=require_int(obj, "made"),
        person=_words(obj, "person"),
        reason=_words(obj, "reason"),
        sender=parse_org_id(record["org"]),
        bundle=parse_bundle_id(record["bundle"]),
        index=require_int(record, "index"),
        states=tuple(map(_state, require_list(obj, "states", minimum=1, maximum=_MAX_STATES))),
        custody=custody,
        files=tuple(map(_listed, require_list(obj, "files", minimum=1, maximum=_MAX_FILES))),
        journal=journal,
    )


def _words(obj: Mapping[str, JsonValue], key: str) -> str:
    text = require_str(obj, key, limit=MAX_WORDS)
    if not text.isprintable():
        raise Malformed("value_invalid", f"'{key}' holds characters that cannot be seen.")
    return text


def _state(item: JsonValue) -> str:
    if not isinstance(item, str) or not item.replace("-", "").isalpha() or not item.isascii():
        raise Malformed("value_invalid", "A state is a word.")
    return item


def _custody(item: JsonValue) -> Custody:
    if not isinstance(item, dict):
        raise Malformed("value_invalid", "An item of 'custody' must be an object.")
    require_keys(item, required=("at", "who", "what"), optional=("row",))
    return Custody(
        at=require_int(item, "at"),
        who=_words(item, "who"),
        what=_words(item, "what"),
        row=parse_row(item["row"]) if "row" in item else None,
    )


def _listed(item: JsonValue) -> Listed:
    if not isinstance(item, dict):
        raise Malformed("value_invalid", "An item of 'files' must be an object.")
    require_keys(item, required=("name", "sha256", "len"))
    return Listed(
        name=require_str(item, "name", limit=80),
        sha256=b64decode(item["sha256"], length=_DIGEST),
        size=require_int(item, "len"),
    )


def sign_statement(statement: Statement, signer: SigningKeyPair) -> bytes:
    """Return the signed statement."""
    payload = format_statement(statement)
    parse_statement(payload)
    return dsse.sign(STATEMENT_TYPE, payload, [signer], context=CONTEXT)


def parse_signed(data: bytes) -> tuple[dsse.Envelope, Statement]:
    """Return the envelope, not yet verified, and the statement in it.

    Raises:
        Malformed: as ``dsse.parse`` and ``parse_statement``, or ``signers_not_one``.
    """
    envelope = dsse.parse(data, payload_type=STATEMENT_TYPE, limit=2 * MAX_STATEMENT)
    if len(envelope.signatures) != 1:
        raise Malformed("signers_not_one", "A file of evidence has exactly one maker.")
    return envelope, parse_statement(envelope.payload)


def in_order(names: Sequence[str], statement: Statement) -> bool:
    """Tell whether the statement lists exactly ``names``, in their order."""
    return [one.name for one in statement.files] == list(names)
