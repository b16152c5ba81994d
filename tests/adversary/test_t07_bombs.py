"""T7: a member or the hub sends what is small on the wire and huge or endless inside."""

import json
import resource
import secrets
import time
import zipfile
from collections.abc import Iterable
from pathlib import Path

import httpx2
import pytest
import zstandard
from click.testing import CliRunner
from tests.desk.wire import DeskAt
from tests.support.hub_world import Desk
from tests.support.lies import Parts, cut_out, gzipped_zeros, lying

from accord.cli.main import main
from accord.kernel.envelope.packing import padded_size
from accord.kernel.errors import AccordError

MIB = 1024 * 1024
ROOM = 200 * MIB
"""How much the process may grow over one attack."""


def peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def packed(frame: bytes, says: int) -> bytes:
    sizes = len(frame).to_bytes(8, "big") + says.to_bytes(8, "big")
    return (sizes + frame).ljust(padded_size(16 + len(frame)), b"\0")


def zeros(size: int, *, written: bool = True) -> bytes:
    """Return a zstd frame of ``size`` zeros, with or without its size in the head."""
    # Made piece by piece: what is measured later is a high-water mark of this process.
    maker = zstandard.ZstdCompressor(level=1, write_content_size=written)
    stream = maker.compressobj(size=size) if written else maker.compressobj()
    return b"".join([stream.compress(bytes(MIB)) for _ in range(size // MIB)]) + stream.flush()


BOMBS = {
    "a true size, ratio too high": lambda: packed(zeros(256 * MIB), 256 * MIB),
    "a size that is a lie, small": lambda: packed(zeros(256 * MIB), 1000),
    "no size in the frame": lambda: packed(zeros(256 * MIB, written=False), 4000),
    "more than a bundle may hold": lambda: packed(zeros(MIB), (1 << 30) + 1),
    "the largest number": lambda: packed(b"x", (1 << 64) - 1),
    "two frames": lambda: packed(zeros(MIB) * 2, 200 * 20),
    "a huge window": lambda: packed(bytes.fromhex("28b52ffd") + b"\x00\xb8" + b"\x01\x00\x00", 100),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_member_sends_a_decompression_bomb(police: DeskAt, mallory: Desk, name: str) -> None:
    """Well signed and sealed, so the hub cannot see it; the recipient keeps it as refused."""
    to = [(police.org, police.keyring.kem[-1].public)]
    made = Parts(sender=mallory, recipients=to, message=BOMBS[name]())
    raw = made.seal()
    assert mallory.put_bundle(raw, made.id).status_code == 202
    before = peak()
    with police.open() as desk:
        received = desk.pull.receive(secrets.randbits(40), cut_out(raw, police.org))
    assert received.state == "refused"
    assert received.code in {"compression_ratio", "compression_invalid", "plaintext_too_long"}
    assert peak() - before < ROOM


@pytest.mark.parametrize("n", [2, 1_000_000])
def test_records_that_are_not_there_are_not_counted(police: DeskAt, mallory: Desk, n: int) -> None:
    to = [(police.org, police.keyring.kem[-1].public)]
    made = Parts(sender=mallory, recipients=to, n=n)
    with police.open() as desk:
        received = desk.pull.receive(secrets.randbits(40), cut_out(made.seal(), police.org))
    assert received.code == "content_mismatch"


HOSTILE = {
    "nested": b'{"kind":' * 900 + b"1" + b"}" * 900,
    "a long number": b'{"kind":"domain","confidence":' + b"9" * 4000 + b"}",
    "a name twice": b'{"kind":"domain","kind":"url"}',
    "a file": b'{"kind":"domain","value":"a.example.org","file":"AAAA"}',
    "no UTF-8": b'{"kind":"\xff"}',
    "a control character": b'{"kind":"domain","value":"a\x00b.example.org"}',
}


def test_a_hostile_record_quarantines_itself_only(police: DeskAt, mallory: Desk) -> None:
    to = [(police.org, police.keyring.kem[-1].public)]
    made = Parts(sender=mallory, recipients=to, lines=list(HOSTILE.values()))
    with police.open() as desk:
        received = desk.pull.receive(secrets.randbits(40), cut_out(made.seal(), police.org))
    assert (received.state, received.records) == ("opened", 0)
    assert received.quarantined == len(HOSTILE)


def test_a_compressed_answer_of_the_hub_is_cut_off(bank: DeskAt) -> None:
    bomb = gzipped_zeros(300)
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}

    def explode(_request: httpx2.Request, _response: httpx2.Response) -> httpx2.Response:
        return httpx2.Response(200, headers=headers, stream=httpx2.ByteStream(bomb))

    before = peak()
    with bank.open() as desk, lying(bank, explode), pytest.raises(AccordError) as caught:
        desk.mirror.refresh()
    assert caught.value.code in {"answer_too_long", "answer_invalid"}
    assert peak() - before < ROOM


def dry_run(file: Path) -> tuple[int, dict[str, object]]:
    done = CliRunner().invoke(main, ["submit", str(file), "--dry-run", "--json"])
    return done.exit_code, json.loads(done.stdout)


def workbook(path: Path, sheet: Iterable[bytes]) -> Path:
    """Write a small workbook whose one sheet is made of the pieces ``sheet``."""
    parts = {
        "[Content_Types].xml": b'<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/></Types>',
        "xl/workbook.xml": b'<?xml version="1.0"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="a" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": b'<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        for name, data in parts.items():
            book.writestr(name, data)
        with book.open("xl/worksheets/sheet1.xml", "w") as file:
            for piece in sheet:
                file.write(piece)
    return path


def test_a_spreadsheet_that_unpacks_to_hundreds_of_megabytes_is_refused(tmp_path: Path) -> None:
    path = workbook(tmp_path / "bomb.xlsx", (b" " * MIB for _ in range(400)))
    before, start = peak(), time.monotonic()
    code, data = dry_run(path)
    assert code == 1
    assert "error" in data
    assert time.monotonic() - start < 10
    assert peak() - before < ROOM


def test_entities_of_a_spreadsheet_are_not_expanded(tmp_path: Path) -> None:
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    sheet = f'<!DOCTYPE x [<!ENTITY l0 "lol">{laughs}]><worksheet><sheetData><row><c t="inlineStr"><is><t>&l11;</t></is></c></row></sheetData></worksheet>'
    before = peak()
    code, _ = dry_run(workbook(tmp_path / "laughs.xlsx", [sheet.encode()]))
    assert code in {1, 5}
    assert peak() - before < ROOM


@pytest.mark.parametrize(
    "data",
    [
        b"wallet\n" + b'"' + b"x" * (8 * MIB),
        b"x" * (8 * MIB),
        b"," * (4 * MIB) + b"\n",
        b"\0" * MIB,
    ],
    ids=["quote", "line", "columns", "zeros"],
)
def test_a_hostile_csv_ends_with_a_code(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "hostile.csv"
    path.write_bytes(data)
    code, found = dry_run(path)
    assert code in {1, 5}
    assert "error" in found or "totals" in found
