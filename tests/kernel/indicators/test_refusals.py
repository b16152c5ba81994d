"""What must not travel is refused with its stable code, and no secret shows in the refusal."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from accord.kernel.errors import Malformed
from accord.kernel.indicators import base58, normalise, normalise_batch
from accord.kernel.indicators.kinds import MAX_INPUT

BTC = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"
PHRASE = [
    "abandon",
    "ability",
    "able",
    "about",
    "above",
    "absent",
    "absorb",
    "abstract",
    "absurd",
    "abuse",
    "access",
    "accident",
]
MONERO_PHRASE = (
    "tavern judge beyond bifocals deepest mural onward dummy eagle diode gained vacation rally "
    "cause firm idled jerseys moat vigilant upload bobsled jobs cunning doing jobs"
)
SECRETS = {
    "wif": "5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ",
    "wif compressed": "KwdMAjGmerYanjeui5SHS7JkmpZvVipYvB2LJGU1ZxJwYvP98617",
    "wif mistyped": "5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTj",
    "dogecoin wif": base58.encode_check(b"\x9e" + bytes(range(1, 33)) + b"\x01"),
    "bip38": "6PRVWUbkzzsbcVac2qwfssoUJAN1Xhrg6bNk8J7Nzm5H7kxEbn2Nh2ZoGg",
    "xprv": "xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKm"
    "PGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi",
    "ripple seed": "sn259rEFXrQrWyx3Q7XneWcwV6dfL",
    "ripple ed25519 seed": "sEdTM1uX8pu2do5XvTnutH6HsouMaM2",
    "stellar seed": "SBCVMMCBEDB64TVJZFYJOJAERZC4YVVUOE6SYR2Y76CBTENGUSGWRRVO",
    "cardano": "addr_xsk1" + "q" * 150,
    "zcash": "secret-extended-key-main1" + "q" * 250,
    "age": "AGE-SECRET-KEY-1" + "Q" * 58,
    "nostr": "nsec1" + "q" * 58,
    "tezos": "edsk" + "3" * 50,
    "solana bytes": "[" + ",".join(["17"] * 64) + "]",
    "pem": "-----BEGIN EC PRIVATE KEY-----",
    "pem in one line": "-----BEGIN PRIVATE KEY-----MC4CAQAwBQYDK2VwBCIEI-----END PRIVATE KEY-----",
    "quoted": '"5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ"',
    "with a remark": f"{BTC} key 5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ",
    "in a remark that is dropped": f"{BTC} (5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ)",
    "in a query that is dropped": f"bitcoin:{BTC}?label="
    "5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ",
    "in a url": "https://example.com/?w=5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ",
    "extended, in a url": "https://example.com/xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6"
    "cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi",
    "seed phrase": " ".join(PHRASE),
    "numbered phrase": " ".join(f"{n}. {word}" for n, word in enumerate(PHRASE, 1)),
    "phrase as host": "-".join(PHRASE) + ".com",
    "phrase in a url": "https://example.com/" + "-".join(PHRASE),
    "phrase with a typo": " ".join([*PHRASE[:11], "acident"]),
    "long phrase after much text": "x " * 200 + " ".join(PHRASE),
    "monero phrase": MONERO_PHRASE,
    "capital monero phrase": MONERO_PHRASE.title(),
    "bare thirteen words": " ".join(MONERO_PHRASE.split()[:13]),
}


def solana_keypair() -> str:
    """A made-up seed and its public key, as wallets export them."""
    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    return base58.encode(bytes(range(32)) + key.public_key().public_bytes_raw())


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize("kind", [None, "wallet", "transaction", "domain", "onion", "url"])
@pytest.mark.parametrize("network", [None, "btc", "sol"])
def test_a_secret_is_refused_and_never_shown(
    name: str, kind: str | None, network: str | None
) -> None:
    secret = SECRETS[name]
    with pytest.raises(Malformed) as caught:
        normalise(secret, kind=kind, network=network)
    for error in (caught.value, *normalise_batch([secret], kinds=[kind], networks=[network])):
        assert isinstance(error, Malformed)
        assert error.code in {"private_key", "seed_phrase"}
        shown = f"{error} {error!r} {error.args} {error.observed} {error.next_step}"
        for word in secret.split():
            assert len(word) < 12 or word not in shown
        assert error.__cause__ is None or secret not in str(error.__cause__)


@pytest.mark.parametrize("network", [None, "sol"])
@pytest.mark.parametrize("kind", [None, "transaction"])
def test_an_exported_solana_keypair_is_no_transaction(
    network: str | None, kind: str | None
) -> None:
    with pytest.raises(Malformed) as caught:
        normalise(solana_keypair(), network=network, kind=kind)
    assert caught.value.code == "private_key"


@pytest.mark.parametrize(
    "text",
    [
        "https://www.some-site.com/path/files/video/latest/upload/items/index.html",
        "https://example.com/5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTj?a",
        "https://example.com/a-new-way-out-of-the-old-house-by-the-sea",
    ],
)
def test_a_url_of_many_words_is_no_phrase(text: str) -> None:
    assert normalise(text).value == text


@pytest.mark.parametrize(
    ("text", "told", "code"),
    [
        ("", {}, "empty"),
        (" \t\u200b", {}, "empty"),
        ("\u00a0", {}, "empty"),
        ('""', {}, "empty"),
        ("x" * (MAX_INPUT + 1), {}, "too_long"),
        (BTC, {"network": "doge"}, "network_mismatch"),
        (BTC, {"network": "nonsense"}, "network_unknown"),
        (BTC, {"kind": "nonsense"}, "kind_unknown"),
        (BTC, {"network": "eip155:11155111"}, "testnet"),
        ("tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx", {}, "testnet"),
        ("tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx", {"network": "ltc"}, "testnet"),
        ("mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn", {}, "testnet"),
        (BTC[:-1] + "b", {}, "checksum_wrong"),
        ("1\u0410" + BTC[2:], {}, "not_ascii_lookalike"),
        ("\u0431\u0438\u0442\u043a\u043e\u0438\u043d", {}, "unknown_format"),
        ("1A1zP1...DivfNa", {}, "shortened"),
        ("1A1zP1\u2026DivfNa", {}, "shortened"),
        ("1A1z****DivfNa", {}, "shortened"),
        ("1.23E+31", {}, "spreadsheet_damage"),
        ("1,23E+31", {}, "spreadsheet_damage"),
        ("0x12", {}, "wrong_length"),
        ("0x" + "1" * 41, {}, "wrong_length"),
        ("0x5AAeb6053F3E94C9b9A09f33669435E7Ef1BeAed".replace("C9b", "c9b"), {}, "checksum_wrong"),
        ("a" * 40, {}, "unknown_format"),
        ("a" * 64, {}, "network_needed"),
        ("0x" + "a" * 64, {}, "network_needed"),
        ("a" * 64, {"kind": "transaction"}, "network_needed"),
        ("a" * 63, {"kind": "transaction", "network": "btc"}, "unknown_format"),
        ("0" * 64, {"kind": "transaction", "network": "btc"}, "unknown_format"),
        ("a" * 64, {"kind": "wallet", "network": "btc"}, "unknown_format"),
        ("BC1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", {}, "mixed_case"),
        ("bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kt5nd6y"[:-1] + "q", {}, "checksum_wrong"),
        ("bc1zw508d6qejxtdg4y5r3zarvaryvqyzf3du", {}, "wrong_length"),
        ("GSzTQnuBiUi2sS4RCgYXpKZC9pFuCgyfzo", {}, "checksum_wrong"),
        ("https://", {}, "url_invalid"),
        ("https://user@/", {}, "url_invalid"),
        ("javascript://example.com/%0aalert(1)", {}, "scheme_unsupported"),
        ("file:///etc/passwd", {}, "scheme_unsupported"),
        ("https://example.com/" + "a" * 2048, {}, "too_long"),
        ("127.0.0.1", {}, "ip_address"),
        ("[::1]", {"kind": "domain"}, "ip_address"),
        ("0x7f.1", {"kind": "domain"}, "ip_address"),
        ("com", {"kind": "domain"}, "single_label"),
        ("co.uk", {}, "public_suffix"),
        ("github.io", {}, "public_suffix"),
        ("a..b.com", {"kind": "domain"}, "host_invalid"),
        ("-a.com", {}, "host_invalid"),
        ("a b.com", {"kind": "domain"}, "host_invalid"),
        ("user@example.com", {}, "host_invalid"),
        ("a." * 130 + "com", {"kind": "domain"}, "too_long"),
        ("\u00e4." * 600 + "com", {"kind": "domain"}, "too_long"),
        ("xn--a.com", {}, "idna_invalid"),
        ("xn--\u0430.com", {}, "idna_invalid"),
        (".", {"kind": "domain"}, "empty"),
        ("facebookcorewwwi.onion", {}, "retired_onion_v2"),
        ("a" * 56 + ".onion", {}, "checksum_wrong"),
        ("a" * 56, {"kind": "domain"}, "checksum_wrong"),
        ("abc.onion", {}, "host_invalid"),
        ("example.com", {"kind": "onion"}, "kind_mismatch"),
        ('=HYPERLINK("http://x.com")', {}, "url_invalid"),
    ],
)
def test_bad_input_has_its_code(text: str, told: dict[str, str], code: str) -> None:
    with pytest.raises(Malformed) as caught:
        normalise(text, **told)
    assert caught.value.code == code


def test_a_sound_address_of_an_unknown_network_names_it() -> None:
    for version, named in ((0x26, "Bitcoin Gold"), (0x21, "Verge"), (0x62, "version byte 98")):
        address = base58.encode_check(bytes([version]) + bytes(range(20)))
        with pytest.raises(Malformed) as caught:
            normalise(address)
        assert (caught.value.code, caught.value.observed) == ("network_unsupported", named)


@given(st.text(min_size=13, max_size=60))
def test_no_refusal_holds_the_value(text: str) -> None:
    try:
        normalise(text)
    except Malformed as error:
        assert text not in f"{error} {error.observed}"  # noqa: PT017
