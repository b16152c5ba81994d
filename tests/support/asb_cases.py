"""The cases of the ASB/1 vectors: what is sent, and what a strict reader answers.

Each builder returns cases of one part of the format, in the order of the format. Codes are those
of docs/formats/bundle.md.
"""

import copy
import json
import struct
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.support.asb_recipes import (
    ALICE,
    HEAD,
    LINES,
    MALLORY,
    NOW,
    OUTSIDER,
    READERS,
    SALT,
    STRANGER,
    Case,
    Recipe,
    flipped,
    header_of,
    honest,
    payload,
)
from tests.support.asb_reference import (
    CHUNK,
    MAGIC,
    TRIMMED_MAGIC,
    Body,
    Coins,
    Sealed,
    b64,
    compact,
    content_root,
    entry,
    inner,
    record_salts,
    repeated_frame,
    sha256,
    signed,
    stored_frame,
    tree_path,
)

OK = {"verify": "ok", "open": "ok"}


def refused_by_hub(name: str, data: bytes, code: str) -> Case:
    return Case(name=name, bundle=data, expect={"verify": code})


def refused_by_desk(
    name: str, sealed: Sealed, code: str, *, index: int = 0, recipient: str | None = None
) -> Case:
    """The hub cannot see it; the recipient of entry ``index`` does."""
    return Case(
        name=name,
        bundle=sealed.data(),
        entry=index,
        recipient=recipient or READERS[index].org,
        expect={"verify": "ok", "open": code},
    )


def refused_delivery(name: str, delivery: bytes, code: str) -> Case:
    return Case(name=name, delivery=delivery, expect={"open": code})


def accepted(
    name: str, sealed: Sealed, *, index: int = 0, quarantined: list[int] | None = None
) -> Case:
    return Case(
        name=name,
        bundle=sealed.data(),
        delivery=sealed.trimmed(index),
        entry=index,
        recipient=READERS[index].org,
        expect=OK,
        quarantined=quarantined or [],
    )


def framing() -> list[Case]:
    good = honest()
    data, head = good.data(), len(good.header)
    dsse_at = 12 + head
    entries_at = dsse_at + 4 + len(good.dsse)
    body_at = len(data) - len(good.body) - 8
    cuts = {
        "in the magic": 5,
        "in the header's length": 10,
        "in the header": 60,
        "in the signatures": dsse_at + 100,
        "in the number of entries": entries_at + 2,
        "in an entry": entries_at + 50,
        "in the body's length": body_at + 3,
        "one byte before the end": len(data) - 1,
    }

    def number(at: int, form: str, value: int) -> bytes:
        return data[:at] + struct.pack(form, value) + data[at + struct.calcsize(form) :]

    cases = [
        ("an empty file", b"", "bundle_truncated"),
        ("another magic", flipped(data, 0), "bundle_magic"),
        (
            "the magic of a later container",
            MAGIC.replace(b"ASB", b"ASC") + data[8:],
            "bundle_magic",
        ),
        ("a delivery where a bundle is expected", good.trimmed(0), "bundle_magic"),
        *((f"cut {where}", data[:at], "bundle_truncated") for where, at in cuts.items()),
        ("one byte after the end", data + b"\0", "bundle_trailing"),
        ("a header longer than 64 KiB", number(8, ">I", 65_537), "header_too_long"),
        ("an empty header", number(8, ">I", 0), "json_invalid"),
        ("signatures longer than 32 KiB", number(dsse_at, ">I", 32_769), "dsse_too_long"),
        ("no recipient entry", data[:entries_at] + bytes(4) + data[body_at:], "recipients_count"),
        ("513 recipient entries", number(entries_at, ">I", 513), "recipients_count"),
        ("an entry of no byte", number(entries_at + 4, ">H", 0), "entry_invalid"),
        (
            "a body that says one byte more",
            number(body_at, ">Q", len(good.body) + 1),
            "bundle_truncated",
        ),
        (
            "a body that says one byte less",
            number(body_at, ">Q", len(good.body) - 1),
            "bundle_trailing",
        ),
        ("a body longer than 256 MiB", number(body_at, ">Q", (1 << 28) + 1), "body_too_long"),
        ("a body of 2^64 - 1 bytes", number(body_at, ">Q", (1 << 64) - 1), "body_too_long"),
    ]
    return [refused_by_hub(*case) for case in cases]


def signatures() -> list[Case]:
    good = honest()
    manifest = compact(good.manifest())
    envelope = json.loads(good.dsse)

    def with_dsse(dsse: object) -> bytes:
        raw = dsse if isinstance(dsse, bytes) else compact(dsse)
        return replace(good, dsse=raw).data()

    def changed(change: Callable[[dict[str, list[dict[str, str]]]], object]) -> bytes:
        obj = copy.deepcopy(envelope)
        change(obj)
        return with_dsse(obj)

    def spoiled(which: int) -> Callable[[dict[str, list[dict[str, str]]]], object]:
        def change(obj: dict[str, list[dict[str, str]]]) -> None:
            text = obj["signatures"][which]["sig"]
            obj["signatures"][which]["sig"] = ("B" if text[0] == "A" else "A") + text[1:]

        return change

    def manifest_case(name: str, change: Callable[[dict[str, Any]], object], code: str) -> Case:
        obj = copy.deepcopy(good.manifest())
        change(obj)
        return refused_by_hub(name, with_dsse(signed(compact(obj), ALICE)), code)

    by_mallory = json.loads(compact(signed(manifest, MALLORY)))
    plain = good.dsse
    cases = [
        ("one bit of the Ed25519 signature changed", changed(spoiled(0)), "signature_wrong"),
        ("one bit of the ML-DSA signature changed", changed(spoiled(1)), "signature_wrong"),
        (
            "the Ed25519 signature taken away",
            changed(lambda o: o["signatures"].pop(0)),
            "signature_order",
        ),
        (
            "the ML-DSA signature taken away",
            changed(lambda o: o["signatures"].pop(1)),
            "signature_order",
        ),
        ("no signature", changed(lambda o: o["signatures"].clear()), "signers_empty"),
        (
            "the signatures in the other order",
            changed(lambda o: o["signatures"].reverse()),
            "signature_order",
        ),
        (
            "three signatures",
            changed(lambda o: o["signatures"].append(o["signatures"][0])),
            "signature_order",
        ),
        (
            "the pair twice",
            changed(lambda o: o["signatures"].extend(o["signatures"])),
            "signer_twice",
        ),
        (
            "a second signer beside the first",
            changed(lambda o: o["signatures"].extend(by_mallory["signatures"])),
            "signers_not_one",
        ),
        (
            "halves of two signers",
            changed(lambda o: o["signatures"].__setitem__(1, by_mallory["signatures"][1])),
            "signature_order",
        ),
        (
            "another ML-DSA context string",
            with_dsse(signed(manifest, ALICE, context=b"accord/1/other")),
            "signature_wrong",
        ),
        (
            "no ML-DSA context string",
            with_dsse(signed(manifest, ALICE, context=b"")),
            "signature_wrong",
        ),
        (
            "another payload type, not signed",
            with_dsse(plain.replace(b"manifest.v1", b"manifest.v2")),
            "payload_type_wrong",
        ),
        (
            "another payload type, signed",
            with_dsse(signed(manifest, ALICE, payload_type="application/vnd.in-toto+json")),
            "payload_type_wrong",
        ),
        (
            "a key that the directory does not know",
            with_dsse(signed(manifest, STRANGER)),
            "signer_unknown",
        ),
        (
            "a known key id over a stranger's signatures",
            with_dsse(signed(manifest, STRANGER, kid=ALICE.kid)),
            "signature_wrong",
        ),
        (
            "signed by another member than the sender",
            with_dsse(signed(manifest, MALLORY)),
            "signer_not_sender",
        ),
        (
            "base64 with a line break",
            with_dsse(plain.replace(b'"payload":"', b'"payload":"\\n')),
            "base64_invalid",
        ),
        (
            "a key twice in the envelope",
            with_dsse(plain[:-1] + b',"payload":"AAAA"}'),
            "json_invalid",
        ),
        ("an unknown key in the envelope", with_dsse(plain[:-1] + b',"x":1}'), "key_unknown"),
        ("white space in the envelope", with_dsse(plain[:-1] + b" }"), "json_not_canonical"),
        ("a byte after the envelope", with_dsse(plain + b"\n"), "json_not_canonical"),
    ]
    return [
        *(refused_by_hub(*case) for case in cases),
        manifest_case(
            "a manifest of version 2", lambda o: o.__setitem__("v", 2), "manifest_version"
        ),
        manifest_case("an unknown key in the manifest", lambda o: o.update(x={}), "key_unknown"),
        manifest_case("a manifest without the body", lambda o: o.pop("body"), "key_missing"),
        manifest_case(
            "a manifest with keys in another order",
            lambda o: o.update(header=o.pop("header")),
            "key_order",
        ),
        manifest_case(
            "a manifest over another header",
            lambda o: o["header"].update(sha256=b64(bytes(32))),
            "header_mismatch",
        ),
        manifest_case(
            "a manifest with another header length",
            lambda o: o["header"].update(len=1),
            "header_mismatch",
        ),
        manifest_case(
            "a manifest with one recipient less",
            lambda o: o["recipients"].update(n=2),
            "recipients_mismatch",
        ),
        manifest_case(
            "a manifest with another tree",
            lambda o: o["recipients"].update(root=b64(bytes(32))),
            "recipients_mismatch",
        ),
        manifest_case(
            "a manifest over another body",
            lambda o: o["body"].update(sha256=b64(bytes(32))),
            "body_mismatch",
        ),
        manifest_case(
            "a manifest with another body length",
            lambda o: o["body"].update(len=1),
            "body_mismatch",
        ),
    ]


def headers() -> list[Case]:
    good = honest()
    plain = good.header

    def resigned(header: bytes | dict[str, object]) -> bytes:
        raw = header if isinstance(header, bytes) else compact(header)
        return replace(good, header=raw).sign(ALICE).data()

    def unsigned(header: bytes) -> bytes:
        return replace(good, header=header).data()

    def deep(levels: int) -> bytes:
        return plain[:-1] + b',"x":' + b"[" * levels + b"]" * levels + b"}"

    base = header_of()
    sender, content = base["from"], base["content"]
    policy, directory = base["policy"], base["dir"]
    assert isinstance(sender, dict) and isinstance(content, dict)  # noqa: PT018
    assert isinstance(policy, dict) and isinstance(directory, list)  # noqa: PT018
    cases = [
        (
            "one bit of the header changed",
            unsigned(flipped(plain, plain.index(b"amber"))),
            "header_mismatch",
        ),
        (
            "the header written anew with spaces",
            unsigned(json.dumps(base).encode()),
            "header_mismatch",
        ),
        ("a signed header with spaces", resigned(json.dumps(base).encode()), "json_not_canonical"),
        ("a key twice in the header", resigned(plain[:-1] + b',"v":1}'), "json_invalid"),
        ("an unknown key in the header", resigned(header_of(zz=1)), "key_unknown"),
        ("a header key missing", resigned(header_of(expires=None)), "key_missing"),
        ("header keys in another order", resigned(dict(reversed(base.items()))), "key_order"),
        (
            "a float in the header",
            resigned(plain.replace(b'"created":', b'"created":1.')),
            "json_invalid",
        ),
        ("a null in the header", resigned(plain.replace(b'"v":1', b'"v":null')), "json_invalid"),
        ("an integer of 2^53 in the header", resigned(header_of(expires=1 << 53)), "json_invalid"),
        (
            "an integer of 5,000 digits in the header",
            resigned(plain.replace(b'"v":1', b'"v":' + b"9" * 5000)),
            "json_invalid",
        ),
        ("nesting deeper than 8 in the header", resigned(deep(9)), "json_invalid"),
        ("nesting of 30,000 levels in the header", resigned(deep(30_000)), "json_invalid"),
        (
            "a header that is not UTF-8",
            resigned(plain.replace(b"amber", b"\xff\xfe\xfd\xfc\xfb")),
            "json_invalid",
        ),
        (
            "half a surrogate pair in the header",
            resigned(plain.replace(b"amber", b"\\ud800")),
            "json_invalid",
        ),
        (
            "needless escaping in the header",
            resigned(plain.replace(b"amber", b"\\u0061mber")),
            "json_not_canonical",
        ),
        ("a header that is a list", resigned(b"[]"), "json_invalid"),
        ("a header of version 2", resigned(header_of(v=2)), "header_version"),
        (
            "a suite with X25519 alone",
            resigned(header_of(suite="ASB1-X25519-HKDFSHA256-AES256GCM-ED25519")),
            "suite_unknown",
        ),
        (
            "a suite in lower case",
            resigned(header_of(suite=str(base["suite"]).lower())),
            "suite_unknown",
        ),
        (
            "an id that is not a UUID of version 7",
            resigned(header_of(id="019aa000-0000-4000-8000-000000000001")),
            "bundle_id_invalid",
        ),
        (
            "an id in upper case",
            resigned(header_of(id="019AA000-0000-7000-8000-000000000001")),
            "bundle_id_invalid",
        ),
        ("a kind that does not exist yet", resigned(header_of(kind="holdings")), "kind_unknown"),
        (
            "a sender's key id that did not sign",
            resigned(header_of(**{"from": sender | {"sig": b64(MALLORY.kid)}})),
            "signer_not_sender",
        ),
        (
            "a sender that is not the key's organisation",
            resigned(header_of(**{"from": sender | {"org": "police@hub.example"}})),
            "signer_not_sender",
        ),
        (
            "a sender without a hub",
            resigned(header_of(**{"from": sender | {"org": "first-bank"}})),
            "org_id_invalid",
        ),
        (
            "created six minutes from now",
            resigned(header_of(created=NOW + 360)),
            "created_in_future",
        ),
        (
            "created 401 days ago",
            resigned(header_of(created=NOW - 401 * 86_400)),
            "created_too_old",
        ),
        ("already expired", resigned(header_of(expires=NOW - 1)), "bundle_expired"),
        (
            "expiring before it was created",
            resigned(header_of(expires=NOW - 61)),
            "expires_invalid",
        ),
        ("a created time that is text", resigned(header_of(created=str(NOW))), "value_invalid"),
        ("a created time that is negative", resigned(header_of(created=-1)), "value_invalid"),
        ("an unknown TLP", resigned(header_of(policy=policy | {"tlp": "white"})), "tlp_unknown"),
        (
            "a TLP in upper case",
            resigned(header_of(policy=policy | {"tlp": "AMBER"})),
            "tlp_unknown",
        ),
        (
            "an unknown purpose",
            resigned(header_of(policy=policy | {"purpose": "marketing"})),
            "purpose_unknown",
        ),
        (
            "an unknown legal basis",
            resigned(header_of(policy=policy | {"legal_basis": "consent"})),
            "legal_basis_unknown",
        ),
        (
            "an unknown onward rule",
            resigned(header_of(policy=policy | {"onward": "anyone"})),
            "onward_unknown",
        ),
        (
            "a policy with one key more",
            resigned(header_of(policy=policy | {"note": "x"})),
            "key_unknown",
        ),
        ("no directory checkpoint", resigned(header_of(dir=[])), "value_invalid"),
        (
            "a directory root of 31 bytes",
            resigned(header_of(dir=[directory[0] | {"root": b64(bytes(31))}])),
            "base64_invalid",
        ),
        (
            "a content root of 31 bytes",
            resigned(header_of(content=content | {"root": b64(bytes(31))})),
            "base64_invalid",
        ),
        (
            "a reference that is not a bundle id",
            resigned(_with_optional(refs=["x"])),
            "bundle_id_invalid",
        ),
        ("an empty list of references", resigned(_with_optional(refs=[])), "value_invalid"),
        (
            "recipients named in the header",
            resigned(header_of(to=["police@hub.example"])),
            "key_unknown",
        ),
    ]
    return [refused_by_hub(*case) for case in cases]


def _with_optional(**extra: object) -> dict[str, object]:
    """Return a header with optional keys at their place, before ``dir``."""
    header = header_of()
    directory = header.pop("dir")
    return header | extra | {"dir": directory}


def entries() -> list[Case]:
    good = honest()
    one, two, three = good.entries
    other_header = header_of(id="019aa000-0000-7000-8000-000000000002")
    other = Recipe(name="another bundle", header=other_header).make()
    twin = honest("the same header twice")

    def unsigned(listed: list[bytes]) -> bytes:
        return replace(good, entries=listed).data()

    def resigned(listed: list[bytes]) -> Sealed:
        return replace(good, entries=listed).sign(ALICE)

    def with_org(org: bytes) -> bytes:
        return one[:48] + bytes([len(org)]) + org + one[49 + one[48] :]

    outsider = entry(OUTSIDER, good.header_hash, b"\x33" * 32, Coins("rewrap"))
    curve = len(one) - 48 - 32
    zero_share = one[:curve] + bytes(32) + one[curve + 32 :]
    by_kid = sorted([one, two, outsider], key=lambda e: e[16:48])
    stolen = header_of(**{"from": {"org": MALLORY.org, "sig": b64(MALLORY.kid)}})
    equivocal = Recipe(name="two keys", ceks=[b"\x41" * 32, b"\x42" * 32]).make()
    return [
        refused_by_hub("two entries exchanged", unsigned([two, one, three]), "recipients_order"),
        refused_by_hub("an entry dropped", unsigned([one, two]), "recipients_mismatch"),
        refused_by_hub("an entry twice", unsigned([one, one, two, three]), "recipients_order"),
        refused_by_hub(
            "one bit of a blind changed",
            unsigned([flipped(one, 0), two, three]),
            "recipients_mismatch",
        ),
        refused_by_hub(
            "one bit of an encapsulation changed",
            unsigned([flipped(one, 500), two, three]),
            "recipients_mismatch",
        ),
        refused_by_hub(
            "a recipient wraps the key again for an outsider",
            unsigned(by_kid),
            "recipients_mismatch",
        ),
        refused_by_hub(
            "entries out of order, signed", resigned([two, one, three]).data(), "recipients_order"
        ),
        refused_by_hub(
            "an entry twice, signed", resigned([one, one, two, three]).data(), "recipients_order"
        ),
        refused_by_hub(
            "an entry with an organisation in capitals",
            resigned([with_org(b"Police@hub.example"), two, three]).data(),
            "org_id_invalid",
        ),
        refused_by_hub(
            "an entry with an organisation that is not ASCII",
            resigned([with_org(b"p\xc3\xb6lice@hub.example"), two, three]).data(),
            "org_id_invalid",
        ),
        refused_by_hub(
            "an entry without an organisation",
            resigned([with_org(b""), two, three]).data(),
            "org_id_invalid",
        ),
        refused_by_hub(
            "an entry whose organisation's length lies",
            resigned([one[:48] + bytes([one[48] + 1]) + one[49:], two, three]).data(),
            "entry_invalid",
        ),
        refused_by_hub(
            "an entry one byte too long",
            resigned([one + b"\0", two, three]).data(),
            "entry_invalid",
        ),
        refused_by_hub(
            "an entry that ends in the key id",
            resigned([one[:40], two, three]).data(),
            "entry_invalid",
        ),
        refused_by_hub(
            "a wrapped key of 31 bytes",
            Recipe(name="short cek", ceks=[b"\x51" * 31]).make().data(),
            "entry_invalid",
        ),
        refused_by_hub(
            "a wrapped key of 33 bytes",
            Recipe(name="long cek", ceks=[b"\x51" * 33]).make().data(),
            "entry_invalid",
        ),
        refused_by_desk(
            "somebody who is not a recipient", good, "not_a_recipient", recipient=OUTSIDER.org
        ),
        refused_by_desk(
            "one bit of the ML-KEM part changed, signed",
            resigned([flipped(one, 200), two, three]),
            "entry_unsealable",
        ),
        refused_by_desk(
            "one bit of the X25519 part changed, signed",
            resigned([flipped(one, curve), two, three]),
            "entry_unsealable",
        ),
        refused_by_desk(
            "an X25519 share of zeros, signed",
            resigned([zero_share, two, three]),
            "entry_unsealable",
        ),
        refused_by_desk(
            "one bit of the wrapped key changed, signed",
            resigned([flipped(one, len(one) - 1), two, three]),
            "entry_unsealable",
        ),
        refused_by_desk(
            "an entry of another bundle, signed",
            resigned([other.entries[0], two, three]),
            "entry_unsealable",
        ),
        refused_by_desk(
            "an entry of another bundle with the same header, signed",
            resigned([twin.entries[0], two, three]),
            "body_commitment",
        ),
        refused_by_desk(
            "another policy over the same entries, signed",
            replace(
                good,
                header=compact(
                    header_of(
                        policy={
                            "tlp": "clear",
                            "purpose": "suspicion-report",
                            "legal_basis": "legal-obligation",
                            "onward": "none",
                        }
                    )
                ),
            ).sign(ALICE),
            "entry_unsealable",
        ),
        refused_by_desk(
            "a stranger's ciphertext signed as one's own",
            replace(good, header=compact(stolen)).sign(MALLORY),
            "entry_unsealable",
        ),
        refused_by_desk(
            "another key for the second recipient", equivocal, "body_commitment", index=1
        ),
        accepted("the first recipient of two keys", equivocal),
        refused_by_desk(
            "the blind is free, the body is not: another body, signed",
            replace(good, body=other.body).sign(ALICE),
            "body_commitment",
        ),
    ]


def bodies() -> list[Case]:
    good = honest()
    long = payload(lines=[b"x" * 33_000])  # three chunks; never read as records
    message = inner(stored_frame(long), len(long))
    exact = message[: 2 * CHUNK]

    def shaped(name: str, shape: Callable[[Body], bytes], code: str, **parts: object) -> Case:
        recipe = Recipe(name=name, message=message, shape=shape)
        return refused_by_desk(name, replace(recipe, **parts).make(), code)  # type: ignore[arg-type]

    def chunks(pick: Callable[[list[bytes]], list[bytes]]) -> Callable[[Body], bytes]:
        return lambda body: replace(body, chunks=pick(body.chunks)).join()

    return [
        refused_by_hub(
            "one bit of the body changed",
            replace(good, body=flipped(good.body, 70)).data(),
            "body_mismatch",
        ),
        refused_by_hub(
            "a body without its last byte",
            replace(good, body=good.body[:-1]).data(),
            "body_mismatch",
        ),
        shaped(
            "one bit of a chunk changed, signed", lambda b: flipped(b.join(), 20_000), "body_chunk"
        ),
        shaped(
            "one bit of the salt changed, signed", lambda b: flipped(b.join(), 3), "body_commitment"
        ),
        shaped(
            "another commitment, signed",
            lambda b: replace(b, commitment=b"\x61" * 32).join(),
            "body_commitment",
        ),
        shaped("chunks in another order", chunks(lambda c: [c[1], c[0], *c[2:]]), "body_chunk"),
        shaped("a chunk twice", chunks(lambda c: [c[0], *c]), "body_chunk"),
        shaped("the last chunk dropped", chunks(lambda c: c[:-1]), "body_truncated"),
        shaped("the first chunk dropped", chunks(lambda c: c[1:]), "body_chunk"),
        shaped(
            "a body cut on the boundary of a chunk",
            lambda b: b.join()[:-16],
            "body_truncated",
            message=exact,
        ),
        shaped("chunks counted from 1", Body.join, "body_chunk", start=1),
        shaped("bytes after the last chunk", lambda b: b.join() + b"A" * 40, "body_chunk"),
        shaped(
            "a body encrypted under another header",
            Body.join,
            "body_commitment",
            context_of=bytes(32),
        ),
        shaped("an empty body", lambda _: b"", "body_truncated"),
        shaped("a body of 15 bytes", lambda _: b"A" * 15, "body_truncated"),
        shaped("a body of salt and commitment alone", lambda b: b.join()[:56], "body_truncated"),
    ]


def inners() -> list[Case]:
    plain = payload()
    frame, size = stored_frame(plain), len(plain)
    honest_inner = inner(frame, size)
    spare = len(honest_inner) - 16 - len(frame)
    assert spare > 0, "the cases on padding need some"
    bomb = repeated_frame(0x41, 512, declared=512 << 17)
    dictionary = b"\x28\xb5\x2f\xfd\xe1" + b"\x07" + frame[5:]
    undeclared = b"\x28\xb5\x2f\xfd\x00\x58" + frame[13:]
    wide = b"\x28\xb5\x2f\xfd\xc0\x70" + frame[5:]

    def held(name: str, message: bytes, code: str) -> Case:
        return refused_by_desk(name, Recipe(name=name, message=message).make(), code)

    return [
        held("an empty message", b"", "inner_invalid"),
        held("a message of 15 bytes", bytes(15), "inner_invalid"),
        held(
            "a frame longer than the message",
            inner(frame, size, zlen=len(frame) + 10**6),
            "inner_invalid",
        ),
        held("a frame length of 2^64 - 1", inner(frame, size, zlen=(1 << 64) - 1), "inner_invalid"),
        held("no frame at all", inner(b"A" * 100, 100), "compression_invalid"),
        held(
            "a declared size of more than 1 GiB", inner(frame, (1 << 30) + 1), "plaintext_too_long"
        ),
        held("one byte more declared than there is", inner(frame, size + 1), "compression_invalid"),
        held(
            "a frame that declares one byte more",
            inner(stored_frame(plain, declared=size + 1), size + 1),
            "compression_invalid",
        ),
        held(
            "a frame that declares one byte less",
            inner(stored_frame(plain, declared=size - 1), size - 1),
            "compression_invalid",
        ),
        held("a frame that declares no size", inner(undeclared, size), "compression_invalid"),
        held("a frame with a dictionary", inner(dictionary, size), "compression_invalid"),
        held("a frame with a window of 16 MiB", inner(wide, size), "compression_invalid"),
        held("two frames", inner(frame + frame, 2 * size), "compression_invalid"),
        held("a byte after the frame", inner(frame + b"\0", size), "compression_invalid"),
        held("a bomb that declares its true size", inner(bomb, 512 << 17), "compression_ratio"),
        held("a bomb that declares a small size", inner(bomb, 1000), "compression_invalid"),
        held(
            "a bomb whose frame lies about its size",
            inner(repeated_frame(0x41, 512, declared=1000), 1000),
            "compression_invalid",
        ),
        held("padding that is not zero", honest_inner[:-1] + b"\1", "padding_invalid"),
        held("too much padding", honest_inner + bytes(64), "padding_invalid"),
        held("no padding", honest_inner[: 16 + len(frame)], "padding_invalid"),
    ]


def payloads() -> list[Case]:
    broken = [LINES[0], b'{"kind":"domain","value":"UPPER.example","canon":1}', LINES[2]]

    def held(name: str, plain: bytes, code: str, **changes: object) -> Case:
        recipe = Recipe(name=name, header=header_of(**changes), plain=plain)
        return refused_by_desk(name, recipe.make(), code)

    honest_root = b64(content_root(SALT, LINES))
    return [
        held(
            "one record less than the header says",
            payload(),
            "content_mismatch",
            content={"n": 4, "root": honest_root},
        ),
        held(
            "another content root",
            payload(),
            "content_mismatch",
            content={"n": 3, "root": b64(bytes(32))},
        ),
        held("records in another order", payload(lines=LINES[::-1]), "content_mismatch"),
        held("another salt", payload(HEAD | {"salt": b64(bytes(32))}), "content_mismatch"),
        held("no line feed at the end", payload()[:-1], "payload_invalid"),
        held("an empty payload", b"", "payload_invalid"),
        held("a payload of one line feed", b"\n", "json_invalid"),
        held("a head without a salt", payload({"v": 1, "title": "x"}), "key_missing"),
        held(
            "a head with a salt of 31 bytes",
            payload(HEAD | {"salt": b64(bytes(31))}),
            "base64_invalid",
        ),
        held("a head of version 2", payload(HEAD | {"v": 2}), "payload_version"),
        held("an unknown key in the head", payload(HEAD | {"x": 1}), "key_unknown"),
        held("a head with spaces", payload(json.dumps(HEAD).encode()), "json_not_canonical"),
        held(
            "a head that is not UTF-8",
            payload(compact(HEAD).replace(b"Two", b"\xff\xfe\xfd")),
            "json_invalid",
        ),
        accepted(
            "one invalid record in a valid bundle",
            Recipe(name="broken", header=header_of(broken), plain=payload(lines=broken)).make(),
            quarantined=[1],
        ),
        accepted(
            "a blank line is an invalid record",
            Recipe(
                name="blank", header=header_of([*LINES, b""]), plain=payload(lines=[*LINES, b""])
            ).make(),
            quarantined=[3],
        ),
    ]


def deliveries() -> list[Case]:
    good = honest()
    one, two, _ = good.entries
    delivery, path = good.trimmed(0), good.path(0)
    cases = [
        ("another index", good.framed(1, one, path), "entry_not_in_tree"),
        ("an index behind the last entry", good.framed(3, one, path), "entry_not_in_tree"),
        ("an index of 2^32 - 1", good.framed((1 << 32) - 1, one, path), "entry_not_in_tree"),
        (
            "one bit of the path changed",
            good.framed(0, one, [flipped(path[0], 0), *path[1:]]),
            "entry_not_in_tree",
        ),
        ("one step more in the path", good.framed(0, one, [*path, bytes(32)]), "entry_not_in_tree"),
        ("one step less in the path", good.framed(0, one, path[:-1]), "entry_not_in_tree"),
        ("no path", good.framed(0, one, []), "entry_not_in_tree"),
        (
            "a path longer than any tree's",
            good.framed(0, one, [bytes(32)] * 64),
            "entry_not_in_tree",
        ),
        ("another recipient's entry at its true place", good.trimmed(1), "not_a_recipient"),
        (
            "another recipient's entry at one's own place",
            good.framed(0, two, path),
            "not_a_recipient",
        ),
        (
            "one bit of the own entry changed",
            good.framed(0, flipped(one, 500), path),
            "entry_not_in_tree",
        ),
        (
            "one bit of the blind changed in a delivery",
            good.framed(0, flipped(one, 0), path),
            "entry_not_in_tree",
        ),
        (
            "an entry one byte too long in a delivery",
            good.framed(0, one + b"\0", path),
            "entry_invalid",
        ),
        ("a delivery with a byte after the end", delivery + b"\0", "bundle_trailing"),
        ("a delivery without its last byte", delivery[:-1], "bundle_truncated"),
        ("a bundle where a delivery is expected", good.data(), "bundle_magic"),
        ("an empty delivery", b"", "bundle_truncated"),
        ("a delivery of its magic alone", TRIMMED_MAGIC, "bundle_truncated"),
    ]
    return [refused_delivery(*case) for case in cases]


def disclosures() -> list[Case]:
    good = honest()
    salts = record_salts(SALT, len(LINES))
    leaves = [sha256(b"\0", s, line) for s, line in zip(salts, LINES, strict=True)]
    paths = [tree_path(i, leaves) for i in range(len(LINES))]

    def shown(number: int, **changes: Any) -> bytes:
        parts = {"salt": salts[number], "line": LINES[number], "path": paths[number]}
        return good.disclosed(**{"index": number} | parts | changes)

    def case(name: str, data: bytes, code: str) -> Case:
        return Case(name=name, disclosure=data, expect={"disclose": code})

    first = shown(0)
    clear = replace(good, header=good.header.replace(b"amber", b"clear"))
    by_mallory = replace(good).sign(MALLORY)
    return [
        *(
            Case(
                name=f"record {i} alone", disclosure=shown(i), line=line, expect={"disclose": "ok"}
            )
            for i, line in enumerate(LINES)
        ),
        case("a record at another's place", shown(0, index=1), "record_not_in_tree"),
        case("a record behind the last one", shown(0, index=3), "record_not_in_tree"),
        case("another record's line", shown(0, line=LINES[1]), "record_not_in_tree"),
        case("another record's salt", shown(0, salt=salts[1]), "record_not_in_tree"),
        case("the root as a record", shown(0, path=[]), "record_not_in_tree"),
        case("a step more", shown(0, path=[*paths[0], bytes(32)]), "record_not_in_tree"),
        case(
            "an inner node as a record",
            shown(0, salt=leaves[0][:16], line=leaves[0][16:] + leaves[1], path=paths[0][1:]),
            "record_not_in_tree",
        ),
        case("a record of two lines", shown(0, line=LINES[0] + b"\n"), "line_invalid"),
        case("a record longer than 64 KiB", shown(0, line=b"x" * 65_537), "line_too_long"),
        case(
            "a disclosure under another header",
            clear.disclosed(0, salts[0], LINES[0], paths[0]),
            "header_mismatch",
        ),
        case(
            "a disclosure signed by somebody else",
            by_mallory.disclosed(0, salts[0], LINES[0], paths[0]),
            "signer_not_sender",
        ),
        case("a disclosure without its last byte", first[:-1], "bundle_truncated"),
        case("a disclosure with a byte after the end", first + b"\0", "bundle_trailing"),
        case("a bundle where a disclosure is expected", good.data(), "bundle_magic"),
    ]


def valid() -> list[Case]:
    good = honest()
    optional = _with_optional(
        refs=["019aa000-0000-7000-8000-00000000000a"],
        replaces="019aa000-0000-7000-8000-00000000000b",
    )
    two_hubs = header_of()
    directory = two_hubs["dir"]
    assert isinstance(directory, list)
    directory.append({"origin": "two.hub.example/directory", "size": 3, "root": b64(b"\x22" * 32)})
    full_head = {
        **HEAD,
        "narrative": "Seen on 1 November — “both” link to one wallet.",
        "case_ref": "K/2026/17",
        "recipients": sorted(reader.org for reader in READERS),
    }
    many = [
        b'{"kind":"domain","value":"s%d.example","canon":1,"confidence":50,"basis":"observed"}' % i
        for i in range(1000)
    ]
    return [
        *(accepted(f"three recipients, read by entry {i}", good, index=i) for i in range(3)),
        accepted(
            "one recipient, whose path is empty", Recipe(name="alone", readers=READERS[:1]).make()
        ),
        accepted(
            "one record",
            Recipe(name="one", header=header_of(LINES[:1]), plain=payload(lines=LINES[:1])).make(),
        ),
        accepted("references and a replaced bundle", Recipe(name="refs", header=optional).make()),
        accepted("two directories", Recipe(name="two hubs", header=two_hubs).make()),
        accepted(
            "a head with every key", Recipe(name="full head", plain=payload(full_head)).make()
        ),
        accepted(
            "several chunks",
            Recipe(name="many", header=header_of(many), plain=payload(lines=many)).make(),
        ),
    ]


def groups() -> dict[str, list[Case]]:
    """Return the cases of each file."""
    return {
        "valid": valid(),
        "framing": framing(),
        "signatures": signatures(),
        "headers": headers(),
        "entries": entries(),
        "bodies": bodies(),
        "inner": inners(),
        "payloads": payloads(),
        "deliveries": deliveries(),
        "disclosures": disclosures(),
    }
