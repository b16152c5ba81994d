"""Which log keys and which witnesses a reader trusts, as a text file (C2SP tlog-policy).

Stricter than the specification in one point: where several ``log`` lines name one origin, every
one of those keys must have signed (Accord logs sign with Ed25519 and with ML-DSA-44). A witness
with two keys is written as two ``witness`` lines and a ``group … all``.

Invariant: ``parse_policy(format_policy(p)) == p``. An empty or missing quorum never passes; only
the explicit ``quorum none`` asks for no witness.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from accord.kernel.errors import Malformed
from accord.kernel.tlog.notes import (
    COSIGNATURE_ED25519,
    COSIGNATURE_MLDSA44,
    ED25519,
    Verifier,
    parse_vkey,
)

NO_QUORUM = "none"
MAX_POLICY = 1024 * 1024
"""Longest policy file in characters."""
MAX_ITEMS = 256
"""Most logs, witnesses or groups (C2SP asks for at least 32)."""

_SPACE = re.compile(r"[ \t]+")
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_COUNT = re.compile(r"[1-9][0-9]{0,3}")
_LOG_ALGORITHMS = frozenset({ED25519, COSIGNATURE_MLDSA44})
_WITNESS_ALGORITHMS = frozenset({COSIGNATURE_ED25519, COSIGNATURE_MLDSA44})
_CODE = "policy_invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyLog:
    """A trusted log key; its name is the log's origin."""

    verifier: Verifier
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyWitness:
    """A trusted witness key under the policy's own name for it."""

    name: str
    verifier: Verifier
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyGroup:
    """A group: witnessed when ``threshold`` of its ``members`` are."""

    name: str
    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Policy:
    """A trust policy; ``quorum`` is the name of a witness or group, or ``none``."""

    logs: tuple[PolicyLog, ...]
    witnesses: tuple[PolicyWitness, ...]
    groups: tuple[PolicyGroup, ...]
    quorum: str

    def __post_init__(self) -> None:
        """Check every rule of the format (Malformed ``policy_invalid``)."""
        if max(len(self.logs), len(self.witnesses), len(self.groups)) > MAX_ITEMS:
            raise Malformed(_CODE, f"At most {MAX_ITEMS} logs, witnesses and groups are allowed.")
        for entry in self.logs:
            _check_algorithm(entry.verifier, _LOG_ALGORITHMS, "log")
        for witness in self.witnesses:
            _check_algorithm(witness.verifier, _WITNESS_ALGORITHMS, "witness")
        # Across both lists: a log that witnesses itself is no witness.
        keys = [entry.verifier.key for entry in self.logs]
        _check_distinct([*keys, *(witness.verifier.key for witness in self.witnesses)])
        names = {NO_QUORUM}
        for witness in self.witnesses:
            _add_name(names, witness.name)
        used: set[str] = set()
        for group in self.groups:
            _check_group(group, names=names, used=used)
            _add_name(names, group.name)
        if self.quorum not in names:
            raise Malformed(
                _CODE, "The quorum names no witness or group.", observed=_shown(self.quorum)
            )

    def log_verifiers(self, origin: str) -> tuple[Verifier, ...]:
        """Return the keys of the log ``origin``; empty when the policy does not know it."""
        return tuple(item.verifier for item in self.logs if item.verifier.name == origin)

    @property
    def origins(self) -> tuple[str, ...]:
        """The origins of the logs, each once, in order."""
        return tuple(dict.fromkeys(entry.verifier.name for entry in self.logs))

    def met_by(self, witnesses: Collection[str]) -> bool:
        """Say whether these witnesses (policy names) together are the quorum."""
        if self.quorum == NO_QUORUM:
            return True
        done = set(witnesses) & {witness.name for witness in self.witnesses}
        for group in self.groups:
            if len(done.intersection(group.members)) >= group.threshold:
                done.add(group.name)
        return self.quorum in done


def _shown(text: str) -> str:
    return text[:80].encode("ascii", "backslashreplace").decode("ascii")


def _check_algorithm(verifier: Verifier, allowed: Collection[int], role: str) -> None:
    if verifier.algorithm not in allowed:
        raise Malformed(
            _CODE,
            f"A {role} has no key of this algorithm.",
            observed=_shown(f"{verifier.algorithm:#04x}"),
        )


def _check_distinct(keys: Sequence[bytes]) -> None:
    if len(set(keys)) != len(keys):
        raise Malformed(_CODE, "One public key stands twice, perhaps under two names.")


def _add_name(names: set[str], name: str) -> None:
    if not name or _SPACE.search(name) or "\n" in name or _FORBIDDEN.search(name):
        raise Malformed(_CODE, "A name has no space or control character.", observed=_shown(name))
    if name in names:
        raise Malformed(_CODE, "A name is given twice.", observed=_shown(name))
    names.add(name)


def _check_group(group: PolicyGroup, *, names: set[str], used: set[str]) -> None:
    if not 1 <= group.threshold <= len(group.members):
        raise Malformed(
            _CODE,
            "A group asks for one to all of its members.",
            observed=_shown(f"{group.threshold} of {len(group.members)}"),
        )
    for member in group.members:
        if member == NO_QUORUM or member not in names:
            raise Malformed(
                _CODE, "A group member must be named on an earlier line.", observed=_shown(member)
            )
        if member in used:
            raise Malformed(
                _CODE, "A name is a member of a group once at most.", observed=_shown(member)
            )
        used.add(member)


class _Lines:
    """Collects the parts of a policy, line by line."""

    def __init__(self) -> None:
        self.logs: list[PolicyLog] = []
        self.witnesses: list[PolicyWitness] = []
        self.groups: list[PolicyGroup] = []
        self.quorum: str | None = None
        self.names = {NO_QUORUM}

    def take(self, words: Sequence[str]) -> None:
        """Take one line that is neither empty nor a comment."""
        match words:
            case ["log", vkey, *url] if len(url) <= 1:
                self.logs.append(PolicyLog(verifier=parse_vkey(vkey), url=_first(url)))
            case ["witness", name, vkey, *url] if len(url) <= 1:
                self.witnesses.append(
                    PolicyWitness(name=name, verifier=parse_vkey(vkey), url=_first(url))
                )
                self.names.add(name)
            case ["group", name, count, *members]:
                self._group(name, count, members)
            case ["quorum", name] if self.quorum is None:
                self._known(name)
                self.quorum = name
            case _:
                raise Malformed(
                    _CODE, "This line is not of a policy.", observed=_shown(" ".join(words))
                )

    def _known(self, name: str) -> None:
        if name not in self.names:
            raise Malformed(
                _CODE, "A name must be defined on an earlier line.", observed=_shown(name)
            )

    def _group(self, name: str, count: str, members: Sequence[str]) -> None:
        for member in members:
            self._known(member)
        if count == "all":
            threshold = len(members)
        elif count == "any":
            threshold = 1
        elif _COUNT.fullmatch(count):
            threshold = int(count)
        else:
            raise Malformed(
                _CODE, "A group asks for 'all', 'any' or a number.", observed=_shown(count)
            )
        self.groups.append(PolicyGroup(name=name, threshold=threshold, members=tuple(members)))
        self.names.add(name)


def _first(words: Sequence[str]) -> str | None:
    return words[0] if words else None


def parse_policy(text: str) -> Policy:
    """Parse a policy file.

    Raises:
        Malformed: ``policy_invalid``, or the code of a vkey that is wrong.
    """
    if len(text) > MAX_POLICY:
        raise Malformed(
            _CODE, f"A policy has at most {MAX_POLICY} characters.", observed=_shown(str(len(text)))
        )
    if text and not text.endswith("\n"):
        raise Malformed(_CODE, "Each line of a policy ends in a line feed.")
    if _FORBIDDEN.search(text):
        raise Malformed(_CODE, "A policy has no control characters but tab and line feed.")
    lines = _Lines()
    for line in text.split("\n"):
        words = [word for word in _SPACE.split(line) if word]
        if words and not words[0].startswith("#"):
            lines.take(words)
    if lines.quorum is None:
        raise Malformed(_CODE, "A policy must have one quorum line.")
    return Policy(
        logs=tuple(lines.logs),
        witnesses=tuple(lines.witnesses),
        groups=tuple(lines.groups),
        quorum=lines.quorum,
    )


def format_policy(policy: Policy) -> str:
    """Return the policy as text: logs, witnesses, groups, quorum."""
    lines = [_joined("log", item.verifier.vkey, item.url) for item in policy.logs]
    lines += [_joined("witness", w.name, w.verifier.vkey, w.url) for w in policy.witnesses]
    lines += [
        _joined("group", group.name, _count(group), *group.members) for group in policy.groups
    ]
    lines.append(_joined("quorum", policy.quorum))
    return "".join(line + "\n" for line in lines)


def _joined(*words: str | None) -> str:
    return " ".join(word for word in words if word is not None)


def _count(group: PolicyGroup) -> str:
    if group.threshold == len(group.members):
        return "all"
    return "any" if group.threshold == 1 else str(group.threshold)


def make_policy(
    log_vkeys: Sequence[str], witnesses: Sequence[Sequence[str]], *, quorum: int
) -> Policy:
    """Return the policy "all log keys, and ``quorum`` of these witnesses with all their keys".

    Args:
        log_vkeys: keys of one or more logs.
        witnesses: for each witness its keys, all under the witness's one key name.
        quorum: how many witnesses must have cosigned; 0 writes ``quorum none``.

    Raises:
        Malformed: ``policy_invalid``, or the code of a vkey that is wrong.
    """
    entries: list[PolicyWitness] = []
    groups: list[PolicyGroup] = []
    for vkeys in witnesses:
        verifiers = [parse_vkey(vkey) for vkey in vkeys]
        if len({verifier.name for verifier in verifiers}) != 1:
            raise Malformed(_CODE, "The keys of one witness have one name.")
        name = verifiers[0].name
        members = tuple(f"{name}#{verifier.algorithm}" for verifier in verifiers)
        entries += [
            PolicyWitness(name=member, verifier=verifier)
            for member, verifier in zip(members, verifiers, strict=True)
        ]
        groups.append(PolicyGroup(name=name, threshold=len(members), members=members))
    if quorum:
        everyone = tuple(group.name for group in groups)
        groups.append(PolicyGroup(name="witnesses", threshold=quorum, members=everyone))
    return Policy(
        logs=tuple(PolicyLog(verifier=parse_vkey(vkey)) for vkey in log_vkeys),
        witnesses=tuple(entries),
        groups=tuple(groups),
        quorum="witnesses" if quorum else NO_QUORUM,
    )
