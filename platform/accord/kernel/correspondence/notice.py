"""A notice: a short text to members about a subject, with a contact where there is one.

The header's refs may name bundles that it is about; the text is for people, no program acts on it.

Invariant: ``format_notice(parse_notice(b)) == b``.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from accord.kernel.correspondence.words import only_line, require_text, require_words
from accord.kernel.encoding import JsonValue, dump_object, parse_object, require_keys

MAX_LINE = 64 * 1024
MAX_SUBJECT = 120
MAX_CONTACT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What members are told; ``contact`` is a duty desk, never a person's name."""

    subject: str
    text: str
    contact: str | None = None


def format_notice(notice: Notice) -> bytes:
    """Return the line, without LF; ``parse_notice`` judges it."""
    obj: dict[str, JsonValue] = {"subject": notice.subject, "text": notice.text}
    if notice.contact is not None:
        obj["contact"] = notice.contact
    return dump_object(obj)


def parse_notice(line: bytes) -> Notice:
    """Parse the line strictly.

    Raises:
        Malformed: ``too_long``, ``json_*``, ``key_*``, ``value_invalid``.
    """
    obj = parse_object(line, limit=MAX_LINE)
    require_keys(obj, required=("subject", "text", "contact"), optional=("contact",))
    return Notice(
        subject=require_words(obj, "subject", limit=MAX_SUBJECT),
        text=require_text(obj, "text"),
        contact=require_words(obj, "contact", limit=MAX_CONTACT) if "contact" in obj else None,
    )


def read_notice(lines: Sequence[bytes]) -> Notice:
    """Return what a bundle of kind ``notice`` says.

    Raises:
        Malformed: ``lines_count``, or as ``parse_notice``.
    """
    return parse_notice(only_line(lines))
