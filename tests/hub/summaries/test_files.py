"""Page, CSV, PDF, SVG and PNG of a release: the numbers are taken out of each and compared."""

import csv
import io
import re
import struct
import zlib
from dataclasses import replace
from html import unescape
from xml.etree import ElementTree as ET

import pytest
from tests.hub.summaries.test_disclosure import sample
from tests.support.pdf_text import text_runs

from accord.hub.summaries import Audience, Mark, Release, Table
from accord.hub.summaries.quarter import Month, make_quarter
from accord.hub.summaries.release import make_release
from accord.hub.web.summary_files import (
    FORMS,
    summary_csv,
    summary_pdf,
    summary_png,
    summary_svg,
)
from accord.webbase.names import NETWORKS

NOW = 1_900_000_000
SVG = "{http://www.w3.org/2000/svg}"


def month(name: str, seed: int) -> Release:
    tallies = [replace(tally, month=name) for tally in sample(seed)]
    return make_release(tallies, month=name, audience=Audience.MEMBERS, now=NOW)


def quarter() -> Release:
    parts = []
    for seed, name in enumerate(("2026-10", "2026-11", "2026-12"), 1):
        given = tuple(
            replace(tally, month=name) for tally in sample(seed, organisations=10, scale=200)
        )
        made = make_release(given, month=name, audience=Audience.MEMBERS, now=NOW)
        parts.append(Month(release=made, first=given, newest=given))
    return make_quarter("2026-Q4", parts, now=NOW)


RELEASES = [month("2026-10", 1), quarter()]


def filed(release: Release) -> dict[tuple[str, str], str]:
    rows = csv.DictReader(io.StringIO(summary_csv(release).decode()))
    return {(row["table"], row["row"]): row["records"] for row in rows}


def expected(release: Release) -> list[tuple[str, str]]:
    """Label and text of each row that a drawing has, in its order, from the CSV alone."""
    numbers = filed(release)
    small = release.small_text
    rows = [("Indicators shared", numbers["total", "all"])]
    for table in ("kind", "network", "role", "country"):
        for (where, row), text in numbers.items():
            if where == table and not (table == "country" and text == small):
                rows.append((NETWORKS.get(row, row), text))
    return rows


def small_countries(release: Release) -> int:
    return sum(figure.mark is Mark.SMALL for _, figure in release.rows(Table.COUNTRY))


def consecutive(runs: list[str], rows: list[tuple[str, str]]) -> None:
    """Each label is followed by its text, in this order."""
    at = 0
    for label, text in rows:
        while runs[at] != label or runs[at + 1] != text:
            at += 1
        at += 2


@pytest.mark.parametrize("release", RELEASES, ids=lambda release: release.period)
def test_the_csv_has_every_figure(release: Release) -> None:
    assert filed(release) == {
        (place.table.value, place.row): release.text(figure)
        for place, figure in release.figures.items()
    }


@pytest.mark.parametrize("release", RELEASES, ids=lambda release: release.period)
def test_the_pdf_says_the_same_numbers_and_is_tagged(release: Release) -> None:
    pdf = summary_pdf(release)
    runs = text_runs(pdf)
    consecutive(runs, expected(release))
    assert f"{small_countries(release)} other countries" in " ".join(runs)
    numbers = filed(release)
    for role in {row for table, row in numbers if table == "role"}:
        cells = [text for (table, row), text in numbers.items() if row.endswith(f"/{role}")]
        assert any(runs[at + 1 : at + 1 + len(cells)] == cells for at in range(len(runs)))
    assert b"/MarkInfo" in pdf
    assert b"pdfuaid:part" in pdf or b"pdfuaid" in zlib_all(pdf)
    assert b"/StructTreeRoot" in pdf
    assert b"http" not in b"".join(re.findall(rb"/URI\s*\((.*?)\)", pdf))


def zlib_all(pdf: bytes) -> bytes:
    found = []
    for body in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL):
        try:
            found.append(zlib.decompress(body))
        except zlib.error:
            found.append(body)
    return b"".join(found)


@pytest.mark.parametrize("release", RELEASES, ids=lambda release: release.period)
def test_the_svg_says_the_same_numbers_to_eye_and_screen_reader(release: Release) -> None:
    drawing = ET.fromstring(summary_svg(release))  # noqa: S314 - our own bytes
    assert drawing.attrib["role"] == "img"
    assert drawing.find(f"{SVG}title") is not None
    rows = [
        tuple(text.text for text in group.iter(f"{SVG}text")) for group in drawing.iter(f"{SVG}g")
    ]
    wanted = expected(release)
    assert [row for row in rows if row in set(wanted)][: len(wanted)] == wanted
    whole = "".join(drawing.itertext())
    assert f"{small_countries(release)} other countries" in whole
    assert not list(drawing.iter(f"{SVG}style"))
    assert not list(drawing.iter(f"{SVG}script"))


@pytest.mark.parametrize("release", RELEASES, ids=lambda release: release.period)
def test_the_picture_describes_itself_with_the_same_numbers(release: Release) -> None:
    png = summary_png(release)
    kinds, at = [], 8
    while at < len(png):
        (size,) = struct.unpack(">I", png[at : at + 4])
        kind, body = png[at + 4 : at + 8], png[at + 8 : at + 8 + size]
        (crc,) = struct.unpack(">I", png[at + 8 + size : at + 12 + size])
        assert crc == zlib.crc32(kind + body)
        kinds.append(kind)
        if kind == b"iTXt":
            assert body.removeprefix(b"Description\0\0\0\0\0") == summary_csv(release)
        at += 12 + size
    assert kinds[:2] == [b"IHDR", b"iTXt"]
    assert kinds[-1] == b"IEND"


def test_one_other_number_makes_another_picture() -> None:
    first = RELEASES[0]
    place, figure = next(
        (place, figure) for place, figure in first.figures.items() if figure.mark is Mark.SHOWN
    )
    other = replace(
        first, figures={**first.figures, place: replace(figure, value=(figure.value or 0) + 5)}
    )
    pixels = [png[png.index(b"IDAT") :] for png in (summary_png(first), summary_png(other))]
    assert pixels[0] != pixels[1]
    assert summary_png(first) == summary_png(first)


def test_every_form_is_offered() -> None:
    assert set(FORMS) == {"csv", "pdf", "svg", "png"}
    assert unescape("&lt;10") == RELEASES[0].small_text
