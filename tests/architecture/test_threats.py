"""The threat model and the adversaries' tests belong together: each number here and there."""

import re
from collections import Counter

from tests.conftest import ROOT

MODULES = ROOT / "tests" / "adversary"
NAME = re.compile(r"test_t([0-9]{2})_[a-z_]+\.py")
ROW = re.compile(r"^\| T([0-9]+) \|(.*)$", re.MULTILINE)
ROWS = {
    int(number): text
    for number, text in ROW.findall((ROOT / "docs" / "threat-model.md").read_text("utf-8"))
}


def test_threats_are_numbered_without_a_gap() -> None:
    assert list(ROWS) == list(range(1, len(ROWS) + 1))


def test_each_threat_has_its_one_module_and_each_module_its_threat() -> None:
    found = [NAME.fullmatch(path.name) for path in MODULES.glob("test_*.py")]
    assert None not in found, "a module here is named test_tNN_what.py"
    numbers = Counter(int(match.group(1)) for match in found if match)
    assert numbers == Counter(ROWS.keys())


def test_the_document_names_tests_that_exist() -> None:
    for number, text in ROWS.items():
        (module,) = MODULES.glob(f"test_t{number:02d}_*.py")
        assert f"`{module.name}`" in text, number
        for place in re.findall(r"`(tests/[a-z/_]+)`", text):
            assert (ROOT / place).is_dir(), place


def test_each_module_says_its_number_and_tries_something() -> None:
    for path in MODULES.glob("test_t*.py"):
        text = path.read_text("utf-8")
        number = int(path.name[6:8])
        assert text.startswith(f'"""T{number}: '), path.name
        assert text.count("\ndef test_") >= 2, path.name
