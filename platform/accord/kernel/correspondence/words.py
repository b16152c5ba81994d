"""Short text for people inside a line, and the one line that most kinds have.

Text is signed as it is: what cannot be seen (control and direction characters) is refused, so that
nobody reads something else than what was signed.
"""

import re
from collections.abc import Mapping, Sequence

from accord.kernel.bundle.model import Header
from accord.kernel.encoding import JsonValue, require_str
from accord.kernel.errors import Malformed, VerificationFailed
from accord.kernel.identifiers import BundleId

MAX_TEXT = 2000
"""Characters of a text of several lines."""

_HIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]"
)


def require_words(obj: Mapping[str, JsonValue], key: str, *, limit: int) -> str:
    """Return ``obj[key]`` as one line of text that can be seen.

    Raises:
        Malformed: ``value_invalid``.
    """
    return _seen(require_str(obj, key, limit=limit), key)


def require_text(obj: Mapping[str, JsonValue], key: str) -> str:
    """Return ``obj[key]`` as text of one or several lines, up to ``MAX_TEXT`` characters.

    Raises:
        Malformed: ``value_invalid``.
    """
    text = require_str(obj, key, limit=MAX_TEXT)
    _seen(text.replace("\n", ""), key)
    return text


def _seen(text: str, key: str) -> str:
    if _HIDDEN.search(text) or text != text.strip(" \n"):
        raise Malformed(
            "value_invalid", f"'{key}' holds characters that cannot be seen, or blanks around it."
        )
    return text


def only_line(lines: Sequence[bytes]) -> bytes:
    """Return the one line of a bundle that has no more.

    Raises:
        Malformed: ``lines_count``.
    """
    if len(lines) != 1:
        raise Malformed(
            "lines_count", "A bundle of this kind has one line.", observed=f"{len(lines)} lines"
        )
    return lines[0]


def only_ref(header: Header) -> BundleId:
    """Return the one bundle that the header refers to.

    Raises:
        VerificationFailed: ``refs_other`` when it names none or several.
    """
    if len(header.refs) != 1:
        raise refs_other(header)
    return header.refs[0]


def refs_other(header: Header) -> VerificationFailed:
    """Return the refusal of a header whose refs do not fit its content."""
    return VerificationFailed(
        "refs_other",
        "Header and content name different bundles, or not as many as this kind needs.",
        observed=f"{header.id}, {len(header.refs)} in the header",
    )
