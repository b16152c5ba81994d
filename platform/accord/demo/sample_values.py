"""Makes valid values of every kind and network from random bytes, whole columns at once.

Keys are random, so no value is anybody's wallet or service, and domain names carry a seven-digit
number between invented words. Each maker takes a generator and a count and returns that many
texts; the same generator state gives the same texts. It makes valid values only (``samples`` adds
the mess), and shares no code with the decoders that it is used to test, but for digests.
"""

import binascii
from collections.abc import Callable
from hashlib import blake2b, sha3_256, sha256

import numpy as np
from numpy.typing import NDArray

from accord.kernel.indicators.digests import keccak256

Bytes = NDArray[np.uint8]
Maker = Callable[[np.random.Generator, int], list[str]]

_BASE58 = np.frombuffer(b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz", np.uint8)
_RIPPLE58 = np.frombuffer(b"rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz", np.uint8)
_BECH32 = np.frombuffer(b"qpzry9x8gf2tvdw0s3jn54khce6mua7l", np.uint8)
_BASE32 = np.frombuffer(b"abcdefghijklmnopqrstuvwxyz234567", np.uint8)
_LOWER = np.frombuffer(b"0123456789abcdef", np.uint8)
_UPPER = np.frombuffer(b"0123456789ABCDEF", np.uint8)
_BECH32M = 0x2BC830A3
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_CASH_GENERATOR = (0x98F2BC8E61, 0x79B76D99E2, 0xF33E5FB3C4, 0xAE2EABE2A8, 0x1E4F43E470)


def _xors(generator: tuple[int, ...]) -> NDArray[np.uint64]:
    table = np.zeros(32, np.uint64)
    for top in range(32):
        for bit in range(5):
            if top >> bit & 1:
                table[top] ^= np.uint64(generator[bit])
    return table


_STEP = _xors(_GENERATOR)
_CASH_STEP = _xors(_CASH_GENERATOR)


def _random(random: np.random.Generator, count: int, size: int) -> Bytes:
    return random.integers(0, 256, (count, size), np.uint8)


def _constant(count: int, data: bytes) -> Bytes:
    return np.tile(np.frombuffer(data, np.uint8), (count, 1))


def _join(*columns: Bytes) -> Bytes:
    return np.concatenate(columns, 1)


def _cut(text: bytes, width: int, prefix: str = "") -> list[str]:
    whole = text.decode("ascii")
    return [prefix + whole[i : i + width] for i in range(0, len(whole), width)]


def _digests(data: Bytes, digest: Callable[[bytes], bytes], size: int) -> Bytes:
    """Return the first ``size`` bytes of the digest of each row."""
    raw, width = data.tobytes(), data.shape[1]
    parts = [digest(raw[i : i + width])[:size] for i in range(0, len(raw), width)]
    return np.frombuffer(b"".join(parts), np.uint8).reshape(-1, size)


def _sha256d(data: bytes) -> bytes:
    return sha256(sha256(data).digest()).digest()


def _base58(payload: Bytes, alphabet: Bytes = _BASE58) -> list[str]:
    """Base58 of each row: repeated division of 32-bit limbs by 58^5; leading zero bytes kept."""
    count, size = payload.shape
    padding = -size % 4
    padded = _join(np.zeros((count, padding), np.uint8), payload) if padding else payload
    limbs = np.ascontiguousarray(padded).view(">u4").astype(np.uint64).T.copy()
    groups = -(-(int(size * 1.3658) + 2) // 5)
    base, shift = np.uint64(58**5), np.uint64(32)
    digits = np.empty((count, groups * 5), np.uint8)
    for group in range(groups - 1, -1, -1):
        rest = np.zeros(count, np.uint64)
        for limb in range(len(limbs)):
            number = (rest << shift) | limbs[limb]
            quotient = number // base
            limbs[limb] = quotient
            rest = number - quotient * base
        five = rest.astype(np.uint32)
        for place in range(4, -1, -1):
            quotient32 = five // np.uint32(58)
            digits[:, group * 5 + place] = five - quotient32 * np.uint32(58)
            five = quotient32
    first = (digits != 0).argmax(1) - (payload != 0).argmax(1)
    width = digits.shape[1]
    text = alphabet[digits].tobytes().decode("ascii")
    return [text[i * width + start : (i + 1) * width] for i, start in enumerate(first.tolist())]


def _base58check(version: bytes, body: Bytes, alphabet: Bytes = _BASE58) -> list[str]:
    payload = _join(_constant(len(body), version), body)
    return _base58(_join(payload, _digests(payload, _sha256d, 4)), alphabet)


def _five_bits(data: Bytes) -> Bytes:
    """Return the 5-bit symbols of each row, padded with zero bits."""
    bits = np.unpackbits(data, axis=1)
    padding = -bits.shape[1] % 5
    if padding:
        bits = _join(bits, np.zeros((len(data), padding), np.uint8))
    packed = np.packbits(bits.reshape(len(data), -1, 5), axis=2).reshape(len(data), -1)
    return packed >> np.uint8(3)


def _bech32(prefix: str, symbols: Bytes, constant: int) -> list[str]:
    start = 1
    for word in [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]:
        start = ((start & 0x1FFFFFF) << 5) ^ word ^ int(_STEP[start >> 25])
    register = np.full(len(symbols), start, np.uint64)
    for column in range(symbols.shape[1] + 6):
        top = register >> np.uint64(25)
        register = ((register & np.uint64(0x1FFFFFF)) << np.uint64(5)) ^ _STEP[top]
        if column < symbols.shape[1]:
            register ^= symbols[:, column].astype(np.uint64)
    register ^= np.uint64(constant)
    check = [(register >> np.uint64(5 * (5 - i))) & np.uint64(31) for i in range(6)]
    whole = _join(symbols, np.stack(check, 1).astype(np.uint8))
    return _cut(_BECH32[whole].tobytes(), whole.shape[1], prefix + "1")


def _cash(prefix: str, symbols: Bytes) -> list[str]:
    start = 1
    for word in [ord(c) & 31 for c in prefix] + [0]:
        start = ((start & 0x07FFFFFFFF) << 5) ^ word ^ int(_CASH_STEP[start >> 35])
    register = np.full(len(symbols), start, np.uint64)
    for column in range(symbols.shape[1] + 8):
        top = register >> np.uint64(35)
        register = ((register & np.uint64(0x07FFFFFFFF)) << np.uint64(5)) ^ _CASH_STEP[top]
        if column < symbols.shape[1]:
            register ^= symbols[:, column].astype(np.uint64)
    register ^= np.uint64(1)
    check = [(register >> np.uint64(5 * (7 - i))) & np.uint64(31) for i in range(8)]
    whole = _join(symbols, np.stack(check, 1).astype(np.uint8))
    return _cut(_BECH32[whole].tobytes(), whole.shape[1], prefix + ":")


def check58(version: bytes, *, ripple: bool = False) -> Maker:
    """Return a maker of base58check over a version and 20 random bytes."""
    alphabet = _RIPPLE58 if ripple else _BASE58
    return lambda random, count: _base58check(version, _random(random, count, 20), alphabet)


def witness(prefix: str, version: int, size: int) -> Maker:
    """Return a maker of witness addresses with a program of ``size`` random bytes."""
    constant = _BECH32M if version else 1

    def make(random: np.random.Generator, count: int) -> list[str]:
        program = _five_bits(_random(random, count, size))
        return _bech32(prefix, _join(_constant(count, bytes([version])), program), constant)

    return make


def bech32_account(prefix: str, header: bytes, size: int) -> Maker:
    """Return a maker of plain bech32 over a header and ``size`` random bytes."""

    def make(random: np.random.Generator, count: int) -> list[str]:
        body = _random(random, count, size)
        data = _join(_constant(count, header), body) if header else body
        return _bech32(prefix, _five_bits(data), 1)

    return make


def hexadecimal(prefix: str, size: int) -> Maker:
    """Return a maker of ``size`` random bytes in lower-case hexadecimal."""
    return lambda random, count: _cut(
        _random(random, count, size).tobytes().hex().encode(), size * 2, prefix
    )


def base58_of(size: int) -> Maker:
    """Return a maker of base58 over ``size`` random bytes."""
    return lambda random, count: _base58(_random(random, count, size))


def cash(random: np.random.Generator, count: int) -> list[str]:
    """Make Bitcoin Cash addresses."""
    return _cash(
        "bitcoincash", _five_bits(_join(_constant(count, b"\0"), _random(random, count, 20)))
    )


def eip55(random: np.random.Generator, count: int) -> list[str]:
    """Make EVM addresses with the case of EIP-55."""
    data = _random(random, count, 20)
    nibbles = np.empty((count, 40), np.uint8)
    nibbles[:, 0::2], nibbles[:, 1::2] = data >> 4, data & 15
    lower = _LOWER[nibbles]
    digest = _digests(lower, keccak256, 20)
    high = np.empty((count, 40), np.bool_)
    high[:, 0::2], high[:, 1::2] = digest >> 7 == 1, digest >> 3 & 1 == 1
    return _cut(np.where(high, _UPPER[nibbles], lower).tobytes(), 40, "0x")


def monero(random: np.random.Generator, count: int) -> list[str]:
    """Make Monero standard addresses (the keys are not points of the curve)."""
    body = _join(_constant(count, bytes([18])), _random(random, count, 64))
    data = _join(body, _digests(body, keccak256, 4))
    digits = np.empty((count, 95), np.uint8)
    blocks = np.ascontiguousarray(data[:, :64]).view(">u8").astype(np.uint64).reshape(count, 8)
    for block in range(8):
        _write_digits(digits, blocks[:, block].copy(), block * 11, 11)
    tail = np.zeros(count, np.uint64)
    for column in range(64, 69):
        tail = (tail << np.uint64(8)) | data[:, column]
    _write_digits(digits, tail, 88, 7)
    return _cut(_BASE58[digits].tobytes(), 95)


def _write_digits(digits: Bytes, numbers: NDArray[np.uint64], start: int, width: int) -> None:
    base = np.uint64(58)
    for place in range(width - 1, -1, -1):
        quotient = numbers // base
        digits[:, start + place] = numbers - quotient * base
        numbers = quotient


def stellar(random: np.random.Generator, count: int) -> list[str]:
    """Make Stellar account ids."""
    body = _join(_constant(count, b"\x30"), _random(random, count, 32))
    check = _digests(body, lambda row: binascii.crc_hqx(row, 0).to_bytes(2, "little"), 2)
    text = _BASE32[_five_bits(_join(body, check))].tobytes().upper()
    return _cut(text, 56)


def polkadot(random: np.random.Generator, count: int) -> list[str]:
    """Make SS58 addresses with Polkadot's prefix."""
    body = _join(_constant(count, b"\0"), _random(random, count, 32))
    check = _digests(body, lambda row: blake2b(b"SS58PRE" + row, digest_size=64).digest(), 2)
    return _base58(_join(body, check))


def ton(random: np.random.Generator, count: int) -> list[str]:
    """Make bounceable TON addresses."""
    body = _join(_constant(count, b"\x11\0"), _random(random, count, 32))
    check = _digests(body, lambda row: binascii.crc_hqx(row, 0).to_bytes(2, "big"), 2)
    raw = binascii.b2a_base64(_join(body, check).tobytes(), newline=False)
    return _cut(raw.translate(bytes.maketrans(b"+/", b"-_")), 48)


def onion(random: np.random.Generator, count: int) -> list[str]:
    """Make onion services of version 3."""
    keys = _random(random, count, 32)
    three = _constant(count, b"\3")
    label = _constant(count, b".onion checksum")
    check = _digests(_join(label, keys, three), lambda row: sha3_256(row).digest(), 2)
    text = _BASE32[_five_bits(_join(keys, check, three))].tobytes()
    return [label_text + ".onion" for label_text in _cut(text, 56)]


_SUFFIXES = ("com", "net", "org", "io", "to", "cc", "me", "ru", "co.uk", "com.br", "de", "host")
_SUBS = ("", "", "", "", "", "", "dl.", "www.", "s3.", "cdn7.", "files.", "u12.", "x1.cdn.")
_WORDS = ("file", "upload", "cloud", "share", "drop", "box", "disk", "storage", "send", "vault")


def domain(random: np.random.Generator, count: int) -> list[str]:
    """Make domains of two words and a number under real public suffixes."""
    limits = (len(_SUBS), len(_WORDS), len(_WORDS), 10_000_000, len(_SUFFIXES))
    picks = [random.integers(0, limit, count).tolist() for limit in limits]
    return [
        f"{_SUBS[sub]}{_WORDS[one]}{_WORDS[two]}-{number:07d}.{_SUFFIXES[suffix]}"
        for sub, one, two, number, suffix in zip(*picks, strict=True)
    ]


_PATHS = (
    "https://%s/f/%010x",
    "http://%s/%010x.html",
    "https://%s/d/%010x/archive.zip",
    "https://%s/?id=%010x&lang=en",
)


def url(random: np.random.Generator, count: int) -> list[str]:
    """Make URLs on made-up domains."""
    numbers = random.integers(0, 1 << 40, count).tolist()
    forms = random.integers(0, len(_PATHS), count).tolist()
    hosts = domain(random, count)
    return [
        _PATHS[form] % (host, number)
        for form, host, number in zip(forms, hosts, numbers, strict=True)
    ]
