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
from typing import TypeVar

from accord.kernel import dsse
from accord.kernel.encoding import JsonValue, require_int, require_list, require_str
from accord.kernel.errors import Malformed
from accord.kernel.identifiers import KeyId
from accord.kernel.keys import SigningKeyPair, SigningPublicKey
from accord.kernel.markings import BundleKind, Onward, OrgKind, Purpose, Tlp, parse_code
from accord.kernel.policy.default_charter import (
    DEFAULT_CHARTER as DEFAULT_CHARTER,  # noqa: PLC0414 - part of this module's face
)

CHARTER_TYPE = "application/vnd.accord.charter.v1+toml"
CHARTER_CONTEXT = b"accord/1/charter"

MAX_CHARTER = 128 * 1024
"""Largest charter in bytes of TOML."""

MAX_SIGNED_CHARTER = 512 * 1024
MAX_RULES = 200
MAX_LIST = 300
MAX_RETENTION_DAYS = 3650

ANY = "any"
SAME = "same"

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,58}[a-z0-9]")
_COUNTRY = re.compile(r"[A-Z]{2}")
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

Vocabulary = TypeVar("Vocabulary", bound=StrEnum)


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
    """Parse a charter's TOML bytes strictly.

    Raises:
        Malformed: ``too_long``, ``toml_invalid``, ``key_unknown``, ``key_missing``,
            ``value_invalid``, ``name_twice``, ``name_invalid``, ``country_unknown``, or
            ``*_unknown`` for a word outside its closed list.
    """
    if len(data) > MAX_CHARTER:
        raise Malformed(
            "too_long", f"A charter has up to {MAX_CHARTER} bytes.", observed=f"{len(data)} bytes"
        )
    try:
        obj: dict[str, JsonValue] = tomllib.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise Malformed(
            "toml_invalid", "This is not valid TOML.", observed=str(error)[:120]
        ) from error
    _check_keys(obj, required=_TOP, optional=_TOP_OPTIONAL, place="charter")
    require_int(obj, "format", minimum=1, maximum=1)
    rules = tuple(_parse_rule(entry) for entry in _tables(obj, "rule"))
    grants = tuple(_parse_grant(entry) for entry in _tables(obj, "grant"))
    names = [rule.name for rule in rules] + [grant.name for grant in grants]
    if len(set(names)) != len(names):
        raise Malformed("name_twice", "Two rules or grants have the same name.")
    return Charter(
        version=require_int(obj, "version", minimum=1),
        name=require_str(obj, "name", limit=120),
        rules=rules,
        grants=grants,
        sha256=hashlib.sha256(data).digest(),
        size=len(data),
        registrars=require_int(obj, "registrars", minimum=1, maximum=dsse.MAX_SIGNERS)
        if "registrars" in obj
        else None,
    )


def _tables(obj: Mapping[str, JsonValue], key: str) -> list[dict[str, JsonValue]]:
    found = []
    for entry in require_list(obj, key, minimum=1, maximum=MAX_RULES):
        if not isinstance(entry, dict):
            raise Malformed("value_invalid", f"'{key}' must be a list of tables.")
        found.append(entry)
    return found


def _check_keys(
    obj: Mapping[str, JsonValue], *, required: Sequence[str], optional: Sequence[str], place: str
) -> None:
    # TOML is written by people: unlike in signed JSON the order of keys is free.
    for key in obj:
        if key not in required and key not in optional:
            raise Malformed("key_unknown", f"A {place} has no such key.", observed=key[:40])
    for key in required:
        if key not in obj:
            raise Malformed("key_missing", f"A {place} needs the key '{key}'.")


def _parse_rule(obj: dict[str, JsonValue]) -> Rule:
    _check_keys(obj, required=_RULE_REQUIRED, optional=_RULE_OPTIONAL, place="rule")
    return Rule(
        name=_name(obj),
        words=_words(obj),
        senders=_codes(obj, "from", OrgKind, "org_kind_unknown"),
        sender_capabilities=_capabilities(obj, "from_capabilities"),
        recipients=_codes(obj, "to", OrgKind, "org_kind_unknown"),
        recipient_capabilities=_capabilities(obj, "to_capabilities"),
        kinds=_codes(obj, "kinds", BundleKind, "bundle_kind_unknown"),
        max_tlp=parse_code(Tlp, obj["max_tlp"], code="tlp_unknown"),
        purposes=_codes(obj, "purposes", Purpose, "purpose_unknown"),
        jurisdictions=_jurisdictions(obj),
        onward=_codes(obj, "onward", Onward, "onward_unknown"),
        approval=_flag(obj, "approval"),
        retention_days=require_int(obj, "retention_days", minimum=1, maximum=MAX_RETENTION_DAYS),
        reply_only=_flag(obj, "reply_only") if "reply_only" in obj else False,
    )


def _parse_grant(obj: dict[str, JsonValue]) -> Grant:
    _check_keys(obj, required=_GRANT_REQUIRED, optional=_GRANT_OPTIONAL, place="grant")
    return Grant(
        name=_name(obj),
        words=_words(obj),
        kinds=_codes(obj, "kinds", OrgKind, "org_kind_unknown"),
        capabilities=_capabilities(obj, "capabilities"),
        actions=_codes(obj, "actions", Action, "action_unknown"),
    )


def _name(obj: Mapping[str, JsonValue]) -> str:
    name = require_str(obj, "name", limit=60)
    if _NAME.fullmatch(name) is None:
        raise Malformed(
            "name_invalid", "A name has lower-case letters, digits and hyphens.", observed=name
        )
    return name


def _words(obj: Mapping[str, JsonValue]) -> str:
    words = require_str(obj, "words", limit=200)
    if not words.isprintable():
        raise Malformed("value_invalid", "'words' must be one line of printable text.")
    return words


def _flag(obj: Mapping[str, JsonValue], key: str) -> bool:
    value = obj[key]
    if not isinstance(value, bool):
        raise Malformed("value_invalid", f"'{key}' must be true or false.")
    return value


def _texts(obj: Mapping[str, JsonValue], key: str) -> list[str]:
    found = []
    for value in require_list(obj, key, minimum=1, maximum=MAX_LIST):
        if not isinstance(value, str):
            raise Malformed("value_invalid", f"'{key}' must be a list of texts.")
        found.append(value)
    if len(set(found)) != len(found):
        raise Malformed("value_invalid", f"'{key}' names something twice.")
    return found


def _codes(
    obj: Mapping[str, JsonValue], key: str, vocabulary: type[Vocabulary], code: str
) -> frozenset[Vocabulary]:
    return frozenset(parse_code(vocabulary, text, code=code) for text in _texts(obj, key))


def _capabilities(obj: Mapping[str, JsonValue], key: str) -> frozenset[str]:
    found = _texts(obj, key) if key in obj else []
    for text in found:
        if _NAME.fullmatch(text) is None:
            raise Malformed(
                "name_invalid",
                "A capability has lower-case letters, digits and hyphens.",
                observed=text[:60],
            )
    return frozenset(found)


def _jurisdictions(obj: Mapping[str, JsonValue]) -> frozenset[str]:
    found = _texts(obj, "jurisdictions")
    for text in found:
        if text not in {ANY, SAME} and _COUNTRY.fullmatch(text) is None:
            raise Malformed(
                "country_unknown",
                "A jurisdiction is 'any', 'same' or a country as ISO 3166-1 alpha-2.",
                observed=text[:40],
            )
    return frozenset(found)


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
