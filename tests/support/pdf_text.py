"""The words of a PDF that our own typesetter made, run by run: enough to compare its numbers.

Reads streams, fonts' ToUnicode tables and text runs; no general reader of PDF.
"""

import re
import zlib

_STREAM = re.compile(rb"(\d+) 0 obj(.*?)stream\r?\n(.*?)\r?\nendstream", re.DOTALL)
_FONT = re.compile(
    rb"(\d+) 0 obj\s*<<[^>]*?/Type/Font/Subtype/Type0.*?/ToUnicode (\d+) 0 R", re.DOTALL
)
_PAGE = re.compile(rb"/Type/Page/Resources (\d+) 0 R.*?/Contents (\d+) 0 R", re.DOTALL)
_RUN = re.compile(rb"/(f\d+) [\d.]+ Tf|\[((?:\((?:\\.|[^\\)])*\)|[-\d. ])*)\]TJ|EMC", re.DOTALL)
_PART = re.compile(rb"\(((?:\\.|[^\\)])*)\)", re.DOTALL)
_ESCAPE = re.compile(rb"\\(\d{1,3}|.)", re.DOTALL)
_NAMED = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


def text_runs(pdf: bytes) -> list[str]:
    """Return the texts of all marked spans, in the order of the pages."""
    streams = {}
    for number, head, body in _STREAM.findall(pdf):
        streams[int(number)] = zlib.decompress(body) if b"FlateDecode" in head else body
    tables = {int(font): _table(streams[int(table)]) for font, table in _FONT.findall(pdf)}
    found: list[str] = []
    for resources, contents in _PAGE.findall(pdf):  # a name of a font is a page's own
        named = re.search(rb"\b%s 0 obj(.*?)endobj" % resources, pdf, re.DOTALL)
        fonts = re.findall(rb"/(f\d+) (\d+) 0 R", named[1] if named else b"")
        names = {name: tables[int(font)] for name, font in fonts}
        found += _runs(streams[int(contents)], names)
    return found


def _table(cmap: bytes) -> dict[int, str]:
    pairs = re.findall(rb"<([0-9A-Fa-f]{4})> <([0-9A-Fa-f]+)>", cmap)
    return {int(code, 16): bytes.fromhex(text.decode()).decode("utf-16-be") for code, text in pairs}


def _runs(body: bytes, names: dict[bytes, dict[int, str]]) -> list[str]:
    found, text, table = [], "", {}
    for match in _RUN.finditer(body):
        if match[1]:
            table = names[match[1]]
        elif match[2] is not None:
            codes = b"".join(_plain(part) for part in _PART.findall(match[2]))
            text += "".join(
                table.get(int.from_bytes(codes[at : at + 2], "big"), "?")
                for at in range(0, len(codes), 2)
            )
        elif text:
            found.append(text)
            text = ""
    return found


def _plain(part: bytes) -> bytes:
    return _ESCAPE.sub(
        lambda one: bytes([int(one[1], 8)]) if one[1].isdigit() else _NAMED.get(one[1], one[1]),
        part,
    )
