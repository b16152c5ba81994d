"""What the log says of journals has one spelling, and a restart says nothing that cannot be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accord.kernel.errors import Malformed
from accord.kernel.tlog.growing import GrownHead, format_grown
from accord.kernel.tlog.journals import (
    Cause,
    Restart,
    format_journal,
    format_restart,
    parse_journal,
    parse_restart,
    restart_row,
)

NAME, OTHER = b"\1" * 16, b"\2" * 16
HEAD = GrownHead(size=7, root=b"\3" * 32)


def restart(**changes: object) -> Restart:
    values: dict[str, object] = {"journal": NAME, "head": HEAD, "kept": 6, "cause": Cause.RESTORED}
    return Restart(**values | changes)  # type: ignore[arg-type]


@given(st.binary(min_size=16, max_size=16))
def test_a_name_is_read_as_it_was_written(name: bytes) -> None:
    assert parse_journal(format_journal(name)) == name


def test_a_head_of_before_names_names_none() -> None:
    assert parse_journal("") is None


@pytest.mark.parametrize(
    "text",
    ["journal=", "journal=" + "0" * 31, "journal=" + "0" * 33, "journal=" + "A" * 32,
     "journal=" + "0" * 32 + "\n", " journal=" + "0" * 32, "journal=" + "\u0661" * 32, "x"],
)  # fmt: skip
def test_any_other_name_is_refused(text: str) -> None:
    with pytest.raises(Malformed) as caught:
        parse_journal(text)
    assert caught.value.code == "journal_head_invalid"


@given(
    st.integers(1, 10**18 - 1),
    st.integers(0, 10**18),
    st.sampled_from(Cause),
    st.none() | st.binary(min_size=16, max_size=16),
)
def test_a_restart_is_read_as_it_was_written_or_cannot_be(
    size: int, kept: int, cause: Cause, ended: bytes | None
) -> None:
    head = GrownHead(size=size, root=HEAD.root)
    wrong = {
        Cause.SECOND_DESK: ended is not None,
        Cause.LOST_DESK: ended is None or kept > 0,
    }
    if kept >= size or ended == NAME or wrong.get(cause, False):
        with pytest.raises(Malformed):
            restart(head=head, kept=kept, cause=cause, ended=ended)
        return
    made = restart(head=head, kept=kept, cause=cause, ended=ended)
    assert parse_restart(format_grown(head), cause.value, format_restart(made)) == made
    assert restart_row(made) == f"{cause.value} {format_restart(made)}"


@pytest.mark.parametrize(
    "changes",
    [
        {"journal": NAME[1:]},
        {"ended": b""},
        {"ended": NAME},
        {"kept": 7},
        {"kept": -1},
        {"cause": Cause.SECOND_DESK, "ended": OTHER},
        {"cause": Cause.LOST_DESK, "kept": 0},
        {"cause": Cause.LOST_DESK, "ended": OTHER},
    ],
)
def test_what_cannot_be_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(Malformed) as caught:
        restart(**changes)
    assert caught.value.code == "journal_restart_invalid"


GOOD = format_restart(restart(ended=OTHER))


@pytest.mark.parametrize(
    ("basis", "detail"),
    [
        ("restored", ""),
        ("restored", GOOD.replace("kept=6", "kept=06")),
        ("restored", GOOD.replace("kept=6", "kept=-6")),
        ("restored", GOOD.replace("kept=6", "kept=9")),
        ("restored", GOOD + " "),
        ("restored", GOOD.replace("ended=", "ended=0")),
        ("restored", GOOD.replace("journal", "Journal")),
        ("second-desk", GOOD),
        ("because", GOOD),
        ("", GOOD),
    ],
)
def test_any_other_words_are_refused(basis: str, detail: str) -> None:
    parse_restart(format_grown(HEAD), "restored", GOOD)
    with pytest.raises(Malformed) as caught:
        parse_restart(format_grown(HEAD), basis, detail)
    assert caught.value.code == "journal_restart_invalid"
