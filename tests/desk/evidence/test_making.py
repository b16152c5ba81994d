"""Evidence of one record: the same bytes twice, only that record, and nothing that does not hold."""

import hashlib
import io
import re
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from tests.desk.conftest import records_of
from tests.desk.evidence.conftest import BTC, EVM, SITE, made_at, maker_of
from tests.desk.wire import DeskAt, plan
from tests.support.forged_evidence import accepted_by_both, statement_in
from tests.support.hub_world import World
from tests.support.pdf_text import text_runs

from accord.desk.evidence.report import facts_of, report_pdf
from accord.desk.evidence.service import MadeEvidence, Wanted, make_evidence
from accord.desk.export.registry import FORMATS
from accord.desk.export.selection import Selection
from accord.desk.export.service import export
from accord.desk.storage.bundles import find_bundle, purge_expired
from accord.desk.storage.journal import Act, record_act
from accord.kernel.envelope.payload import parse_head
from accord.kernel.errors import Malformed, NotFound, Refused
from accord.kernel.evidence import archive
from accord.kernel.markings import Tlp
from accord.kernel.tlog.leaf import Opening, format_record, parse_record


def test_the_same_question_gives_the_same_bytes_whatever_comes_between(
    world: World, police: DeskAt, made: MadeEvidence
) -> None:
    world.clock.now += 60
    with police.open() as desk:
        desk.rounds.once()  # newer cosignatures on the same checkpoint
    again = made_at(police)
    assert (again.data, again.no, again.again) == (made.data, made.no, True)


def test_the_container_says_nothing_of_when_or_where_it_was_made(made: MadeEvidence) -> None:
    with zipfile.ZipFile(io.BytesIO(made.data)) as file:
        assert file.testzip() is None
        assert [one.filename for one in file.infolist()] == list(archive.NAMES[:-1])
        told = {(one.date_time, one.external_attr, one.extra) for one in file.infolist()}
    assert told == {((1980, 1, 1, 0, 0, 0), 0o100644 << 16, b"")}


def test_only_that_record_is_disclosed(police: DeskAt, made: MadeEvidence) -> None:
    with police.open() as desk:
        bundle = find_bundle(desk.vault, made.shows.disclosure.header.id)
        assert bundle.head is not None
        salt, head = parse_head(bundle.head)
    text = "".join(text_runs(archive.read(made.data)[archive.REPORT]))
    for hidden in (BTC, SITE, head.title, "evil-example"):
        assert hidden.encode() not in made.data
        assert hidden not in text
    assert salt not in made.data
    assert EVM.encode() in made.data


def test_the_report_reads_the_same_as_the_record(made: MadeEvidence, police: DeskAt) -> None:
    pdf = archive.read(made.data)[archive.REPORT]
    assert b"pdfuaid" in pdf
    text = "".join("".join(text_runs(pdf)).split())
    for said in (EVM, "first-bank@hub.test", "case114", "TLP:AMBER", made.shows.root.sha256.hex()):
        assert said in text, said
    assert police.org in text


def test_no_digest_is_lost_in_the_report_whatever_its_digits(made: MadeEvidence) -> None:
    """In some a glyph's number is written as a bare parenthesis in the PDF's own strings."""
    told = facts_of(made.shows)
    lost = "81d86df5322d09de001a24b3689d722a958e6edf830dfd83003f0b6642db59f1"
    for digest in (lost, *(hashlib.sha256(bytes([one])).hexdigest() for one in range(12))):
        runs = text_runs(report_pdf(replace(told, root=digest)))
        assert f"SHA-256 {digest}" in runs


def test_custody_tells_what_was_done_here_and_gives_no_reason_of_other_acts(
    police: DeskAt, made: MadeEvidence, tmp_path: Path
) -> None:
    bundle = made.shows.disclosure.header.id
    with police.open() as desk:
        now = desk.clock()
        told = {"person": "bo", "subject": find_bundle(desk.vault, bundle).subject, "now": now}
        record_act(desk.vault, act=Act.BUNDLE_VIEW, reason=f"saw {BTC} too", **told)  # type: ignore[arg-type]
        export(
            desk.vault,
            FORMATS["csv"],
            tmp_path / "out.csv",
            Selection(),
            org=desk.org,
            person="cy",
            purpose="investigation",
            reason=f"also {SITE}",
            now=now,
        )
    later = made_at(police, reason="case 115")
    done = [(one.who, one.what) for one in statement_in(later.data).custody]
    assert done[0] == (f"desk of {police.org}", "received, opened and checked")
    assert ("bo", "looked at the bundle") in done
    assert ("cy", "exported it as csv") in done
    assert ("ana", "made a file of evidence") in done
    assert BTC.encode() not in later.data
    assert SITE.encode() not in later.data


@pytest.mark.usefixtures("police")
def test_a_sender_makes_evidence_of_its_own_record(bank: DeskAt) -> None:
    with bank.open() as desk:
        desk.rounds.once()
    made = made_at(bank, SITE)
    ours, theirs = accepted_by_both(made.data)
    assert ours.disclosure.line == theirs["record"].encode()
    assert statement_in(made.data).custody[0].what == "sealed and sent"
    assert (theirs["sender"], theirs["maker"]) == (bank.org, bank.org)


def test_an_acceptance_of_before_it_named_the_manifest_is_told_as_such(
    police: DeskAt, made: MadeEvidence
) -> None:
    bundle = made.shows.disclosure.header.id
    mine = "FROM own_events WHERE what = 'bundle.accepted' AND subject = ?"
    change = "UPDATE own_events SET opened = ? WHERE what = 'bundle.accepted' AND subject = ?"

    def keep(opened: bytes) -> None:
        with police.open() as desk, desk.vault.transaction() as connection:
            connection.execute(change, (opened, bundle))

    with police.open() as desk:
        (kept,) = desk.vault.connection.execute(f"SELECT opened {mine}", (bundle,)).fetchone()
    record = parse_record(kept)
    fields = [
        replace(item, value=re.sub(" manifest=[0-9a-f]{64}", "", item.value))
        if isinstance(item, Opening)
        else item
        for item in record.fields
    ]
    keep(format_record(replace(record, fields=tuple(fields))))
    try:
        with pytest.raises(Refused, match="acceptance_old") as told:
            made_at(police, bundle=bundle)
        assert "No sign of a forgery" in str(told.value.next_step)
    finally:
        keep(kept)
    assert made_at(police, bundle=bundle).data == made.data


def test_what_cannot_be_evidence_is_refused_with_the_way_on(
    world: World, bank: DeskAt, police: DeskAt
) -> None:
    with pytest.raises(NotFound, match="evidence_none"):
        made_at(police, "0x00000000000000000000000000000000000000a1")
    with pytest.raises(Malformed, match="reason_missing"):
        made_at(police, reason="two\nlines")
    with pytest.raises(Malformed):
        made_at(police, "no value at all")
    with bank.open() as desk:
        strict = plan(
            world, police.org, source=b"r" * 32, policy=replace(plan(world).policy, tlp=Tlp.RED)
        )
        (red,) = desk.submissions.send(strict, records_of([BTC])).bundles
    with police.open() as desk:
        desk.pull.pull(retention_days=30)  # its proof is taken in by the round after it
    with pytest.raises(Refused, match="evidence_ambiguous") as several:
        made_at(police, BTC)
    assert red.id in str(several.value)
    with pytest.raises(Refused, match="evidence_red"):
        made_at(police, BTC, bundle=red.id)
    with pytest.raises(Refused, match="acceptance_missing"):
        made_at(police, BTC, bundle=red.id, red=True)
    with police.open() as desk:
        desk.rounds.once()
    assert made_at(police, BTC, bundle=red.id, record=0, red=True).shows.disclosure.index == 0
    with police.open() as desk:
        (gone,) = purge_expired(
            desk.vault,
            before=world.clock() + 31 * 86_400,
            now=world.clock(),
            held=lambda one: one.id != red.id,
        )
        assert gone.id == red.id
        with pytest.raises((Refused, NotFound)):
            make_evidence(desk.vault, Wanted(value=BTC, bundle=red.id, red=True), maker_of(desk))
