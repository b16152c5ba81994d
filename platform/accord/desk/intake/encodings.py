"""Which characters the bytes stand for: UTF-8 or UTF-16 with or without a mark, else cp1252.

A UTF-8 file with some foreign bytes stays UTF-8: those bytes are read as cp1252, one by one, so
that one bad row does not turn the umlauts of all others into nonsense.
"""

import codecs
from collections.abc import Iterator
from typing import Final, Protocol

from accord.desk.intake.limits import CHUNK_CHARS
from accord.kernel.errors import Malformed

MIXED = "accord-mixed-cp1252"
"""Name of the error handler that reads a foreign byte as cp1252."""

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class ByteSource(Protocol):
    """What bytes are read from: an open file, or a piece of one."""

    def read(self, size: int, /) -> bytes:
        """Return up to ``size`` bytes, none at the end."""


_BEYOND_ASCII = bytes(range(0x80, 0x100))
_FOREIGN_SHARE = 0.02
_WIDE_SHARE = 0.3


def _foreign_byte(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    bad = error.object[error.start : error.end]
    return bad.decode("cp1252", "replace"), error.end


codecs.register_error(MIXED, _foreign_byte)


def guess_encoding(sample: bytes) -> str:
    """Return the Python name of the encoding that ``sample``, the start of a file, is written in.

    Raises:
        Malformed: ``not_text`` for bytes that are no text in any of these encodings.
    """
    for mark, name in _MARKS:
        if sample.startswith(mark):
            return name
    wide = _wide_without_mark(sample)
    if wide is not None:
        return wide
    if b"\0" in sample:
        raise Malformed(
            "not_text",
            "The file holds zero bytes, so it is not text.",
            next_step="Save it as CSV (UTF-8) or XLSX.",
        )
    text = codecs.getincrementaldecoder("utf-8")(MIXED).decode(sample)
    beyond = len(sample) - len(sample.translate(None, _BEYOND_ASCII))
    if beyond == 0:
        return "utf-8"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample)
    except UnicodeDecodeError:
        # Count what is valid beyond ASCII: a UTF-8 file with a few foreign bytes has plenty.
        single = _foreign_bytes(sample)
        return "utf-8" if text and single < _FOREIGN_SHARE * beyond else "cp1252"
    return "utf-8"


def _foreign_bytes(sample: bytes) -> int:
    kept = len(sample.decode("utf-8", "ignore").encode("utf-8"))
    return len(sample) - kept


def _wide_without_mark(sample: bytes) -> str | None:
    """Tell UTF-16 by its zero bytes: every second one in text of Latin letters."""
    pairs = len(sample) // 2
    if pairs == 0:
        return None
    even, odd = sample[0 : 2 * pairs : 2].count(0), sample[1 : 2 * pairs : 2].count(0)
    if odd > _WIDE_SHARE * pairs and even < odd / 10:
        return "utf-16-le"
    if even > _WIDE_SHARE * pairs and odd < even / 10:
        return "utf-16-be"
    return None


def known_encoding(name: str) -> str:
    """Return ``name`` when Python can decode it to text.

    Raises:
        Malformed: ``encoding_unknown``.
    """
    try:
        "a".encode(name).decode(name)
    except (LookupError, ValueError) as error:
        raise Malformed(
            "encoding_unknown",
            "This encoding is not known.",
            observed=name[:40],
            next_step="Use for example utf-8, utf-16, cp1252 or cp1250.",
        ) from error
    return name


def decode_chunks(stream: ByteSource, encoding: str) -> Iterator[str]:
    r"""Yield the text of ``stream`` in pieces of bounded size, with ``\n`` as the only line end.

    A carriage return inside a line becomes a space: cells copied from other systems hold some.
    """
    handler = MIXED if encoding in {"utf-8", "utf-8-sig"} else "replace"
    decoder = codecs.getincrementaldecoder(encoding)(handler)
    only_returns: bool | None = None
    held = ""
    while data := stream.read(CHUNK_CHARS):
        text = held + decoder.decode(data)
        held = "\r" if text.endswith("\r") else ""
        if held:
            text = text[:-1]
        if only_returns is None and ("\n" in text or "\r" in text):
            # The first line end that is seen tells those of the file.
            only_returns = "\n" not in text
        yield _line_ends(text, only_returns=bool(only_returns))
    yield _line_ends(held + decoder.decode(b"", final=True), only_returns=bool(only_returns))


def _line_ends(text: str, *, only_returns: bool) -> str:
    if "\r" not in text:
        return text
    if only_returns:
        return text.replace("\r", "\n")
    return text.replace("\r\n", "\n").replace("\r", " ")
