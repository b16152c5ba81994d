"""A release as files: CSV with every count; SVG, PDF (tagged, PDF/UA-1) and PNG of the sheet.

The drawing of a file is made from ``Sheet`` alone; nothing in it comes from a reader, and no file
fetches anything. A PNG carries the CSV as its description, for those who cannot see it.
"""

import csv
import functools
import io
import json
import struct
import zlib
from collections.abc import Callable
from dataclasses import asdict
from importlib.resources import files
from typing import Literal
from xml.sax.saxutils import escape

import typst

from accord.hub.summaries import Release
from accord.hub.web.summary_sheet import Sheet, sheet_of
from accord.webbase.charts import BAR_HEIGHT, GAP, HIDDEN_WIDTH, BarChart

PNG_PPI = 110.0
"""Resolution of the picture."""

KEPT = 8
"""Drawn files that are remembered; they are functions of a release that never changes."""

_PNG_HEAD = 8 + 25
"""Signature and IHDR; further chunks may follow it."""

_LINE = 24
_TEXT = {
    "": "",
    "head": 'font-size="18" font-weight="700"',
    "title": 'font-size="24" font-weight="700"',
}
_SHAPE = {
    False: 'fill="#1d5f93"',
    True: 'fill="none" stroke="#6a7884" stroke-dasharray="3 2"',
}
"""Attributes and no style sheet, which the policy of our own pages would not apply."""
_MARGIN = 16


def summary_csv(release: Release) -> bytes:
    """Return all figures as RFC 4180 text; every cell is a closed code or number."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(("period", "version", "table", "row", "records", "since"))
    for place, figure in release.figures.items():
        writer.writerow(
            (
                release.period,
                release.version,
                place.table.value,
                place.row,
                release.text(figure),
                figure.since,
            )
        )
    return text.getvalue().encode("utf-8")


def summary_pdf(release: Release) -> bytes:
    """Return a tagged PDF (PDF/UA-1) of the sheet."""
    return _typeset(_as_json(sheet_of(release)), "pdf")


def summary_png(release: Release) -> bytes:
    """Return one picture of the sheet with the CSV as its description."""
    data = _typeset(_as_json(sheet_of(release)), "png")
    text = b"Description\0\0\0\0\0" + summary_csv(release)
    chunk = struct.pack(">I", len(text)) + b"iTXt" + text
    chunk += struct.pack(">I", zlib.crc32(b"iTXt" + text))
    return data[:_PNG_HEAD] + chunk + data[_PNG_HEAD:]


def _as_json(sheet: Sheet) -> str:
    return json.dumps(asdict(sheet))


@functools.lru_cache(maxsize=KEPT)
def _typeset(sheet: str, form: Literal["pdf", "png"]) -> bytes:
    source = files("accord.hub.web").joinpath("templates/hub/summary.typ").read_bytes()
    inputs = {"sheet": sheet, "form": form}
    if form == "pdf":
        return bytes(typst.compile(source, format="pdf", sys_inputs=inputs, pdf_standards=["ua-1"]))
    return bytes(typst.compile(source, format="png", sys_inputs=inputs, ppi=PNG_PPI))


def summary_svg(release: Release) -> bytes:
    """Return a drawing of the charts, and the other tables as text, readable by a screen reader."""
    sheet = sheet_of(release)
    parts: list[str] = []
    top = _MARGIN
    top = _text(parts, sheet.title, top, css="title")
    for label, text in sheet.facts:
        top = _row(parts, label, text, top)
    for drawing in sheet.charts:
        top = _text(parts, drawing.title, top + _LINE, css="head")
        top = _bars(parts, drawing, top)
    top = _text(parts, "Indicators by country", top + _LINE, css="head")
    for label, text in sheet.countries:
        top = _row(parts, label, text, top)
    top = _text(parts, sheet.countries_left, top)
    for role, *texts in sheet.cells:
        top = _text(parts, f"Role {role}", top + _LINE, css="head")
        for kind, text in zip(sheet.kinds, texts, strict=True):
            top = _row(parts, kind, text, top)
    width, height = 640, top + _MARGIN
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="title desc" '
        f'font-family="sans-serif" font-size="15" fill="#14202b" '
        f'viewBox="0 0 {width} {height}" width="{width}" height="{height}">'
        f'<title id="title">{escape(sheet.title)}</title>'
        f'<desc id="desc">{escape(sheet.lead)}</desc>'
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>'
    )
    return (head + "".join(parts) + "</svg>\n").encode("utf-8")


def _text(parts: list[str], text: str, top: int, *, css: str = "") -> int:
    parts.append(f'<text {_TEXT[css]} x="{_MARGIN}" y="{top + 18}">{escape(text)}</text>')
    return top + _LINE + (8 if css else 0)


def _row(parts: list[str], label: str, text: str, top: int) -> int:
    parts.append(
        f'<g role="listitem"><text class="label" x="{_MARGIN}" y="{top + 18}">{escape(label)}'
        f'</text><text class="value" x="300" y="{top + 18}">{escape(text)}</text></g>'
    )
    return top + _LINE


def _bars(parts: list[str], drawing: BarChart, top: int) -> int:
    widths = {drawn.bar.label: drawn.width for drawn in drawing.bars}
    for bar in drawing.rows:
        width = widths.get(bar.label, 0)
        shape = (
            f'<rect {_SHAPE[bar.value is None]} x="180" y="{top}" width="{width or HIDDEN_WIDTH}" '
            f'height="{BAR_HEIGHT}"/>'
            if width
            else ""
        )
        parts.append(
            f'<g role="listitem"><text class="label" x="{_MARGIN}" y="{top + 16}">'
            f"{escape(bar.label)}</text>{shape}"
            f'<text class="value" x="{188 + width}" y="{top + 16}">{escape(bar.shown)}</text></g>'
        )
        top += BAR_HEIGHT + GAP
    return top


FORMS: dict[str, tuple[str, Callable[[Release], bytes]]] = {
    "csv": ("text/csv; charset=utf-8", summary_csv),
    "pdf": ("application/pdf", summary_pdf),
    "svg": ("image/svg+xml", summary_svg),
    "png": ("image/png", summary_png),
}
"""Media type and maker of each form, by its name's ending."""
