"""Check a file of evidence: `python verify.py FILE`. Needs Python 3.11 and `cryptography` 50.

This program stands alone. It was written apart from Accord, from the published formats
(docs/formats/evidence.md), so that its reader need not trust the program that made the file. It
opens no connection and reads nothing but the files it is given. Take it from a source that you
trust, not from the evidence itself: whoever can forge a file can also put a false checker into it.

What it shows when it says that the proof holds: (1) no byte of the file was changed since it was
made; (2) the registrars' root file holds, and is the one you gave with --root; (3) the directory is
the one that independent witnesses cosigned; (4) the hub's log, cosigned likewise, says that the
bundle was accepted; (5) the sender's key counted then, and both of its signatures cover this
record; (6) the maker signed the list of the other files, not before the acceptance nor before what
it tells of, and each row of the maker's journal that is shown stood in it when the hub logged a
head of it, and says what its line of custody says; (7) the policies are the root file's; (8) the time-stamp, if any, is about the
sender's signatures and not older than they are.

What it does NOT show: that report.pdf and README.txt say the same as the proof. They are the word
of whoever made the file. Rely on the record that is printed here. That a head was logged when the
hub says: beside that stands by when a quorum of witnesses had signed it. That no row was left out,
or that the maker has no other journal: 'accord doctor' at its desk lists them.
"""

import argparse
import base64
import datetime as dt
import hashlib
import hmac
import json
import re
import struct
import sys
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey, MLDSA65PublicKey

NAMES = (
    "README.txt",
    "report.pdf",
    "record.json",
    "header.json",
    "signatures.json",
    "place.json",
    "acceptance.tlog-proof",
    "directory.entries",
    "directory.checkpoint",
    "roots.jsonl",
    "policy-audit.txt",
    "policy-directory.txt",
    "verify.py",
    "statement.json",
    "timestamp.tsr",
)
HEADER = (
    *("v", "suite", "id", "kind", "from", "created", "expires", "policy", "content"),
    *("refs", "replaces", "dir"),
)
END = "the list at the end of the file"
WHOLE = "the file"
NOT_CHECKED = ("report.pdf", "README.txt", "verify.py")
SKEW = 300
LIMITS = {
    WHOLE: 256 << 20,
    "record.json": 64 << 10,
    "header.json": 64 << 10,
    "signatures.json": 32 << 10,
    "place.json": 8 << 10,
    "acceptance.tlog-proof": (256 << 10) + (2 << 20),
    "directory.checkpoint": 256 << 10,
    "statement.json": 48 << 20,
    "timestamp.tsr": 256 << 10,
}
"""Most bytes of what is read; a member that is not here is only hashed, or read by parts."""


class Wrong(Exception):
    """Something does not hold: in which member, and what."""

    def __init__(self, member: str, what: str) -> None:
        super().__init__(f"{member}: {what}")
        self.member, self.what = member, what


def need(condition: object, member: str, what: str) -> None:
    if not condition:
        raise Wrong(member, what)


# ---- The container: one byte form ---------------------------------------------------------------


def zip_of(members: list[tuple[bytes, bytes]]) -> bytes:
    body, listed = b"", []
    for name, content in members:
        same = struct.pack(
            "<HHHHIIIHH", 0, 0, 0, 33, zlib.crc32(content), *2 * [len(content)], len(name), 0
        )
        far = struct.pack("<HHHII", 0, 0, 0, 0o100644 << 16, len(body))
        listed.append(b"PK\1\2" + struct.pack("<HH", 3 << 8 | 20, 20) + same + far + name)
        body += b"PK\3\4" + struct.pack("<H", 20) + same + name + content
    directory = b"".join(listed)
    counts = struct.pack("<HHHHIIH", 0, 0, len(listed), len(listed), len(directory), len(body), 0)
    return body + directory + b"PK\5\6" + counts


def read_zip(data: bytes) -> dict[str, bytes]:
    found: list[tuple[bytes, bytes]] = []
    starts, at = [], 0
    while data[at : at + 4] == b"PK\3\4" and len(data) - at >= 30 and len(found) < len(NAMES):
        size, _, name_size, _ = struct.unpack_from("<IIHH", data, at + 18)
        content = at + 30 + name_size
        found.append((data[at + 30 : content], data[content : content + size]))
        starts.append(at)
        at = content + size
    again, names = zip_of(found), [name.decode("latin-1") for name, _ in found]
    pairs = enumerate(zip(names, NAMES, strict=False))
    wrong = next((place for place, (one, two) in pairs if one != two), len(found))
    if again != data:
        parts = enumerate(zip(again, data, strict=False))
        where = next((place for place, (one, two) in parts if one != two), len(data))
        where = min(where, len(again))
        wrong = min(wrong, sum(one <= where for one in starts) - 1 if where < at else len(starts))
    good = again == data and wrong == len(found) >= len(NAMES) - 1
    need(good, NAMES[wrong] if wrong < max(len(found), len(NAMES) - 1) else END, "was changed")
    return dict(zip(names, (content for _, content in found), strict=True))


# ---- Signed JSON and base64, in their one form --------------------------------------------------


def unbase64(text: object, member: str, size: int | None = None) -> bytes:
    try:
        data = base64.b64decode(str(text), validate=True)
    except ValueError as error:
        raise Wrong(member, "holds text that is no base64") from error
    good = base64.b64encode(data).decode() == text and size in (None, len(data))
    need(good, member, "holds base64 of a wrong form")
    return data


def read_json(data: bytes, member: str, *keys: str, maybe: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return one object with exactly these keys in this order, written without white space.

    Numbers are whole and below 2^53; there is no null, and no true or false but in a record. Where
    a version stands, it is 1.
    """
    try:
        found = json.loads(data)
        again = json.dumps(found, separators=(",", ":"), ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise Wrong(member, "is not valid JSON") from error
    need(again == data and isinstance(found, dict), member, "is not JSON in its one form")
    need(_plain(found, 8, member == "record.json"), member, "holds a value that has no place in it")
    order = [key for key in keys if key in found or key not in maybe]
    need(list(found) == order or not keys, member, "has other keys than its format")
    need(found.get("v", 1) == 1 or not keys, member, "is of another version")
    return dict(found)


def _plain(value: object, depth: int, words: bool) -> bool:  # noqa: FBT001
    if isinstance(value, bool):
        return words
    if isinstance(value, int):
        return abs(value) < 1 << 53
    if isinstance(value, dict | list):
        inner = value.values() if isinstance(value, dict) else value
        return depth > 0 and all(_plain(one, depth - 1, words) for one in inner)
    return isinstance(value, str)


def typed(found: dict[str, Any], member: str, **kinds: type) -> None:
    """Check that these values have these types, and that no number is below zero."""
    for name, kind in kinds.items():
        value = found.get(name)
        good = type(value) is kind and not (isinstance(value, int) and value < 0)
        need(good, member, f"has a false value for {name}")


def keys(found: object, member: str, *names: str) -> None:
    """Check that a part of an object has exactly these keys in this order."""
    need(isinstance(found, dict) and [*found] == [*names], member, "has other keys than its format")


def words(found: dict[str, Any], member: str, *names: str) -> None:
    """Check texts of 1 to 500 characters, each of which can be seen."""
    typed(found, member, **dict.fromkeys(names, str))
    for name in names:
        text = found[name]
        need(0 < len(text) <= 500, member, f"has no {name}, or a long one")
        need(text.isprintable(), member, f"has characters that cannot be seen in {name}")


# ---- Merkle trees (RFC 9162) --------------------------------------------------------------------


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def tree_root(level: list[bytes]) -> bytes:
    while len(level) > 1:
        pairs = range(0, len(level) - 1, 2)
        above = [sha256(b"\1" + level[at] + level[at + 1]) for at in pairs]
        level = above + level[len(level) & ~1 :]
    return level[0] if level else sha256(b"")


def path_root(leaf: bytes, index: int, size: int, path: list[bytes], member: str) -> bytes:
    """Return the root that a path of RFC 9162 clause 2.1.3.2 leads to."""
    need(0 <= index < size, member, "names a place that is not in its tree")
    place, last, found = index, size - 1, leaf
    for step in path:
        need(last > 0, member, "has a path that is too long")
        if place & 1 or place == last:
            found = sha256(b"\1" + step + found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = sha256(b"\1" + found + step)
        place, last = place >> 1, last >> 1
    need(last == 0, member, "has a path that is too short")
    return found


# ---- Hybrid signatures: DSSE with Ed25519 and ML-DSA-65, both needed ----------------------------


@dataclass(frozen=True)
class Key:
    raw: bytes

    @property
    def kid(self) -> bytes:
        return sha256(b"accord/1/kid/sig\0" + self.raw)

    def check(self, pair: tuple[bytes, bytes], message: bytes, context: bytes, member: str) -> None:
        try:
            Ed25519PublicKey.from_public_bytes(self.raw[:32]).verify(pair[0], message)
            MLDSA65PublicKey.from_public_bytes(self.raw[32:]).verify(pair[1], message, context)
        except (InvalidSignature, ValueError) as error:
            raise Wrong(member, "a signature does not hold") from error


@dataclass(frozen=True)
class Envelope:
    payload: bytes
    message: bytes
    pairs: dict[bytes, tuple[bytes, bytes]]


def read_envelope(data: bytes, kind: str, member: str) -> Envelope:
    found = read_json(data, member, "payloadType", "payload", "signatures")
    need(found["payloadType"] == kind, member, "signs something of another type")
    payload, lines = unbase64(found["payload"], member), found["signatures"]
    need(isinstance(lines, list) and lines and len(lines) % 2 == 0, member, "lacks a signature")
    need(len(lines) <= 32, member, "has more signatures than its format")
    pairs: dict[bytes, tuple[bytes, bytes]] = {}
    for first, second in zip(lines[::2], lines[1::2], strict=True):
        halves = []
        for line, ending, size in ((first, "#ed25519", 64), (second, "#ml-dsa-65", 3309)):
            need(isinstance(line, dict) and [*line] == ["keyid", "sig"], member, "has a false line")
            name = str(line["keyid"])
            need(name.endswith(ending), member, "has a half of a signature only")
            kid = unbase64(name.removesuffix(ending), member, 32)
            halves.append((kid, unbase64(line["sig"], member, size)))
        need(halves[0][0] == halves[1][0] not in pairs, member, "mixes keys of two signers")
        pairs[halves[0][0]] = (halves[0][1], halves[1][1])
    head = b"DSSEv1 %d %s %d " % (len(kind), kind.encode(), len(payload))
    return Envelope(payload, head + payload, pairs)


def threshold(
    envelope: Envelope, keys: dict[bytes, Key], count: int, context: bytes, member: str
) -> None:
    known = [kid for kid in envelope.pairs if kid in keys]
    need(len(known) >= count > 0, member, "too few registrars signed")
    for kid in known:
        keys[kid].check(envelope.pairs[kid], envelope.message, context, member)


# ---- The root file: who vouches for whom --------------------------------------------------------


@dataclass(frozen=True)
class Root:
    payload: bytes
    hub: str
    version: int
    prev: bytes | None
    logs: dict[str, list[str]]
    keys: dict[bytes, Key]
    threshold: int
    witnesses: list[dict[str, Any]]
    quorum: int

    def policy(self, log: str) -> str:
        lines = [f"log {vkey}" for vkey in self.logs[log]]
        for one in self.witnesses:
            names = [f"{one['name']}/ed25519", f"{one['name']}/ml-dsa-44"]
            lines += [
                f"witness {name} {key}" for name, key in zip(names, one["vkeys"], strict=True)
            ]
            lines.append(f"group {one['name']} all {' '.join(names)}")
        everyone = " ".join(one["name"] for one in self.witnesses)
        lines += [f"group witnesses {self.quorum} {everyone}", "quorum witnesses"]
        return "".join(line + "\n" for line in lines)


def read_root(data: bytes, before: Root | None, member: str) -> Root:
    envelope = read_envelope(data, "application/vnd.accord.root.v1+json", member)
    obj = read_json(
        envelope.payload,
        member,
        *("v", "hub", "version", "prev", "created", "logs", "registrars", "witnesses"),
        maybe=("prev",),
    )
    registrars, witnesses = obj["registrars"], obj["witnesses"]
    typed(obj, member, hub=str, version=int, created=int, logs=dict)
    keys(obj["logs"], member, "directory", "audit")
    keys(registrars, member, "threshold", "keys")
    keys(witnesses, member, "quorum", "keys")
    typed(registrars, member, threshold=int, keys=list)
    typed(witnesses, member, quorum=int, keys=list)
    need(("prev" in obj) == (obj["version"] > 1), member, "does not say what it follows")
    known = {}
    for one in registrars["keys"]:
        key = Key(unbase64(one["key"], member, 1984))
        known[key.kid] = key
    root = Root(
        payload=envelope.payload,
        hub=obj["hub"],
        version=obj["version"],
        prev=unbase64(obj["prev"], member, 32) if "prev" in obj else None,
        logs=obj["logs"],
        keys=known,
        threshold=registrars["threshold"],
        witnesses=witnesses["keys"],
        quorum=witnesses["quorum"],
    )
    need(0 < root.quorum <= len(root.witnesses), member, "asks for no witness")
    need(len({one["name"] for one in root.witnesses}) == len(root.witnesses), member, "twice")
    threshold(envelope, root.keys, root.threshold, b"accord/1/root", member)
    if before is not None:
        follows = (before.hub, before.version + 1, sha256(before.payload))
        need(
            (root.hub, root.version, root.prev) == follows, member, "does not follow the one before"
        )
        threshold(envelope, before.keys, before.threshold, b"accord/1/root", member)
    return root


def read_roots(data: bytes, member: str) -> list[Root]:
    """Return root files, one a line, each the successor of the one before."""
    lines, roots = data.removesuffix(b"\n").split(b"\n"), list[Root]()
    need(len(lines) <= 64, member, "holds more than 64 root files")
    for line in lines:
        need(len(line) <= 512 << 10, member, "holds too long a root file")
        roots.append(read_root(line, roots[-1] if roots else None, member))
    return roots


def same_hub(roots: list[Root], own: list[Root]) -> bool:
    """Tell whether the reader's root files are those of the file, or follow them without a gap."""
    held = {one.version: one.payload for one in own}
    same = [held[one.version] == one.payload for one in roots if one.version in held]
    return (bool(same) and all(same)) or own[0].prev == sha256(roots[-1].payload)


# ---- Checkpoints: signed by the log, cosigned by witnesses --------------------------------------


@dataclass(frozen=True)
class NoteKey:
    name: str
    algorithm: int
    key: bytes

    @property
    def id(self) -> bytes:
        return sha256(self.name.encode() + b"\n" + bytes([self.algorithm]) + self.key)[:4]


def note_key(text: str, member: str) -> NoteKey:
    name, _, rest = text.partition("+")
    written, _, blob = rest.partition("+")
    raw = unbase64(blob, member)
    found = NoteKey(name, raw[0], raw[1:])
    need(found.id.hex() == written, member, "holds a note key with a false id")
    return found


def checkpoint(note: bytes, root: Root, log: str, member: str) -> tuple[int, bytes, int]:
    """Return size and root hash of a checkpoint with both log signatures and the quorum.

    The third is the first second by which a quorum of witnesses had signed it.
    """
    body, blank, rest = note.rpartition(b"\n\n")
    body += b"\n"
    lines = body.decode("utf-8", "replace").split("\n")
    good = blank and len(lines) == 4 and lines[0] == f"{root.hub}/{log}" and not lines[3]
    need(
        good and re.fullmatch("0|[1-9][0-9]{0,18}", lines[1]), member, "is no checkpoint of the log"
    )
    size, top = int(lines[1]), unbase64(lines[2], member, 32)
    own = [note_key(text, member) for text in root.logs[log]]
    groups = [[note_key(text, member) for text in one["vkeys"]] for one in root.witnesses]
    known = {(key.name, key.id): key for key in [*own, *sum(groups, [])]}
    signed: dict[tuple[str, bytes], int] = {}
    need(rest.endswith(b"\n"), member, "is not whole")
    for line in rest.decode("utf-8", "replace").removesuffix("\n").split("\n"):
        parts = line.split(" ")
        need(len(parts) == 3 and parts[0] == "\u2014", member, "has a false signature line")
        blob = unbase64(parts[2], member)
        key = known.get((parts[1], blob[:4]))
        if key is None:
            continue
        need((key.name, key.id) not in signed, member, "has two signatures of one key")
        signed[key.name, key.id] = _note_signature(key, body, lines[0], size, top, blob[4:], member)
    need(all((key.name, key.id) in signed for key in own), member, "lacks a signature of the log")
    times = [[signed.get((key.name, key.id), 0) for key in group] for group in groups]
    whole = sorted(max(group) for group in times if all(group))  # time 0 counts for nothing
    need(len(whole) >= root.quorum, member, f"has {len(whole)} of {root.quorum} witnesses needed")
    return size, top, whole[root.quorum - 1]


def _note_signature(
    key: NoteKey, body: bytes, origin: str, size: int, top: bytes, blob: bytes, member: str
) -> int:
    """Check one line and return its time; the log's own signature has none."""
    try:
        if key.algorithm == 1:
            Ed25519PublicKey.from_public_bytes(key.key).verify(blob, body)
            return 0
        time, signature = int.from_bytes(blob[:8], "big"), blob[8:]
        if key.algorithm == 4:
            message = b"cosignature/v1\ntime %d\n" % time + body
            Ed25519PublicKey.from_public_bytes(key.key).verify(signature, message)
        else:
            need(key.algorithm == 6, member, "has a key of an unknown kind")
            signer, named = key.name.encode(), origin.encode()
            message = b"subtree/v1\n\0" + bytes([len(signer)]) + signer + struct.pack(">Q", time)
            message += bytes([len(named)]) + named + struct.pack(">QQ", 0, size) + top
            MLDSA44PublicKey.from_public_bytes(key.key).verify(signature, message)
    except (InvalidSignature, ValueError) as error:
        raise Wrong(member, f"a signature of {key.name} does not hold") from error
    return time


# ---- The directory: whose key counted when ------------------------------------------------------

STATEMENT = (
    *("v", "org", "seq", "prev", "op", "profile", "kem", "sig", "request_key", "recovery"),
    *("not_before", "not_after", "roles", "compromised_since"),
)
FROM = {
    "rotate": {"active"},
    "suspend": {"active"},
    "resume": {"suspended"},
    "revoke": {"active", "suspended"},
    "recover": {"active", "suspended", "revoked", "left"},
    "leave": {"active"},
}
AFTER = {
    "enrol": "active",
    "rotate": "active",
    "suspend": "suspended",
    "resume": "active",
    "revoke": "revoked",
    "recover": "suspended",
    "leave": "left",
}


@dataclass
class SigningKey:
    key: Key
    not_before: int
    not_after: int
    spans: list[list[int | None]] = field(default_factory=list)
    compromised: int | None = None


@dataclass
class Org:
    status: str
    seq: int
    digest: bytes
    time: int
    sig: Key
    recovery: Key
    rotated: int | None = None
    hold: int = 0
    keys: dict[bytes, SigningKey] = field(default_factory=dict)
    history: list[tuple[int, str]] = field(default_factory=list)


class Directory:
    """The statements about the organisations that matter here, one after the other."""

    def __init__(self, entries: list[bytes], roots: list[Root], wanted: set[str]) -> None:
        self.orgs: dict[str, Org] = {}
        self.hashes = [sha256(b"\0" + entry) for entry in entries]
        self.root, self.later, self.asked = roots[0], {one.version: one for one in roots[1:]}, 0
        self.moves: list[tuple[int, int]] = []
        for index, entry in enumerate(entries):
            if entry.startswith(b'{"v":1,"charter":'):
                self.asked = read_json(entry, MEMBER)["charter"].get("registrars", 0)
            elif entry.startswith(b'{"v":1,"root":'):
                self._move(read_json(entry, MEMBER)["root"])
                self.moves.append((index, self.root.version))
            else:
                signed = read_envelope(entry, "application/vnd.accord.statement.v1+json", MEMBER)
                says = read_json(
                    signed.payload,
                    MEMBER,
                    *STATEMENT,
                    maybe=STATEMENT[3:4] + STATEMENT[5:10] + STATEMENT[11:],
                )
                if says["org"] in wanted:
                    self._take(index, signed, says)

    def _move(self, point: dict[str, Any]) -> None:
        same = (point["version"], unbase64(point["sha256"], MEMBER, 32))
        if same == (self.root.version, sha256(self.root.payload)):
            return
        later = self.later.get(self.root.version + 1)
        good = later is not None and same == (later.version, sha256(later.payload))
        need(good, MEMBER, "moves to a root file that is not here")
        self.root = later or self.root

    def _take(self, index: int, signed: Envelope, says: dict[str, Any]) -> None:
        held, op = self.orgs.get(says["org"]), str(says["op"])
        new = Key(unbase64(says["sig"], MEMBER, 1984)) if "sig" in says else None
        self._authority(signed, op, held, new)
        if held is None:
            good = op == "enrol" and says["seq"] == 1 and "prev" not in says and new
            need(good, MEMBER, "holds a false enrolment")
            recovery = Key(unbase64(says["recovery"], MEMBER, 1984))
            held = Org("", 0, b"", says["not_before"], new or recovery, recovery)
            self.orgs[says["org"]] = held
        else:
            prev = unbase64(says.get("prev"), MEMBER, 32)
            chain = (says["seq"], prev) == (held.seq + 1, held.digest)
            need(chain and op in FROM, MEMBER, "has a gap in the history of a key")
            self._times(held, op, says["not_before"])
            need(held.status in FROM[op], MEMBER, "holds a statement out of place")
        before = held.sig
        held.sig = new or held.sig
        if "recovery" in says:
            held.recovery = Key(unbase64(says["recovery"], MEMBER, 1984))
        if new:
            need(new.kid not in held.keys, MEMBER, "registers a key twice")
            held.keys[new.kid] = SigningKey(new, says["not_before"], says["not_after"])
        held.status, held.seq, held.digest = AFTER[op], says["seq"], sha256(signed.payload)
        held.time = says["not_before"]
        held.rotated = held.time if op == "rotate" else held.rotated
        held.hold = held.time + 72 * 3600 if op == "recover" else 0
        held.history.append((index, held.status))
        for kid in {before.kid, held.sig.kid}:
            self._move_key(held, kid, index)
        since = says.get("compromised_since")
        old = held.keys[before.kid]
        if since is not None and not (held.status == "active" and before == held.sig):
            old.compromised = since if old.compromised is None else min(since, old.compromised)

    @staticmethod
    def _move_key(held: Org, kid: bytes, index: int) -> None:
        spans = held.keys[kid].spans
        running = bool(spans) and spans[-1][1] is None
        counts = held.status == "active" and kid == held.sig.kid
        if running and not counts:
            spans[-1][1] = index
        elif counts and not running:
            spans.append([index, None])

    @staticmethod
    def _times(held: Org, op: str, time: int) -> None:
        good = time >= held.time - SKEW
        if op == "rotate" and held.rotated is not None:
            good = good and time >= held.rotated + 3600
        if op == "resume":
            good = good and time >= held.hold
        if op in {"rotate", "leave"}:
            good = good and time <= held.keys[held.sig.kid].not_after
        need(good, MEMBER, "holds a statement at a time at which it could not be")

    def _authority(self, signed: Envelope, op: str, held: Org | None, new: Key | None) -> None:
        who = {kid: (3, key) for kid, key in self.root.keys.items()}
        if held is not None:
            who[held.recovery.kid] = (2, held.recovery)
            who[held.sig.kid] = (1, held.sig)
        if new is not None:
            who[new.kid] = (0, new)
        many = max(self.root.threshold, self.asked)
        needs = {
            "enrol": [{0: 1, 3: many}],
            "rotate": [{0: 1, 1: 1}] if new else [{1: 1}],
            "suspend": [{3: 1}],
            "resume": [{3: many}],
            "revoke": [{1: 1}, {2: 1}, {3: many}],
            "recover": [{0: 1, 2: 1, 3: many}],
            "leave": [{1: 1}],
        }.get(op, [])
        order = []
        for kid, pair in signed.pairs.items():
            need(kid in who, MEMBER, "holds a statement signed by somebody who has no say")
            who[kid][1].check(pair, signed.message, b"accord/1/statement", MEMBER)
            order.append(who[kid][0])
        allowed = {one for each in needs for one in each}
        good = order == sorted(order) and set(order) <= allowed
        enough = any(all(order.count(one) >= n for one, n in each.items()) for each in needs)
        need(good and enough, MEMBER, "holds a statement that too few have signed")

    def key_at(self, org: str, kid: bytes, size: int, member: str) -> SigningKey:
        held = self.orgs.get(org)
        found = held.keys.get(kid) if held else None
        if found is None:
            raise Wrong(member, "is signed with a key that the directory does not have")
        inside = [a is not None and a < size and (b is None or size <= b) for a, b in found.spans]
        need(any(inside), member, "is signed with a key that did not count then")
        return found

    def root_at(self, size: int) -> int:
        """Return the version of the root file in force at a size; 0 where none was named yet."""
        return max((version for index, version in self.moves if index < size), default=0)

    def ended(self, org: str, kid: bytes) -> str:
        held = self.orgs[org]
        end = held.keys[kid].spans[-1][1]
        if end is None:
            return "in force"
        since = {status for index, status in held.history if index >= end}
        ordinary = since <= {"active", "left"}
        return "ended since" if ordinary else "withdrawn since: it may be a thief's"


MEMBER = "directory.entries"


def split_entries(data: bytes) -> list[bytes]:
    found, at = [], 0
    while at < len(data):
        start = at + 2
        at = start + int.from_bytes(data[at:start], "big")
        found.append(data[start:at])
    need(at == len(data), MEMBER, "ends too early")
    return found


# ---- What the hub's log says --------------------------------------------------------------------


@dataclass(frozen=True)
class Accepted:
    """The open fields of the entry, its place in the log, the log's size, and who vouches."""

    fields: dict[str, str]
    manifest: str
    judged: int
    index: int
    size: int
    root: Root


def opened(data: bytes, member: str) -> tuple[dict[str, str], tuple[int, list[str]], bytes]:
    """Return the open fields of an entry of a log or a row of a journal, its form, its hash.

    The form is its class, and the name of each field at its place: empty for a closed one.
    """
    record = read_json(data, member, "v", "class", "entry", "fields")
    typed(record, member, fields=list, **{"class": int})
    need(0 < len(record["fields"]) <= 640 and record["class"] < 256, member, "is no entry of a log")
    entry, fields, commitments = unbase64(record["entry"], member, 16), {}, b""
    form = list[str]()
    for one in record["fields"]:
        need(isinstance(one, dict), member, "has a false field")
        if list(one) == ["commitment"]:
            commitments += unbase64(one["commitment"], member, 32)
            form.append("")
            continue
        need(list(one) == ["name", "value", "nonce"], member, "has a false field")
        typed(one, member, name=str, value=str)
        name, value = one["name"].encode(), one["value"].encode()
        need(0 < len(name) <= 64 and len(value) < 1 << 16, member, "has a field that is too long")
        need(one["name"] not in fields, member, "has a field twice")
        text = b"hub-audit/v1/field\n" + entry + bytes([len(name)]) + name + value
        commitments += hmac.digest(unbase64(one["nonce"], member, 32), text, "sha256")
        fields[one["name"]] = one["value"]
        form.append(one["name"])
    count = struct.pack(">H", len(record["fields"]))
    leaf = sha256(b"hub-audit/v1/record\n" + entry + count + commitments)
    return fields, (record["class"], form), sha256(b"\0" + bytes([1, record["class"]]) + leaf)


def acceptance(data: bytes, roots: list[Root], directory: Directory, member: str) -> Accepted:
    """Read the hub's entry, under the root file in force at the size it names, or a newer one."""
    head, blank, note = data.partition(b"\n\n")
    lines = head.decode("ascii", "replace").split("\n")
    good = blank and len(lines) > 2 and lines[0] == "c2sp.org/tlog-proof@v1"
    need(good and lines[1].startswith("extra "), member, "is no proof with openings")
    index = lines[2].removeprefix("index ")
    need(re.fullmatch("0|[1-9][0-9]{0,18}", index), member, "has no place in the log")
    path = [unbase64(line, member, 32) for line in lines[3:]]
    need(len(path) <= 63, member, "has a path that is too long")
    extra = unbase64(lines[1].removeprefix("extra "), member)
    fields, _, leaf_hash = opened(extra, member)
    match = re.fullmatch(
        r"(?:.* )?manifest=([0-9a-f]{64}) directory=([1-9][0-9]{0,15})(?: .*)?",
        fields.get("detail", ""),
    )
    need(match, member, "is about something else")
    need(re.fullmatch("[0-9]{1,12}", fields.get("time", "")), member, "has no time")
    manifest, judged = (match[1], int(match[2])) if match else ("", 0)
    newer = [root for root in roots if root.version >= directory.root_at(judged)]
    for root in reversed(newer):
        try:
            size, top, _ = checkpoint(note, root, "audit", member)
        except Wrong:
            if root is newer[0]:
                raise
            continue
        good = path_root(leaf_hash, int(index), size, path, member) == top
        need(good, member, "is not in the hub's log")
        return Accepted(fields, manifest, judged, int(index), size, root)
    raise Wrong(member, "stands under no root file")


# ---- What was done with the record, as far as the maker's journal proves it ----------------------

DONE = {"bundle:view": "looked at the bundle", "evidence:make": "made a file of evidence"}
EXPORT = "[1-9][0-9]{0,17} ([a-z0-9-]{1,40}) [0-9]{1,18} records sha256=[0-9a-f]{64}"
ROW = ["kind", "", "at", "person", "act", "object", ""]
EVENT = ["time", "what", "org", "", "", "subject", "basis", "outcome", "detail", ""]
"""The one form of a row and of a head's event: behind a closed field could stand a second time or
person, so that which field stands at which place is laid down."""
JOURNAL = "journal=([0-9a-f]{32})"
CAUSES = {"restored", "made-anew", "second-desk", "lost-desk"}


@dataclass(frozen=True)
class Head:
    """How many rows a journal had, their root, and the entry of the hub's log that says so.

    ``time`` is the hub's, ``witnessed`` that of the witnesses; ``journal`` may have no name.
    """

    rows: int
    root: bytes
    journal: str
    time: int
    witnessed: int
    entry: int


def custody(
    says: dict[str, Any], roots: list[Root], accepted: tuple[int, int], member: str
) -> list[dict[str, Any]]:
    """Return each line of custody with the head that proves it; none for the maker's word.

    ``accepted`` is number and second of the entry that says that the bundle was accepted.
    """
    found = says.get("journal", {"checkpoints": [], "heads": []})
    keys(found, member, "checkpoints", "heads")
    typed(found, member, checkpoints=list, heads=list)
    most = max(len(found["checkpoints"]), len(found["heads"]))
    need(most <= 64, member, "shows more heads than its format")
    seen = [_newest(unbase64(one, member), roots, member) for one in found["checkpoints"]]
    heads = [_head(one, seen, str(says["org"]), member) for one in found["heads"]]
    numbers, places, used = [one.entry for one in heads], set[int](), set[int]()
    need(numbers == sorted(set(numbers)), member, "shows heads out of order")
    need(("journal" in says) == bool(heads), member, "shows no head")
    need(len({one.journal for one in heads}) < 2, member, "shows heads of several journals")
    latest = 0
    for _, time in sorted([accepted, *((one.entry, one.time) for one in heads)]):
        need(time + SKEW >= latest, member, "shows times that run backwards in the hub's log")
        latest = max(latest, time)
    soon = all(one.time <= says["made"] + SKEW for one in heads)
    need(soon, member, "shows a head that is later than the file")
    sure = {one["checkpoint"] for one in found["heads"]} == {*range(len(seen))}
    need(sure, member, "shows a checkpoint for nothing")
    bundle = f"{says['record']['org']} {says['record']['bundle']}"
    about = {bundle, f"{bundle} record {says['record']['index']}"}
    lines = []
    for one in says["custody"]:
        line, row = {name: one[name] for name in ("at", "who", "what")}, one.get("row")
        if row is not None:
            keys(row, member, "place", "head", "record", "path")
            typed(row, member, place=int, head=int, record=str, path=list)
            need(row["head"] < len(heads), member, "shows a row without its head")
            need(row["place"] not in places, member, "shows a row twice")
            places.add(row["place"])
            used.add(row["head"])
            proof = _row(row, line, heads[row["head"]], about, member)
            lines.append(line | {"proof": proof})
        else:
            lines.append(line | {"proof": None})
    need(used == {*range(len(heads))}, member, "shows a head for nothing")
    return lines


def _newest(note: bytes, roots: list[Root], member: str) -> tuple[int, bytes, int]:
    """Return what ``checkpoint`` does, under the newest root file that vouches for it."""
    need(len(note) <= 256 << 10, member, "shows too long a checkpoint")
    for root in reversed(roots):
        try:
            return checkpoint(note, root, "audit", member)
        except Wrong:
            if root is roots[0]:
                raise
    raise Wrong(member, "shows a checkpoint under no root file")


def _steps(found: dict[str, Any], member: str) -> list[bytes]:
    need(len(found["path"]) <= 63, member, "has a path that is too long")
    return [unbase64(one, member, 32) for one in found["path"]]


def _fields(found: dict[str, Any], member: str, form: list[str]) -> tuple[dict[str, str], bytes]:
    record = unbase64(found["record"], member)
    need(len(record) <= 256 << 10, member, "shows too long a row")
    fields, names, leaf = opened(record, member)
    need(names == (0, form), member, "shows a row of another form")
    return fields, leaf


def _head(found: Any, seen: list[tuple[int, bytes, int]], maker: str, member: str) -> Head:
    keys(found, member, "index", "checkpoint", "record", "path")
    typed(found, member, index=int, checkpoint=int, record=str, path=list)
    need(found["checkpoint"] < len(seen), member, "shows a head without its checkpoint")
    fields, leaf = _fields(found, member, EVENT)
    need((fields["outcome"], fields["org"]) == ("ok", maker), member, "shows a head of another")
    subject = re.fullmatch("([1-9][0-9]{0,17}) ([0-9a-f]{64})", fields["subject"])
    good = subject and re.fullmatch("[0-9]{1,12}", fields["time"])
    need(good, member, "shows a head that cannot be read")
    rows, digest = (int(subject[1]), subject[2]) if subject else (0, "")
    size, top, witnessed = seen[found["checkpoint"]]
    root = path_root(leaf, found["index"], size, _steps(found, member), member)
    need(root == top, member, "shows a head that is not in the hub's log")
    name, time = _journal(fields, rows, member), int(fields["time"])
    return Head(rows, bytes.fromhex(digest), name, time, witnessed, found["index"])


def _journal(fields: dict[str, str], rows: int, member: str) -> str:
    """Return the name of the journal that an event is about; heads of before names have none."""
    basis, detail = fields["basis"], fields["detail"]
    if fields["what"] == "journal.anchored":
        match = re.fullmatch(JOURNAL, detail)
        need(not basis and (match or not detail), member, "shows a head of no journal")
        return match[1] if match else ""
    again = f"{JOURNAL} kept=(0|[1-9][0-9]{{0,17}})(?: ended=([0-9a-f]{{32}}))?"
    match = re.fullmatch(again, detail)
    good = match and fields["what"] == "journal.restarted" and basis in CAUSES
    need(good, member, "shows an event that is no head of a journal")
    name, kept, ended = match.groups() if match else ("", "0", None)
    can = int(kept) < rows and ended != name and not (basis == "second-desk" and ended)
    need(can, member, "shows a journal that goes on as none can")
    need(basis != "lost-desk" or (ended and kept == "0"), member, "ends no journal from afar")
    return str(name)


def _row(
    row: dict[str, Any], line: dict[str, Any], head: Head, about: set[str], member: str
) -> dict[str, Any]:
    fields, leaf = _fields(row, member, ROW)
    root = path_root(leaf, row["place"] - 1, head.rows, _steps(row, member), member)
    need(root == head.root, member, "shows a row that is not under its head")
    said = [fields.get(name) for name in ("kind", "at", "person")]
    act, thing = fields.get("act", ""), fields.get("object", "")
    export = re.fullmatch(EXPORT, thing) if act == "export:make" else None
    if export:
        same = line["what"] == f"exported it as {export[1]}"
    else:
        same = DONE.get(act) == line["what"] and thing in about
    same = same and said == ["act", str(line["at"]), line["who"]]
    need(same, member, "shows a row that says something else than its line")
    need(line["at"] <= head.time + SKEW, member, "shows a row that is later than its head")
    return {
        "rows": head.rows,
        "journal": head.journal,
        "time": head.time,
        "witnessed": head.witnessed,
        "event": head.entry,
        "whole": not export,
    }


def when(seconds: int) -> str:
    if not 0 <= seconds < 253_402_300_800:
        return str(seconds)
    return dt.datetime.fromtimestamp(seconds, dt.UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def behind(proof: dict[str, Any] | None) -> str:
    """Say what stands behind a line of custody."""
    if proof is None:
        return "maker's word"
    name = f"journal {proof['journal'][:8]}" if proof["journal"] else "a journal without a name"
    seen = f"dated {when(proof['time'])} by the hub (seen by the witnesses by"
    seen += f" {when(proof['witnessed'])})"
    under = f"proved under the head of {proof['rows']} rows of {name}, {seen},"
    under += f" event {proof['event']}"
    return under if proof["whole"] else f"{under}; that this record was in it: maker's word"


# ---- Time-stamps (RFC 3161) ---------------------------------------------------------------------

TOKEN = "timestamp.tsr"
HASHES: dict[str, Callable[[], Any]] = {
    "608648016503040201": hashes.SHA256,
    "608648016503040202": hashes.SHA384,
    "608648016503040203": hashes.SHA512,
}
SIGNED_WITH: dict[str, Callable[[], Any]] = {
    **{f"2a8648ce3d04030{n}": one for n, one in zip("234", HASHES.values(), strict=True)},
    **{f"2a864886f70d01010{n}": one for n, one in zip("bcd", HASHES.values(), strict=True)},
}


def der(data: bytes) -> list[tuple[int, bytes, bytes]]:
    """Return (tag, content, whole) of each element of DER."""
    found, at = [], 0
    while at < len(data):
        start, tag, head = at, data[at], data[at + 1 : at + 2]
        need(head and tag & 31 != 31, TOKEN, "is not whole")
        size, at = head[0], at + 2
        if size > 127:
            count, at = size - 128, at + size - 128
            octets = data[at - count : at]
            size = int.from_bytes(octets, "big")
            good = 0 < count <= 4 and len(octets) == count and size > 127 and octets[0]
            need(good, TOKEN, "is not in DER")
        need(at + size <= len(data), TOKEN, "is not whole")
        found.append((tag, data[at : at + size], data[start : at + size]))
        at += size
    return found


def one(data: bytes, tag: int) -> bytes:
    """Return the content of the one element that ``data`` is."""
    parts = der(data)
    need(len(parts) == 1, TOKEN, "holds more than its format")
    return take(parts, tag)[0]


def take(parts: list[tuple[int, bytes, bytes]], tag: int) -> tuple[bytes, bytes]:
    need(parts and parts[0][0] == tag, TOKEN, "is no time-stamp token")
    return parts.pop(0)[1:]


def hash_of(identifier: bytes) -> Any:
    oid = take(der(identifier), 6)[0].hex()
    need(oid in HASHES, TOKEN, "uses a hash that does not count any more")
    return HASHES[oid]()


def digest(algorithm: Any, data: bytes) -> bytes:
    return hashlib.new(algorithm.name, data).digest()


def timestamp(data: bytes, stamped: bytes, trusted: list[x509.Certificate]) -> dict[str, Any]:
    outer = der(one(data, 0x30))
    if outer[0][0] == 0x30:
        need(take(der(take(outer, 0x30)[0]), 2)[0] in {b"\0", b"\1"}, TOKEN, "was refused")
        outer = der(take(outer, 0x30)[0])
    need(take(outer, 6)[0].hex() == "2a864886f70d010702", TOKEN, "is not signed")
    signed = der(one(take(outer, 0xA0)[0], 0x30))
    take(signed, 2), take(signed, 0x31)
    inner = der(take(signed, 0x30)[0])
    need(take(inner, 6)[0].hex() == "2a864886f70d0109100104", TOKEN, "is no time-stamp")
    info = one(take(inner, 0xA0)[0], 4)
    fields = der(one(info, 0x30))
    take(fields, 2), take(fields, 6)
    imprint = der(take(fields, 0x30)[0])
    algorithm = hash_of(take(imprint, 0x30)[0])
    need(take(imprint, 4)[0] == digest(algorithm, stamped), TOKEN, "stamps something else")
    take(fields, 2)
    when = take(fields, 0x18)[0].decode("ascii", "replace").partition(".")[0].rstrip("Z")
    time = int(dt.datetime.strptime(when + "+0000", "%Y%m%d%H%M%S%z").timestamp())
    parts = der(take(signed, 0xA0)[0])
    need(0 < len(parts) <= 16, TOKEN, "lacks the certificate that signed, or has very many")
    certificates = [x509.load_der_x509_certificate(part[2]) for part in parts]
    if signed and signed[0][0] == 0xA1:
        take(signed, 0xA1)
    signers = der(take(signed, 0x31)[0])
    need(len(signers) == 1, TOKEN, "has not one signer")
    signer = der(take(signers, 0x30)[0])
    take(signer, 2)
    named = der(take(signer, 0x30)[0])
    issuer, serial = take(named, 0x30)[1], int.from_bytes(take(named, 2)[0], "big")
    algorithm = hash_of(take(signer, 0x30)[0])
    attributes, whole = take(signer, 0xA0)
    oid = take(der(take(signer, 0x30)[0]), 6)[0].hex()
    signature = take(signer, 4)[0]
    said = {part[1][:11].hex(): part[1] for part in der(attributes)}
    kind = der(said.get("06092a864886f70d010903", b""))
    made = der(said.get("06092a864886f70d010904", b""))
    good = len(kind) == 2 == len(made) and len(der(attributes)) == len(said)
    need(good and kind[1][0] == 0x31 == made[1][0], TOKEN, "is no time-stamp")
    need(one(kind[1][1], 6).hex() == "2a864886f70d0109100104", TOKEN, "is no time-stamp")
    need(one(made[1][1], 4) == digest(algorithm, info), TOKEN, "signs something else")
    match = [
        each
        for each in certificates
        if (each.issuer.public_bytes(), each.serial_number) == (issuer, serial)
    ]
    need(match, TOKEN, "lacks the certificate that signed")
    certificate, key = match[0], match[0].public_key()
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    good = begins.timestamp() <= time <= ends.timestamp()
    stamping = x509.oid.ExtendedKeyUsageOID.TIME_STAMPING in usage
    need(good and stamping, TOKEN, "is signed with a certificate that was not for it")
    used = algorithm if oid == "2a864886f70d010101" else SIGNED_WITH.get(oid, lambda: None)()
    message = b"\x31" + whole[1:]
    if isinstance(key, rsa.RSAPublicKey):
        key.verify(signature, message, padding.PKCS1v15(), used)
    else:
        need(isinstance(key, ec.EllipticCurvePublicKey), TOKEN, "has a key of an unknown kind")
        key.verify(signature, message, ec.ECDSA(used))  # type: ignore[union-attr, call-arg, arg-type]
    sure = any(_under(certificate, anchor, certificates) for anchor in trusted)
    need(sure or not trusted, TOKEN, "is of no authority that you trust")
    print_ = certificate.fingerprint(hashes.SHA256()).hex()
    name = certificate.subject.rfc4514_string()
    return {"time": time, "authority": name, "certificate": print_, "trusted": sure}


def _under(one: x509.Certificate, anchor: x509.Certificate, others: list[x509.Certificate]) -> bool:
    for _ in range(len(others) + 1):
        if one == anchor or _issued(one, anchor):
            return True
        above = [other for other in others if other != one and _issued(one, other)]
        if not above:
            return False
        one = above[0]
    return False


def _issued(one: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        one.verify_directly_issued_by(issuer)
        return issuer.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return False


# ---- All of it ----------------------------------------------------------------------------------


def check(
    data: bytes, trusted: bytes | None, authorities: list[x509.Certificate]
) -> dict[str, Any]:
    """Check a file; return what it shows, or raise ``Wrong``, whatever is in it."""
    try:
        return _check(data, trusted, authorities)
    except Wrong:
        raise
    except Exception as error:  # what no check above foresaw is no proof either
        raise Wrong(WHOLE, f"has another form than its format ({error!r})"[:120]) from error


def _check(
    data: bytes, trusted: bytes | None, authorities: list[x509.Certificate]
) -> dict[str, Any]:
    need(len(data) <= LIMITS[WHOLE], WHOLE, "is too long")
    members = read_zip(data)
    for member, content in members.items():
        need(len(content) <= LIMITS.get(member, len(content)), member, "is too long")
    # (1) Every member is the one that the maker's statement lists.
    name = "statement.json"
    made = read_envelope(members[name], "application/vnd.accord.evidence.v1+json", name)
    need(len(made.payload) <= 24 << 20, name, "is too long")
    says = read_json(
        made.payload,
        name,
        *("v", "org", "made", "person", "reason", "record", "states", "custody"),
        *("journal", "files"),
        maybe=("journal",),
    )
    _statement(says, name)
    early = all(one["at"] <= says["made"] + SKEW for one in says["custody"])
    need(early, name, "tells of something later than itself")
    listed = {one["name"]: (one["sha256"], one["len"]) for one in says["files"]}
    for member, content in members.items():
        if member != name:
            wanted = (base64.b64encode(sha256(content)).decode(), len(content))
            need(listed.get(member) == wanted, member, "is not the one that the statement lists")
    order = [one["name"] for one in says["files"]]
    same = order == [one for one in members if one != name]
    need(same and len(made.pairs) == 1, name, "lists what is not there")
    # (2) The root files, each signed by the registrars of the one before.
    name = "roots.jsonl"
    need(members[name].endswith(b"\n"), name, "holds no root file")
    roots = read_roots(members[name], name)
    if trusted is not None:
        own = read_roots(trusted, "the root file that you gave")
        need(same_hub(roots, own), name, "is not the root file you trust")
    # (3) The directory, whole, under a checkpoint that witnesses cosigned.
    header = _header(members["header.json"], "header.json")
    sender = header["from"]["org"]
    name = "directory.checkpoint"
    size, top, _ = checkpoint(members[name], roots[-1], "directory", name)
    entries = split_entries(members[MEMBER])
    directory = Directory(entries, roots, {sender, str(says["org"])})
    good = (len(entries), tree_root(directory.hashes)) == (size, top)
    need(good, MEMBER, "is not the directory that the witnesses saw")
    # (4) The hub's log: accepted, from this sender, this bundle, at this size of the directory.
    name = "acceptance.tlog-proof"
    accepted = acceptance(members[name], roots, directory, name)
    fields, judged = accepted.fields, accepted.judged
    manifest = read_envelope(
        members["signatures.json"], "application/vnd.accord.manifest.v1+json", "signatures.json"
    )
    said = [fields.get(key) for key in ("what", "outcome", "org", "subject")]
    need(said == ["bundle.accepted", "ok", sender, header["id"]], name, "is about something else")
    bound = accepted.manifest == sha256(manifest.payload).hex()
    need(bound, name, "is about other bytes")
    # (5) The key counted at that size; both signatures hold; the record is one of those signed.
    name, kid = "signatures.json", unbase64(header["from"]["sig"], "header.json", 32)
    point = header["dir"][0]
    known = point["origin"] == f"{roots[-1].hub}/directory" and point["size"] <= judged <= size
    root = unbase64(point["root"], "header.json", 32)
    same = known and tree_root(directory.hashes[: point["size"]]) == root
    need(same, name, "was made with another directory than this one")
    key = directory.key_at(sender, kid, judged, name)
    inside = key.not_before - SKEW <= header["created"] <= key.not_after
    need(inside and [*manifest.pairs] == [kid], name, "is signed outside the dates of its key")
    key.key.check(manifest.pairs[kid], manifest.message, b"accord/1/manifest", name)
    whole_manifest = read_json(manifest.payload, name, "v", "header", "recipients", "body")
    for part, size_name in (("header", "len"), ("body", "len")):
        keys(whole_manifest[part], name, "sha256", size_name)
    keys(whole_manifest["recipients"], name, "n", "root")
    parts = whole_manifest["header"]
    whole = sha256(b"accord/1/header\0" + members["header.json"])
    good = (unbase64(parts["sha256"], name, 32), parts["len"]) == (
        whole,
        len(members["header.json"]),
    )
    need(good, "header.json", "is not the header that was signed")
    place = read_json(members["place.json"], "place.json", "v", "index", "salt", "path")
    typed(place, "place.json", index=int, path=list)
    need(len(place["path"]) <= 20, "place.json", "has a path that is too long")
    salt = unbase64(place["salt"], "place.json", 16)
    leaf = sha256(b"\0" + salt + members["record.json"])
    path = [unbase64(one, "place.json", 32) for one in place["path"]]
    content = header["content"]
    found = path_root(leaf, place["index"], content["n"], path, "place.json")
    same = (
        found == unbase64(content["root"], "header.json", 32)
        and b"\n" not in members["record.json"]
    )
    need(same, "record.json", "is not one of the records that were signed")
    read_json(members["record.json"], "record.json")
    # (6) The maker's own signature, about exactly this record.
    name, maker = "statement.json", next(iter(made.pairs))
    about = {"org": sender, "bundle": header["id"], "index": place["index"]}
    need(says["record"] == about, name, "is about another record")
    own_key = directory.key_at(says["org"], maker, size, name)
    own_key.key.check(made.pairs[maker], made.message, b"accord/1/evidence", name)
    inside = own_key.not_before - SKEW <= says["made"] <= own_key.not_after
    need(inside, name, "is dated outside the dates of its key")
    need(says["made"] >= int(fields["time"]) - SKEW, name, "is dated before the acceptance")
    newer = [root for root in roots if root.version >= directory.root_at(judged)]
    done = custody(says, newer, (accepted.index, int(fields["time"])), name)
    # (7) The policies for other people's tools.
    for log in ("audit", "directory"):
        same = members[f"policy-{log}.txt"] == roots[-1].policy(log).encode()
        need(same, f"policy-{log}.txt", "is not what the root file says")
    # (8) The time-stamp.
    stamp = None
    if TOKEN in members:
        try:
            stamp = timestamp(members[TOKEN], members["signatures.json"], authorities)
        except (
            InvalidSignature,
            x509.ExtensionNotFound,
            x509.InvalidVersion,
            ValueError,
            TypeError,
            IndexError,
        ) as error:
            raise Wrong(TOKEN, "does not hold") from error
        early = stamp["time"] < header["created"] - SKEW
        need(not early, TOKEN, "is older than the signatures that it is about")
    return {
        "root": sha256(roots[-1].payload).hex(),
        "trusted": trusted is not None,
        "record": members["record.json"].decode("utf-8", "backslashreplace"),
        "sender": sender,
        "bundle": header["id"],
        "index": place["index"],
        "accepted": int(fields["time"]),
        "log": f"{roots[-1].hub}/audit",
        "entry": accepted.index,
        "size": accepted.size,
        "log_root": accepted.root.version,
        "newest_root": roots[-1].version,
        "key": directory.ended(sender, kid),
        "compromised_since": key.compromised,
        "maker": says["org"],
        "made": says["made"],
        "person": says["person"],
        "reason": says["reason"],
        "states": says["states"],
        "custody": len(says["custody"]),
        "custody_lines": done,
        "timestamp": stamp,
        "not_checked": list(NOT_CHECKED),
    }


def _statement(says: dict[str, Any], member: str) -> None:
    """Check the form of what the maker says, so that none of it can forge a line of this report."""
    typed(says, member, org=str, made=int, record=dict, states=list, custody=list, files=list)
    words(says, member, "person", "reason")
    keys(says["record"], member, "org", "bundle", "index")
    typed(says["record"], member, org=str, bundle=str, index=int)
    few = 0 < len(says["states"]) <= 8 and len(says["custody"]) <= 5000
    need(few and 0 < len(says["files"]) <= 32, member, "says more than its format lets it")
    for state in says["states"]:
        good = isinstance(state, str) and re.fullmatch("[A-Za-z-]*[A-Za-z][A-Za-z-]*", state)
        need(good, member, "has a state that is no word")
    for one in says["custody"]:
        with_row = isinstance(one, dict) and "row" in one
        keys(one, member, "at", "who", "what", *(["row"] if with_row else []))
        typed(one, member, at=int)
        words(one, member, "who", "what")
    for one in says["files"]:
        keys(one, member, "name", "sha256", "len")
        typed(one, member, name=str, sha256=str, len=int)
        need(0 < len(one["name"]) <= 80, member, "lists a file without a name, or with a long one")
        unbase64(one["sha256"], member, 32)


def _header(data: bytes, member: str) -> dict[str, Any]:
    """Return the header; the words of its marking are read as they stand."""
    found = read_json(data, member, *HEADER, maybe=("refs", "replaces"))
    typed(found, member, suite=str, id=str, kind=str, created=int, expires=int, content=dict)
    keys(found["from"], member, "org", "sig")
    keys(found["policy"], member, "tlp", "purpose", "legal_basis", "onward")
    keys(found["content"], member, "n", "root")
    typed(found["content"], member, n=int, root=str)
    typed(found, member, dir=list)
    for point in found["dir"]:
        keys(point, member, "origin", "size", "root")
        typed(point, member, origin=str, size=int, root=str)
    name, hub = r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?", r"[a-z0-9.:/-]{1,255}"
    good = re.fullmatch(f"{name}@{hub}", str(found["from"]["org"]))
    need(good and re.fullmatch("[0-9a-f-]{36}", found["id"]), member, "names no sender or bundle")
    need(found["expires"] > found["created"], member, "expires before it was created")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description="Check a file of evidence, offline.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--root", type=Path, help="the hub's root file, got from its operator")
    parser.add_argument("--authority", type=Path, help="certificates (PEM) of time-stampers")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    args = parser.parse_args()
    try:
        data = args.file.read_bytes()
        trusted = args.root.read_bytes() if args.root else None
        pem = args.authority.read_bytes() if args.authority else b""
        authorities = x509.load_pem_x509_certificates(pem) if pem else []
    except (OSError, ValueError) as error:
        return _failed(args.json, "a file that you gave", f"cannot be read ({error})"[:200], 2)
    try:
        found = check(data, trusted, authorities)
    except Wrong as error:
        return _failed(args.json, error.member, error.what, 3)
    if args.json:
        print(json.dumps({"ok": True} | found))
        return 0
    print("The proof in this file holds.")
    for name, value in found.items():
        if name != "custody_lines":
            print(f"  {name}: {safe(value)}")
            continue
        for one in value:  # what stands behind a line comes first: no words of the maker do
            said = f"{when(one['at'])}, {one['who']}, {one['what']}"
            print(f"    {behind(one['proof'])}: {safe(said)}")
    print("report.pdf and README.txt are the maker's word and were NOT checked: read the record")
    print(
        "that is printed here. So are 'maker', 'made', 'person', 'reason', 'states', and each line"
    )
    print(
        "of custody that says so. A proved line was in the maker's journal by then; others may be"
    )
    print("missing, and the maker may have other journals: its 'accord doctor' lists them.")
    if trusted is None:
        print("Not shown: that the root file is the right one. Compare 'root' above with the hub's")
        print("published SHA-256, or give the root file that you got from its operator: --root.")
    if found["timestamp"] and not found["timestamp"]["trusted"]:
        print("Not shown: that the time-stamp's authority is one that you trust. Anybody can make")
        print("one: give the certificates of those that you trust with --authority.")
    return 0


def safe(value: object) -> str:
    """Return text without a character that a terminal could obey or that cannot be seen."""
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode() for one in str(value)
    )


def _failed(as_json: bool, member: str, what: str, code: int) -> int:  # noqa: FBT001
    if as_json:
        print(json.dumps({"ok": False, "member": member, "what": what}))
    print(f"This file does not hold. {member}: {safe(what)}.", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
