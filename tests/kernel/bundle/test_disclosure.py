"""One record shown alone: provable, bound to its place, silent about the others."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support import bundles

from accord.kernel.bundle import content, disclosure
from accord.kernel.errors import AccordError, Malformed, VerificationFailed

OPENED = bundles.opened(
    bundles.delivery_to(bundles.sealed(), bundles.READERS[0]), bundles.READERS[0]
)
SHOWN = OPENED.disclose(3)


def verified(data: bytes) -> disclosure.VerifiedDisclosure:
    return disclosure.verify_disclosure(disclosure.parse_disclosure(data), signer=bundles.directory)


def again(data: bytes, **changes: object) -> bytes:
    parsed = disclosure.parse_disclosure(data)
    parts = {
        "header": parsed.header_bytes,
        "dsse": parsed.dsse,
        "index": parsed.index,
        "record_salt": parsed.record_salt,
        "line": parsed.line,
        "path": parsed.path,
    }
    return disclosure.format_disclosure(**parts | changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("index", range(len(bundles.LINES)))
def test_each_record_can_be_shown_alone(index: int) -> None:
    shown = verified(OPENED.disclose(index))
    assert shown.line == bundles.LINES[index]
    assert shown.disclosure.index == index
    assert shown.signer.org == bundles.SENDER


def test_reading_and_writing_gives_the_same_bytes() -> None:
    assert again(SHOWN) == SHOWN


def test_it_holds_nothing_of_the_other_records() -> None:
    assert OPENED.salt not in SHOWN
    salts = OPENED.salts()
    for index, line in enumerate(bundles.LINES):
        assert (line in SHOWN) == (index == 3)
        assert (salts[index] in SHOWN) == (index == 3)


@pytest.mark.parametrize(
    "changes",
    [
        {"index": 2},
        {"index": 7},
        {"index": (1 << 32) - 1},
        {"record_salt": bytes(16)},
        {"line": bundles.LINES[4]},
        {"line": b""},
        {"path": ()},
        {"path": [bytes(32)] * 3},
        {"path": [bytes(32)] * 255},
    ],
)
def test_another_place_salt_line_or_path_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(VerificationFailed) as caught:
        verified(again(SHOWN, **changes))
    assert caught.value.code == "record_not_in_tree"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "bundle_truncated"),
        (b"\x89ASB\r\n\x1a\n" + SHOWN[8:], "bundle_magic"),
        (SHOWN[:-1], "bundle_truncated"),
        (SHOWN + b"\0", "bundle_trailing"),
        (again(SHOWN, line=b"two\nlines"), "line_invalid"),
        (again(SHOWN, line=b"x" * 65_537), "line_too_long"),
        (again(SHOWN, header=b""), "json_invalid"),
    ],
)
def test_a_disclosure_of_another_form_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(Malformed) as caught:
        disclosure.parse_disclosure(data)
    assert caught.value.code == code


def test_another_bundles_header_is_refused() -> None:
    other = disclosure.parse_disclosure(SHOWN).header_bytes.replace(b"amber", b"clear")
    with pytest.raises(VerificationFailed) as caught:
        verified(again(SHOWN, header=other))
    assert caught.value.code == "header_mismatch"


@settings(max_examples=300)
@given(st.integers(0, len(SHOWN) - 1), st.integers(1, 255))
def test_no_spoiled_disclosure_is_believed(at: int, mask: int) -> None:
    data = bytearray(SHOWN)
    data[at] ^= mask
    with pytest.raises(AccordError):
        verified(bytes(data))


def test_there_is_no_disclosure_of_a_record_that_does_not_exist() -> None:
    for index in (-1, 7):
        with pytest.raises(Malformed) as caught:
            OPENED.disclose(index)
        assert caught.value.code == "index_invalid"


@given(
    st.binary(min_size=32, max_size=32),
    st.lists(st.binary(max_size=40), min_size=1, max_size=40),
    st.data(),
)
def test_every_path_leads_to_the_content_root(
    salt: bytes, lines: list[bytes], data: st.DataObject
) -> None:
    index = data.draw(st.integers(0, len(lines) - 1))
    leaf = content.record_leaf(
        content.record_salts(salt, len(lines))[16 * index : 16 * index + 16], lines[index]
    )
    content.merkle.verify_inclusion(
        index=index,
        size=len(lines),
        leaf=leaf,
        path=content.content_path(salt, lines, index),
        root=content.content_root(salt, lines),
    )
