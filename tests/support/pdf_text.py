"""The words of a PDF that our own typesetter made, run by run: enough to compare its numbers.

Reads streams, fonts' ToUnicode tables and text runs; no general reader of PDF.
"""

import re
import zlib

_STREAM = re.compile(rb"(\d+) 0 obj((?:(?!endobj).)*?/Length (\d+).*?)stream\r?\n", re.DOTALL)
_FONT = re.compile(
    rb"(\d+) 0 obj\s*<<[^>]*?/Type/Font/Subtype/Type0.*?/ToUnicode (\d+) 0 R", re.DOTALL
)
_PAGE = re.compile(rb"/Type/Page/Resources (\d+) 0 R.*?/Contents (\d+) 0 R", re.DOTALL)
_TOKEN = re.compile(rb"/(f\d+) [\d.]+ Tf|\(|EMC")
_PIECE = re.compile(rb"\\([0-7]{1,3}|.)|[()]|[^()\\]+", re.DOTALL)
_NAMED = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


def text_runs(pdf: bytes) -> list[str]:
    """Return the texts of all marked spans, in the order of the pages."""
    streams = _streams(pdf)
    tables = {int(font): _table(streams[int(table)]) for font, table in _FONT.findall(pdf)}
    found: list[str] = []
    for resources, contents in _PAGE.findall(pdf):  # a name of a font is a page's own
        named = re.search(rb"\b%s 0 obj(.*?)endobj" % resources, pdf, re.DOTALL)
        fonts = re.findall(rb"/(f\d+) (\d+) 0 R", named[1] if named else b"")
        names = {name: tables[int(font)] for name, font in fonts}
        found += _runs(streams[int(contents)], names)
    return found


def _streams(pdf: bytes) -> dict[int, bytes]:
    """Return each stream by its object's number; its length is told, for it may end in any byte."""
    found, at = {}, 0
    while head := _STREAM.search(pdf, at):
        at = head.end() + int(head[3])
        assert pdf[at : at + 12].lstrip().startswith(b"endstream")
        body = pdf[head.end() : at]
        found[int(head[1])] = zlib.decompress(body) if b"FlateDecode" in head[2] else body
    return found


def _table(cmap: bytes) -> dict[int, str]:
    pairs = re.findall(rb"<([0-9A-Fa-f]{4})> <([0-9A-Fa-f]+)>", cmap)
    return {int(code, 16): bytes.fromhex(text.decode()).decode("utf-16-be") for code, text in pairs}


def _runs(body: bytes, names: dict[bytes, dict[int, str]]) -> list[str]:
    found: list[str] = []
    text, table, at = "", dict[int, str](), 0
    while token := _TOKEN.search(body, at):
        at = token.end()
        if token[1]:
            table = names[token[1]]
        elif token[0] == b"(":
            codes, at = _string(body, at)
            pairs = (codes[one : one + 2] for one in range(0, len(codes), 2))
            text += "".join(table.get(int.from_bytes(pair, "big"), "?") for pair in pairs)
        elif text:
            found.append(text)
            text = ""
    return found


def _string(body: bytes, at: int) -> tuple[bytes, int]:
    """Read a string from behind its "("; parentheses in it may stand bare where they pair up."""
    found, depth = b"", 0
    for piece in _PIECE.finditer(body, at):
        if piece[1]:
            found += _unescaped(piece[1])
            continue
        depth += {b"(": 1, b")": -1}.get(piece[0], 0)
        if depth < 0:
            return found, piece.end()
        found += piece[0]
    raise ValueError(body[at : at + 40])


def _unescaped(escape: bytes) -> bytes:
    return bytes([int(escape, 8)]) if escape.isdigit() else _NAMED.get(escape, escape)
