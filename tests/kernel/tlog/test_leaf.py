"""Erasable leaves: openings bind, erasure leaves nothing, the rest still opens."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accord.kernel.encoding import b64encode
from accord.kernel.errors import Malformed, VerificationFailed
from accord.kernel.tlog import leaf
from accord.kernel.tlog.leaf import ClosedField, Opening, RecordFields

FIELDS = {"org": "first-bank@hub.example", "person": "alice", "action": "search", "when": ""}
RECORD = RecordFields.fresh(FIELDS)
TEXTS = st.text(st.characters(codec="utf-8"), max_size=40)


@given(
    st.dictionaries(st.text(st.characters(codec="utf-8"), min_size=1, max_size=16), TEXTS, min_size=1, max_size=8),
    st.integers(0, 255),
    st.data(),
)  # fmt: skip
def test_closing_any_fields_keeps_the_leaf_and_opens_the_rest(
    fields: dict[str, str], leaf_class: int, data: st.DataObject
) -> None:
    record = RecordFields.fresh(fields, leaf_class=leaf_class)
    made = record.leaf()
    assert len(made) == leaf.LEAF_SIZE
    assert leaf.verify_opening(made, record) == fields
    closed = data.draw(st.sets(st.sampled_from(sorted(fields))))
    shown = leaf.parse_record(leaf.format_record(record.close(closed)))
    assert shown.leaf() == made
    assert leaf.verify_opening(made, shown) == {
        name: value for name, value in fields.items() if name not in closed
    }


def test_equal_events_have_different_leaves() -> None:
    assert RecordFields.fresh(FIELDS).leaf() != RecordFields.fresh(FIELDS).leaf()


def changed(**change: object) -> RecordFields:
    first = RECORD.fields[0]
    assert isinstance(first, Opening)
    parts = {"field": first.field, "value": first.value, "nonce": first.nonce} | change
    return RecordFields(
        entry_id=RECORD.entry_id,
        leaf_class=0,
        fields=(Opening(**parts), *RECORD.fields[1:]),  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    "other",
    [
        changed(value="second-bank@hub.example"),
        changed(field="orga"),
        changed(nonce=bytes(32)),
        RecordFields(entry_id=bytes(16), leaf_class=0, fields=RECORD.fields),
        RecordFields(entry_id=RECORD.entry_id, leaf_class=1, fields=RECORD.fields),
        RecordFields(entry_id=RECORD.entry_id, leaf_class=0, fields=RECORD.fields[::-1]),
        RecordFields(entry_id=RECORD.entry_id, leaf_class=0, fields=RECORD.fields[:-1]),
        RecordFields(
            entry_id=RECORD.entry_id,
            leaf_class=0,
            fields=(*RECORD.fields[:-1], ClosedField(commitment=bytes(32))),
        ),
    ],
)
def test_anything_else_does_not_open_the_leaf(other: RecordFields) -> None:
    with pytest.raises(VerificationFailed) as caught:
        leaf.verify_opening(RECORD.leaf(), other)
    assert caught.value.code == "opening_wrong"


def test_text_does_not_slide_between_name_and_value() -> None:
    one = RecordFields(
        entry_id=bytes(16), leaf_class=0, fields=(Opening(field="ab", value="c", nonce=bytes(32)),)
    )
    two = RecordFields(
        entry_id=bytes(16), leaf_class=0, fields=(Opening(field="a", value="bc", nonce=bytes(32)),)
    )
    assert one.leaf() != two.leaf()


@pytest.mark.parametrize("data", [b"", bytes(34), b"\x02" + bytes(33), b"\x01" + bytes(34)])
def test_other_leaves_are_refused(data: bytes) -> None:
    with pytest.raises(Malformed) as caught:
        leaf.verify_opening(data, RECORD)
    assert caught.value.code == "leaf_invalid"


@pytest.mark.parametrize(
    "make",
    [
        lambda: Opening(field="", value="", nonce=bytes(32)),
        lambda: Opening(field="x" * 65, value="", nonce=bytes(32)),
        lambda: Opening(field="x", value="y" * 65_536, nonce=bytes(32)),
        lambda: Opening(field="x", value="\ud800", nonce=bytes(32)),
        lambda: Opening(field="x", value="", nonce=bytes(31)),
        lambda: ClosedField(commitment=bytes(31)),
        lambda: RecordFields(entry_id=bytes(15), leaf_class=0, fields=RECORD.fields),
        lambda: RecordFields(entry_id=bytes(16), leaf_class=256, fields=RECORD.fields),
        lambda: RecordFields(entry_id=bytes(16), leaf_class=0, fields=()),
        lambda: RecordFields(entry_id=bytes(16), leaf_class=0, fields=RECORD.fields[:1] * 2),
        lambda: RecordFields.fresh({f"f{number}": "" for number in range(641)}),
        lambda: leaf.commit(0, FIELDS, [bytes(32)], entry_id=bytes(16)),
    ],
)
def test_what_has_no_place_is_not_made(make: object) -> None:
    assert callable(make)
    with pytest.raises(Malformed) as caught:
        make()
    assert caught.value.code == "opening_invalid"


GOOD = leaf.format_record(RECORD.close({"person"}))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        GOOD + b" ",
        GOOD.replace(b'"v":1', b'"v":2'),
        GOOD.replace(b'"v":1,', b""),
        GOOD.replace(b'"class":0', b'"class":256'),
        GOOD.replace(b'"class":0', b'"class":null'),
        GOOD.replace(b'"entry"', b'"Entry"'),
        GOOD.replace(b'"fields":[{', b'"fields":[1,{'),
        GOOD.replace(b'"name":"org"', b'"name":"action"'),
        GOOD.replace(b'"commitment":"', b'"commitment":"A'),
        GOOD.replace(b'{"commitment"', b'{"name":"x","commitment"'),
        GOOD.split(b'"fields"')[0] + b'"fields":[]}',
        GOOD.replace(b64encode(RECORD.entry_id).encode(), b"AA=="),
    ],
    ids=range(14),  # the texts are other ones in every process
)
def test_other_texts_of_a_record_are_refused(data: bytes) -> None:
    assert data != GOOD
    with pytest.raises(Malformed):
        leaf.parse_record(data)


@given(
    st.binary(max_size=200)
    | st.integers(0, len(GOOD) - 1).map(lambda at: GOOD[:at] + GOOD[at + 1 :])
)
def test_any_bytes_are_a_record_or_refused_with_a_code(data: bytes) -> None:
    try:
        record = leaf.parse_record(data)
    except Malformed:
        return
    assert leaf.format_record(record) == data
