"""``accord verify FILE``: check evidence, a receipt, proof of erasure, audit events, a bundle.

Beside these a delivery and a disclosed record. Needs no account. Evidence is checked offline by
what is in it and the hub's root file; a receipt, a proof of erasure and a file of audit events by
that root file. A bundle's signatures need the hub's directory log (``--hub``: its address, or a
folder with a copy), replayed and checked against the root file; the hub is not believed. Judged is
the directory that the header names, and what has become of the key since is told. Nothing is
decrypted.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from cryptography import x509

from accord.cli.log_source import Source
from accord.clock import system_clock
from accord.desk.evidence.comparison import compared
from accord.desk.evidence.report import moment, standing_words
from accord.kernel.bundle.disclosure import MAGIC as DISCLOSURE_MAGIC
from accord.kernel.bundle.disclosure import parse_disclosure, verify_disclosure
from accord.kernel.bundle.framing import MAGIC as BUNDLE_MAGIC
from accord.kernel.bundle.framing import TRIMMED_MAGIC, parse_bundle, parse_trimmed
from accord.kernel.bundle.model import Header
from accord.kernel.bundle.verification import verify_bundle, verify_trimmed
from accord.kernel.directory.rootfile import LogName, RootFile, verify_chain
from accord.kernel.directory.state import DirectoryState, replay
from accord.kernel.errors import Malformed, Refused, VerificationFailed
from accord.kernel.evidence.archive import MAGIC as EVIDENCE_MAGIC
from accord.kernel.evidence.custody import WORD, Proved
from accord.kernel.evidence.verification import verify_evidence
from accord.kernel.identifiers import KeyId
from accord.kernel.keys import SignerKey
from accord.kernel.tlog.checkpoint import verify_cosigned
from accord.kernel.tlog.erasure import ERASED, read_erasure
from accord.kernel.tlog.leaf import parse_record, verify_opening
from accord.kernel.tlog.merkle import leaf_hash
from accord.kernel.tlog.merkle import root as merkle_root
from accord.kernel.tlog.proof import parse_proof, verify_proof
from accord.kernel.tlog.tiles import entries_path, parse_entries
from accord.kernel.tlog.trailfile import form_of, verify_trail
from accord.protocol import paths
from accord.terminal import Terminal, common_options, visible

MAX_FILE = 512 * 1024 * 1024
ACCEPTED = "bundle.accepted"
PROOF_MAGIC = b"c2sp.org/tlog-proof@v1\n"
WIDTH = 256

TIMES = frozenset({"accepted", "compromised_since", "created", "erased", "expires", "made", "time"})
"""Members that are unix seconds; people read them as times, ``--json`` has them as they are."""

MAX_DIGITS = 12

Found = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """The replayed directory of a hub with the hashes of its leaves."""

    origin: str
    state: DirectoryState
    hashes: Sequence[bytes]

    def signer_of(self, header: Header) -> Callable[[KeyId], SignerKey]:
        """Return the lookup at the directory that ``header`` names; the key may have ended since.

        Raises:
            VerificationFailed: ``directory_other`` when the hub never had that directory.
        """
        point = header.directory[0]
        known = point.origin == self.origin and point.size <= len(self.hashes)
        if not known or merkle_root(self.hashes[: point.size]) != point.root:
            raise VerificationFailed(
                "directory_other",
                "It was made with another directory than this hub's.",
                observed=f"{point.origin} size {point.size}",
            )
        return lambda kid: self.state.signer_at(kid, point.size, at=header.created)

    def standing(self, kid: KeyId) -> str:
        """Say what has become of a key that counted when it signed."""
        ending = self.state.ending(kid)
        if ending is None:
            return "in force"
        return "withdrawn since: it may be a thief's" if ending.withdrawn else "ended since"


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--root",
    "root_path",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The hub's root file, or several, oldest first, one a line. Default: --home's.",
)
@click.option("--hub", help="The hub's address, to read its directory log (bundles only).")
@click.option(
    "--authority",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Certificates (PEM) of time-stamping authorities that you trust (evidence only).",
)
@common_options
def verify(
    terminal: Terminal,
    *,
    file: Path,
    root_path: Path | None,
    hub: str | None,
    authority: Path | None,
) -> None:
    """Check FILE: evidence, receipt, proof of erasure, audit events, bundle, delivery, record."""
    data = _read(file)
    path = root_path or terminal.home / "root.json"
    if data.startswith(EVIDENCE_MAGIC):
        trusted = verify_chain(path.read_bytes()) if path.is_file() else ()
        found = _evidence(data, trusted, authority)
        terminal.result({"ok": True, "file": str(file)} | found, _words(found))
        return
    if not path.is_file():
        raise Refused(
            "root_needed",
            "The hub's root file is needed.",
            next_step="Give it with --root FILE.",
        )
    root = verify_chain(path.read_bytes())[-1]
    if data.startswith(PROOF_MAGIC):
        found = _receipt(data, root)
    elif form_of(data) is not None:
        found = _events(data, root)
    else:
        found = _bundle(data, lambda: _directory(root, hub))
    terminal.result({"ok": True, "file": str(file)} | found, _words(found))


def _read(file: Path) -> bytes:
    if file.stat().st_size > MAX_FILE:
        raise Malformed("too_long", f"The file is longer than {MAX_FILE} bytes.")
    return file.read_bytes()


def _evidence(data: bytes, trusted: Sequence[RootFile], authority: Path | None) -> Found:
    pem = authority.read_bytes() if authority is not None else None
    try:
        authorities = x509.load_pem_x509_certificates(pem) if pem is not None else []
    except ValueError as error:
        raise Malformed("authority_invalid", "The file holds no certificate in PEM.") from error
    shown = verify_evidence(data, trusted=trusted, authorities=authorities)
    said, token = shown.statement, shown.token
    return {
        "what": "evidence",
        "root": shown.root.sha256.hex(),
        "trusted": shown.trusted,
        "record": shown.disclosure.line.decode("utf-8", "backslashreplace"),
        "sender": shown.signer.org,
        "bundle": shown.disclosure.header.id,
        "index": shown.disclosure.index,
        "accepted": shown.acceptance.time,
        "log": shown.acceptance.proof.checkpoint.origin,
        "entry": shown.acceptance.proof.index,
        "size": shown.acceptance.proof.checkpoint.size,
        "log_root": shown.acceptance.root.version,
        "newest_root": shown.root.version,
        "key": standing_words(shown.ending, None),
        "compromised_since": shown.compromised_since,
        "maker": said.org,
        "made": said.made,
        "person": said.person,
        "reason": said.reason,
        "states": list(said.states),
        "custody": len(said.custody),
        "custody_lines": [
            {"at": one.at, "who": one.who, "what": one.what, "proof": _proof(proved)}
            for one, proved in zip(said.custody, shown.custody, strict=True)
        ],
        "timestamp": None
        if token is None
        else {
            "time": token.time,
            "authority": token.authority,
            "certificate": token.fingerprint.hex(),
            "trusted": token.trusted,
        },
    } | compared(shown)


def _proof(proved: Proved | None) -> Found | None:
    if proved is None:
        return None
    return {
        "rows": proved.rows,
        "journal": proved.journal,
        "time": proved.at,
        "witnessed": proved.witnessed,
        "event": proved.event,
        "whole": proved.whole,
    }


def _custody_words(lines: Sequence[Found]) -> list[str]:
    """Return a line for each thing that was done, and what stands behind it."""
    found = []
    for one in lines:
        proof = one["proof"]
        behind = WORD
        if proof is not None:
            proved = Proved(**{"at" if name == "time" else name: proof[name] for name in proof})
            seen = "" if proved.witnessed is None else moment(proved.witnessed)
            behind = proved.words(moment(proved.at), seen)
        # What stands behind it comes first: no words of the maker can look like it there.
        found.append(
            f"    {behind}: {moment(one['at'])}, {visible(one['who'])}, {visible(one['what'])}"
        )
    return found


def _receipt(data: bytes, root: RootFile) -> Found:
    """Check (1) that the openings make the entry, (2) that witnesses saw the entry in the log."""
    proof = parse_proof(data)
    record = parse_record(proof.extra)
    fields = verify_opening(record.leaf(), record)  # (1)
    verified = verify_proof(data, record.leaf(), root.log_policy(LogName.AUDIT))  # (2)
    found: Found = {
        "what": "receipt" if fields.get("what") == ACCEPTED else "entry of the audit log",
        "index": verified.index,
        "size": verified.checkpoint.size,
        "log": verified.checkpoint.origin,
        "fields": fields,
    }
    if fields.get("what") != ERASED:
        return found
    told = read_erasure(fields)
    said = {"id": told.bundle, "sender": told.sender, "sha256": told.sha256}
    return found | {"what": "erasure"} | said | {"erased": told.at, "basis": told.basis}


def _events(data: bytes, root: RootFile) -> Found:
    trail = verify_trail(data, root.log_policy(LogName.AUDIT))
    return {
        "what": "audit events",
        "form": trail.form.value,
        "events": len(trail.lines),
        "log": trail.checkpoint.origin,
        "size": trail.checkpoint.size,
        "reader": trail.title.reader,
        "filter": trail.title.wanted,
        "made": trail.title.made,
        "gaps": trail.gaps(),
    }


def _bundle(data: bytes, directory: Callable[[], Directory]) -> Found:
    now = system_clock()
    if data.startswith(BUNDLE_MAGIC):
        sealed = parse_bundle(data)
        held = directory()
        verify_bundle(sealed, signer=held.signer_of(sealed.header), now=now)
        found: Found = {"what": "bundle", "recipients": len(sealed.entries)}
        return found | _header(sealed.header) | {"key": held.standing(sealed.header.sig)}
    if data.startswith(TRIMMED_MAGIC):
        trimmed = parse_trimmed(data)
        held = directory()
        verify_trimmed(trimmed, signer=held.signer_of(trimmed.header), now=now)
        found = {"what": "delivery", "recipient": trimmed.entry.org}
        return found | _header(trimmed.header) | {"key": held.standing(trimmed.header.sig)}
    if data.startswith(DISCLOSURE_MAGIC):
        disclosure = parse_disclosure(data)
        held = directory()
        shown = verify_disclosure(disclosure, signer=held.signer_of(disclosure.header))
        return {
            "what": "disclosure",
            "signer": shown.signer.org,
            "record": shown.line.decode("utf-8", "backslashreplace"),
            "key": held.standing(disclosure.header.sig),
        }
    raise Malformed(
        "file_unknown",
        "This is no evidence, receipt, file of audit events, bundle, delivery or disclosure.",
        observed=data[:8].hex(),
        next_step="To check a log, use: accord log verify.",
    )


def _header(header: Header) -> Found:
    return {
        "id": header.id,
        "org": header.org,
        "kind": header.kind.value,
        "created": header.created,
        "expires": header.expires,
        "tlp": header.policy.tlp.value,
        "records": header.n,
    }


def _directory(root: RootFile, hub: str | None) -> Directory:
    """Fetch and replay the directory log; every byte is checked against the root file."""
    if hub is None:
        raise Refused(
            "directory_needed",
            "A bundle's signature is checked with the hub's directory.",
            next_step="Give the hub's address with --hub; it is not believed, only read.",
        )
    with Source(hub.rstrip("/") + paths.DIRECTORY_LOG) as source:
        note = source.fetch(paths.CHECKPOINT)
        checkpoint = verify_cosigned(note, root.log_policy(LogName.DIRECTORY))
        places = [
            entries_path(index, min(WIDTH, checkpoint.size - index * WIDTH))
            for index in range(-(-checkpoint.size // WIDTH))
        ]
        source.expect(iter(places))
        entries = [entry for place in places for entry in parse_entries(source.fetch(place))]
    hashes = [leaf_hash(entry) for entry in entries]
    if merkle_root(hashes) != checkpoint.root:
        raise VerificationFailed(
            "log_root_wrong", "The directory's entries do not give the witnessed root."
        )
    return Directory(origin=checkpoint.origin, state=replay(entries, root), hashes=hashes)


def _words(found: Found) -> str:
    alone = found.get("trusted") is False
    lines = [
        "The proof in this file holds; its root was not compared."
        if alone
        else f"The {found['what']} holds."
    ]
    for name, value in found.items():
        if isinstance(value, dict):
            # Two lines "trusted" would look alike: that of a time-stamp is not that of the root.
            of = "timestamp " if name == "timestamp" else ""
            lines += [
                f"  {of}{visible(inner)}: {_readable(inner, text)}" for inner, text in value.items()
            ]
        elif name == "custody_lines":
            lines += _custody_words(value)
        elif name != "what":
            lines.append(f"  {name}: {_readable(name, value)}")
    if found["what"] == "erasure" and found["sender"] is None:
        lines.append("Not shown: whose bundle of this id it was; this event tells no sender.")
        lines.append("Compare 'sha256' with what a receipt or the sender says of the bundle.")
    if alone:
        lines.append("Not shown: that its root file is the right one. Compare 'root' with what the")
        lines.append("hub's operator tells you, or give the root file with --root.")
    stamp = found.get("timestamp")
    if isinstance(stamp, dict) and stamp["trusted"] is False:
        lines.append(
            "Not shown: that the time-stamp's authority is one that you trust. Anybody can"
        )
        lines.append("make one: give the certificates of those that you trust with --authority.")
    if found["what"] == "evidence":
        lines.append("report.pdf and README.txt are the maker's word: rely on what stands here.")
        lines.append(
            "So are 'maker', 'made', 'person', 'reason', 'states', and each line of custody"
        )
        lines.append(
            "that says so. A proved line was in the maker's journal by then; others may be"
        )
        lines.append(
            "missing, and the maker may have other journals: its 'accord doctor' lists them."
        )
    return "\n".join(lines)


def _readable(name: str, value: object) -> str:
    """Return a member for people; in the place of a time a file may say anything."""
    text = str(value)
    if name in TIMES and text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS:
        return moment(int(text))
    return visible(value)
