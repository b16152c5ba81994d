"""Signatures are added to bytes as they are, whatever somebody hands over."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.support.directory_people import (
    BANK_KEYS,
    REGISTRARS,
    ROOT,
    SIGNED_ROOT,
    enrolled,
    enrolment,
    signing,
)

from accord.kernel.directory.authority import needs_of
from accord.kernel.directory.countersigning import (
    add_signature,
    join_documents,
    needed_signatures,
    read_document,
    verify_signatures,
)
from accord.kernel.directory.statements import Op, format_statement, parse_statement, sign_statement
from accord.kernel.directory.transition import next_organisation
from accord.kernel.errors import AccordError

ASKED = read_document(sign_statement(enrolment(), [BANK_KEYS.sig]))


def code_of(call: Callable[[], object]) -> str:
    with pytest.raises(AccordError) as caught:
        call()
    return caught.value.code


def test_a_signed_document_comes_back_byte_for_byte() -> None:
    for data in (SIGNED_ROOT, enrolled()):
        assert read_document(data).raw == data


def test_registrars_are_counted_and_strangers_are_not() -> None:
    document = add_signature(add_signature(ASKED, REGISTRARS[0]), signing(9))
    assert verify_signatures(document, ROOT) == 1
    assert verify_signatures(ASKED, ROOT) == 0
    assert needed_signatures(document, ROOT) == 2


def test_a_wrong_signature_of_a_registrar_is_found() -> None:
    document = add_signature(ASKED, REGISTRARS[0])
    broken = replace(document.pairs[1], ed25519=bytes(64))
    forged = replace(document, pairs=(document.pairs[0], broken))
    assert code_of(lambda: verify_signatures(forged, ROOT)) == "signature_wrong"


def test_the_new_keys_own_signature_must_hold() -> None:
    broken = replace(ASKED, pairs=(replace(ASKED.pairs[0], mldsa65=bytes(3309)),))
    assert code_of(lambda: add_signature(broken, REGISTRARS[0])) == "signature_wrong"
    bare = read_document(format_statement(enrolment()))
    assert code_of(lambda: add_signature(bare, REGISTRARS[0])) == "statement_unsigned"
    assert code_of(lambda: bare.raw) == "signers_empty"


def test_nothing_and_different_things_are_not_joined() -> None:
    assert code_of(lambda: join_documents([])) == "document_missing"
    other = read_document(SIGNED_ROOT)
    assert code_of(lambda: join_documents([ASKED, other])) == "payload_differs"


def test_peering_has_no_rule_yet() -> None:
    peering = replace(enrolment(), op=Op.PEER)
    assert code_of(lambda: needs_of(peering, 1)) == "op_reserved"


def test_an_enrolment_without_its_keys_makes_no_organisation() -> None:
    signed = parse_statement(enrolled())
    bare = replace(signed, statement=replace(enrolment(), kem=None))
    assert code_of(lambda: next_organisation(None, bare, 0)) == "op_field"
