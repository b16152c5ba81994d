"""The whole check of a file of evidence. No clock, no network: only the file and what one trusts.

Numbered in the code: (1) the container has its one form; (2) every member is the one that the
maker's statement lists; (3) the root files form a chain, and the reader's own is in it or follows
it; (4) the directory's leaves give the root of a checkpoint with the witness quorum, and replay;
(5) the hub's log, under a witnessed checkpoint, says: accepted from this sender, this id, this
manifest, at this size of the directory, under the root file of that time or a newer one; (6) at
that size the sender's key counted, it made both signatures, and the record is one of those signed;
(7) the maker's key counts in the directory and signed the statement about exactly this record, not
before the hub accepted it nor before what it tells of, and each row of its journal that it shows
is under a head in that log and says what its line of custody says; (8) the policies are those of
the root file; (9) a time-stamp, if there is one, is about the sender's signatures and not older
than them. Every error names a member.

Not checked: that ``report.pdf`` and ``README.txt`` say what the other members prove. They are the
maker's word; whoever can make a report compares it (``desk.evidence.comparison``).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from cryptography import x509

from accord.kernel import dsse
from accord.kernel.bundle.disclosure import (
    Disclosure,
    format_disclosure,
    parse_disclosure,
    verify_disclosure,
)
from accord.kernel.bundle.model import MAX_HEADER
from accord.kernel.directory.entries import ROOT_START, RootPoint, parse_entry
from accord.kernel.directory.organisation import Ending
from accord.kernel.directory.rootfile import LogName, RootFile, verify_chain
from accord.kernel.directory.state import DirectoryState, replay
from accord.kernel.directory.transition import CLOCK_SKEW
from accord.kernel.encoding import parse_object
from accord.kernel.errors import AccordError, Malformed, VerificationFailed
from accord.kernel.evidence import archive
from accord.kernel.evidence.archive import changed
from accord.kernel.evidence.custody import Proved, verify_custody
from accord.kernel.evidence.place import parse_place
from accord.kernel.evidence.statement import CONTEXT, Statement, listed, parse_signed
from accord.kernel.evidence.timestamp import VerifiedToken, verify_token
from accord.kernel.identifiers import KeyId
from accord.kernel.indicators.lines import MAX_LINE
from accord.kernel.keys import SignerKey, SigningPublicKey
from accord.kernel.tlog import merkle
from accord.kernel.tlog.checkpoint import verify_cosigned
from accord.kernel.tlog.leaf import parse_record, verify_opening
from accord.kernel.tlog.proof import VerifiedProof, parse_proof, verify_proof

ACCEPTED = "bundle.accepted"

_LENGTH = 2
_DETAIL = re.compile(r"(?:.* )?manifest=([0-9a-f]{64}) directory=([1-9][0-9]{0,15})(?: .*)?")
_TIME = re.compile(r"[0-9]{1,12}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """The hub took the bundle: when, and at which size of the directory it judged the key.

    ``root`` is the root file whose log keys and witnesses stand behind the proof.
    """

    time: int
    directory: int
    proof: VerifiedProof
    root: RootFile


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedEvidence:
    """A file of evidence of which every check holds.

    Attributes:
        disclosure: the record under its sender's signatures.
        signer: the sender's key.
        name: the sender's name at the end of the directory.
        ending: how that key has ended since, or ``None``.
        compromised_since: from when on its owner calls it compromised, unix seconds, or ``None``.
        acceptance: what the hub's log says.
        statement: what the maker says.
        custody: what each line of custody is proved by; ``None`` for the maker's word.
        root: the newest root file in it.
        trusted: the reader's own root file stands in its chain; else it only speaks for itself.
        directory: size of the directory in it.
        token: the time-stamp, or ``None``.
        members: every member's bytes. ``report.pdf``, ``README.txt`` and ``verify.py`` are to be
            compared, never to be trusted.
    """

    disclosure: Disclosure
    signer: SignerKey
    name: str
    ending: Ending | None
    compromised_since: int | None
    acceptance: Acceptance
    statement: Statement
    custody: tuple[Proved | None, ...]
    root: RootFile
    trusted: bool
    directory: int
    token: VerifiedToken | None
    members: Mapping[str, bytes]


def verify_evidence(
    data: bytes,
    *,
    trusted: Sequence[RootFile] = (),
    authorities: Sequence[x509.Certificate] = (),
) -> VerifiedEvidence:
    """Verify a file of evidence.

    Args:
        data: the file.
        trusted: the root files that the reader trusts, oldest first, often one alone; without one
            the file's own are taken, and the reader must compare the hash of the newest.
        authorities: certificates under which a time-stamp must stand, if there is one.

    Raises:
        Malformed: ``too_long``.
        VerificationFailed: ``evidence_changed`` with the member; ``evidence_wrong`` with the
            member and what of it does not hold; ``root_other``.
    """
    members = archive.read(data)  # (1)
    with _reading(archive.STATEMENT):
        envelope, statement = parse_signed(members[archive.STATEMENT])
    _check_listed(members, statement)  # (2)
    with _reading(archive.ROOTS):
        roots = _roots(members[archive.ROOTS])  # (3)
    known = _is_trusted(roots, trusted)
    state, hashes = _directory(members, roots)  # (4)
    with _reading(archive.SIGNATURES):
        disclosure = _disclosure(members)
    with _reading(archive.ACCEPTANCE):
        acceptance = _acceptance(members, disclosure, roots)  # (5)
    with _reading(archive.SIGNATURES):
        signer = _signer(disclosure, acceptance, state, hashes)  # (6)
    with _reading(archive.RECORD):
        _check_readable(disclosure.line)
    with _reading(archive.STATEMENT):
        _check_maker(envelope, statement, disclosure, state)
        _check_made(envelope, statement, acceptance, state)
        since = _since(roots, members[archive.DIRECTORY], acceptance.directory)
        accepted = (acceptance.proof.index, acceptance.time)
        custody = verify_custody(statement, since, accepted)  # (7)
    for name, log in (
        (archive.AUDIT_POLICY, LogName.AUDIT),
        (archive.DIRECTORY_POLICY, LogName.DIRECTORY),
    ):
        if members[name] != roots[-1].log_policy_text(log).encode():  # (8)
            raise changed(name, "is not what the root file says")
    token = None
    if archive.TOKEN in members:
        with _reading(archive.TOKEN):
            token = verify_token(members[archive.TOKEN], disclosure.dsse, authorities)  # (9)
            _check_stamp(token, disclosure)
    return VerifiedEvidence(
        disclosure=disclosure,
        signer=signer,
        name=state.organisation(signer.org).profile.name,
        ending=state.ending(disclosure.header.sig),
        compromised_since=state.key(disclosure.header.sig).compromised_since,
        acceptance=acceptance,
        statement=statement,
        custody=custody,
        root=roots[-1],
        trusted=known,
        directory=state.size,
        token=token,
        members=members,
    )


@contextmanager
def _reading(name: str) -> Iterator[None]:
    """Name the member in every error."""
    try:
        yield
    except AccordError as error:
        if error.code in {"evidence_changed", "evidence_wrong"}:
            raise  # a member is named already
        raise VerificationFailed(
            "evidence_wrong",
            f"The file of evidence does not hold: {name}: {error.message}",
            observed=f"{name}: {error.code}",
            next_step="Ask whoever made it for the file again, and keep this one.",
        ) from error


def _check_listed(members: Mapping[str, bytes], statement: Statement) -> None:
    wanted = {one.name: one for one in statement.files}
    found = listed({name: one for name, one in members.items() if name != archive.STATEMENT})
    for one in found:
        if wanted.get(one.name) != one:
            raise changed(one.name, "is not the one that the statement lists")
    if [one.name for one in statement.files] != [one.name for one in found]:
        raise changed(archive.STATEMENT, "lists what is not there")


def _roots(data: bytes) -> tuple[RootFile, ...]:
    if not data.endswith(b"\n"):
        raise Malformed("value_invalid", "Each root file ends its line.")
    return verify_chain(data)


def _is_trusted(roots: Sequence[RootFile], trusted: Sequence[RootFile]) -> bool:
    """Tell whether the reader's root files are the file's own, or follow them without a gap.

    Of a version that both have, both must have the same: registrars who have left could otherwise
    sign another successor than the one that the reader knows.
    """
    if not trusted:
        return False
    known = {one.version: one.sha256 for one in trusted}
    same = [known[one.version] == one.sha256 for one in roots if one.version in known]
    if (same and all(same)) or trusted[0].prev == roots[-1].sha256:
        return True
    raise VerificationFailed(
        "root_other",
        "The file is of another hub, or of another root file, than the one that you trust.",
        observed=f"{roots[-1].hub} version {roots[-1].version}",
        next_step="Give that hub's root file with --root, got from its operator; for an old file "
        "all of its root files, oldest first, one a line.",
    )


def split_entries(data: bytes) -> list[bytes]:
    """Return the entries of a sequence of u16 length ‖ entry.

    Raises:
        Malformed: ``entries_malformed``.
    """
    found, at = [], 0
    while at < len(data):
        start = at + _LENGTH
        at = start + int.from_bytes(data[at:start], "big")
        found.append(data[start:at])
    if at != len(data):
        raise Malformed("entries_malformed", "The directory's entries end too early.")
    return found


def join_entries(entries: Sequence[bytes]) -> bytes:
    """Return the entries, each behind its length."""
    return b"".join(len(one).to_bytes(_LENGTH, "big") + one for one in entries)


def _directory(
    members: Mapping[str, bytes], roots: Sequence[RootFile]
) -> tuple[DirectoryState, list[bytes]]:
    with _reading(archive.CHECKPOINT):
        policy = roots[-1].log_policy(LogName.DIRECTORY)
        checkpoint = verify_cosigned(members[archive.CHECKPOINT], policy)
    with _reading(archive.DIRECTORY):
        entries = split_entries(members[archive.DIRECTORY])
        hashes = [merkle.leaf_hash(entry) for entry in entries]
        if (len(entries), merkle.root(hashes)) != (checkpoint.size, checkpoint.root):
            raise VerificationFailed(
                "directory_root_wrong", "The directory's leaves are not those of its checkpoint."
            )
        return replay(entries, roots[0], roots[1:]), hashes


def _disclosure(members: Mapping[str, bytes]) -> Disclosure:
    with _reading(archive.PLACE):
        place = parse_place(members[archive.PLACE])
    if len(members[archive.HEADER]) > MAX_HEADER:
        raise changed(archive.HEADER, "is too long")
    return parse_disclosure(
        format_disclosure(
            header=members[archive.HEADER],
            dsse=members[archive.SIGNATURES],
            index=place.index,
            record_salt=place.salt,
            line=members[archive.RECORD],
            path=place.path,
        )
    )


def _acceptance(
    members: Mapping[str, bytes], disclosure: Disclosure, roots: Sequence[RootFile]
) -> Acceptance:
    data = members[archive.ACCEPTANCE]
    record = parse_record(parse_proof(data).extra)
    fields = verify_opening(record.leaf(), record)
    detail = _DETAIL.fullmatch(fields.get("detail", ""))
    header = disclosure.header
    said = (fields.get("what"), fields.get("outcome"), fields.get("org"), fields.get("subject"))
    bound = detail is not None and detail.group(1) == disclosure.manifest_sha256.hex()
    time = fields.get("time", "")
    if (
        said != (ACCEPTED, "ok", header.org, header.id)
        or detail is None
        or not bound
        or not _TIME.fullmatch(time)
    ):
        raise VerificationFailed(
            "acceptance_other",
            "What the hub's log says is about something else than this bundle.",
            observed=f"{said[0]} {said[3]}"[:120],
        )
    size = int(detail.group(2))
    newer = _since(roots, members[archive.DIRECTORY], size)
    root, proof = _vouching(data, record.leaf(), newer)
    return Acceptance(time=int(time), directory=size, proof=proof, root=root)


def _since(roots: Sequence[RootFile], entries: bytes, size: int) -> Sequence[RootFile]:
    """Return the root file that was in force at a size of the directory, and those after it."""
    held = split_entries(entries)[:size]
    points = [parse_entry(one) for one in held if one.startswith(ROOT_START)]
    version = max((one.version for one in points if isinstance(one, RootPoint)), default=0)
    return [one for one in roots if one.version >= version]


def _vouching(
    data: bytes, leaf: bytes, roots: Sequence[RootFile]
) -> tuple[RootFile, VerifiedProof]:
    """Return the newest root file under which the proof holds: witnesses may have changed since."""
    for root in reversed(roots[1:]):
        try:
            return root, verify_proof(data, leaf, root.log_policy(LogName.AUDIT))
        except VerificationFailed:
            continue
    return roots[0], verify_proof(data, leaf, roots[0].log_policy(LogName.AUDIT))


def _signer(
    disclosure: Disclosure,
    acceptance: Acceptance,
    state: DirectoryState,
    hashes: Sequence[bytes],
) -> SignerKey:
    point = disclosure.header.directory[0]
    size = acceptance.directory
    if (
        point.origin != state.root.log_origin(LogName.DIRECTORY)
        or not point.size <= size <= state.size
        or merkle.root(hashes[: point.size]) != point.root
    ):
        raise VerificationFailed(
            "directory_other",
            "It was made with another directory than this one.",
            observed=f"{point.origin} size {point.size}",
        )

    def lookup(kid: KeyId) -> SignerKey:
        return state.signer_at(kid, size, at=disclosure.header.created)

    with _reading(archive.RECORD):
        return verify_disclosure(disclosure, signer=lookup).signer


def _check_maker(
    envelope: dsse.Envelope, statement: Statement, disclosure: Disclosure, state: DirectoryState
) -> None:
    key = state.signer_at(envelope.signatures[0].kid)

    def public(_kid: KeyId) -> SigningPublicKey:
        return key.public

    dsse.verify(envelope, public, context=CONTEXT)
    about = (statement.sender, statement.bundle, statement.index)
    record = (disclosure.header.org, disclosure.header.id, disclosure.index)
    if key.org != statement.org or about != record:
        raise VerificationFailed(
            "statement_other",
            "The maker's statement is about another record, or signed by somebody else.",
            observed=f"{statement.org} {statement.bundle}"[:120],
        )


def _check_made(
    envelope: dsse.Envelope, statement: Statement, acceptance: Acceptance, state: DirectoryState
) -> None:
    """Check that the maker's date can be: in its key's dates, after all that the file tells of."""
    state.signer_at(envelope.signatures[0].kid, at=statement.made)
    if statement.made < acceptance.time - CLOCK_SKEW:
        raise VerificationFailed(
            "statement_other",
            "The maker's statement is dated before the hub accepted the bundle.",
            observed=f"{statement.made} before {acceptance.time}",
        )
    last = max((one.at for one in statement.custody), default=0)
    if last > statement.made + CLOCK_SKEW:
        raise VerificationFailed(
            "statement_other",
            "A line of custody is dated after the file was made.",
            observed=f"{last} after {statement.made}",
        )


def _check_stamp(token: VerifiedToken, disclosure: Disclosure) -> None:
    if token.time < disclosure.header.created - CLOCK_SKEW:
        raise VerificationFailed(
            "token_wrong",
            "The time-stamp is older than the signatures that it is about.",
            observed=f"{token.time} before {disclosure.header.created}",
        )


def _check_readable(line: bytes) -> None:
    """Refuse a record that is not one JSON object: text made for a terminal is none."""
    parse_object(line, limit=MAX_LINE)
