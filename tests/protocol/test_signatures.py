"""Signed requests: what is accepted, and each single thing that is refused."""

import re
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from http_message_signatures import (
    HTTPMessageVerifier,
    HTTPSignatureComponentResolver,
    HTTPSignatureKeyResolver,
    algorithms,
)
from hypothesis import given
from hypothesis import strategies as st

from accord.kernel.encoding import b64encode
from accord.kernel.errors import (
    AccordError,
    AuthenticationNeeded,
    Malformed,
    NotFound,
    Unavailable,
    VerificationFailed,
)
from accord.kernel.identifiers import KeyId
from accord.kernel.keys import RequestKeyPair
from accord.protocol.nonces import MemoryNonceCache
from accord.protocol.signatures import MAX_AGE, NONCE_MARGIN, sign_request, verify_request

KEY = RequestKeyPair.from_seed(bytes(range(32)))
OTHER = RequestKeyPair.from_seed(bytes(32))
NOW = 1_900_000_000
BODY = b'{"a":1}'
NONCE = bytes(range(16))
CALL = {"method": "PUT", "authority": "hub.example:8443", "path": "/v1/bundles/x", "query": "a=b&c"}


def lookup(kid: KeyId) -> bytes:
    for key in (KEY, OTHER):
        if key.kid == kid:
            return key.public
    raise NotFound("key_unknown", "No such key.")


def signed(**change: object) -> dict[str, str]:
    args = CALL | {
        "body": BODY,
        "content_type": "application/json",
        "key": KEY,
        "now": NOW,
        "nonce": NONCE,
    }
    return sign_request(**(args | change))


def check(headers: object, **change: object) -> KeyId:
    args = CALL | {"body": BODY, "lookup": lookup, "now": NOW, "nonces": MemoryNonceCache()}
    return verify_request(headers=headers, **(args | change))


def refused(code: str, headers: object, **change: object) -> AccordError:
    with pytest.raises((AuthenticationNeeded, VerificationFailed)) as caught:
        check(headers, **change)
    assert caught.value.code == code
    return caught.value


def edited(name: str, edit: Callable[[str], str], **change: object) -> dict[str, str]:
    headers = signed(**change)
    headers[name] = edit(headers[name])
    return headers


def forged(*, covered: str, params: str, key: RequestKeyPair = KEY) -> dict[str, str]:
    """A request of another implementation: our key, but another profile."""
    headers = signed()
    values = {
        "@method": CALL["method"],
        "@authority": CALL["authority"],
        "@path": CALL["path"],
        "@query": "?" + CALL["query"],
        "content-digest": headers["Content-Digest"],
        "content-type": headers["Content-Type"],
    }
    names = re.findall(r'"([^"]+)"', covered)
    line = f"({covered}){params}"
    base = "\n".join(
        [*(f'"{name}": {values[name]}' for name in names), f'"@signature-params": {line}']
    )
    headers["Signature-Input"] = f"accord={line}"
    headers["Signature"] = f"accord=:{b64encode(key.private.sign(base.encode()))}:"
    return headers


ALL = '"@method" "@authority" "@path" "@query" "content-digest" "content-type"'


def params(**change: str) -> str:
    values = {
        "created": str(NOW),
        "keyid": f'"{b64encode(KEY.kid)}"',
        "alg": '"ed25519"',
        "expires": str(NOW + MAX_AGE),
        "nonce": f'"{NONCE.hex()}"',
        "tag": '"accord/1"',
    } | change
    return "".join(f";{name}={value}" for name, value in values.items() if value)


def test_a_signed_request_names_its_key() -> None:
    assert check(signed()) == KEY.kid


def test_a_request_without_a_body_is_signed_without_digest() -> None:
    headers = signed(method="GET", body=None, content_type=None)
    assert set(headers) == {"Signature-Input", "Signature"}
    assert check(headers, method="GET", body=None) == KEY.kid
    assert check(headers, method="GET", body=b"") == KEY.kid


def test_an_empty_body_with_a_digest_is_a_body() -> None:
    assert check(signed(body=b""), body=b"") == KEY.kid


def test_field_names_may_come_in_any_case() -> None:
    assert check({name.upper(): value for name, value in signed().items()}) == KEY.kid


def test_another_writer_of_the_same_profile_is_understood() -> None:
    assert check(forged(covered=ALL, params=params())) == KEY.kid


@pytest.mark.parametrize("name", ["Signature", "Signature-Input"])
def test_an_unsigned_request_is_asked_for_a_signature(name: str) -> None:
    headers = signed()
    del headers[name]
    refused("signature_missing", headers)
    refused("signature_missing", {})


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("method", "POST"),
        ("authority", "other.example"),
        ("authority", "hub.example"),
        ("path", "/v1/bundles/y"),
        ("query", "a=b"),
        ("query", ""),
    ],
)
def test_a_signature_moved_to_another_request_is_refused(part: str, value: str) -> None:
    refused("signature_wrong", signed(), **{part: value})


@pytest.mark.parametrize(
    ("part", "value"),
    [("path", "/v1/bundles/%78"), ("path", "v1"), ("authority", "Hub.example"), ("query", "a#b")],
)
def test_a_request_with_several_spellings_is_refused(part: str, value: str) -> None:
    refused("signature_wrong", signed(), **{part: value})
    with pytest.raises(Malformed, match="request_unsignable"):
        signed(**{part: value})


def test_another_body_is_refused() -> None:
    refused("digest_wrong", signed(), body=BODY + b" ")
    refused("digest_wrong", signed(), body=b"")


def test_a_changed_digest_or_type_breaks_the_signature() -> None:
    digest = signed(body=b"x")["Content-Digest"]
    refused("signature_wrong", edited("Content-Digest", lambda _: digest), body=b"x")
    refused("signature_wrong", edited("Content-Type", lambda _: "text/html"))


@pytest.mark.parametrize("name", ["Content-Digest", "Content-Type"])
def test_a_body_without_digest_or_type_is_refused(name: str) -> None:
    headers = signed()
    del headers[name]
    refused("component_missing", headers)


def test_a_body_slipped_under_a_bodyless_signature_is_refused() -> None:
    bare = signed(body=None, content_type=None)
    refused("component_missing", bare, body=BODY)
    with_fields = signed() | bare
    refused("component_missing", with_fields, body=BODY)


@pytest.mark.parametrize(
    "covered",
    [
        "",
        '"@method"',
        '"@method" "@authority" "@path" "@query"',
        '"@method" "@authority" "@path" "content-digest" "content-type"',
        '"@authority" "@method" "@path" "@query" "content-digest" "content-type"',
    ],
)
def test_other_components_than_the_profiles_are_refused(covered: str) -> None:
    refused("component_missing", forged(covered=covered, params=params()))


def test_a_component_with_parameters_is_not_the_component() -> None:
    change = ALL.replace('"content-digest"', '"content-digest";key="sha-256"')
    headers = edited("Signature-Input", lambda text: text.replace(ALL, change))
    refused("component_missing", headers)


@pytest.mark.parametrize(
    "change",
    [
        {"tag": '"accord/2"'},
        {"tag": ""},
        {"alg": '"rsa-pss-sha512"'},
        {"alg": ""},
        {"nonce": ""},
        {"nonce": '"short"'},
        {"nonce": f'"{NONCE.hex().upper()}"'.replace("0", "A")},
        {"expires": ""},
        {"created": ""},
        {"created": f'"{NOW}"'},
        {"created": f"{NOW}.0"},
        {"keyid": ""},
        {"keyid": '"%%%"'},
        {"keyid": f'"{b64encode(bytes(32))}"'},
        {"extra": "1"},
        {"expires": str(NOW + MAX_AGE + 1)},
    ],
    ids=str,
)
def test_other_parameters_than_the_profiles_are_refused(change: dict[str, str]) -> None:
    refused("signature_wrong", forged(covered=ALL, params=params(**change)))


def test_an_expiry_before_creation_is_refused() -> None:
    headers = forged(covered=ALL, params=params(expires=str(NOW - 1)))
    refused("signature_old", headers)
    refused("signature_wrong", headers, now=NOW - 2)


def test_times_are_kept_to_the_second() -> None:
    assert check(signed(), now=NOW + MAX_AGE) == KEY.kid
    refused("signature_old", signed(), now=NOW + MAX_AGE + 1)
    assert check(signed(), now=NOW - MAX_AGE) == KEY.kid
    refused("clock_skew", signed(), now=NOW - MAX_AGE - 1)


@pytest.mark.parametrize("days", [1, -1])
def test_a_clock_that_is_a_day_off_is_named(days: int) -> None:
    error = refused("signature_old" if days > 0 else "clock_skew", signed(), now=NOW + days * 86400)
    assert "clock" in str(error.next_step)


def test_a_replay_is_refused_also_under_a_fresh_signature() -> None:
    nonces = MemoryNonceCache()
    check(signed(), nonces=nonces)
    refused("nonce_replayed", signed(), nonces=nonces)
    refused("nonce_replayed", signed(now=NOW + 200), now=NOW + 200, nonces=nonces)
    assert check(signed(nonce=bytes(16)), nonces=nonces) == KEY.kid
    assert check(signed(key=OTHER), nonces=nonces) == OTHER.kid


def test_a_refused_request_uses_up_no_nonce() -> None:
    nonces = MemoryNonceCache()
    refused("signature_wrong", signed(), path="/", nonces=nonces)
    refused("digest_wrong", signed(), body=b"", nonces=nonces)
    assert len(nonces) == 0


def test_an_unknown_key_looks_like_a_wrong_signature() -> None:
    def nobody(_kid: KeyId) -> bytes:
        raise NotFound("key_unknown", "No such key.")

    unknown = refused("signature_wrong", signed(), lookup=nobody)
    wrong = refused("signature_wrong", signed(), path="/")
    assert str(unknown) == str(wrong)
    refused("signature_wrong", signed(), lookup=lambda _: b"short")
    refused("signature_wrong", signed(), lookup=lambda _: OTHER.public)


def test_an_unavailable_directory_is_not_a_wrong_signature() -> None:
    def down(_kid: KeyId) -> bytes:
        raise Unavailable("busy", "Not now.")

    with pytest.raises(Unavailable):
        check(signed(), lookup=down)


def test_two_signatures_are_refused() -> None:
    headers = signed()
    second = {name: headers[name].replace("accord=", "other=", 1) for name in headers}
    both = headers | {
        name: f"{headers[name]}, {second[name]}" for name in ("Signature", "Signature-Input")
    }
    refused("signature_wrong", both)
    inputs = headers | {"Signature-Input": both["Signature-Input"]}
    refused("signature_wrong", inputs)


def test_the_same_label_twice_is_refused() -> None:
    headers = signed()
    for name in ("Signature", "Signature-Input"):
        refused("signature_wrong", headers | {name: f"{headers[name]}, {headers[name]}"})


@pytest.mark.parametrize("name", ["Signature", "Signature-Input", "Content-Digest", "Content-Type"])
def test_a_field_in_two_lines_is_refused(name: str) -> None:
    headers = signed()
    refused("signature_wrong", headers | {name.lower(): headers[name]})


def test_another_label_is_refused() -> None:
    headers = signed()
    for name in ("Signature", "Signature-Input"):
        headers[name] = headers[name].replace("accord=", "sig1=", 1)
    refused("signature_wrong", headers)


@pytest.mark.parametrize(
    "edit",
    [
        lambda text: text + " ",
        lambda text: text + f";created={NOW}",
        lambda text: text.replace(";alg", "; alg"),
        lambda text: text.replace("accord=", "accord=  "),
        lambda text: text + ";" * 2000,
        lambda text: text.replace("(", "((", 1),
        lambda text: text.replace("accord=", "accord", 1),
        lambda _: "accord=1",
        lambda _: "accord",
        lambda _: "",
        lambda text: text.replace("accord/1", "accord/1\u0661"),
    ],
)
def test_another_spelling_of_the_signature_input_is_refused(edit: Callable[[str], str]) -> None:
    refused("signature_wrong", edited("Signature-Input", edit))


@pytest.mark.parametrize(
    "edit",
    [
        lambda text: text.replace(":", ": ", 1),
        lambda text: text + ";x=1",
        lambda text: text.replace("=:", "=", 1),
        lambda _: "accord=::",
        lambda text: text.replace("accord=:", "accord=:A", 1),
    ],
)
def test_another_spelling_of_the_signature_is_refused(edit: Callable[[str], str]) -> None:
    refused("signature_wrong", edited("Signature", edit))


@pytest.mark.parametrize(
    "digest", ["sha-256=:AAAA:", "sha-512=:AAAA:", "", "sha-256=:%s:, sha-512=:AAAA:"]
)
def test_a_signed_digest_of_another_form_is_refused(digest: str) -> None:
    headers = signed()
    inner = re.search(r":(.*):", headers["Content-Digest"])
    text = digest.replace("%s", inner.group(1) if inner else "")
    base = [
        f'"@method": {CALL["method"]}',
        f'"@authority": {CALL["authority"]}',
        f'"@path": {CALL["path"]}',
        f'"@query": ?{CALL["query"]}',
        f'"content-digest": {text}',
        '"content-type": application/json',
        f'"@signature-params": ({ALL}){params()}',
    ]
    headers["Content-Digest"] = text
    headers["Signature"] = f"accord=:{b64encode(KEY.private.sign(chr(10).join(base).encode()))}:"
    refused("digest_wrong", headers)


@pytest.mark.parametrize(
    "change",
    [{"nonce": b"short"}, {"content_type": None}, {"body": None}, {"content_type": "a\nb"}],
    ids=str,
)
def test_what_cannot_be_signed_is_said_at_once(change: dict[str, object]) -> None:
    with pytest.raises(Malformed, match="request_unsignable"):
        signed(**change)


@given(st.sampled_from(["Signature", "Signature-Input", "Content-Digest"]), st.data())
def test_no_changed_byte_passes_and_no_other_error_comes_out(
    name: str, data: st.DataObject
) -> None:
    headers = signed()
    text = headers[name]
    at = data.draw(st.integers(0, len(text) - 1))
    new = data.draw(st.characters(min_codepoint=0, max_codepoint=255))
    if new == text[at]:
        return
    headers[name] = text[:at] + new + text[at + 1 :]
    with pytest.raises((AuthenticationNeeded, VerificationFailed)):
        check(headers)


@given(st.text(max_size=200), st.text(max_size=100))
def test_any_text_in_the_fields_is_refused_with_a_code(given_input: str, signature: str) -> None:
    with pytest.raises(AuthenticationNeeded):
        check({"Signature-Input": given_input, "Signature": signature})


def test_a_process_that_starts_anew_takes_no_request_signed_before() -> None:
    nonces = MemoryNonceCache(since=NOW + NONCE_MARGIN)
    with pytest.raises(Unavailable, match="nonce_unknowable"):
        check(signed(now=NOW - 1), nonces=nonces)
    assert check(signed(now=NOW), nonces=nonces) == KEY.kid


def test_a_body_is_read_only_when_the_signature_holds() -> None:
    read: list[bytes] = []

    def body() -> bytes:
        read.append(BODY)
        return BODY

    refused("signature_wrong", signed(), path="/", body=body)
    refused("signature_old", signed(), now=NOW + 1000, body=body)
    refused("signature_missing", {}, body=body)
    assert read == []
    assert check(signed(), body=body) == KEY.kid
    assert read == [BODY]


class _Told(HTTPSignatureComponentResolver):
    """Components as this test tells them, without a URL."""

    def __init__(self, message: dict[str, str]) -> None:
        self.message = message
        self.message_type = "request"

    def resolve(self, component_node: object) -> str:
        return self.message[str(component_node.value)]  # type: ignore[attr-defined]


class _Key(HTTPSignatureKeyResolver):
    def resolve_public_key(self, key_id: str) -> Ed25519PublicKey:
        assert key_id == b64encode(KEY.kid)
        return Ed25519PublicKey.from_public_bytes(KEY.public)


class _Message:
    def __init__(self, headers: dict[str, str]) -> None:
        self.headers = headers


class _Library(HTTPMessageVerifier):
    def validate_created_and_expires(self, sig_input: object, max_age: object = None) -> None:
        """Times are judged elsewhere."""


@given(
    field=st.sampled_from(["Signature-Input", "Signature", "Content-Digest", "Content-Type"]),
    place=st.integers(0, 400),
    letter=st.sampled_from('x1 ;="()'),
)
def test_what_we_accept_the_library_accepts_for_the_same_base(
    field: str, place: int, letter: str
) -> None:
    headers = signed()
    text = headers[field]
    place %= len(text)
    headers[field] = text[:place] + letter + text[place + 1 :]
    try:
        check(headers)
    except AccordError:
        assert headers[field] != text
        return
    parts = {name.lower(): value for name, value in headers.items()} | {
        "@method": CALL["method"],
        "@authority": CALL["authority"],
        "@path": CALL["path"],
        "@query": f"?{CALL['query']}",
    }

    class Components(_Told):
        def __init__(self, _message: object) -> None:
            super().__init__(parts)

    verifier = _Library(
        signature_algorithm=algorithms.ED25519,
        key_resolver=_Key(),
        component_resolver_class=Components,
    )
    assert len(verifier.verify(_Message(headers), max_age=None)) == 1
