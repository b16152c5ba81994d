"""A refused charter names the line; the finder of lines is not led astray by strings."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accord.kernel.errors import Malformed
from accord.kernel.policy.charter import DEFAULT_CHARTER, parse_charter
from accord.kernel.policy.lines import key_lines

TEXT = DEFAULT_CHARTER


def line_of(needle: str, nth: int = 1) -> int:
    found = [number for number, line in enumerate(TEXT.splitlines(), 1) if needle in line]
    return found[nth - 1]


def refusal(text: str) -> Malformed:
    with pytest.raises(Malformed) as caught:
        parse_charter(text.encode())
    return caught.value


@pytest.mark.parametrize(
    ("old", "new", "nth", "code", "seen"),
    [
        ('max_tlp = "amber+strict"', 'max_tlp = "white"', 1, "tlp_unknown", "white"),
        ("approval = false", "approval = 0", 1, "value_invalid", ""),
        ("retention_days = 730", "retention_days = 99999", 1, "value_invalid", ""),
        ("retention_days = 730", "retention = 730", 1, "key_unknown", "retention"),
        ('name = "ngo-summaries"', 'name = "members"', 1, "name_twice", "members"),
        ('name = "hotline-to-police"', 'name = "financial-to-police"', 1, "name_twice",
         "financial-to-police"),
        ('name = "oversight"', 'name = "Over Sight"', 1, "name_invalid", "Over Sight"),
        ('actions = ["overlap:view"]', 'actions = ["all:see"]', 1, "action_unknown", "all:see"),
        ('capabilities = ["hotline"]', 'capabilities = ["hot line"]', 1, "name_invalid",
         "hot line"),
        ('jurisdictions = ["any"]', 'jurisdictions = ["nl"]', 1, "country_unknown", "nl"),
        ("version = 1", 'version = "1"', 1, "value_invalid", ""),
        ('name = "Default charter"', "name = 5", 1, "value_invalid", ""),
        ("approval = false", "approval = = false", 1, "toml_invalid", "Invalid value"),
        ("approval = false", "approval = false\napproval = true", 2, "toml_invalid",
         "Cannot overwrite a value"),
    ],
)  # fmt: skip
def test_each_fault_is_told_with_its_line(
    old: str, new: str, nth: int, code: str, seen: str
) -> None:
    error = refusal(TEXT.replace(old, new, 1))
    line = line_of(old) + nth - 1
    assert error.code == code
    assert error.observed == (f"line {line}: {seen}" if seen else f"line {line}")


def test_a_fault_inside_a_list_of_many_lines_is_told_at_its_key() -> None:
    error = refusal(TEXT.replace('  "suspicion-report",', '  "gossip",', 1))
    assert error.code == "purpose_unknown"
    assert error.observed == f"line {line_of('purposes = [', 2)}: gossip"


def test_a_missing_key_is_told_at_its_table_or_not_at_all() -> None:
    error = refusal(TEXT.replace('max_tlp = "amber+strict"\n', "", 1))
    fifth = line_of("[[rule]]", 5)
    assert (error.code, error.observed) == ("key_missing", f"line {fifth}")
    assert refusal("").observed is None
    short = "format=1\nversion=1\nname='x'\n\nrule=[1]\ngrant=[{}]"
    assert refusal(short).observed == "line 5"


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_line_ends_of_either_sort_count_alike(end: str) -> None:
    text = TEXT.replace('max_tlp = "amber+strict"', 'max_tlp = "white"').replace("\n", end)
    assert refusal(text).observed == f"line {line_of('amber+strict')}: white"


def test_strings_and_comments_that_look_like_rules_are_none() -> None:
    text = '''# [[rule]]
a = """
[[rule]]
x = 1
"""
b = \'\'\'
[[rule]]
\'\'\'  # b = 1
"c d" = "[[rule]] \\" ["
e = [ # [
  "]", { f = 1 },
]
[[rule]]
name = 'x = ['
[other]
[[rule]]
name = 1
'''
    tomllib.loads(text)
    found = key_lines(text)
    places = {
        ("", 1, "a"): 2,
        ("", 1, "b"): 6,
        ("", 1, "c d"): 9,
        ("", 1, "e"): 10,
        ("rule", 1, ""): 13,
        ("rule", 1, "name"): 14,
        ("other", 1, ""): 15,
        ("rule", 2, ""): 16,
        ("rule", 2, "name"): 17,
    }
    assert found.lines == places
    assert found.of("rule", 2, "absent") == 16
    assert found.of("rule", 3, "name") is None


@given(st.text(st.sampled_from("a=[]{}\"'#\n \\1"), max_size=60))
def test_lines_of_any_text_stay_inside_it(text: str) -> None:
    assert all(1 <= line <= text.count("\n") + 1 for line in key_lines(text).lines.values())
