"""What leaves the desk: which records may go, in which form, and that it is written down first."""

import csv
import json
import subprocess
from pathlib import Path

import openpyxl
import pytest
import stix2
from hypothesis import given
from hypothesis import strategies as st
from stix2validator import ValidationOptions, validate_string
from tests.desk.conftest import BANK, NOW, bundle_id, described, put, records_of

from accord.desk.export import Audience, Selection
from accord.desk.export.registry import FORMATS
from accord.desk.export.rules import withheld
from accord.desk.export.service import Exported, export
from accord.desk.storage import Vault, Way
from accord.desk.storage.bundles import Mark, MarkState, add_mark, find_bundle
from accord.desk.storage.exports import exports, who_took
from accord.kernel.errors import AccordError, Conflict, Malformed, Refused
from accord.kernel.identifiers import OrgId
from accord.kernel.indicators import Basis, normalise, record_of
from accord.kernel.markings import Onward, Tlp

POLICE = OrgId("police@hub.example")
VALUES = (
    "1BoatSLRHtKNngkdXEeobR76b53LETtpyT",
    "0x52908400098527886e0f7030069857d2e4169ee7",
    "files.evil-example.org",
    "https://files.evil-example.org/a?b=%27c",
    "j7rpp5avvfz2ktikr7nlr7sqhequqspbs3qngumxctp2vsspsbaeeuad.onion",
)


def take(vault: Vault, target: Path, form: str = "csv", **changes: object) -> Exported:
    stated = {"purpose": "investigation", "reason": "case 17"} | {
        name: changes.pop(name) for name in ("purpose", "reason") if name in changes
    }
    return export(
        vault,
        FORMATS[form],
        target,
        Selection(**changes),  # type: ignore[arg-type]
        org=POLICE,
        person="mia",
        now=NOW,
        **stated,  # type: ignore[arg-type]
    )


@pytest.fixture
def filled(vault: Vault) -> Vault:
    put(vault, described(1), records_of(VALUES))
    return vault


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_each_row_of_a_table_carries_its_marking_sender_and_bundle(
    filled: Vault, tmp_path: Path
) -> None:
    made = take(filled, tmp_path / "out.csv")
    rows = rows_of(made.path)
    assert [row["value"] for row in rows] == list(VALUES)
    assert {row["marking"] for row in rows} == {"TLP:AMBER"}
    assert {(row["sender"], row["bundle"]) for row in rows} == {(BANK, bundle_id(1))}
    assert made.path.stat().st_mode & 0o777 == 0o600


def test_a_note_that_begins_like_a_formula_is_no_formula_in_any_table(
    vault: Vault, tmp_path: Path
) -> None:
    [record] = records_of(VALUES[:1])
    found = normalise(record.value)
    hostile = record_of(found, confidence=1, basis=Basis.OBSERVED)
    hostile = type(hostile)(
        **{name: getattr(hostile, name) for name in hostile.__struct_fields__}
        | {"note": "=HYPERLINK(A1)"}
    )
    put(vault, described(1), [hostile])
    take(vault, tmp_path / "a.csv")
    assert rows_of(tmp_path / "a.csv")[0]["note"] == "'=HYPERLINK(A1)"
    take(vault, tmp_path / "a.xlsx", "xlsx")
    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    cells = {cell.value: cell.data_type for cell in book["Records"][2]}
    assert cells["=HYPERLINK(A1)"] == "s"
    about = {row[0].value: row[1].value for row in book["About"].iter_rows()}
    assert about["Marking"] == "TLP:AMBER"


def test_the_export_and_its_records_are_written_down_so_a_recall_can_name_who_has_them(
    filled: Vault, tmp_path: Path
) -> None:
    made = take(filled, tmp_path / "out.csv", kinds=frozenset({normalise(VALUES[2]).kind}))
    [entry] = exports(filled)
    assert (entry.person, entry.form, entry.records, entry.sha256) == ("mia", "csv", 1, made.sha256)
    number = find_bundle(filled, bundle_id(1)).no
    assert [one.no for one in who_took(filled, number, [2])] == [made.no]
    assert who_took(filled, number, [0]) == []
    [(act, reason)] = filled.connection.execute("SELECT act, reason FROM acts").fetchall()
    assert (act, reason) == ("export:make", "investigation: case 17")


def test_a_retracted_record_stays_behind_and_is_counted(filled: Vault, tmp_path: Path) -> None:
    mark = Mark(
        record=0,
        state=MarkState.RETRACTED,
        by_org=BANK,
        by_id=bundle_id(9),
        code="wrong-value",
        at=NOW,
    )
    with filled.transaction() as connection:
        add_mark(connection, BANK, bundle_id(1), mark)
    made = take(filled, tmp_path / "out.csv")
    assert made.withheld == {"ended": 1}
    assert VALUES[0] not in {row["value"] for row in rows_of(made.path)}
    told = take(filled, tmp_path / "all.csv", ended=True)
    assert rows_of(told.path)[0]["state"] == "retracted"


@pytest.mark.parametrize(
    ("tlp", "onward", "audience", "code"),
    [
        ("red", "none", "own", "tlp_red"),
        ("amber+strict", "none", "own", None),
        ("amber+strict", "same-kind", "same-kind", "tlp_own_only"),
        ("amber", "none", "same-kind", "onward_refused"),
        ("amber", "ask-first", "law-enforcement", "onward_refused"),
        ("amber", "same-kind", "law-enforcement", "onward_refused"),
        ("amber", "same-kind", "same-kind", None),
        ("green", "law-enforcement", "law-enforcement", None),
        ("clear", "none", "same-kind", "onward_refused"),
    ],
)
def test_marking_and_onward_rule_decide_who_may_have_it(
    tlp: str, onward: str, audience: str, code: str | None
) -> None:
    assert withheld(Tlp(tlp), Onward(onward), Audience(audience), red=False) == code


@given(st.sampled_from(Onward), st.sampled_from(Audience), st.booleans())
def test_red_never_leaves_the_organisation(onward: Onward, audience: Audience, red: bool) -> None:  # noqa: FBT001
    code = withheld(Tlp.RED, onward, audience, red=red)
    assert (code is None) == (red and audience is Audience.OWN)


def test_red_goes_to_a_file_only_when_it_is_named(vault: Vault, tmp_path: Path) -> None:
    put(vault, described(1, tlp="red"), records_of(VALUES))
    with pytest.raises(Refused) as caught:
        take(vault, tmp_path / "out.csv")
    assert caught.value.code == "export_empty"
    assert "5 kept back" in (caught.value.observed or "")
    assert take(vault, tmp_path / "out.csv", red=True).records == len(VALUES)


def test_our_own_bundles_are_not_exported(vault: Vault, tmp_path: Path) -> None:
    put(vault, described(1, way=Way.SENT), records_of(VALUES))
    with pytest.raises(Refused):
        take(vault, tmp_path / "out.csv")


@pytest.mark.parametrize(
    ("changes", "error", "code"),
    [
        ({"reason": " a "}, Malformed, "reason_missing"),
        ({"reason": "a\nb c"}, Malformed, "reason_missing"),
        ({"reason": "x" * 501}, Malformed, "reason_long"),
        ({"purpose": "curiosity"}, Malformed, "purpose_unknown"),
    ],
)
def test_without_purpose_and_reason_nothing_leaves(
    filled: Vault, tmp_path: Path, changes: dict[str, object], error: type[AccordError], code: str
) -> None:
    with pytest.raises(error) as caught:
        take(filled, tmp_path / "out.csv", **changes)
    assert caught.value.code == code
    assert list(tmp_path.glob("*.csv")) == []
    assert exports(filled) == []


def test_nothing_is_overwritten_and_a_failed_export_leaves_no_file(
    filled: Vault, tmp_path: Path
) -> None:
    target = tmp_path / "out.csv"
    target.write_text("mine")
    with pytest.raises(Conflict):
        take(filled, target)
    assert target.read_text() == "mine"
    with pytest.raises(FileNotFoundError):
        take(filled, tmp_path / "missing" / "out.csv")
    assert [path.name for path in tmp_path.iterdir() if "part" in path.name] == []


def test_the_stix_bundle_is_valid_and_names_each_thing_before_it_is_referred_to(
    filled: Vault, tmp_path: Path
) -> None:
    take(filled, tmp_path / "out.json", "stix")
    text = (tmp_path / "out.json").read_text()
    told = validate_string(text, ValidationOptions(version="2.1"))
    assert told.is_valid, [str(error) for one in told.object_results for error in one.errors]
    seen: set[str] = set()
    for one in json.loads(text)["objects"]:
        refs = [*one.get("object_marking_refs", ())]
        refs += [
            one[name] for name in ("created_by_ref", "source_ref", "target_ref") if name in one
        ]
        assert set(refs) <= seen
        seen.add(one["id"])
        if one["type"] == "indicator":
            stix2.parse(one, version="2.1")
    assert sum(name.startswith("indicator--") for name in seen) == len(VALUES)


def test_the_wallets_id_is_the_one_that_others_compute(filled: Vault, tmp_path: Path) -> None:
    put(filled, described(2), records_of(["bc1qph277vt6mlyv5m3e0xcd6arad9trf8chssfa30"]))
    take(filled, tmp_path / "out.json", "stix")
    ids = {one["id"] for one in json.loads((tmp_path / "out.json").read_text())["objects"]}
    assert "cryptocurrency-wallet--f1ec061d-c59e-567a-b00e-c6c26abccd3b" in ids


def test_pymisp_reads_the_folder_as_a_feed(filled: Vault, tmp_path: Path) -> None:
    take(filled, tmp_path / "feed", "misp")
    # PyMISP in a process of its own: it warns of its own parts when it is loaded.
    program = (
        "import sys, json, pymisp\n"
        "manifest = json.load(open(sys.argv[1] + '/manifest.json'))\n"
        "for name in manifest:\n"
        "    event = pymisp.MISPEvent()\n"
        "    event.load_file(f'{sys.argv[1]}/{name}.json')\n"
        "    assert event.uuid == name\n"
        "    print(sorted(a.type for a in event.attributes), [t.name for t in event.tags][0])\n"
    )
    done = subprocess.run(
        [_python(), "-W", "ignore", "-c", program, str(tmp_path / "feed")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "['btc', 'domain', 'domain', 'text', 'url'] tlp:amber"


def _python() -> str:
    import sys  # noqa: PLC0415 - the interpreter that runs the tests

    return sys.executable
