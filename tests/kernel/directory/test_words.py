"""Six words: the same for both sides, other words for anything else."""

import json

import pytest
from tests.support.directory_people import (
    BANK_KEYS,
    REGISTRARS,
    ROOT,
    SIGNED_ROOT,
    START,
    enrolment,
    keys_of,
)

from accord.kernel.directory.challenge import SECRET_SIZE, open_challenge, seal_challenge
from accord.kernel.directory.rootfile import sign_root
from accord.kernel.directory.statements import countersign, sign_statement
from accord.kernel.directory.words import BITS, WORDS, six_words
from accord.kernel.encoding import b64encode
from accord.kernel.errors import Malformed, VerificationFailed

ASKED = sign_statement(enrolment(), [BANK_KEYS.sig])


def test_six_words_carry_at_least_66_bits() -> None:
    words = six_words(SIGNED_ROOT, ASKED)
    assert len(words) == WORDS
    assert WORDS * BITS >= 66


def test_added_signatures_do_not_change_the_words() -> None:
    words = six_words(SIGNED_ROOT, ASKED)
    assert six_words(SIGNED_ROOT, countersign(ASKED, REGISTRARS[:2])) == words
    assert six_words(sign_root(ROOT, REGISTRARS), ASKED) == words


def test_another_root_or_enrolment_has_other_words() -> None:
    words = six_words(SIGNED_ROOT, ASKED)
    another = sign_statement(enrolment(keys=keys_of(7)), [keys_of(7).sig])
    later = sign_statement(enrolment(time=START + 1), [BANK_KEYS.sig])
    for statement in (another, later):
        assert six_words(SIGNED_ROOT, statement) != words


def test_published_words_stay_as_they_are() -> None:
    root = json.dumps(
        {
            "payloadType": "application/vnd.accord.root.v1+json",
            "payload": b64encode(b"root"),
            "signatures": json.loads(SIGNED_ROOT)["signatures"],
        },
        separators=(",", ":"),
    ).encode()
    statement = json.dumps(
        {
            "payloadType": "application/vnd.accord.statement.v1+json",
            "payload": b64encode(b"statement"),
            "signatures": json.loads(ASKED)["signatures"],
        },
        separators=(",", ":"),
    ).encode()
    assert " ".join(six_words(root, statement)) == "rail color budget above sunset charge"


def test_the_words_are_of_an_enrolment_and_a_root_in_this_order() -> None:
    with pytest.raises(Malformed):
        six_words(ASKED, SIGNED_ROOT)


SECRET = bytes(range(SECRET_SIZE))


def test_only_the_owner_of_the_kem_key_answers_the_challenge() -> None:
    challenge = seal_challenge(BANK_KEYS.kem.public, b"payload", SECRET)
    assert open_challenge(BANK_KEYS.kem, b"payload", challenge) == SECRET
    for pair, payload, data in (
        (keys_of(7).kem, b"payload", challenge),
        (BANK_KEYS.kem, b"other", challenge),
        (BANK_KEYS.kem, b"payload", challenge[:-1]),
        (BANK_KEYS.kem, b"payload", b""),
        (BANK_KEYS.kem, b"payload", seal_challenge(BANK_KEYS.kem.public, b"payload", b"short")),
    ):
        with pytest.raises(VerificationFailed) as caught:
            open_challenge(pair, payload, data)
        assert caught.value.code == "challenge_wrong"
