"""Files of evidence that a forger makes: members changed, the statement signed anew or not."""

import importlib.util
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from accord.kernel import dsse
from accord.kernel.directory.rootfile import verify_chain
from accord.kernel.errors import AccordError
from accord.kernel.evidence import archive
from accord.kernel.evidence.statement import (
    CONTEXT,
    STATEMENT_TYPE,
    Statement,
    listed,
    parse_signed,
    sign_statement,
)
from accord.kernel.evidence.verification import VerifiedEvidence, verify_evidence
from accord.kernel.keys import SigningKeyPair

CHECKER = Path(__file__).resolve().parents[2] / "platform/accord/desk/evidence/verify.py"


def load_checker() -> ModuleType:
    """Return the program that stands alone, as a module of its own."""
    spec = importlib.util.spec_from_file_location("evidence_checker", CHECKER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


checker = load_checker()


def rebuilt(data: bytes, changes: Mapping[str, bytes]) -> bytes:
    """Return the file with members changed and the container right, the statement as it was."""
    return archive.build(archive.read(data) | changes)


def signed_anew(
    data: bytes, changes: Mapping[str, bytes], signer: SigningKeyPair, **said: Any
) -> bytes:
    """Return the file with members changed, listed and signed anew."""
    members = archive.read(data) | changes
    _, statement = parse_signed(members.pop(archive.STATEMENT))
    statement = replace(statement, **said)
    order = {name: members[name] for name in archive.NAMES if name in members}
    signed = sign_statement(replace(statement, files=listed(order)), signer)
    return archive.build(order | {archive.STATEMENT: signed})


def statement_in(data: bytes) -> Statement:
    """Return what the maker said."""
    return parse_signed(archive.read(data)[archive.STATEMENT])[1]


def said_raw(data: bytes, signer: SigningKeyPair, change: Callable[[Any], object]) -> bytes:
    """Return the file with the maker's statement changed past every check, and signed anew."""
    members = archive.read(data)
    said = json.loads(parse_signed(members[archive.STATEMENT])[0].payload)
    change(said)
    payload = json.dumps(said, separators=(",", ":"), ensure_ascii=False).encode()
    signed = dsse.sign(STATEMENT_TYPE, payload, [signer], context=CONTEXT)
    return archive.build(members | {archive.STATEMENT: signed})


def refusals(data: bytes, root: bytes | None = None) -> tuple[str, str]:
    """Return the member that each verifier names; both must refuse the file."""
    own = () if root is None else verify_chain(root)
    with pytest.raises(AccordError) as ours:
        verify_evidence(data, trusted=own)
    with pytest.raises(checker.Wrong) as theirs:
        checker.check(data, root, [])
    observed = (ours.value.observed or "").partition(":")[0]
    return observed, theirs.value.member


def accepted_by_both(data: bytes) -> tuple[VerifiedEvidence, dict[str, Any]]:
    """Return what both verifiers read from a file that holds."""
    return verify_evidence(data), json.loads(json.dumps(checker.check(data, None, [])))
