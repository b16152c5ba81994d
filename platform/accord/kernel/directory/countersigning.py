"""What a registrar signs: read it, join several copies, add a signature, count.

Root files, directory statements and charters all come as a bare payload or as an envelope with some
signatures. This module adds signatures to the bytes as they are and never changes a payload. What a
registrar must look at before is for the face that asks.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from accord.kernel import dsse
from accord.kernel.directory.rootfile import MAX_ROOT, ROOT_CONTEXT, ROOT_TYPE, RootFile, parse_root
from accord.kernel.directory.statements import (
    MAX_STATEMENT,
    STATEMENT_CONTEXT,
    STATEMENT_TYPE,
    Op,
    Statement,
    parse_payload,
)
from accord.kernel.errors import Conflict, Malformed, Refused, VerificationFailed
from accord.kernel.keys import SigningKeyPair
from accord.kernel.policy.charter import (
    CHARTER_CONTEXT,
    CHARTER_TYPE,
    MAX_SIGNED_CHARTER,
    Charter,
    parse_charter,
)

MAX_DOCUMENT = max(MAX_ROOT, MAX_STATEMENT, MAX_SIGNED_CHARTER)
"""Largest file in bytes that is read."""


class DocumentKind(StrEnum):
    """What a registrar can sign."""

    ROOT = "root"
    STATEMENT = "statement"
    CHARTER = "charter"


_FORMS = {
    DocumentKind.ROOT: (ROOT_TYPE, ROOT_CONTEXT, MAX_ROOT),
    DocumentKind.STATEMENT: (STATEMENT_TYPE, STATEMENT_CONTEXT, MAX_STATEMENT),
    DocumentKind.CHARTER: (CHARTER_TYPE, CHARTER_CONTEXT, MAX_SIGNED_CHARTER),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A checked payload with the signatures that it has so far, possibly none.

    Attributes:
        kind: which of the three.
        payload: the bytes that are signed.
        content: the payload, parsed.
        pairs: signatures so far, not verified.
    """

    kind: DocumentKind
    payload: bytes
    content: RootFile | Statement | Charter
    pairs: tuple[dsse.SignaturePair, ...] = ()

    @property
    def raw(self) -> bytes:
        """The envelope's bytes.

        Raises:
            Malformed: ``signers_empty`` while nobody has signed.
        """
        return dsse.join(_FORMS[self.kind][0], self.payload, self.pairs)


def read_document(data: bytes) -> Document:
    """Return the root file, statement or charter in ``data``, signed or not yet.

    Raises:
        Malformed: ``document_unknown``, or as the parser of its kind.
    """
    if not data.startswith(b'{"payloadType":'):
        kind = _kind_of_payload(data)
        return Document(kind=kind, payload=data, content=_PARSERS[kind](data))
    for kind, (payload_type, _context, limit) in _FORMS.items():
        if data.startswith(b'{"payloadType":"%s"' % payload_type.encode()):
            envelope = dsse.parse(data, payload_type=payload_type, limit=limit)
            return Document(
                kind=kind,
                payload=envelope.payload,
                content=_PARSERS[kind](envelope.payload),
                pairs=envelope.signatures,
            )
    raise Malformed(
        "document_unknown",
        "A registrar signs root files, directory statements and charters.",
        observed=data[:80].decode("ascii", "replace"),
    )


def _kind_of_payload(data: bytes) -> DocumentKind:
    if data.startswith(b'{"v":1,"hub":'):
        return DocumentKind.ROOT
    if data.startswith(b'{"v":1,"org":'):
        return DocumentKind.STATEMENT
    return DocumentKind.CHARTER


_PARSERS: Mapping[DocumentKind, Callable[[bytes], RootFile | Statement | Charter]] = {
    DocumentKind.ROOT: parse_root,
    DocumentKind.STATEMENT: parse_payload,
    DocumentKind.CHARTER: parse_charter,
}


def join_documents(documents: Sequence[Document]) -> Document:
    """Return one document with the signatures of all copies, each signer once, in order.

    Raises:
        Malformed: ``document_missing`` for an empty list.
        Conflict: ``payload_differs`` when they are not copies of one thing.
    """
    if not documents:
        raise Malformed("document_missing", "There is nothing to sign.")
    first = documents[0]
    pairs: dict[bytes, dsse.SignaturePair] = {}
    for document in documents:
        if (document.kind, document.payload) != (first.kind, first.payload):
            raise Conflict(
                "payload_differs",
                "The files are not copies of one document.",
                observed=f"{first.kind} and {document.kind}",
                next_step="Sign each document on its own.",
            )
        for pair in document.pairs:
            pairs.setdefault(pair.kid, pair)
    return Document(
        kind=first.kind, payload=first.payload, content=first.content, pairs=tuple(pairs.values())
    )


def verify_signatures(document: Document, root: RootFile) -> int:
    """Verify the signatures of registrars so far; return how many registrars have signed.

    Raises:
        VerificationFailed: ``signature_wrong``.
    """
    known = tuple(pair for pair in document.pairs if pair.kid in root.registrar_keys)
    if known:
        payload_type, context, _limit = _FORMS[document.kind]
        envelope = dsse.Envelope(
            payload_type=payload_type, payload=document.payload, signatures=known, raw=b""
        )
        dsse.verify(envelope, root.registrar_keys.__getitem__, context=context)
    return len(known)


def needed_signatures(document: Document, root: RootFile) -> int:
    """Return how many registrars must sign ``document`` under ``root``.

    Raises:
        Refused: ``op_not_for_registrars`` for a statement in which they have no say.
    """
    if not isinstance(document.content, Statement):
        return root.threshold
    operation = document.content.op
    if operation is Op.SUSPEND:
        return 1
    if operation in {Op.ENROL, Op.RESUME, Op.RECOVER, Op.REVOKE}:
        return root.threshold
    raise Refused(
        "op_not_for_registrars",
        "The organisation signs this itself; registrars have no say in it.",
        observed=operation,
    )


def add_signature(document: Document, signer: SigningKeyPair) -> Document:
    """Return ``document`` with the signature of ``signer`` added at the end.

    Raises:
        Conflict: ``signed_already``.
        VerificationFailed: ``statement_unsigned`` when a new key has not signed its own statement.
    """
    if any(pair.kid == signer.kid for pair in document.pairs):
        raise Conflict("signed_already", "This key has signed the document already.")
    if isinstance(document.content, Statement):
        _check_own_signature(document, document.content)
    payload_type, context, limit = _FORMS[document.kind]
    alone = dsse.parse(
        dsse.sign(payload_type, document.payload, [signer], context=context),
        payload_type=payload_type,
        limit=limit,
    )
    return Document(
        kind=document.kind,
        payload=document.payload,
        content=document.content,
        pairs=(*document.pairs, *alone.signatures),
    )


def _check_own_signature(document: Document, statement: Statement) -> None:
    """Require the new key's own signature, so that nobody vouches for a key of somebody else."""
    own = statement.sig
    if own is None:
        return
    if not document.pairs or document.pairs[0].kid != own.kid:
        raise VerificationFailed(
            "statement_unsigned",
            "The new key must have signed its own statement first.",
            observed=statement.org,
            next_step="Ask the organisation for the signed file.",
        )
    envelope = dsse.Envelope(
        payload_type=STATEMENT_TYPE,
        payload=document.payload,
        signatures=document.pairs[:1],
        raw=b"",
    )
    dsse.verify(envelope, lambda _kid: own, context=STATEMENT_CONTEXT)
