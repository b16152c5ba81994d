"""The charter's form: strict TOML in, frozen rules out, and its registrars' signatures.

The signed bytes are the TOML text as written, comments included. Every rule names its condition in
full; an empty list is refused, because an empty rule must not look like a wide one. Deciding is
``kernel.policy.decide``.
"""

import hashlib
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from accord.kernel import dsse
from accord.kernel.encoding import JsonValue, require_list
from accord.kernel.errors import Malformed
from accord.kernel.identifiers import KeyId
from accord.kernel.keys import SigningKeyPair, SigningPublicKey
from accord.kernel.markings import BundleKind, Onward, OrgKind, Purpose, Tlp
from accord.kernel.policy.default_charter import (
    DEFAULT_CHARTER as DEFAULT_CHARTER,  # noqa: PLC0414 - part of this module's face
)
from accord.kernel.policy.entry import ANY as ANY  # noqa: PLC0414 - part of this module's face
from accord.kernel.policy.entry import SAME as SAME  # noqa: PLC0414 - likewise
from accord.kernel.policy.entry import Entry
from accord.kernel.policy.lines import KeyLines, key_lines

CHARTER_TYPE = "application/vnd.accord.charter.v1+toml"
CHARTER_CONTEXT = b"accord/1/charter"

MAX_CHARTER = 128 * 1024
"""Largest charter in bytes of TOML."""

MAX_SIGNED_CHARTER = 512 * 1024
MAX_RULES = 200
MAX_RETENTION_DAYS = 3650

_TOML_PLACE = re.compile(r" *\(at line ([0-9]+), column [0-9]+\)")
_TOP = ("format", "version", "name", "rule", "grant")
_TOP_OPTIONAL = ("registrars",)
_RULE_REQUIRED = (
    "name",
    "words",
    "from",
    "to",
    "kinds",
    "max_tlp",
    "purposes",
    "jurisdictions",
    "onward",
    "approval",
    "retention_days",
)
_RULE_OPTIONAL = ("from_capabilities", "to_capabilities", "reply_only")
_GRANT_REQUIRED = ("name", "words", "kinds", "actions")
_GRANT_OPTIONAL = ("capabilities",)


class Action(StrEnum):
    """What a grant can let an organisation's people do at the hub, beside sending bundles."""

    OWN_RECORDS_VIEW = "own-records:view"
    RECEIPTS_VIEW = "receipts:view"
    DASHBOARD_VIEW = "dashboard:view"
    OVERLAP_VIEW = "overlap:view"
    SUMMARY_VIEW = "summary:view"
    TALLY_SEND = "tally:send"
    AUDIT_VIEW = "audit:view"
    DIRECTORY_VIEW = "directory:view"
    CHARTER_VIEW = "charter:view"
    HEALTH_VIEW = "health:view"
    LOG_VIEW = "log:view"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One permission to send; every condition must hold for a sender and one recipient.

    Attributes:
        name: short, unique; told to the analyst and logged.
        words: the rule as a sentence.
        senders: kinds that may send.
        sender_capabilities: all of them are needed.
        recipients: kinds that may receive.
        recipient_capabilities: all of them are needed.
        kinds: bundle kinds.
        max_tlp: narrowest marking that may travel under this rule.
        purposes: purposes that are allowed.
        jurisdictions: ``any``; ``same`` (the sender's country); or countries of recipients.
        onward: onward rules that a header may state.
        approval: a second person at the sender must have approved.
        retention_days: longest time between created and expires.
        reply_only: the bundle must refer to one that this recipient had sent to the sender.
    """

    name: str
    words: str
    senders: frozenset[OrgKind]
    sender_capabilities: frozenset[str]
    recipients: frozenset[OrgKind]
    recipient_capabilities: frozenset[str]
    kinds: frozenset[BundleKind]
    max_tlp: Tlp
    purposes: frozenset[Purpose]
    jurisdictions: frozenset[str]
    onward: frozenset[Onward]
    approval: bool
    retention_days: int
    reply_only: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What organisations of some kinds (with all of ``capabilities``) may do at the hub."""

    name: str
    words: str
    kinds: frozenset[OrgKind]
    capabilities: frozenset[str]
    actions: frozenset[Action]


@dataclass(frozen=True, slots=True, kw_only=True)
class Charter:
    """A parsed charter.

    Attributes:
        version: rises with each publication.
        name: for people.
        rules: in the order of the file; the first that allows is the one named.
        grants: likewise.
        sha256: hash of the TOML bytes; the directory log fixes it.
        size: number of TOML bytes.
        registrars: how many registrars must sign who becomes or is again a member, when that is
            more than the root file asks for; ``None`` leaves it to the root file.
    """

    version: int
    name: str
    rules: tuple[Rule, ...]
    grants: tuple[Grant, ...]
    sha256: bytes
    size: int
    registrars: int | None = None


def parse_charter(data: bytes) -> Charter:
    """Parse a charter's TOML bytes strictly; what an error saw begins with the line.

    Raises:
        Malformed: ``too_long``, ``toml_invalid``, ``key_unknown``, ``key_missing``,
            ``value_invalid``, ``name_twice``, ``name_invalid``, ``country_unknown``, or
            ``*_unknown`` for a word outside its closed list.
    """
    if len(data) > MAX_CHARTER:
        raise Malformed(
            "too_long", f"A charter has up to {MAX_CHARTER} bytes.", observed=f"{len(data)} bytes"
        )
    text, obj = _read_toml(data)
    lines = key_lines(text)
    top = Entry("", 1, obj, lines)
    top.check_keys(required=_TOP, optional=_TOP_OPTIONAL, what="charter")
    top.integer("format", minimum=1, maximum=1)
    rules = tuple(_parse_rule(entry) for entry in _tables(top, "rule"))
    grants = tuple(_parse_grant(entry) for entry in _tables(top, "grant"))
    _check_names(rules, grants, lines)
    return Charter(
        version=top.integer("version", minimum=1),
        name=top.text("name", limit=120),
        rules=rules,
        grants=grants,
        sha256=hashlib.sha256(data).digest(),
        size=len(data),
        registrars=top.integer("registrars", minimum=1, maximum=dsse.MAX_SIGNERS)
        if "registrars" in obj
        else None,
    )


def _read_toml(data: bytes) -> tuple[str, dict[str, JsonValue]]:
    try:
        # TOML knows two line ends; the parser reads one, and so do the line numbers.
        text = data.decode("utf-8").replace("\r\n", "\n")
        return text, tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        place = _TOML_PLACE.search(str(error))
        reason = _TOML_PLACE.sub("", str(error)).strip()[:120]
        raise Malformed(
            "toml_invalid",
            "This is not valid TOML.",
            observed=f"line {place[1]}: {reason}" if place else reason,
        ) from error


def _check_names(rules: Sequence[Rule], grants: Sequence[Grant], lines: KeyLines) -> None:
    named = [("rule", number, rule.name) for number, rule in enumerate(rules, start=1)]
    named += [("grant", number, grant.name) for number, grant in enumerate(grants, start=1)]
    seen: set[str] = set()
    for table, number, name in named:
        if name in seen:
            with lines.naming(table, number, "name"):
                raise Malformed(
                    "name_twice", "Two rules or grants have the same name.", observed=name
                )
        seen.add(name)


def _tables(top: Entry, key: str) -> list[Entry]:
    found = []
    with top.at(key):
        entries = require_list(top.obj, key, minimum=1, maximum=MAX_RULES)
    for number, entry in enumerate(entries, start=1):
        with top.lines.naming(key, number, ""):
            if not isinstance(entry, dict):
                raise Malformed("value_invalid", f"'{key}' must be a list of tables.")
        found.append(Entry(key, number, entry, top.lines))
    return found


def _parse_rule(entry: Entry) -> Rule:
    entry.check_keys(required=_RULE_REQUIRED, optional=_RULE_OPTIONAL, what="rule")
    return Rule(
        name=entry.name(),
        words=entry.words(),
        senders=entry.codes("from", OrgKind, "org_kind_unknown"),
        sender_capabilities=entry.capabilities("from_capabilities"),
        recipients=entry.codes("to", OrgKind, "org_kind_unknown"),
        recipient_capabilities=entry.capabilities("to_capabilities"),
        kinds=entry.codes("kinds", BundleKind, "bundle_kind_unknown"),
        max_tlp=entry.code("max_tlp", Tlp, "tlp_unknown"),
        purposes=entry.codes("purposes", Purpose, "purpose_unknown"),
        jurisdictions=entry.jurisdictions(),
        onward=entry.codes("onward", Onward, "onward_unknown"),
        approval=entry.flag("approval"),
        retention_days=entry.integer("retention_days", minimum=1, maximum=MAX_RETENTION_DAYS),
        reply_only=entry.flag("reply_only", default=False),
    )


def _parse_grant(entry: Entry) -> Grant:
    entry.check_keys(required=_GRANT_REQUIRED, optional=_GRANT_OPTIONAL, what="grant")
    return Grant(
        name=entry.name(),
        words=entry.words(),
        kinds=entry.codes("kinds", OrgKind, "org_kind_unknown"),
        capabilities=entry.capabilities("capabilities"),
        actions=entry.codes("actions", Action, "action_unknown"),
    )


def sign_charter(data: bytes, signers: Sequence[SigningKeyPair]) -> bytes:
    """Return the charter's TOML bytes signed by ``signers``; they are checked first."""
    parse_charter(data)
    return dsse.sign(CHARTER_TYPE, data, signers, context=CHARTER_CONTEXT)


def verify_charter(
    data: bytes, *, registrars: Mapping[KeyId, SigningPublicKey], threshold: int
) -> Charter:
    """Verify a signed charter. Whether it is the one in force, the directory's state says.

    Args:
        data: the envelope as received.
        registrars: the root file's registrars by key id.
        threshold: how many of them must have signed.

    Raises:
        Malformed: as ``dsse.parse`` and ``parse_charter``.
        VerificationFailed: ``threshold_missed`` or ``signature_wrong``.
    """
    envelope = dsse.parse(data, payload_type=CHARTER_TYPE, limit=MAX_SIGNED_CHARTER)
    dsse.verify_threshold(envelope, registrars, threshold=threshold, context=CHARTER_CONTEXT)
    return parse_charter(envelope.payload)
