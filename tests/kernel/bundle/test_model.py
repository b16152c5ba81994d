"""The header, the manifest and the entry: one byte form each, and nothing else is read."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support import bundles

from accord.kernel.bundle import entries, manifest, model
from accord.kernel.encoding import b64encode
from accord.kernel.errors import AccordError, Malformed, VerificationFailed
from accord.kernel.identifiers import KeyId, make_bundle_id, parse_org_id
from accord.kernel.markings import BundleKind, LegalBasis, Onward, Purpose, Tlp

DIGESTS = st.binary(min_size=32, max_size=32)
IDS = st.builds(make_bundle_id, st.integers(0, (1 << 48) - 1), st.binary(min_size=10, max_size=10))
NAMES = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?", fullmatch=True)
ORGS = st.builds(parse_org_id, NAMES.map("{}@hub.example".format))
POINTS = st.builds(
    model.DirectoryPoint,
    origin=NAMES.map("{}.example/directory".format),
    size=st.integers(1, 1 << 40),
    root=DIGESTS,
)
OWN = model.DirectoryPoint(origin="hub.example/directory", size=1, root=bytes(32))


@st.composite
def headers(draw: st.DrawFn) -> model.Header:
    created = draw(st.integers(0, 1 << 40))
    others = draw(st.lists(POINTS, max_size=3, unique_by=lambda point: point.origin))
    return model.Header(
        id=draw(IDS),
        kind=draw(st.sampled_from(BundleKind)),
        org=draw(ORGS),
        sig=KeyId(draw(DIGESTS)),
        created=created,
        expires=created + draw(st.integers(1, 1 << 40)),
        policy=model.HandlingPolicy(
            tlp=draw(st.sampled_from(Tlp)),
            purpose=draw(st.sampled_from(Purpose)),
            legal_basis=draw(st.sampled_from(LegalBasis)),
            onward=draw(st.sampled_from(Onward)),
        ),
        n=draw(st.integers(0, model.MAX_RECORDS)),
        root=draw(DIGESTS),
        refs=tuple(draw(st.lists(IDS, max_size=3, unique=True))),
        replaces=draw(st.none() | IDS),
        directory=(OWN, *(point for point in others if point.origin != OWN.origin)),
    )


MANIFESTS = st.builds(
    manifest.Manifest,
    header_sha256=DIGESTS,
    header_len=st.integers(1, model.MAX_HEADER),
    recipients_n=st.integers(1, manifest.MAX_RECIPIENTS),
    recipients_root=DIGESTS,
    body_sha256=DIGESTS,
    body_len=st.integers(0, manifest.MAX_BODY),
)
GOOD = model.Header(
    id=make_bundle_id(bundles.NOW * 1000, bytes(10)),
    kind=BundleKind.INDICATORS,
    org=bundles.SENDER,
    sig=bundles.SIGNER.kid,
    created=bundles.NOW,
    expires=bundles.NOW + 1,
    policy=bundles.POLICY,
    n=3,
    root=bytes(32),
    directory=bundles.DIRECTORY,
)


def spoiled(data: bytes, at: int, byte: int) -> bytes:
    out = bytearray(data)
    out[at % len(out)] = byte
    return bytes(out)


@given(headers())
def test_a_header_survives_writing_and_reading(header: model.Header) -> None:
    data = model.format_header(header)
    assert model.parse_header(data) == header
    assert model.format_header(model.parse_header(data)) == data


@given(headers(), st.integers(0, 2000), st.integers(0, 255))
def test_a_spoiled_header_is_refused_or_has_its_one_form(
    header: model.Header, at: int, byte: int
) -> None:
    data = spoiled(model.format_header(header), at, byte)
    with suppress(AccordError):
        assert model.format_header(model.parse_header(data)) == data


@given(MANIFESTS)
def test_a_manifest_survives_writing_and_reading(value: manifest.Manifest) -> None:
    data = manifest.format_manifest(value)
    assert manifest.parse_manifest(data) == value
    assert manifest.format_manifest(manifest.parse_manifest(data)) == data


@given(MANIFESTS, st.integers(0, 500), st.integers(0, 255))
def test_a_spoiled_manifest_is_refused_or_has_its_one_form(
    value: manifest.Manifest, at: int, byte: int
) -> None:
    data = spoiled(manifest.format_manifest(value), at, byte)
    with suppress(AccordError):
        assert manifest.format_manifest(manifest.parse_manifest(data)) == data


@given(st.binary(min_size=16, max_size=16), DIGESTS, ORGS, st.binary(min_size=1168, max_size=1168))
def test_an_entry_survives_writing_and_reading(
    blind: bytes, kid: bytes, org: str, sealed: bytes
) -> None:
    raw = entries.format_entry(blind=blind, kid=KeyId(kid), org=parse_org_id(org), sealed=sealed)
    entry = entries.parse_entry(raw)
    assert (entry.blind, entry.kid, entry.org, entry.sealed) == (blind, kid, org, sealed)
    assert entry.raw == raw


@given(st.binary(max_size=1400))
def test_bytes_that_are_no_entry_are_refused(data: bytes) -> None:
    with pytest.raises(Malformed):
        entries.parse_entry(data)


def changed(**changes: Any) -> bytes:
    obj = json.loads(model.format_header(GOOD)) | changes
    return json.dumps(obj, separators=(",", ":")).encode()


POINT = {"origin": "hub.example/directory", "size": 1, "root": b64encode(bytes(32))}


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (changed(v=True), "header_version"),
        (changed(expires=bundles.NOW), "expires_invalid"),
        (changed(content={"n": model.MAX_RECORDS + 1, "root": POINT["root"]}), "value_invalid"),
        (changed(dir=[POINT | {"origin": "two.example/directory"}]), "directory_not_own"),
        (changed(dir=[POINT, POINT]), "value_invalid"),
        (changed(dir=[POINT | {"size": 0}]), "value_invalid"),
        (changed(dir=[POINT | {"origin": "HUB.example"}]), "origin_invalid"),
        (changed(dir=["hub.example/directory"]), "value_invalid"),
        (changed(dir=[POINT] * 65), "value_invalid"),
    ],
)
def test_a_header_beyond_its_rules_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(Malformed) as caught:
        model.parse_header(data)
    assert caught.value.code == code


def test_a_reference_stands_once() -> None:
    twice = model.format_header(model.Header(**fields(GOOD) | {"refs": (GOOD.id, GOOD.id)}))
    with pytest.raises(Malformed) as caught:
        model.parse_header(twice)
    assert caught.value.code == "value_invalid"


def fields(header: model.Header) -> dict[str, Any]:
    return {name: getattr(header, name) for name in model.Header.__slots__}


def test_a_suite_is_allowed_up_to_its_date_and_no_longer() -> None:
    model.require_suite("old", 99, {"old": 99})
    model.require_suite(model.SUITE, bundles.NOW)
    for name, created in (("old", 100), ("unheard-of", 0)):
        with pytest.raises(VerificationFailed) as caught:
            model.require_suite(name, created, {"old": 99})
        assert caught.value.code == "suite_retired"
