"""Signed notes: one byte form, unknown lines ignored, a wrong known line refuses everything."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.logs import LOG_KEYS, NOW, ORIGIN, WITNESSES, MadeLog, numbered

from accord.kernel.encoding import b64encode
from accord.kernel.errors import AccordError, Malformed, Refused, VerificationFailed
from accord.kernel.tlog import notes
from accord.kernel.tlog.verifiers import Verifier

NOTE = MadeLog().append(numbered(5)).sign()
BODY = notes.parse_note(NOTE).body
LINE = notes.parse_note(NOTE).signatures[0].line()
NAMES = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Zs", "Zl", "Zp", "Cs"]),
    min_size=1,
    max_size=20,
).filter(lambda text: "+" not in text)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "note_malformed"),
        (BODY, "note_malformed"),
        (BODY + b"\n", "note_malformed"),
        (BODY + b"\n" + LINE[:-1], "note_malformed"),
        (BODY + b"\n" + LINE + b"\n", "note_malformed"),
        (BODY + b"\n" + LINE + b"x\n", "note_malformed"),
        (NOTE.replace(b"\n", b"\r\n"), "note_malformed"),
        (b"\x00" + NOTE, "note_malformed"),
        (b"\t" + NOTE, "note_malformed"),
        (b"\xff" + NOTE, "note_malformed"),
        (NOTE + b"\xff\n", "note_malformed"),
        (BODY + b"\n" + LINE * 65, "note_malformed"),
        (b"x" * notes.MAX_NOTE + NOTE, "note_malformed"),
        (BODY + b"\n" + LINE.replace("—".encode(), b"-"), "note_malformed"),
        (BODY + b"\n" + LINE.replace(b" hub", b"  hub"), "note_malformed"),
        (BODY + b"\n" + LINE.replace(b"=", b""), "note_malformed"),
        (BODY + b"\n" + LINE.replace(b"\n", b" \n"), "note_malformed"),
        (BODY + b"\n" + "— a AAAA\n".encode(), "note_malformed"),
        (BODY + b"\n" + "— a AAAAAA==\n".encode(), "note_malformed"),
        (BODY + b"\n" + "— a AAAAAAB=\n".encode(), "note_malformed"),
        (BODY + b"\n" + "— a é\n".encode(), "note_malformed"),
        (BODY + b"\n" + "— a+b AAAAAAA=\n".encode(), "note_name_invalid"),
        (BODY + b"\n" + "— a\u00a0b AAAAAAA=\n".encode(), "note_name_invalid"),
        (BODY + b"\n" + f"— {'a' * 256} AAAAAAA=\n".encode(), "note_name_invalid"),
    ],
)
def test_other_spellings_are_refused(data: bytes, code: str) -> None:
    with pytest.raises(Malformed) as caught:
        notes.parse_note(data)
    assert caught.value.code == code


@given(st.binary(max_size=300) | st.binary(max_size=40).map(lambda tail: NOTE[:-1] + tail))
def test_any_bytes_are_parsed_or_refused_with_a_code(data: bytes) -> None:
    try:
        note = notes.parse_note(data)
    except Malformed:
        return
    assert note.body + b"\n" + b"".join(line.line() for line in note.signatures) == data


@given(
    st.lists(
        st.tuples(NAMES, st.binary(min_size=4, max_size=4), st.binary(min_size=1, max_size=80)),
        min_size=1,
        max_size=16,
    )
)
def test_what_is_written_is_what_is_read(lines: list[tuple[str, bytes, bytes]]) -> None:
    made = tuple(
        notes.NoteSignature(name=name, key_id=key_id, signature=signature)
        for name, key_id, signature in lines
    )
    raw = BODY + b"\n" + b"".join(line.line() for line in made)
    assert notes.parse_note(raw).signatures == made


def test_lines_of_unknown_keys_are_ignored() -> None:
    grease = "— grease.example AAAAAAECAwQF\n".encode()
    for raw in (NOTE + grease, BODY + b"\n" + grease + NOTE[len(BODY) + 1 :]):
        found = notes.verify_signatures(notes.parse_note(raw), LOG_KEYS.verifiers)
        assert set(found.values()) == {None, NOW}


def test_a_wrong_line_of_a_known_key_refuses_the_note() -> None:
    for index, verifier in enumerate(LOG_KEYS.verifiers):
        lines = list(notes.parse_note(NOTE).signatures)
        broken = bytearray(lines[index].signature)
        broken[-1] ^= 1
        lines[index] = notes.NoteSignature(
            name=ORIGIN, key_id=verifier.key_id, signature=bytes(broken)
        )
        raw = BODY + b"\n" + b"".join(line.line() for line in lines)
        with pytest.raises(VerificationFailed) as caught:
            notes.verify_signatures(notes.parse_note(raw), LOG_KEYS.verifiers)
        assert caught.value.code == "note_signature_wrong"


def test_a_signature_of_another_length_is_wrong() -> None:
    for verifier in (*LOG_KEYS.verifiers, *WITNESSES[0].verifiers):
        with pytest.raises(VerificationFailed):
            verifier.verify(BODY, bytes(63))


def test_a_post_quantum_line_over_text_that_is_no_checkpoint_is_wrong() -> None:
    line = notes.parse_note(NOTE).signatures[1]
    with pytest.raises(VerificationFailed):
        LOG_KEYS.verifiers[1].verify(BODY + b"extension\n", line.signature)


def test_a_known_key_may_not_sign_twice() -> None:
    with pytest.raises(VerificationFailed) as caught:
        notes.verify_signatures(notes.parse_note(NOTE + LINE), LOG_KEYS.verifiers)
    assert caught.value.code == "note_signature_twice"


def test_a_signed_time_cannot_be_moved() -> None:
    lines = notes.parse_signature_lines(WITNESSES[0].cosign(MadeLog().checkpoint, NOW))
    for verifier, line in zip(WITNESSES[0].verifiers, lines, strict=True):
        body = MadeLog().checkpoint.body()
        assert verifier.verify(body, line.signature) == NOW
        moved = (NOW + 1).to_bytes(8, "big") + line.signature[8:]
        with pytest.raises(VerificationFailed):
            verifier.verify(body, moved)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda _: "", "vkey_invalid"),
        (lambda text: text.replace("+", "-", 1), "vkey_invalid"),
        (lambda text: text.upper(), "vkey_invalid"),
        (lambda text: text[:-3], "base64_invalid"),
        (lambda text: text + "\n", "base64_invalid"),
        (lambda text: "x" + text, "vkey_invalid"),
        (lambda text: text.replace("hub.", "hub .", 1), "note_name_invalid"),
        (lambda text: "+" + text.split("+", 1)[1], "note_name_invalid"),
        (lambda text: text.rsplit("+", 1)[0] + "+", "vkey_invalid"),
        (lambda text: text.rsplit("+", 1)[0] + "+" + b64encode(b"\x02" + bytes(32)), "vkey_algorithm_unknown"),
        (lambda text: text.rsplit("+", 1)[0] + "+" + b64encode(b"\x01" + bytes(31)), "vkey_invalid"),
    ],
)  # fmt: skip
def test_other_vkeys_are_refused(change: object, code: str) -> None:
    text = notes.LogKeyPair(ORIGIN, bytes(32), bytes(32)).vkeys[0]
    assert callable(change)
    with pytest.raises(Malformed) as caught:
        notes.parse_vkey(change(text))
    assert caught.value.code == code


@given(st.text(max_size=80) | NAMES.map(lambda name: f"{name}+00000000+AQ=="))
def test_any_text_is_a_vkey_or_refused_with_a_code(text: str) -> None:
    try:
        verifier = notes.parse_vkey(text)
    except Malformed:
        return
    assert verifier.vkey == text


@given(NAMES, st.sampled_from([(1, 32), (4, 32), (6, 1312)]), st.data())
def test_vkeys_come_back_as_they_were(
    name: str, kind: tuple[int, int], data: st.DataObject
) -> None:
    key = data.draw(st.binary(min_size=kind[1], max_size=kind[1]))
    verifier = Verifier(name=name, algorithm=kind[0], key=key)
    assert notes.parse_vkey(verifier.vkey) == verifier


def test_keys_are_made_whole_or_not_at_all() -> None:
    for make in (
        lambda: notes.LogKeyPair(ORIGIN, bytes(31), bytes(32)),
        lambda: notes.LogKeyPair("two words", bytes(32), bytes(32)),
        lambda: notes.WitnessKeyPair("w.example", (bytes(32), bytes(33))),
    ):
        with pytest.raises(AccordError):
            make()


def test_private_parts_never_show_and_fresh_keys_differ() -> None:
    made = [notes.LogKeyPair.generate(ORIGIN), notes.WitnessKeyPair.generate("w.example")]
    for pair in made:
        assert "seed" not in repr(pair)
        assert pair.vkeys != type(pair).generate(pair.name).vkeys


def test_a_log_key_signs_no_other_log() -> None:
    other = notes.LogKeyPair.generate("hub.example/directory")
    with pytest.raises(Refused) as caught:
        other.sign(MadeLog().checkpoint, NOW)
    assert caught.value.code == "origin_other"
