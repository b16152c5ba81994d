"""Make schemas/vectors/tlog: notes, policies, trees, leaves, proofs and requests with their answers.

``python -m tests.support.make_tlog_vectors DIRECTORY`` writes the files. ML-DSA-44 signatures are
hedged, so each run gives other signature bytes under the same keys; a published file never
changes, a new case goes into a new file. Keys come from the seeds that each file names.

A case has ``name``, its input and ``expect``: the answer, or ``{"error": code}``. Text is as is
(``note``, ``policy``, ``proof``, ``request``, ``record``); 32-byte values and entries are base64.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.support.logs import LOG_KEYS, NOW, ORIGIN, WITNESSES, MadeLog, numbered, policy, seed

from accord.kernel.encoding import b64encode
from accord.kernel.tlog import leaf, merkle
from accord.kernel.tlog.checkpoint import Checkpoint, add_cosignatures
from accord.kernel.tlog.notes import LogKeyPair, parse_note
from accord.kernel.tlog.policy import format_policy
from accord.kernel.tlog.proof import format_proof
from accord.kernel.tlog.submission import format_submission

Case = dict[str, Any]
TREE_SIZES = (1, 2, 3, 7, 8, 255, 256, 257, 600)
LOG = MadeLog().append(numbered(300))
NOTE = LOG.sign().decode()
COSIGNED = LOG.sign(witnesses=2).decode()
POLICY = format_policy(policy(2))
GREASE = "— grease.example AAAAAAECAwQF\n"


def error(code: str) -> Case:
    return {"error": code}


def keys() -> Case:
    """Return the seeds and public keys that the cases use."""
    return {
        "log": {
            "name": ORIGIN,
            "ed25519_seed": b64encode(LOG_KEYS.ed25519_seed),
            "ml_dsa_44_seed": b64encode(LOG_KEYS.mldsa44_seed),
            "vkeys": list(LOG_KEYS.vkeys),
        },
        "witnesses": [
            {
                "name": witness.name,
                "ed25519_seed": b64encode(witness.seeds[0]),
                "ml_dsa_44_seed": b64encode(witness.seeds[1]),
                "vkeys": list(witness.vkeys),
            }
            for witness in WITNESSES
        ],
    }


def signed_checkpoint(size: int, root: bytes) -> str:
    return LOG_KEYS.sign(Checkpoint(origin=ORIGIN, size=size, root=root), NOW).decode()


def checkpoints() -> list[Case]:
    """Notes to be verified as checkpoints of the log, under both of its keys."""
    parsed = parse_note(NOTE.encode())
    body = parsed.body.decode()
    lines = [line.line().decode() for line in parsed.signatures]
    good = {"origin": ORIGIN, "size": 300, "root": b64encode(LOG.checkpoint.root)}
    thief = MadeLog(LogKeyPair(ORIGIN, seed(1), seed(2))).append(numbered(300)).sign().decode()
    root = b64encode(LOG.checkpoint.root)
    cases = [
        ("signed by both keys", NOTE, good),
        ("signatures in another order", body + "\n" + lines[1] + lines[0], good),
        ("a line of an unknown key", NOTE + GREASE, good),
        ("lines of witnesses", COSIGNED, good),
        ("the empty tree", signed_checkpoint(0, merkle.EMPTY_ROOT),
         {"origin": ORIGIN, "size": 0, "root": b64encode(merkle.EMPTY_ROOT)}),
        ("the empty tree with another root", signed_checkpoint(0, bytes(32)), error("checkpoint_root_wrong")),
        ("without the ML-DSA-44 signature", body + "\n" + lines[0], error("log_signature_missing")),
        ("without the Ed25519 signature", body + "\n" + lines[1], error("log_signature_missing")),
        ("keys of the same name that are not the log's", thief, error("log_signature_missing")),
        ("another size under the signatures", NOTE.replace("\n300\n", "\n301\n", 1), error("note_signature_wrong")),
        ("a key signs twice", NOTE + lines[0], error("note_signature_twice")),
        ("another origin", NOTE.replace(ORIGIN, "hub.example/audi7", 1), error("origin_other")),
        ("an extension line", NOTE.replace(f"{root}\n", f"{root}\nmore\n", 1), error("checkpoint_extension")),
        ("a leading zero", NOTE.replace("\n300\n", "\n0300\n", 1), error("checkpoint_malformed")),
        ("a plus sign", NOTE.replace("\n300\n", "\n+300\n", 1), error("checkpoint_malformed")),
        ("a space after the size", NOTE.replace("\n300\n", "\n300 \n", 1), error("checkpoint_malformed")),
        ("size 2^63", NOTE.replace("\n300\n", "\n9223372036854775808\n", 1), error("checkpoint_malformed")),
        ("a root of 31 bytes", NOTE.replace(root, b64encode(bytes(31)), 1), error("base64_invalid")),
        ("a root without padding", NOTE.replace(root, root.rstrip("="), 1), error("base64_invalid")),
        ("CR LF", NOTE.replace("\n", "\r\n"), error("note_malformed")),
        ("no blank line", body + lines[0], error("note_malformed")),
        ("no signature line", body + "\n", error("note_malformed")),
        ("a hyphen instead of the em dash", NOTE.replace("—", "-"), error("note_malformed")),
        ("no LF at the end", NOTE[:-1], error("note_malformed")),
        ("a signature without padding", body + "\n" + lines[0].rstrip("=\n") + "\n" + lines[1], error("note_malformed")),
        ("a key name with a plus sign", NOTE + "— a+b AAAAAAECAwQF\n", error("note_name_invalid")),
    ]  # fmt: skip
    return [
        {"name": name, "note": note, "origin": ORIGIN, "expect": expect}
        for name, note, expect in cases
    ]


def cosigned() -> list[Case]:
    """Checkpoints to be verified under a policy: two of three witnesses with both keys."""
    other = MadeLog().append(numbered(300, start=1)).checkpoint
    half = WITNESSES[1].cosign(LOG.checkpoint, NOW).splitlines(keepends=True)
    spoiled = add_cosignatures(COSIGNED.encode(), WITNESSES[2].cosign(other, NOW)).decode()
    one = LOG.sign(witnesses=1)
    good = {"size": 300, "witnessed": NOW}
    cases = [
        ("two of three", COSIGNED, NOW, 60, good),
        ("three of three", LOG.sign(witnesses=3).decode(), NOW, 60, good),
        ("just young enough", COSIGNED, NOW + 60, 60, good),
        ("too old", COSIGNED, NOW + 61, 60, error("quorum_missing")),
        ("300 seconds ahead", COSIGNED, NOW - 300, 60, good),
        ("301 seconds ahead", COSIGNED, NOW - 301, 60, error("quorum_missing")),
        ("one of three", one.decode(), NOW, 60, error("quorum_missing")),
        ("the second with its Ed25519 key only", add_cosignatures(one, half[0]).decode(), NOW, 60,
         error("quorum_missing")),
        ("the second with its ML-DSA-44 key only", add_cosignatures(one, half[1]).decode(), NOW, 60,
         error("quorum_missing")),
        ("a third that signed another tree", spoiled, NOW, 60, error("note_signature_wrong")),
        ("cosigned but not by the log", COSIGNED.replace(NOTE.split("\n\n")[1].split("\n")[0] + "\n", ""),
         NOW, 60, error("log_signature_missing")),
    ]  # fmt: skip
    return [
        {"name": name, "note": note, "policy": POLICY, "now": now, "max_age": age, "expect": expect}
        for name, note, now, age, expect in cases
    ]


def policies() -> list[Case]:
    """Policy files; ``met`` lists sets of policy names that are the quorum, ``unmet`` that are not."""
    vkeys = [witness.vkeys[0] for witness in WITNESSES]
    logs = f"log {LOG_KEYS.vkeys[0]}\n"
    one, two, three = (f"witness w{n} {vkey}\n" for n, vkey in enumerate(vkeys))
    nested = f"{one}{two}group a any w0 w1\n{three}group b all a w2\nquorum b\n"
    good = [
        ("no witness asked for", logs + "quorum none\n", [[]], []),
        ("one witness", one + "quorum w0\n", [["w0"]], [[], ["w1"]]),
        ("comments, tabs and blank lines", f"# c\n\t\n  {one}\t quorum\tw0 \n", [["w0"]], [[]]),
        ("nested groups", nested, [["w0", "w2"], ["w1", "w2"]], [["w0", "w1"], ["w2"], ["a", "w2"]]),
        ("two of three, each with both keys", POLICY,
         [[f"w{n}.example#{k}" for n in (0, 1) for k in (4, 6)]],
         [[f"w{n}.example#4" for n in (0, 1, 2)], [f"w0.example#{k}" for k in (4, 6)]]),
    ]  # fmt: skip
    bad = [
        ("nothing", ""),
        ("no LF at the end", "quorum none"),
        ("CR LF", "quorum none\r\n"),
        ("two quorum lines", "quorum none\nquorum none\n"),
        ("an unknown quorum", "quorum w0\n"),
        ("a name before its definition", "quorum w0\n" + one),
        ("an unknown word", one + "member w0\nquorum w0\n"),
        ("a group of none", one + "group g all none\nquorum g\n"),
        ("an empty group", one + "group g all\nquorum g\n"),
        ("none of one", one + "group g 0 w0\nquorum g\n"),
        ("two of one", one + "group g 2 w0\nquorum g\n"),
        ("a number with a leading zero", one + "group g 01 w0\nquorum g\n"),
        ("a member twice", one + "group g all w0 w0\nquorum g\n"),
        ("a member of two groups", one + two + "group g all w0\ngroup h all w0 w1\nquorum h\n"),
        ("one key under two names", one + one.replace("w0 ", "w1 ", 1) + "quorum w0\n"),
        ("a witness key as log", f"log {vkeys[0]}\nquorum none\n"),
        ("a log key as witness", f"witness w0 {LOG_KEYS.vkeys[0]}\nquorum w0\n"),
        ("a log line twice", logs + logs + "quorum none\n"),
    ]
    return [
        {"name": name, "policy": text, "expect": {"met": met, "unmet": unmet}}
        for name, text, met, unmet in good
    ] + [{"name": name, "policy": text, "expect": error("policy_invalid")} for name, text in bad]


def trees() -> list[Case]:
    """Trees of the entries ``entry 0``, ``entry 1``, …: roots, served paths, proofs."""
    cases = []
    for size in TREE_SIZES:
        log = MadeLog().append(numbered(size))
        picks = sorted({0, size // 2, size - 1})
        cases.append(
            {
                "name": f"{size} entries",
                "size": size,
                "expect": {
                    "root": b64encode(log.edge.root()),
                    "files": sorted(log.files),
                    "inclusion": {str(at): _texts(log.inclusion(at)) for at in picks},
                    "consistency": {
                        str(old): _texts(log.consistency(old))
                        for old in sorted({1, (size + 1) // 2, size})
                    },
                },
            }
        )
    return cases


def _texts(hashes: Sequence[bytes]) -> list[str]:
    return [b64encode(one) for one in hashes]


def paths() -> list[Case]:
    """Paths of tiles and bundles; ``level`` null is an entry bundle."""
    good = [
        ("tile/0/000", 0, 0, 256), ("tile/0/x001/x234/067", 0, 1_234_067, 256),
        ("tile/1/273.p/112", 1, 273, 112), ("tile/7/000.p/127", 7, 0, 127),
        ("tile/entries/000.p/44", None, 0, 44), ("tile/entries/x001/000", None, 1000, 256),
    ]  # fmt: skip
    bad = [
        "", "/tile/0/000", "tile/0/0", "tile/0/0000", "tile/00/000", "tile/8/000",
        "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/01", "tile/0/x000/000",
        "tile/0/001/000", "tile/0/../000", "tile/data/000", "tile/0/000\n",
    ]  # fmt: skip
    return [
        {"name": path, "path": path, "expect": {"level": level, "index": index, "width": width}}
        for path, level, index, width in good
    ] + [
        {"name": path or "nothing", "path": path, "expect": error("tile_path_invalid")}
        for path in bad
    ]


def leaves() -> list[Case]:
    """Records behind a leaf, whole, with fields closed, and wrong."""
    record = leaf.RecordFields(
        entry_id=bytes(range(16)),
        leaf_class=0,
        fields=tuple(
            leaf.Opening(field=name, value=value, nonce=bytes([number]) * 32)
            for number, (name, value) in enumerate(
                {"org": "first-bank@hub.example", "person": "Zoë", "action": "search", "note": ""}.items()
            )
        ),
    )  # fmt: skip
    made = b64encode(record.leaf())
    text = leaf.format_record(record).decode()
    erased = leaf.format_record(record.close({"person"})).decode()
    everything = leaf.format_record(record.close(record.opened())).decode()
    opened = record.opened()
    cases = [
        ("all fields open", text, made, opened),
        ("the person erased", erased, made, {k: v for k, v in opened.items() if k != "person"}),
        ("everything closed", everything, made, {}),
        ("another value", text.replace("search", "export"), made, error("opening_wrong")),
        ("another name", text.replace('"action"', '"reason"'), made, error("opening_wrong")),
        ("another class", text.replace('"class":0', '"class":1'), made, error("opening_wrong")),
        ("a leaf of version 2", text, b64encode(b"\x02" + record.leaf()[1:]), error("leaf_invalid")),
        ("a leaf of 33 bytes", text, b64encode(record.leaf()[:-1]), error("leaf_invalid")),
        ("a name twice", text.replace('"action"', '"org"'), made, error("opening_invalid")),
        ("white space", text.replace(",", ", "), made, error("json_not_canonical")),
        ("a key too many", text.replace('"v":1,', '"v":1,"w":1,'), made, error("key_unknown")),
        ("no fields", text.split('"fields"')[0] + '"fields":[]}', made, error("value_invalid")),
        ("a short nonce", text.replace(b64encode(bytes(32)), b64encode(bytes(31))), made,
         error("base64_invalid")),
    ]  # fmt: skip
    return [
        {"name": name, "record": one, "leaf": entry, "expect": expect}
        for name, one, entry, expect in cases
    ]


def proofs() -> list[Case]:
    """Proofs to be verified for an entry under the policy of two of three witnesses."""
    log_note = COSIGNED.encode()
    data = format_proof(257, LOG.inclusion(257), log_note).decode()
    extra = format_proof(0, LOG.inclusion(0), log_note, extra=b"openings").decode()
    step = b64encode(LOG.inclusion(257)[0])
    cases = [
        ("entry 257", data, b"entry 257", {"index": 257, "size": 300}),
        ("entry 0 with extra data", extra, b"entry 0", {"index": 0, "size": 300}),
        ("of another entry", data, b"entry 256", error("inclusion_wrong")),
        ("another index", data.replace("index 257", "index 256"), b"entry 257", error("inclusion_wrong")),
        ("an index outside the tree", data.replace("index 257", "index 300"), b"entry 257",
         error("inclusion_wrong")),
        ("a step too few", data.replace(f"{step}\n", "", 1), b"entry 257", error("inclusion_wrong")),
        ("a step too many", data.replace(f"{step}\n", f"{step}\n" * 2, 1), b"entry 257",
         error("inclusion_wrong")),
        ("without quorum", format_proof(257, LOG.inclusion(257), NOTE.encode()).decode(), b"entry 257",
         error("quorum_missing")),
        ("another version", data.replace("@v1", "@v2"), b"entry 257", error("proof_malformed")),
        ("a leading zero", data.replace("index 257", "index 0257"), b"entry 257", error("proof_malformed")),
        ("no index", data.replace("index 257\n", ""), b"entry 257", error("proof_malformed")),
        ("empty extra data", data.replace("index", "extra \nindex"), b"entry 257", error("proof_malformed")),
        ("64 steps", data.replace(f"{step}\n", f"{step}\n" * 64, 1), b"entry 257", error("proof_malformed")),
        ("a step of 3 bytes", data.replace(step, "AAAA", 1), b"entry 257", error("base64_invalid")),
    ]  # fmt: skip
    return [
        {"name": name, "proof": one, "entry": b64encode(entry), "policy": POLICY, "expect": expect}
        for name, one, entry, expect in cases
    ]


def witnessing() -> list[Case]:
    """Requests to one witness of the log, in this order, with status and, for 409, the size."""
    log = MadeLog().append(numbered(300))
    first = log.sign()
    start = format_submission(0, [], first).decode()
    log.append(numbered(10, start=300))
    second, proof = log.sign(), log.consistency(300)
    fork = MadeLog().append(numbered(310, start=1)).sign()
    stranger = MadeLog(LogKeyPair("other.example/log", seed(1), seed(2))).sign()
    unsigned = parse_note(first)
    half = unsigned.body + b"\n" + unsigned.signatures[0].line()
    steps: list[tuple[str, str, int, int | None]] = [
        ("no request at all", "x", 400, None),
        ("old above the new size", start.replace("old 0", "old 301"), 400, None),
        ("old with a leading zero", start.replace("old 0", "old 00"), 400, None),
        ("64 proof lines", start.replace("old 0\n", "old 0\n" + f"{b64encode(bytes(32))}\n" * 64), 400, None),
        ("a log that it does not follow", format_submission(0, [], stranger).decode(), 404, None),
        ("one of two log signatures", format_submission(0, [], half).decode(), 403, None),
        ("a size that it never cosigned", format_submission(5, [], first).decode(), 409, 0),
        ("a proof from size 0", format_submission(0, [bytes(32)], first).decode(), 422, None),
        ("the empty tree with another root",
         format_submission(0, [], signed_checkpoint(0, bytes(32)).encode()).decode(), 422, None),
        ("the first tree", start, 200, None),
        ("the first tree again from size 0", start, 409, 300),
        ("the first tree again from its size", format_submission(300, [], first).decode(), 200, None),
        ("no proof", format_submission(300, [], second).decode(), 422, None),
        ("a proof with a step too few", format_submission(300, proof[:-1], second).decode(), 422, None),
        ("a tree that does not continue", format_submission(300, proof, fork).decode(), 422, None),
        ("the tree that continues", format_submission(300, proof, second).decode(), 200, None),
        ("another tree of that size", format_submission(310, [], fork).decode(), 422, None),
        ("back to the first tree", format_submission(300, [], first).decode(), 409, 310),
    ]  # fmt: skip
    return [
        {
            "name": name,
            "request": request,
            "expect": {"status": status} | ({} if size is None else {"size": size}),
        }
        for name, request, status, size in steps
    ]


def files() -> Mapping[str, Case]:
    """Return every file's content by name."""
    cases = {
        "checkpoints": checkpoints(),
        "cosigned": cosigned(),
        "policies": policies(),
        "trees": trees(),
        "paths": paths(),
        "leaves": leaves(),
        "proofs": proofs(),
        "witnessing": witnessing(),
    }
    return {
        f"{name}.json": {"format": "logs, docs/formats/log.md", "keys": keys(), "cases": made}
        for name, made in cases.items()
    }


def main(folder: Path) -> None:
    """Write the files that are not there yet."""
    for name, content in files().items():
        path = folder / name
        if not path.exists():
            path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
