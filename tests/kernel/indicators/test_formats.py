"""Corners of single formats that the published lists do not reach; texts are built here, not found."""

import binascii
from itertools import pairwise

import pytest

from accord.kernel.errors import Malformed
from accord.kernel.indicators import (
    Kind,
    Network,
    Normalised,
    accounts,
    base58,
    bech32,
    cardano,
    cashaddr,
    monero,
    network_of_label,
    normalise,
    zcash,
)
from accord.kernel.indicators.kinds import MAX_VALUE
from accord.kernel.indicators.labels import _SPELLINGS

BECH32, BECH32M = bech32.Encoding.BECH32, bech32.Encoding.BECH32M
KEY = b"\x02" + bytes(range(32))


def code_of(text: str, **told: str) -> str:
    with pytest.raises(Malformed) as caught:
        normalise(text, **told)
    return caught.value.code


def encode(prefix: str, data: bytes, constant: int, version: int | None = None) -> str:
    """Bech32 of bytes, after a version symbol where there is one."""
    bits = "".join(f"{byte:08b}" for byte in data)
    bits += "0" * (-len(bits) % 5)
    symbols = [] if version is None else [version]
    symbols += [int(bits[at : at + 5], 2) for at in range(0, len(bits), 5)]
    check = bech32.checksum_constant(prefix, bytes([*symbols, *[0] * 6])) ^ constant
    symbols += [check >> 5 * (5 - place) & 31 for place in range(6)]
    return prefix + "1" + "".join(chr(bech32.CHARACTERS[symbol]) for symbol in symbols)


# Lightning, silent payments, MWEB


def invoice(prefix: str = "lnbc20m", size: int = 80, constant: int = BECH32) -> str:
    return encode(prefix, bytes(size), constant)


def test_a_lightning_invoice_is_a_request_for_one_payment() -> None:
    found = normalise(invoice())
    assert (found.kind, found.network) == (Kind.WALLET, Network.BTC)
    assert found.flags == ("lightning", "one_time")
    assert normalise(f"lightning:{invoice().upper()}").value == found.value


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (invoice("lntb1"), "testnet"),
        (invoice("lnbcrt"), "testnet"),
        (invoice(size=40), "wrong_length"),
        (invoice(constant=BECH32M), "wrong_length"),
        (invoice(constant=7), "checksum_wrong"),
        (invoice("lnxx"), "unknown_format"),
        (invoice(size=MAX_VALUE), "too_long"),
    ],
)
def test_a_wrong_invoice_has_its_code(text: str, code: str) -> None:
    assert code_of(text) == code


def test_a_silent_payment_address_is_a_lasting_wallet() -> None:
    found = normalise(encode("sp", KEY + KEY, BECH32M, 0))
    assert (found.network, found.flags) == (Network.BTC, ("silent_payment",))
    # BIP-352: a later version may append data.
    assert normalise(encode("sp", KEY + KEY + b"x", BECH32M, 1)).network is Network.BTC


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (encode("tsp", KEY + KEY, BECH32M, 0), "testnet"),
        (encode("sp", KEY + KEY, BECH32, 0), "wrong_length"),
        (encode("sp", KEY + KEY + b"x", BECH32M, 0), "wrong_length"),
        (encode("sp", KEY + KEY, BECH32M, 31), "wrong_length"),
        (encode("sp", KEY + b"\4" + KEY[1:], BECH32M, 0), "wrong_length"),
        (encode("sp", KEY, BECH32M, 0), "wrong_length"),
        (encode("ltcmweb", KEY + KEY, BECH32, 1), "wrong_length"),
        (encode("ltcmweb", KEY + b"\4" + KEY[1:], BECH32, 0), "wrong_length"),
        (encode("tmweb", KEY + KEY, BECH32, 0), "testnet"),
    ],
)
def test_wrong_paired_keys_have_their_code(text: str, code: str) -> None:
    assert code_of(text) == code


# Cardano, Byron


def byron(
    attributes: bytes = b"\xa0", kind: int = 0, head: bytes = b"\x83\x58\x1c", crc: bytes = b""
) -> str:
    payload = head + bytes(range(28)) + attributes + bytes([kind])
    check = crc or b"\x1a" + binascii.crc32(payload).to_bytes(4, "big")
    return base58.encode(b"\x82\xd8\x18\x58" + bytes([len(payload)]) + payload + check)


def test_a_byron_address_keeps_its_spelling() -> None:
    path = b"\xa1\x01\x58\x1e\x58\x1c" + bytes(28)
    for text in (byron(), byron(path), byron(kind=2), byron(b"\xa1\x01\x45" + bytes(5))):
        assert normalise(text) == Normalised(
            Kind.WALLET, Network.ADA, text, normalise(text).checksum
        )


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (byron(b"\xa1\x02\x45\x1a\x41\x70\xcb\x17"), "testnet"),
        (byron(head=b"\x83\x58\x1d"), "unknown_format"),
        (byron(b"\xa3"), "unknown_format"),
        (byron(kind=1), "unknown_format"),
        (byron(b"\xa1\x03\x41\x00"), "unknown_format"),
        (byron(b"\xa1\x01\x01"), "unknown_format"),
        (byron(b"\xa1\x01\x44\x00"), "unknown_format"),
        (byron(b"\xa1\x01\x58"), "unknown_format"),
        (byron(b"\xa1"), "unknown_format"),
        (byron(crc=b"\x01"), "unknown_format"),
        (byron(crc=b"\x18\x05"), "unknown_format"),
        (byron(crc=b"\x19\x00\x05"), "unknown_format"),
        (byron(crc=b"\x1b" + bytes(8)), "unknown_format"),
    ],
)
def test_a_wrong_byron_address_is_refused(text: str, code: str) -> None:
    assert code_of(text, network="ada") == code


def test_a_cbor_checksum_is_read_in_its_shortest_form_only() -> None:
    forms = {b"\x05": 5, b"\x18\x20": 32, b"\x19\x01\x00": 256, b"\x1a\0\1\0\0": 65536}
    for data, number in forms.items():
        assert cardano._integer(data) == number
    for data in (b"\x18\x05", b"\x19\0\x20", b"\x1a\0\0\1\0", b"\x1a\0\1", b"", b"\x18"):
        assert cardano._integer(data) is None


# Zcash, unified and shielded


def jumble(message: bytes) -> bytes:
    """F4Jumble (ZIP-316), forwards."""
    left = min(64, len(message) // 2)
    a, b = message[:left], message[left:]
    x = zcash._xor(b, zcash._g(0, a, len(b)))
    y = zcash._xor(a, zcash._h(0, x, left))
    d = zcash._xor(x, zcash._g(1, y, len(x)))
    return zcash._xor(y, zcash._h(1, d, left)) + d


def item(code: int, size: int) -> bytes:
    return bytes([code, size]) + bytes(range(size))


def unified(items: bytes, prefix: str = "u", padding: bytes | None = None) -> str:
    ending = prefix.encode().ljust(16, b"\0") if padding is None else padding
    return encode(prefix, jumble(items + ending), BECH32M)


ORCHARD, SAPLING, P2SH, P2PKH = item(3, 43), item(2, 43), item(1, 20), item(0, 20)


def test_the_receivers_of_a_unified_address_are_aliases() -> None:
    found = normalise(unified(P2PKH + SAPLING + ORCHARD))
    assert found.network is Network.ZEC
    assert [alias[:11] for alias in found.aliases][1:] == ["zec-sapling", "zec-orchard"]
    assert normalise(found.aliases[0]).value.startswith("t1")
    assert normalise(unified(P2SH + ORCHARD)).aliases[0].startswith("t3")
    # Revision 2 may be transparent alone, and may expire; unknown items are kept out of aliases.
    assert normalise(unified(P2PKH + item(0xE0, 4) + item(0xFC, 20), "zu")).aliases[0][:2] == "t1"
    long_code = b"\xfd\x00\x01" + bytes([20]) + bytes(20)
    assert normalise(unified(ORCHARD + long_code)).aliases[0].startswith("zec-orchard")


@pytest.mark.parametrize(
    "text",
    [
        unified(P2PKH),
        unified(P2PKH + P2SH + ORCHARD),
        unified(item(0xC0, 60)),
        unified(ORCHARD + item(0xE0, 4)),
        unified(ORCHARD + SAPLING),
        unified(ORCHARD + ORCHARD),
        unified(item(3, 42) + item(9, 10)),
        unified(ORCHARD + b"\x09"),
        unified(ORCHARD + b"\x09\x20\x00"),
        unified(ORCHARD + b"\xfd\x09\x00\x00"),
        unified(ORCHARD + b"\xfe\x00"),
        unified(ORCHARD, padding=b"utest".ljust(16, b"\0")),
        encode("u", bytes(47), BECH32M),
        encode("u", jumble(ORCHARD + b"u".ljust(16, b"\0")), BECH32),
        encode("zs", bytes(42), BECH32),
        encode("zs", bytes(43), BECH32M),
        encode("tex", bytes(19), BECH32M),
    ],
)
def test_a_wrong_shielded_address_is_refused(text: str) -> None:
    assert code_of(text) == "wrong_length"


def test_wrong_padding_bits_are_refused_in_every_bech32_format() -> None:
    for prefix in ("zs", "addr", "cosmos", "bc", "sp", "ltcmweb", "lnbc"):
        # 140 bits are 17 bytes and four bits, of which one is not zero.
        symbols = bytes([*[0] * 27, 1])
        check = bech32.checksum_constant(prefix, symbols + bytes(6)) ^ BECH32
        tail = [check >> 5 * (5 - place) & 31 for place in range(6)]
        text = "".join(chr(bech32.CHARACTERS[symbol]) for symbol in [*symbols, *tail])
        assert code_of(f"{prefix}1{text}") == "wrong_length"


# Transactions


def test_ids_have_one_spelling_on_each_network() -> None:
    digits = "ab" * 32
    for network in Network:
        if network is Network.SOL:
            continue
        expected = "0x" + digits if network in {Network.EVM, Network.DOT} else digits
        for text in (digits, digits.upper(), "0x" + digits):
            found = normalise(text, network=network, kind="transaction")
            assert (found.kind, found.value) == (Kind.TRANSACTION, expected)


def test_ton_writes_ids_in_base64_too() -> None:
    raw = bytes(range(224, 256))
    plain = binascii.b2a_base64(raw, newline=False).decode()
    for text in (plain, plain.rstrip("="), plain.replace("+", "-").replace("/", "_")):
        assert normalise(text, network="ton", kind="transaction").value == raw.hex()
    spare = plain[:-2] + ("9" if plain[-2] != "9" else "8") + "="
    for wrong in (spare, "!" * 43, "abc"):
        assert code_of(wrong, network="ton", kind="transaction") == "unknown_format"
    # Without being asked for, 43 characters may be an address that lost its end.
    assert code_of(plain.rstrip("="), network="ton") == "unknown_format"


def test_a_solana_id_is_64_bytes_and_not_nothing() -> None:
    assert code_of("1" * 64, network="sol", kind="transaction") == "unknown_format"
    text = base58.encode(bytes(range(100, 164)))
    assert normalise(text, network="sol").kind is Kind.TRANSACTION


# XRP, TON, cashaddr, base58


def test_an_x_address_with_an_impossible_tag_is_refused() -> None:
    account = bytes(range(20))
    for rest in (b"\2" + bytes(8), b"\1" + bytes(7) + b"\1", b"\0\1" + bytes(7)):
        text = base58.encode_check(b"\x05\x44" + account + rest, base58.RIPPLE)
        assert code_of(text, network="xrp") != "testnet"
    other = base58.encode_check(b"\x05\x45" + account + bytes(9), base58.RIPPLE)
    assert code_of(other, network="xrp") in {"checksum_wrong", "unknown_format"}


def test_48_characters_that_are_no_base64_are_no_ton_account() -> None:
    assert code_of("E" + "!" * 47, network="ton") == "unknown_format"
    assert code_of("E" * 48, network="ton") == "checksum_wrong"


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ("zs1" + "b" * 70, "zec"),
        (encode("cosmos", bytes(19), BECH32), "cosmos"),
        (encode("cosmos", bytes(20), BECH32M), "cosmos"),
        ("4" * 95, "xmr"),
        (monero.encode_check(bytes([99]) + bytes(64)), "xmr"),
        ("bitcoincash:" + "q" * 42, "bch"),
        (cashaddr.encode_cash("bitcoincash", 4, bytes(20)), "bch"),
    ],
)
def test_each_format_refuses_what_only_looks_like_it(text: str, network: str) -> None:
    assert code_of(text, network=network) in {"checksum_wrong", "wrong_length", "unknown_format"}


def test_a_decoder_asked_alone_refuses_other_texts() -> None:
    for text in ("4" + "0" * 94, "4" * 94, ""):
        assert monero.monero_address(text) is None
    for text in ("zs1b", encode("bc", bytes(43), BECH32)):
        assert zcash.shielded_address(text) is None
    assert accounts.cosmos_account(encode("bc", bytes(20), BECH32)) is None


def test_the_token_form_of_cashaddr_is_the_plain_address() -> None:
    for kind in (0, 1):
        plain = cashaddr.encode_cash("bitcoincash", kind, bytes(range(20)))
        token = cashaddr.encode_cash("bitcoincash", kind + 2, bytes(range(20)))
        assert normalise(token).value == normalise(plain).value == plain
        assert normalise(token).flags == ("token_form",)


def test_a_bare_onion_name_is_an_onion_service() -> None:
    assert normalise(ONION.upper()).value == f"{ONION}.onion"


def test_base58_has_one_spelling_of_a_size() -> None:
    assert base58.decode_any(b"", limit=5) is None
    assert base58.decode_any(b"1" * 6, limit=5) is None
    assert base58.decode_any(b"0", limit=5) is None
    assert base58.decode(b"11", 1) is None
    assert base58.decode(b"z" * 3, 1) is None


# Hosts and URLs


ONION = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd"


@pytest.mark.parametrize(
    ("text", "value", "flags", "aliases"),
    [
        (f"{ONION}.onion.ws", f"{ONION}.onion", ("gateway",), ()),
        (f"www.{ONION}.onion.to", f"{ONION}.onion", ("gateway",), ()),
        (f"*.{ONION}.onion", f"{ONION}.onion", ("subdomains",), ()),
        (
            "b\u00e4\u0430.example.com",
            "xn--b-0fa64w.example.com",
            ("mixed_script",),
            ("example.com",),
        ),
        (
            f"https://{ONION}.onion.ws/a",
            f"https://{ONION}.onion.ws/a",
            ("gateway",),
            (f"{ONION}.onion",),
        ),
        (
            "https://ex\u0430mple.com/a",
            "https://xn--exmple-4nf.com/a",
            ("mixed_script",),
            ("xn--exmple-4nf.com",),
        ),
        (
            "https://b\u00fccher.example/",
            "https://xn--bcher-kva.example/",
            (),
            ("xn--bcher-kva.example",),
        ),
        ("https://ex%D0%B0mple.com/", "https://xn--exmple-4nf.com/", ("mixed_script",), None),
        ("xn--exmple-4nf.com", "xn--exmple-4nf.com", ("mixed_script",), ()),
        ("http://[2001:db8::1]/", "http://[2001:db8::1]/", ("ip_host",), ()),
        (f"http://x.{ONION}.onion/a", f"http://x.{ONION}.onion/a", (), (f"{ONION}.onion",)),
        (
            "http://ex\u0430mple.com:8080/a",
            "http://xn--exmple-4nf.com:8080/a",
            ("mixed_script",),
            None,
        ),
    ],
)
def test_hosts_say_what_a_reader_should_see(
    text: str, value: str, flags: tuple[str, ...], aliases: tuple[str, ...] | None
) -> None:
    found = normalise(text)
    assert (found.value, found.flags) == (value, flags)
    assert aliases is None or found.aliases == aliases


def test_a_longer_false_onion_in_a_domain_is_a_plain_domain() -> None:
    found = normalise("a" * 56 + ".example.com")
    assert (found.kind, found.flags) == (Kind.DOMAIN, ())


def test_a_defanged_dot_alone_makes_a_host() -> None:
    assert normalise("example(dot)com").value == "example.com"
    assert normalise("example\u3002com").value == "example.com"


# Labels


def test_each_spelling_names_its_network_and_no_two_share_one() -> None:
    for network, line in _SPELLINGS.items():
        for spelling in line.split("|"):
            assert network_of_label(spelling) is network, spelling
            assert network_of_label(f" {spelling.upper()} ") is network
    spellings = sorted(s for line in _SPELLINGS.values() for s in line.split("|"))
    assert [one for one, other in pairwise(spellings) if one == other] == []


@pytest.mark.parametrize(
    ("label", "network"),
    [
        ("USDT (TRC20)", "trx"),
        ("ERC-20", "evm"),
        ("Bitcoin Core", "btc"),
        ("Ethereum Mainnet", "evm"),
        ("Litecoin wallet", "ltc"),
        ("eip155:137", "evm"),
        ("USDT", None),
        ("", None),
        (None, None),
        ("x" * 81, None),
        ("Bitcoin or Litecoin", None),
    ],
)
def test_a_label_names_one_network_or_none(label: str | None, network: str | None) -> None:
    assert network_of_label(label) == network
