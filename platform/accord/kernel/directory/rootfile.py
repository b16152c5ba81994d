"""The root file: which log keys, registrars and witnesses count for one hub (docs/formats).

TUF style: signed by a threshold of the registrars that it names, replaced only by a successor that
the old and the new registrars signed. Invariants: ``format_root(parse_root(b)) == b``; no empty
list, no threshold or quorum of zero. It holds no organisation's keys.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from accord.kernel import dsse
from accord.kernel.directory.registrars import (
    Registrar,
    parse_registrar_object,
    registrar_object,
)
from accord.kernel.encoding import (
    JsonValue,
    b64decode,
    b64encode,
    dump_object,
    parse_object,
    require_int,
    require_keys,
    require_list,
    require_object,
    require_str,
)
from accord.kernel.errors import Malformed, VerificationFailed
from accord.kernel.identifiers import KeyId, parse_origin
from accord.kernel.keys import SigningKeyPair, SigningPublicKey
from accord.kernel.tlog.notes import parse_vkey
from accord.kernel.tlog.policy import Policy, parse_policy

ROOT_TYPE = "application/vnd.accord.root.v1+json"
ROOT_CONTEXT = b"accord/1/root"
MAX_ROOT = 512 * 1024
MAX_CHAIN = 64
"""Largest signed root file in bytes (16 registrars, 32 witnesses and their signatures fit)."""

MAX_WITNESSES = 32
MAX_URL = 200

_LOG_ALGORITHMS = (0x01, 0x06)
_WITNESS_ALGORITHMS = (0x04, 0x06)
_DIGEST_SIZE = 32


class LogName(StrEnum):
    """The two logs of a hub; the origin of each is ``<hub>/<name>``."""

    DIRECTORY = "directory"
    AUDIT = "audit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """One witness: name of its note key, its vkeys (0x04, 0x06), where to reach it if told."""

    name: str
    vkeys: tuple[str, str]
    url: str | None = None


@dataclass(frozen=True, kw_only=True)
class RootFile:
    """What a root file says. Build one to publish it, or get one from ``verify_root``.

    Attributes:
        hub: the hub's origin.
        version: counts from 1, by one.
        prev: SHA-256 of the payload of the version before; ``None`` for version 1.
        created: unix seconds.
        directory_log: vkeys (0x01, 0x06) of the log ``<hub>/directory``.
        audit_log: vkeys (0x01, 0x06) of the log ``<hub>/audit``.
        registrars: at most 16.
        threshold: how many registrars must sign.
        witnesses: at most 32.
        quorum: how many witnesses must cosign.
    """

    hub: str
    version: int
    created: int
    directory_log: tuple[str, str]
    audit_log: tuple[str, str]
    registrars: tuple[Registrar, ...]
    threshold: int
    witnesses: tuple[Witness, ...]
    quorum: int
    prev: bytes | None = None

    @cached_property
    def registrar_keys(self) -> Mapping[KeyId, SigningPublicKey]:
        """The registrars' keys by key id."""
        return {registrar.key.kid: registrar.key for registrar in self.registrars}

    @cached_property
    def payload(self) -> bytes:
        """The bytes that the registrars sign."""
        return format_root(self)

    @cached_property
    def sha256(self) -> bytes:
        """SHA-256 of ``payload``: the identity of this version."""
        return hashlib.sha256(self.payload).digest()

    def log_origin(self, log_name: str) -> str:
        """Return ``<hub>/<log_name>``."""
        return f"{self.hub}/{_log(log_name)}"

    def log_vkeys(self, log_name: str) -> tuple[str, str]:
        """Return the two vkeys (0x01, 0x06) of a log; both must sign each checkpoint."""
        return self.directory_log if _log(log_name) is LogName.DIRECTORY else self.audit_log

    def log_policy_text(self, log_name: str) -> str:
        """Return the C2SP tlog-policy text for one log.

        Each witness is a group of its two keys, both needed; the quorum counts witnesses.
        """
        lines = [f"log {vkey}" for vkey in self.log_vkeys(log_name)]
        for witness in self.witnesses:
            names = [f"{witness.name}/ed25519", f"{witness.name}/ml-dsa-44"]
            lines += [
                f"witness {name} {vkey}" for name, vkey in zip(names, witness.vkeys, strict=True)
            ]
            lines.append(f"group {witness.name} all {' '.join(names)}")
        members = " ".join(witness.name for witness in self.witnesses)
        lines += [f"group witnesses {self.quorum} {members}", "quorum witnesses"]
        return "".join(f"{line}\n" for line in lines)

    def log_policy(self, log_name: str) -> Policy:
        """Return the policy under which a checkpoint of ``log_name`` counts."""
        return parse_policy(self.log_policy_text(log_name))


def _log(log_name: str) -> LogName:
    try:
        return LogName(log_name)
    except ValueError as error:
        raise Malformed(
            "log_unknown", "The logs are 'directory' and 'audit'.", observed=log_name[:40]
        ) from error


def format_root(root: RootFile) -> bytes:
    """Return the payload of ``root``: one JSON object, keys in the order of the format."""
    obj: dict[str, JsonValue] = {"v": 1, "hub": root.hub, "version": root.version}
    if root.prev is not None:
        obj["prev"] = b64encode(root.prev)
    obj["created"] = root.created
    obj["logs"] = {"directory": list(root.directory_log), "audit": list(root.audit_log)}
    obj["registrars"] = {
        "threshold": root.threshold,
        "keys": [registrar_object(registrar) for registrar in root.registrars],
    }
    obj["witnesses"] = {
        "quorum": root.quorum,
        "keys": [_witness_object(witness) for witness in root.witnesses],
    }
    return dump_object(obj)


def _witness_object(witness: Witness) -> dict[str, JsonValue]:
    obj: dict[str, JsonValue] = {"name": witness.name, "vkeys": list(witness.vkeys)}
    if witness.url is not None:
        obj["url"] = witness.url
    return obj


def parse_root(payload: bytes) -> RootFile:
    """Parse the payload of a root file strictly; signatures are ``verify_root``'s business.

    Raises:
        Malformed: ``json_*``, ``key_*``, ``value_invalid``, ``base64_invalid``,
            ``origin_invalid``, ``root_vkey_wrong``, ``registrar_twice``, ``witness_twice``, or what
            the policy's parser finds.
    """
    obj = parse_object(payload, limit=MAX_ROOT)
    require_keys(
        obj,
        required=("v", "hub", "version", "prev", "created", "logs", "registrars", "witnesses"),
        optional=("prev",),
    )
    require_int(obj, "v", minimum=1, maximum=1)
    hub = parse_origin(obj["hub"])
    version = require_int(obj, "version", minimum=1)
    if ("prev" in obj) != (version > 1):
        raise Malformed("value_invalid", "'prev' stands in every version but the first.")
    logs = require_object(obj, "logs")
    require_keys(logs, required=("directory", "audit"))
    registrars, threshold = _parse_registrars(require_object(obj, "registrars"))
    witnesses, quorum = _parse_witnesses(require_object(obj, "witnesses"))
    root = RootFile(
        hub=hub,
        version=version,
        prev=b64decode(obj["prev"], length=_DIGEST_SIZE) if "prev" in obj else None,
        created=require_int(obj, "created"),
        directory_log=_parse_vkeys(logs, "directory", f"{hub}/directory", _LOG_ALGORITHMS),
        audit_log=_parse_vkeys(logs, "audit", f"{hub}/audit", _LOG_ALGORITHMS),
        registrars=registrars,
        threshold=threshold,
        witnesses=witnesses,
        quorum=quorum,
    )
    # A key that stands twice, for a log and a witness or for two witnesses, is refused here.
    for log_name in LogName:
        root.log_policy(log_name)
    if not {parse_vkey(vkey).key for vkey in root.directory_log}.isdisjoint(
        parse_vkey(vkey).key for vkey in root.audit_log
    ):
        raise Malformed("root_vkey_wrong", "Each log has keys of its own.")
    return root


def _parse_vkeys(
    obj: Mapping[str, JsonValue], key: str, name: str, algorithms: tuple[int, int]
) -> tuple[str, str]:
    """Return the two vkeys of ``obj[key]``, which must bear ``name`` and these algorithms."""
    found = []
    for text, algorithm in zip(
        require_list(obj, key, minimum=2, maximum=2), algorithms, strict=True
    ):
        if not isinstance(text, str):
            raise Malformed("value_invalid", "A vkey must be text.")
        verifier = parse_vkey(text)
        if (verifier.name, verifier.algorithm) != (name, algorithm):
            raise Malformed(
                "root_vkey_wrong",
                f"A vkey of '{name}' with algorithm {algorithm:#04x} is expected here.",
                observed=f"{verifier.name} {verifier.algorithm:#04x}"[:200],
            )
        found.append(text)
    return found[0], found[1]


def _parse_registrars(obj: Mapping[str, JsonValue]) -> tuple[tuple[Registrar, ...], int]:
    require_keys(obj, required=("threshold", "keys"))
    registrars = [
        parse_registrar_object(entry)
        for entry in require_list(obj, "keys", minimum=1, maximum=dsse.MAX_SIGNERS)
    ]
    _require_unique([one.name for one in registrars], "registrar_twice")
    _require_unique([one.key.kid for one in registrars], "registrar_twice")
    # The two halves are checked apart: one half under two key ids would count twice.
    _require_unique([one.key.ed25519 for one in registrars], "registrar_twice")
    _require_unique([one.key.mldsa65 for one in registrars], "registrar_twice")
    return tuple(registrars), require_int(obj, "threshold", minimum=1, maximum=len(registrars))


def _parse_witnesses(obj: Mapping[str, JsonValue]) -> tuple[tuple[Witness, ...], int]:
    require_keys(obj, required=("quorum", "keys"))
    witnesses = []
    for entry in require_list(obj, "keys", minimum=1, maximum=MAX_WITNESSES):
        if not isinstance(entry, dict):
            raise Malformed("value_invalid", "A witness must be an object.")
        require_keys(entry, required=("name", "vkeys"), optional=("url",))
        name = parse_origin(entry["name"])
        witnesses.append(
            Witness(
                name=name,
                vkeys=_parse_vkeys(entry, "vkeys", name, _WITNESS_ALGORITHMS),
                url=require_str(entry, "url", limit=MAX_URL) if "url" in entry else None,
            )
        )
    _require_unique([witness.name for witness in witnesses], "witness_twice")
    return tuple(witnesses), require_int(obj, "quorum", minimum=1, maximum=len(witnesses))


def _require_unique(values: Sequence[object], code: str) -> None:
    if len(set(values)) != len(values):
        raise Malformed(code, "A name or key stands twice in the root file.")


def sign_root(root: RootFile, signers: Sequence[SigningKeyPair]) -> bytes:
    """Return the root file's bytes, signed by ``signers``; the content is checked first."""
    parse_root(root.payload)
    return dsse.sign(ROOT_TYPE, root.payload, signers, context=ROOT_CONTEXT)


def verify_root(data: bytes) -> RootFile:
    """Verify a root file against the registrars that it names itself.

    This proves that it is whole and that those registrars stand behind it, not that they are the
    right ones: that comes from where the file was got, or from the six words.

    Raises:
        Malformed: as ``parse_root`` and ``dsse.parse``.
        VerificationFailed: ``threshold_missed`` or ``signature_wrong``.
    """
    envelope = dsse.parse(data, payload_type=ROOT_TYPE, limit=MAX_ROOT)
    root = parse_root(envelope.payload)
    dsse.verify_threshold(
        envelope, root.registrar_keys, threshold=root.threshold, context=ROOT_CONTEXT
    )
    return root


def verify_chain(data: bytes) -> tuple[RootFile, ...]:
    """Verify root files, one a line, each the successor of the one before; one alone is a chain.

    Raises:
        Malformed: ``value_invalid``, or as ``verify_root``.
        VerificationFailed: as ``verify_successor``.
    """
    lines = data.removesuffix(b"\n").split(b"\n")
    if len(lines) > MAX_CHAIN:
        raise Malformed("value_invalid", f"One to {MAX_CHAIN} root files stand here, one a line.")
    roots = [verify_root(lines[0])]
    for line in lines[1:]:
        roots.append(verify_successor(line, roots[-1]))
    return tuple(roots)


def verify_successor(data: bytes, previous: RootFile) -> RootFile:
    """Verify that ``data`` is the root file after ``previous`` (TUF 5.3: both thresholds).

    (1) It holds by itself. (2) Same hub, next version, and it names the hash of ``previous``.
    (3) The threshold of the registrars of ``previous`` signed it too.

    Raises:
        Malformed: as ``verify_root``.
        VerificationFailed: ``root_not_successor``, ``threshold_missed``, ``signature_wrong``.
    """
    root = verify_root(data)  # (1)
    if (root.hub, root.version, root.prev) != (  # (2)
        previous.hub,
        previous.version + 1,
        previous.sha256,
    ):
        raise VerificationFailed(
            "root_not_successor",
            f"This is not the version after {previous.version} of the root of {previous.hub}.",
            observed=f"version {root.version} of {root.hub}",
        )
    dsse.verify_threshold(  # (3)
        dsse.parse(data, payload_type=ROOT_TYPE, limit=MAX_ROOT),
        previous.registrar_keys,
        threshold=previous.threshold,
        context=ROOT_CONTEXT,
    )
    return root
