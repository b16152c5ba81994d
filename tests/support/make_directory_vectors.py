"""Write ``schemas/vectors/directory``: a second writer that shares no code with the program.

It follows docs/formats/directory.md with hashlib and the primitives of ``cryptography`` alone.
Run it by hand (``python -m tests.support.make_directory_vectors``); ML-DSA signatures are random,
so that each run gives other bytes with the same meaning. The published files stay as they are.
"""

import base64
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA65PrivateKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from mnemonic import Mnemonic

FOLDER = Path(__file__).resolve().parents[2] / "schemas" / "vectors" / "directory"
HUB = "hub.example"
NOW = 1_795_540_000
HOUR, DAY = 3600, 86_400
ROOT_TYPE = "application/vnd.accord.root.v1+json"
STATEMENT_TYPE = "application/vnd.accord.statement.v1+json"

Object = dict[str, Any]


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def sha(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def dump(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


class Signer:
    """A hybrid signing key from one number."""

    def __init__(self, number: int) -> None:
        """Make both halves."""
        self.ed = Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)
        self.ml = MLDSA65PrivateKey.from_seed_bytes(bytes([number, 1]) * 16)
        self.public = (
            self.ed.public_key().public_bytes_raw() + self.ml.public_key().public_bytes_raw()
        )
        self.kid = sha(b"accord/1/kid/sig\0" + self.public)


def kem(number: int) -> bytes:
    seed = hashlib.shake_256(bytes([number]) * 32).digest(96)
    return (
        MLKEM768PrivateKey.from_seed_bytes(seed[:64]).public_key().public_bytes_raw()
        + X25519PrivateKey.from_private_bytes(seed[64:]).public_key().public_bytes_raw()
    )


def request(number: int) -> bytes:
    return (
        Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32).public_key().public_bytes_raw()
    )


def vkey(name: str, algorithm: int, number: int) -> str:
    seed = bytes([number, algorithm]) * 16
    if algorithm == 6:
        key = MLDSA44PrivateKey.from_seed_bytes(seed).public_key().public_bytes_raw()
    else:
        key = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    kid = sha(name.encode() + b"\n" + bytes([algorithm]) + key)[:4].hex()
    return f"{name}+{kid}+{b64(bytes([algorithm]) + key)}"


def envelope(kind: str, payload: bytes, signers: list[Signer], context: bytes) -> str:
    pae = b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(payload), payload)
    signatures = []
    for signer in signers:
        keyid = b64(signer.kid)
        signatures.append({"keyid": f"{keyid}#ed25519", "sig": b64(signer.ed.sign(pae))})
        signatures.append({"keyid": f"{keyid}#ml-dsa-65", "sig": b64(signer.ml.sign(pae, context))})
    body = {"payloadType": kind, "payload": b64(payload), "signatures": signatures}
    return dump(body).decode()


REGISTRARS = [Signer(240), Signer(241), Signer(242)]
BANK, BANK_2, BANK_3, RECOVERY, RECOVERY_2 = (Signer(n) for n in (1, 2, 3, 101, 102))
STRANGER = Signer(99)


def root_object(version: int = 1, prev: bytes | None = None, **changes: Any) -> Object:
    obj: Object = {"v": 1, "hub": HUB, "version": version}
    if prev is not None:
        obj["prev"] = b64(prev)
    obj |= {
        "created": NOW,
        "logs": {
            log: [vkey(f"{HUB}/{log}", 1, number), vkey(f"{HUB}/{log}", 6, number)]
            for log, number in (("directory", 10), ("audit", 11))
        },
        "registrars": {
            "threshold": 2,
            "keys": [
                {"name": name, "key": b64(signer.public)}
                for name, signer in zip(("anna", "ben", "carla"), REGISTRARS, strict=True)
            ],
        },
        "witnesses": {
            "quorum": 1,
            "keys": [
                {
                    "name": "ngo.example/w1",
                    "vkeys": [vkey("ngo.example/w1", 4, 20), vkey("ngo.example/w1", 6, 20)],
                }
            ],
        },
    }
    return obj | changes


def root(obj: Object, *signers: Signer) -> str:
    return envelope(ROOT_TYPE, dump(obj), list(signers), b"accord/1/root")


def changed(change: Callable[[Object], object]) -> Object:
    obj = root_object()
    change(obj)
    return obj


ROOT_1 = root_object()
ROOT_2 = root_object(2, sha(dump(ROOT_1)), created=NOW + DAY)
ROOT_2["registrars"] = {"threshold": 1, "keys": [{"name": "dora", "key": b64(STRANGER.public)}]}


def roots() -> Object:
    two = REGISTRARS[:2]
    signed = root(ROOT_1, *two)
    fine = [
        ("two of three registrars", signed, None, ROOT_1),
        ("a stranger beside two registrars", root(ROOT_1, STRANGER, *two), None, ROOT_1),
        ("the next version, signed by old and new", root(ROOT_2, *two, STRANGER), signed, ROOT_2),
    ]
    bad = [
        ("one of three registrars", root(ROOT_1, REGISTRARS[0]), None, "threshold_missed"),
        ("the next version without the old", root(ROOT_2, STRANGER), signed, "threshold_missed"),
        (
            "a version left out",
            root(root_object(3, sha(dump(ROOT_1))), *two),
            signed,
            "root_not_successor",
        ),
        (
            "another context string",
            envelope(ROOT_TYPE, dump(ROOT_1), two, b"accord/1/statement"),
            None,
            "signature_wrong",
        ),
        (
            "a threshold of zero",
            root(changed(lambda obj: obj["registrars"].update(threshold=0)), *two),
            None,
            "value_invalid",
        ),
        (
            "a registrar twice",
            root(
                changed(lambda obj: obj["registrars"]["keys"].append(obj["registrars"]["keys"][0])),
                *two,
            ),
            None,
            "registrar_twice",
        ),
        (
            "vkeys in the other order",
            root(changed(lambda obj: obj["logs"]["audit"].reverse()), *two),
            None,
            "root_vkey_wrong",
        ),
        ("no witness", root(root_object(witnesses={"quorum": 1, "keys": []}), *two), None, "value_invalid"),
        ("an unknown key", root(root_object(expires=NOW), *two), None, "key_unknown"),
    ]  # fmt: skip
    return {
        "format": "accord/directory/1",
        "cases": [
            {"name": name, "root": text}
            | ({"previous": before} if before else {})
            | {"expect": {"ok": True, "sha256": b64(sha(dump(obj)))}}
            for name, text, before, obj in fine
        ]
        + [
            {"name": name, "root": text}
            | ({"previous": before} if before else {})
            | {"expect": {"code": code}}
            for name, text, before, code in bad
        ],
    }


def keys(number: int, signer: Signer, recovery: Signer | None, until: int) -> Object:
    found: Object = {
        "kem": b64(kem(number)),
        "sig": b64(signer.public),
        "request_key": b64(request(number)),
    }
    if recovery is not None:
        found["recovery"] = b64(recovery.public)
    return found | {"not_after": until}


ORDER = [
    "v",
    "org",
    "seq",
    "prev",
    "op",
    "profile",
    "kem",
    "sig",
    "request_key",
    "recovery",
    "not_before",
    "not_after",
    "roles",
    "compromised_since",
]


def payload(seq: int, op: str, at: int, prev: bytes | None = None, **fields: Any) -> bytes:
    obj: Object = {
        "v": 1,
        "org": f"first-bank@{HUB}",
        "seq": seq,
        "op": op,
        "not_before": at,
        **fields,
    }
    if prev is not None:
        obj["prev"] = b64(sha(prev))
    return dump({key: obj[key] for key in ORDER if key in obj})


def statement(data: bytes, *signers: Signer) -> str:
    return envelope(STATEMENT_TYPE, data, list(signers), b"accord/1/statement")


PROFILE = {
    "name": "First Bank",
    "kind": "financial",
    "country": "NL",
    "contact": "duty desk, +31 20 555 0100",
}
ENROL = payload(
    1, "enrol", NOW, profile=PROFILE, roles=[], **keys(1, BANK, RECOVERY, NOW + 365 * DAY)
)
ROTATE = payload(2, "rotate", NOW + DAY, ENROL, **keys(2, BANK_2, None, NOW + 365 * DAY))
SUSPEND = payload(2, "suspend", NOW + HOUR, ENROL)
RESUME = payload(3, "resume", NOW + 2 * HOUR, SUSPEND, roles=["hotline"])
RECOVER = payload(
    3,
    "recover",
    NOW + 2 * DAY,
    ROTATE,
    compromised_since=NOW + DAY,
    **keys(3, BANK_3, RECOVERY_2, NOW + 365 * DAY),
)
TOO_SOON = payload(4, "resume", NOW + 5 * DAY - 1, RECOVER)
IN_TIME = payload(4, "resume", NOW + 5 * DAY, RECOVER)
STALE = payload(3, "suspend", NOW + 2 * DAY, ENROL)
GREEDY = payload(
    2, "rotate", NOW + DAY, ENROL, recovery=b64(RECOVERY_2.public), kem=b64(kem(2)),
    not_after=NOW + 9 * DAY,
)  # fmt: skip


def point(name: str, version: int, data: bytes) -> str:
    inner = {"version": version, "sha256": b64(sha(data)), "len": len(data)}
    return dump({"v": 1, name: inner}).decode()


def leaves() -> dict[str, str]:
    two = REGISTRARS[:2]
    return {
        "enrol": statement(ENROL, BANK, *two),
        "enrol, one registrar": statement(ENROL, BANK, two[0]),
        "enrol, not by its own key": statement(ENROL, *two),
        "enrol, registrars first": statement(ENROL, *two, BANK),
        "enrol, and a stranger": statement(ENROL, BANK, *two, STRANGER),
        "rotate": statement(ROTATE, BANK_2, BANK),
        "rotate, by the new key alone": statement(ROTATE, BANK_2),
        "rotate, by a stranger": statement(ROTATE, BANK_2, STRANGER),
        "rotate the recovery key": statement(GREEDY, BANK),
        "suspend": statement(SUSPEND, REGISTRARS[2]),
        "suspend itself": statement(SUSPEND, BANK),
        "resume": statement(RESUME, *two),
        "resume, one registrar": statement(RESUME, two[0]),
        "recover": statement(RECOVER, BANK_3, RECOVERY, *two),
        "recover, without the recovery key": statement(RECOVER, BANK_3, *REGISTRARS),
        "recover, without registrars": statement(RECOVER, BANK_3, RECOVERY),
        "resume too soon": statement(TOO_SOON, *two),
        "resume in time": statement(IN_TIME, *two),
        "suspend, from an older directory": statement(STALE, REGISTRARS[0]),
        "charter 1": point("charter", 1, b"one"),
        "charter 2": point("charter", 2, b"two"),
        "root 2": point("root", 2, dump(ROOT_2)),
    }


def spans(signer: Signer, *sizes: int) -> Object:
    return {"kid": b64(signer.kid), "sizes": list(sizes)}


def replays() -> Object:
    def fine(name: str, names: list[str], status: str, seq: int, *found: Object) -> Object:
        return {
            "name": name,
            "root": "1",
            "leaves": names,
            "expect": {
                "ok": True,
                "organisations": [{"org": f"first-bank@{HUB}", "status": status, "seq": seq}],
                "signing_keys": list(found),
            },
        }

    def bad(name: str, names: list[str], at: int, code: str) -> Object:
        return {"name": name, "root": "1", "leaves": names, "expect": {"code": code, "at": at}}

    life = ["enrol", "rotate", "recover"]
    next_root = fine("the registrars change", ["enrol", "root 2"], "active", 1, spans(BANK, 1, 2))
    return {
        "format": "accord/directory/1",
        "roots": {
            "1": root(ROOT_1, *REGISTRARS[:2]),
            "2": root(ROOT_2, *REGISTRARS[:2], STRANGER),
        },
        "leaves": leaves(),
        "cases": [
            fine("enrolled", ["enrol"], "active", 1, spans(BANK, 1)),
            fine(
                "rotated",
                ["enrol", "rotate"],
                "active",
                2,
                spans(BANK, 1),
                spans(BANK_2, 2),
            ),
            fine(
                "suspended and resumed, with charters between",
                ["charter 1", "enrol", "suspend", "charter 2", "resume"],
                "active",
                3,
                spans(BANK, 2, 5),
            ),
            fine(
                "recovered, on hold",
                life,
                "suspended",
                3,
                spans(BANK, 1),
                spans(BANK_2, 2),
                spans(BANK_3),
            ),
            fine(
                "recovered and resumed",
                [*life, "resume in time"],
                "active",
                4,
                spans(BANK, 1),
                spans(BANK_2, 2),
                spans(BANK_3, 4),
            ),
            next_root | {"successors": ["2"]},
            bad("a root file that is not known", ["enrol", "root 2"], 1, "root_unknown"),
            bad("enrolled by one registrar", ["enrol, one registrar"], 0, "threshold_missed"),
            bad("a key of somebody else", ["enrol, not by its own key"], 0, "threshold_missed"),
            bad("registrars first", ["enrol, registrars first"], 0, "signer_order"),
            bad("a stranger too", ["enrol, and a stranger"], 0, "signer_not_entitled"),
            bad("enrolled twice", ["enrol", "enrol"], 1, "org_taken"),
            bad("not enrolled", ["suspend"], 0, "org_not_enrolled"),
            bad("the new key alone", ["enrol", "rotate, by the new key alone"], 1, "threshold_missed"),
            bad("a stranger rotates", ["enrol", "rotate, by a stranger"], 1, "signer_not_entitled"),
            bad("a rotation too far", ["enrol", "rotate the recovery key"], 1, "op_field"),
            bad("suspends itself", ["enrol", "suspend itself"], 1, "signer_not_entitled"),
            bad("one registrar resumes", ["enrol", "suspend", "resume, one registrar"], 2, "threshold_missed"),
            bad("rotated while suspended", ["enrol", "suspend", "rotate"], 2, "statement_stale"),
            bad("registrars alone recover", [*life[:2], "recover, without the recovery key"], 2, "threshold_missed"),
            bad("recovery key alone", [*life[:2], "recover, without registrars"], 2, "threshold_missed"),
            bad("resumed before 72 hours", [*life, "resume too soon"], 3, "hold_not_over"),
            bad("a stale statement", [*life[:2], "suspend, from an older directory"], 2, "statement_stale"),
            bad("an older charter", ["charter 2", "charter 1"], 1, "charter_order"),
        ],
    }  # fmt: skip


def six_words(first: bytes, second: bytes) -> list[str]:
    label = b"accord/1/words\0"
    digest = sha(label + sha(first) + sha(second))
    key = hashlib.scrypt(digest, salt=label, n=2**15, r=8, p=1, maxmem=2**26, dklen=32)
    bits = "".join(f"{byte:08b}" for byte in key)
    names = Mnemonic("english").wordlist
    return [names[int(bits[at : at + 11], 2)] for at in range(0, 66, 11)]


def words() -> Object:
    pairs = [
        ("short texts", b"root", b"statement"),
        ("a root file and an enrolment", dump(ROOT_1), ENROL),
        ("another enrolment", dump(ROOT_1), ROTATE),
    ]
    return {
        "format": "accord/directory/1",
        "cases": [
            {
                "name": name,
                "root_payload": first.decode(),
                "statement_payload": second.decode(),
                "expect": {"words": six_words(first, second)},
            }
            for name, first, second in pairs
        ],
    }


def said(kind: str, obj: Object, *signers: Signer, context: str | None = None) -> str:
    label = f"accord/1/{kind}" if context is None else context
    payload_type = f"application/vnd.accord.{kind}.v1+json"
    return envelope(payload_type, dump(obj), list(signers), label.encode())


def acknowledgement(**changes: Any) -> Object:
    item = {
        "id": "019a0000-0000-7000-8000-000000000001",
        "manifest": b64(bytes(32)),
        "state": "opened",
        "time": NOW,
    }
    return {"v": 1, "org": f"first-bank@{HUB}", "created": NOW, "items": [item]} | changes


def tally(*cells: Object, **changes: Any) -> Object:
    empty = {"v": 1, "org": f"first-bank@{HUB}", "month": "2026-10", "created": NOW}
    return empty | {"cells": list(cells)} | changes


REFUSED = {
    "id": "019a0000-0000-7000-8000-000000000002",
    "manifest": b64(bytes(32)),
    "state": "refused",
    "code": "root_wrong",
    "time": NOW,
}
DOMAIN = {"kind": "domain", "role": "unknown", "records": 3}
WALLET = {"kind": "wallet", "network": "btc", "role": "payment", "country": "NL", "records": 12}


def statements() -> Object:
    """Acknowledgements and tallies; ``signers`` are the keys that the directory knows."""
    uncoded = {key: value for key, value in REFUSED.items() if key != "code"}
    first, second = "acknowledgement", "tally"
    rows: list[tuple[str, str, str, str | None]] = [
        ("opened", first, said(first, acknowledgement(), BANK), None),
        ("refused with its code", first, said(first, acknowledgement(items=[REFUSED]), BANK), None),
        ("by another organisation", first, said(first, acknowledgement(), STRANGER), "signer_not_org"),
        ("by an unknown key", first, said(first, acknowledgement(), RECOVERY), "key_unknown"),
        ("by two", first, said(first, acknowledgement(), BANK, STRANGER), "signer_count"),
        ("another context string", first, said(first, acknowledgement(), BANK, context="accord/1/tally"), "signature_wrong"),
        ("refused without a code", first, said(first, acknowledgement(items=[uncoded]), BANK), "refusal_code_invalid"),
        ("a code where none belongs", first, said(first, acknowledgement(items=[REFUSED | {"state": "opened"}]), BANK), "refusal_code_invalid"),
        ("one outcome twice", first, said(first, acknowledgement(items=[REFUSED, REFUSED]), BANK), "item_twice"),
        ("no item", first, said(first, acknowledgement(items=[]), BANK), "value_invalid"),
        ("an unknown state", first, said(first, acknowledgement(items=[uncoded | {"state": "read"}]), BANK), "outcome_unknown"),
        ("two cells", second, said(second, tally(DOMAIN, WALLET), BANK), None),
        ("nothing shared", second, said(second, tally(), BANK), None),
        ("in another's name", second, said(second, tally(), STRANGER), "signer_not_org"),
        ("cells in the other order", second, said(second, tally(WALLET, DOMAIN), BANK), "cell_order"),
        ("a cell twice", second, said(second, tally(DOMAIN, DOMAIN), BANK), "cell_order"),
        ("a month that is not over", second, said(second, tally(month="2026-11"), BANK), "month_open"),
        ("a wallet without network", second, said(second, tally({"kind": "wallet", "role": "payment", "records": 1}), BANK), "network_misplaced"),
        ("a count of zero", second, said(second, tally(DOMAIN | {"records": 0}), BANK), "value_invalid"),
        ("a value in a cell", second, said(second, tally(DOMAIN | {"value": "x"}), BANK), "key_unknown"),
    ]  # fmt: skip
    return {
        "format": "accord/directory/1",
        "signers": [
            {"org": f"first-bank@{HUB}", "key": b64(BANK.public)},
            {"org": f"other@{HUB}", "key": b64(STRANGER.public)},
        ],
        "cases": [
            {
                "name": name,
                "kind": kind,
                "signed": text,
                "expect": {"ok": True} if code is None else {"code": code},
            }
            for name, kind, text, code in rows
        ],
    }


CHARTER = """format = 1
version = 7
name = "Vectors"

[[rule]]
name = "reports"
words = "Banks report to the police of their own country."
from = ["financial"]
to = ["law_enforcement"]
kinds = ["indicators"]
max_tlp = "amber"
purposes = ["investigation"]
jurisdictions = ["same", "DE"]
onward = ["none"]
approval = true
retention_days = 30

[[rule]]
name = "hotlines"
words = "Hotlines warn banks, and banks answer them."
from = ["ngo", "financial"]
from_capabilities = ["hotline"]
to = ["financial"]
kinds = ["indicators", "sighting"]
reply_only = true
max_tlp = "red"
purposes = ["prevention"]
jurisdictions = ["any"]
onward = ["none", "ask-first"]
approval = false
retention_days = 365

[[grant]]
name = "summaries"
words = "NGOs see summaries."
kinds = ["ngo"]
actions = ["summary:view"]
"""


def party(name: str, kind: str, country: str = "NL", *capabilities: str) -> Object:
    return {
        "org": f"{name}@{HUB}",
        "kind": kind,
        "country": country,
        "capabilities": list(capabilities),
    }


def question(sender: Object, *to: Object, **changes: Any) -> Object:
    return {
        "sender": sender,
        "recipients": list(to),
        "kind": "indicators",
        "tlp": "amber",
        "purpose": "investigation",
        "onward": "none",
        "lifetime": 30 * DAY,
        "replies_to": [],
        "recalls": False,
    } | changes


def charters() -> Object:
    bank, police = party("bank", "financial"), party("police", "law_enforcement")
    force, french = party("force", "law_enforcement", "DE"), party("fr", "law_enforcement", "FR")
    hotline, ngo = party("line", "ngo", "NL", "hotline"), party("ngo", "ngo")
    warning = {"purpose": "prevention", "replies_to": [bank["org"]]}

    def swap(name: str, old: str, new: str, code: str) -> Object:
        if old not in CHARTER:
            raise ValueError(old)
        return {"name": name, "charter": CHARTER.replace(old, new, 1), "expect": {"code": code}}

    asked: list[tuple[str, Object, str, str]] = [
        ("the same country", question(bank, police), "allowed", "reports"),
        ("a country that is named", question(bank, force, police), "allowed", "reports"),
        ("another country", question(bank, french), "charter_jurisdiction", "reports"),
        ("one of two not covered", question(bank, police, french), "charter_jurisdiction", "reports"),
        ("nobody", question(bank), "charter_no_recipient", ""),
        ("itself", question(bank, bank), "charter_self", ""),
        ("a kind that sends nothing", question(police, bank), "charter_sender", ""),
        ("a kind that gets nothing", question(bank, ngo), "charter_recipient", ""),
        ("a kind of bundle", question(bank, police, kind="list"), "charter_kind", ""),
        ("too narrow a marking", question(bank, police, tlp="amber+strict"), "charter_tlp", "reports"),
        ("a wider marking", question(bank, police, tlp="clear"), "allowed", "reports"),
        ("another purpose", question(bank, police, purpose="prevention"), "charter_purpose", "reports"),
        ("onward", question(bank, police, onward="ask-first"), "charter_onward", "reports"),
        ("a second too long", question(bank, police, lifetime=30 * DAY + 1), "charter_retention", "reports"),
        ("not approved", question(bank, police, approved=False), "charter_approval", "reports"),
        ("approved", question(bank, police, approved=True), "allowed", "reports"),
        ("an answer", question(hotline, bank, **warning), "allowed", "hotlines"),
        ("no answer", question(hotline, bank, purpose="prevention"), "charter_reply", "hotlines"),
        ("no hotline", question(ngo, bank, **warning), "charter_capability", "hotlines"),
        ("a recall", question(ngo, bank, kind="retraction", recalls=True), "allowed", "recall"),
        ("a retraction that is none", question(ngo, bank, kind="retraction"), "charter_kind", ""),
    ]  # fmt: skip
    return {
        "format": "accord/directory/1",
        "charter": CHARTER,
        "sha256": b64(sha(CHARTER.encode())),
        "questions": [
            {"name": name, "question": told, "expect": {"code": code, "rule": rule}}
            for name, told, code, rule in asked
        ],
        "cases": [
            swap("no TOML", "version = 7", "version = ", "toml_invalid"),
            swap("an unknown key", "version = 7", "version = 7\nauthor = 'x'", "key_unknown"),
            swap("a missing key", 'max_tlp = "amber"\n', "", "key_missing"),
            swap("an unknown marking", '"amber"', '"yellow"', "tlp_unknown"),
            swap("an unknown kind", '"indicators"', '"files"', "bundle_kind_unknown"),
            swap("an unknown action", "summary:view", "bundle:view", "action_unknown"),
            swap("an empty list", 'from = ["financial"]', "from = []", "value_invalid"),
            swap("a word twice", '["same", "DE"]', '["DE", "DE"]', "value_invalid"),
            swap("a name twice", '"hotlines"', '"reports"', "name_twice"),
            swap("a number for a flag", "approval = true", "approval = 1", "value_invalid"),
            swap("kept too long", "days = 365", "days = 3651", "value_invalid"),
        ],
    }


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, content in (
        ("roots", roots()),
        ("replays", replays()),
        ("words", words()),
        ("statements", statements()),
        ("charters", charters()),
    ):
        text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
        path = FOLDER / f"{name}.json"
        if not path.exists():
            path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
