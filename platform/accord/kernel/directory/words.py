"""Six words that two people compare by voice: one hash of root file and enrolment.

A hub that hands the desk another root, or the registrar another enrolment, changes the words. They
carry 66 bits and are stretched with scrypt, so that one guess costs a second enrolment *and* some
32 MiB of work; a hub cannot search for a pair that matches. They are not secret.

Source of the list: BIP-39 English (2,048 words, told apart by their first four letters).
"""

import hashlib

from mnemonic import Mnemonic

from accord.kernel import dsse
from accord.kernel.directory.rootfile import MAX_ROOT, ROOT_TYPE
from accord.kernel.directory.statements import MAX_STATEMENT, STATEMENT_TYPE

WORDS = 6
BITS = 11
"""Bits a word carries: six words carry 66."""

_LABEL = b"accord/1/words\0"
_SCRYPT_N = 2**15
_SCRYPT_R = 8
_SCRYPT_MEMORY = 64 * 1024 * 1024
_LIST: tuple[str, ...] = tuple(Mnemonic("english").wordlist)


def six_words(root_file: bytes, statement: bytes) -> tuple[str, ...]:
    """Return the six words of a signed root file and a signed enrolment.

    Only the payloads count, so that the words stay the same when registrars add signatures.
    About 0.1 s of work.

    Args:
        root_file: the root file as received (DSSE).
        statement: the enrolment statement as received (DSSE), with or without registrars.

    Raises:
        Malformed: as ``dsse.parse``.
    """
    root = dsse.parse(root_file, payload_type=ROOT_TYPE, limit=MAX_ROOT)
    enrolment = dsse.parse(statement, payload_type=STATEMENT_TYPE, limit=MAX_STATEMENT)
    digest = hashlib.sha256(
        _LABEL + hashlib.sha256(root.payload).digest() + hashlib.sha256(enrolment.payload).digest()
    ).digest()
    stretched = hashlib.scrypt(
        digest, salt=_LABEL, n=_SCRYPT_N, r=_SCRYPT_R, p=1, maxmem=_SCRYPT_MEMORY, dklen=32
    )
    number = int.from_bytes(stretched, "big") >> (256 - WORDS * BITS)
    return tuple(
        _LIST[number >> (BITS * place) & (2**BITS - 1)] for place in reversed(range(WORDS))
    )
