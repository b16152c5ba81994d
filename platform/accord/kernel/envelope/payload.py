"""The payload: a head line for people, then one record a line, each ending in LF.

The head holds the salt of the content root and the free text that the hub must not see. Records
are bytes here; what they mean is for the kind's own parser.

Invariant: ``format_head(*parse_head(b)) == b``.
Source: formats 1 (payload).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from accord.kernel.bundle.content import SALT_SIZE
from accord.kernel.bundle.manifest import MAX_RECIPIENTS
from accord.kernel.bundle.model import require_version
from accord.kernel.encoding import (
    JsonValue,
    b64decode,
    b64encode,
    dump_object,
    parse_object,
    require_keys,
    require_list,
    require_str,
)
from accord.kernel.errors import Malformed, VerificationFailed
from accord.kernel.identifiers import OrgId, parse_org_id

MAX_HEAD = 256 * 1024
MAX_TITLE = 200
MAX_NARRATIVE = 10_000
MAX_CASE_REF = 80

_LF = b"\n"
_ORDER = ("v", "salt", "title", "narrative", "case_ref", "recipients")
_OPTIONAL = ("narrative", "case_ref", "recipients")
# Control characters, line separators, and marks that turn the reading direction.
_HIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class PayloadHead:
    """What the sender tells the recipients in words.

    ``recipients`` is given when they may learn of each other: sorted, each once.
    """

    title: str
    narrative: str | None = None
    case_ref: str | None = None
    recipients: tuple[OrgId, ...] = ()


def format_head(salt: bytes, head: PayloadHead) -> bytes:
    """Return the head line, without LF; ``parse_head`` judges it."""
    obj: dict[str, JsonValue] = {"v": 1, "salt": b64encode(salt), "title": head.title}
    if head.narrative is not None:
        obj["narrative"] = head.narrative
    if head.case_ref is not None:
        obj["case_ref"] = head.case_ref
    if head.recipients:
        obj["recipients"] = list(head.recipients)
    return dump_object(obj)


def parse_head(line: bytes) -> tuple[bytes, PayloadHead]:
    """Return the salt and the words of a head line.

    Raises:
        Malformed: ``too_long``, ``json_*``, ``key_*``, ``base64_invalid``, ``value_invalid``,
            ``payload_version``, ``org_id_invalid``.
    """
    obj = parse_object(line, limit=MAX_HEAD)
    require_version(obj, code="payload_version")
    require_keys(obj, required=_ORDER, optional=_OPTIONAL)
    salt = b64decode(obj["salt"], length=SALT_SIZE)
    return salt, PayloadHead(
        title=_text(obj, "title", MAX_TITLE),
        narrative=_text(obj, "narrative", MAX_NARRATIVE) if "narrative" in obj else None,
        case_ref=_text(obj, "case_ref", MAX_CASE_REF) if "case_ref" in obj else None,
        recipients=_parse_recipients(obj),
    )


def _text(obj: Mapping[str, JsonValue], key: str, limit: int) -> str:
    text = require_str(obj, key, limit=limit)
    if _HIDDEN.search(text.replace("\n", "") if key == "narrative" else text):
        raise Malformed("value_invalid", f"'{key}' holds characters that cannot be seen.")
    return text


def _parse_recipients(obj: Mapping[str, JsonValue]) -> tuple[OrgId, ...]:
    if "recipients" not in obj:
        return ()
    items = require_list(obj, "recipients", minimum=1, maximum=MAX_RECIPIENTS)
    recipients = tuple(parse_org_id(item) for item in items)
    if list(recipients) != sorted(set(recipients)):
        raise Malformed("value_invalid", "'recipients' must be sorted, each once.")
    return recipients


def read_payload(payload: bytes, count: int) -> tuple[bytes, PayloadHead, list[bytes]]:
    """Return the salt, the words and the record lines (without LF) of a payload.

    Args:
        payload: the plaintext.
        count: how many records the header says; no more lines than that are divided.

    Raises:
        Malformed: ``payload_invalid``, or what ``parse_head`` raises.
        VerificationFailed: ``content_mismatch``.
    """
    if not payload.endswith(_LF):
        raise Malformed("payload_invalid", "The payload's last line does not end in a line feed.")
    salt, head = parse_head(payload[: payload.index(_LF)])
    # Head and records, then nothing behind the last line feed; never more parts than that.
    parts = payload.split(_LF, count + 2)
    if len(parts) != count + 2 or parts[-1]:
        raise VerificationFailed(
            "content_mismatch",
            "The number of records is not the one in the header.",
            observed=f"{payload.count(_LF) - 1} instead of {count}",
        )
    return salt, head, parts[1:-1]
