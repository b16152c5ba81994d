"""A strict reader of DER, as much of it as a time-stamp token needs.

Lengths are definite and minimal, tags have one byte, nothing is left over. It knows no schema.
Source: ITU-T X.690 clauses 8.1, 10.1.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from accord.kernel.errors import Malformed

INTEGER, OCTETS, OID, TIME, SEQUENCE, SET = 0x02, 0x04, 0x06, 0x18, 0x30, 0x31
CONTEXT_0, CONTEXT_1 = 0xA0, 0xA1

_LONG = 0x80
_MAX_LENGTH_BYTES = 4
_MAX_TAG = 0x1F


def _wrong() -> Malformed:
    return Malformed("token_invalid", "This is not the encoding of a time-stamp token.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """One element: its tag, its content, and all of its bytes."""

    tag: int
    content: bytes
    whole: bytes

    def children(self, *tags: int) -> "Children":
        """Return a reader of the elements inside; this one must have one of ``tags``."""
        if tags and self.tag not in tags:
            raise _wrong()
        return Children(elements(self.content))

    def of(self, tag: int) -> bytes:
        """Return the content; the element must have ``tag``.

        Raises:
            Malformed: ``token_invalid``.
        """
        if self.tag != tag:
            raise _wrong()
        return self.content


class Children:
    """Elements one after the other."""

    def __init__(self, found: list[Element]) -> None:
        """Start before the first of ``found``."""
        self._left = found[::-1]

    def __iter__(self) -> Iterator[Element]:
        """Give what is left."""
        while self._left:
            yield self._left.pop()

    def next(self, tag: int) -> Element:
        """Return the next element, which must have ``tag``.

        Raises:
            Malformed: ``token_invalid``.
        """
        if not self._left or self._left[-1].tag != tag:
            raise _wrong()
        return self._left.pop()

    def maybe(self, tag: int) -> Element | None:
        """Return the next element if it has ``tag``."""
        return self._left.pop() if self._left and self._left[-1].tag == tag else None


def one(data: bytes) -> Element:
    """Return the one element that ``data`` is.

    Raises:
        Malformed: ``token_invalid``.
    """
    found = elements(data)
    if len(found) != 1:
        raise _wrong()
    return found[0]


def elements(data: bytes) -> list[Element]:
    """Return the elements that ``data`` consists of.

    Raises:
        Malformed: ``token_invalid``.
    """
    found = []
    at = 0
    while at < len(data):
        start, tag = at, data[at]
        size, at = _length(data, at + 1)
        if tag & _MAX_TAG == _MAX_TAG or at + size > len(data):
            raise _wrong()
        found.append(Element(tag=tag, content=data[at : at + size], whole=data[start : at + size]))
        at += size
    return found


def _length(data: bytes, at: int) -> tuple[int, int]:
    """Return a length and where the content begins."""
    first = data[at] if at < len(data) else _LONG
    if first < _LONG:
        return first, at + 1
    count = first - _LONG
    octets = data[at + 1 : at + 1 + count]
    size = int.from_bytes(octets, "big")
    if not 1 <= count <= _MAX_LENGTH_BYTES or len(octets) != count or size < _LONG or not octets[0]:
        raise _wrong()
    return size, at + 1 + count
