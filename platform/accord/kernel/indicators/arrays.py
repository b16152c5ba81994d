"""The arithmetic of address formats on many texts of one length at once (numpy).

Each function takes texts of equal length and gives one verdict a row; it must agree with the
single decoders, which a property test shows. A row whose verdict is no is judged again by the
single path, so that nothing here has to explain a refusal.
"""

from collections.abc import Sequence
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from accord.kernel.indicators import base58, bech32, cashaddr
from accord.kernel.indicators.digests import keccak256

Bytes = NDArray[np.uint8]
Mask = NDArray[np.bool_]

_BITCOIN = np.frombuffer(base58.BITCOIN.digits, np.uint8)
_RIPPLE = np.frombuffer(base58.RIPPLE.digits, np.uint8)
_BECH32 = np.frombuffer(bech32.DIGITS, np.uint8)
_STEP = np.array(bech32.STEP, np.uint32)
_CASH_STEP = np.array(cashaddr.STEP, np.uint64)
_CASH_MASK = np.uint64(0x07FFFFFFFF)
_FIVE_DIGITS = np.uint64(58**5)
_LOW = np.uint64(0xFFFFFFFF)
_SHIFT = np.uint64(32)
_BLOCK_HIGH, _BLOCK_LOW = 5, 6
_LOW_BASE = np.uint64(58**_BLOCK_LOW)
_MAX64 = np.uint64(2**64 - 1)


def rows(texts: Sequence[str], size: int) -> Bytes:
    """Return ASCII texts of ``size`` characters as an array of one row each."""
    return np.frombuffer("".join(texts).encode("ascii"), np.uint8).reshape(-1, size)


def base58_rows(
    texts: Sequence[str], length: int, size: int, *, ripple: bool = False
) -> tuple[Bytes, Mask]:
    """Return the ``size`` bytes of each base58 text and whether they are exactly that many."""
    digits = (_RIPPLE if ripple else _BITCOIN)[rows(texts, length)]
    right = (digits != base58.NOT_A_DIGIT).all(1)
    digits = np.where(digits == base58.NOT_A_DIGIT, 0, digits)
    zeros = (digits != 0).argmax(1)
    padding = -length % 5
    if padding:
        digits = np.pad(digits, ((0, 0), (padding, 0)))
    five = digits.reshape(len(texts), -1, 5).astype(np.uint32)
    groups = five[:, :, 0]
    for column in range(1, 5):
        groups = groups * 58 + five[:, :, column]
    words = -(-size // 4)
    limbs, overflow = _multiply_in(groups.astype(np.uint64), words)
    data = np.ascontiguousarray(limbs[::-1].T.astype(">u4")).view(np.uint8)
    data = data.reshape(len(texts), words * 4)
    excess = words * 4 - size
    right &= overflow == 0
    if excess:
        right &= (data[:, :excess] == 0).all(1)
        data = data[:, excess:]
    right &= (data != 0).argmax(1) == zeros
    right &= (data != 0).any(1)
    return data, right


def _multiply_in(
    groups: NDArray[np.uint64], words: int
) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Return 32-bit limbs, the least first, of base 58^5 digits, and what did not fit."""
    limbs = np.zeros((words, len(groups)), np.uint64)
    overflow = np.zeros(len(groups), np.uint64)
    for step in range(groups.shape[1]):
        carry = groups[:, step].copy()
        for limb in range(min(words, step + 1)):
            product = limbs[limb] * _FIVE_DIGITS + carry
            limbs[limb] = product & _LOW
            carry = product >> _SHIFT
        if step + 1 < words:
            limbs[step + 1] += carry
        else:
            overflow |= carry
    return limbs, overflow


def with_sha256d(data: Bytes, right: Mask) -> list[bool]:
    """Return which right rows end in the first four bytes of their double SHA-256."""
    raw = np.ascontiguousarray(data).tobytes()
    size = data.shape[1]
    digests = b"".join(
        [
            sha256(sha256(raw[start : start + size - 4]).digest()).digest()[:4]
            for start in range(0, len(raw), size)
        ]
    )
    sound = right & (np.frombuffer(digests, np.uint8).reshape(-1, 4) == data[:, -4:]).all(1)
    verdicts: list[bool] = sound.tolist()
    return verdicts


def witness_rows(texts: Sequence[str], length: int, prefix: str) -> tuple[list[bool], list[int]]:
    """Return which lower-case texts are witness addresses of ``prefix``, and their versions."""
    digits = _BECH32[rows(texts, length)[:, len(prefix) + 1 :]]
    right = (digits != base58.NOT_A_DIGIT).all(1)
    symbols = np.where(digits == base58.NOT_A_DIGIT, 0, digits).astype(np.uint32)
    count = symbols.shape[1] - 1 - bech32.CHECKSUM_LENGTH
    bits = max(count, 0) * 5
    padding, size = bits & 7, bits >> 3
    version = symbols[:, 0]
    if padding > 4 or not 2 <= size <= 40 or length > 90:
        return [False] * len(texts), [0] * len(texts)
    register = np.full(len(texts), bech32.prefix_register(prefix), np.uint32)
    for column in range(symbols.shape[1]):
        shifted = (register & np.uint32(0x1FFFFFF)) << np.uint32(5)
        register = shifted ^ symbols[:, column] ^ _STEP[register >> np.uint32(25)]
    right &= np.where(
        version == 0,
        register == bech32.Encoding.BECH32,
        (version <= 16) & (register == bech32.Encoding.BECH32M),
    )
    if padding:
        last = symbols[:, -1 - bech32.CHECKSUM_LENGTH]
        right &= (last & np.uint32((1 << padding) - 1)) == 0
    if size not in (20, 32):
        right &= version != 0
    return right.tolist(), version.tolist()


def cash_rows(texts: Sequence[str]) -> list[bool]:
    """Return which of ``bitcoincash:`` and 42 digits of bech32 are addresses of 20-byte scripts."""
    symbols = _BECH32[rows(texts, 54)[:, 12:]].astype(np.uint64)
    register = np.full(len(texts), cashaddr.prefix_register("bitcoincash"), np.uint64)
    for column in range(symbols.shape[1]):
        shifted = (register & _CASH_MASK) << np.uint64(5)
        register = shifted ^ symbols[:, column] ^ _CASH_STEP[register >> np.uint64(35)]
    right = register == 1
    # The version byte is 0 or 8, and the two bits after the 21 bytes are zero.
    right &= (symbols[:, 0] <= 1) & (symbols[:, 1] < 4) & ((symbols[:, 33] & np.uint64(3)) == 0)
    verdicts: list[bool] = right.tolist()
    return verdicts


def monero_rows(texts: Sequence[str]) -> tuple[list[bool], list[int]]:
    """Return which texts of 95 characters have a right Monero checksum, and their tags."""
    digits = _BITCOIN[rows(texts, 95)]
    right = (digits != base58.NOT_A_DIGIT).all(1)
    wide = np.where(digits == base58.NOT_A_DIGIT, 0, digits).astype(np.uint64)
    blocks = wide[:, :88].reshape(len(texts), 8, 11)
    high = _horner(blocks[:, :, :_BLOCK_HIGH])
    low = _horner(blocks[:, :, _BLOCK_HIGH:])
    right &= (high <= (_MAX64 - low) // _LOW_BASE).all(1)
    tail = _horner(wide[:, 88:])
    right &= tail < np.uint64(2**40)
    data = np.empty((len(texts), 69), np.uint8)
    data[:, :64] = (high * _LOW_BASE + low).astype(">u8").view(np.uint8).reshape(-1, 64)
    data[:, 64:] = tail.astype(">u8").view(np.uint8).reshape(-1, 8)[:, 3:]
    raw = data.tobytes()
    verdicts: list[bool] = right.tolist()
    for row, sound in enumerate(verdicts):
        start = row * 69
        if sound and keccak256(raw[start : start + 65])[:4] != raw[start + 65 : start + 69]:
            verdicts[row] = False
    return verdicts, data[:, 0].tolist()


def _horner(digits: NDArray[np.uint64]) -> NDArray[np.uint64]:
    number = digits[..., 0]
    for column in range(1, digits.shape[-1]):
        number = number * np.uint64(58) + digits[..., column]
    return number


def eip55_rows(texts: Sequence[str]) -> tuple[list[bool], list[str]]:
    """Return which ``0x`` texts of 40 mixed-case digits follow EIP-55, and their lower case."""
    joined = "".join(texts)
    lower = joined.lower()
    raw = lower.encode("ascii")
    digests = b"".join(
        [keccak256(raw[start : start + 40])[:20] for start in range(2, len(raw), 42)]
    )
    packed = np.frombuffer(digests, np.uint8).reshape(-1, 20)
    high = np.empty((len(texts), 40), np.bool_)
    high[:, 0::2] = packed >= 0x80
    high[:, 1::2] = (packed & 15) >= 8
    typed = np.frombuffer(joined.encode("ascii"), np.uint8).reshape(-1, 42)[:, 2:]
    letters = typed >= ord("A")
    upper = letters & (typed <= ord("F"))
    verdicts: list[bool] = ((high & letters) == upper).all(1).tolist()
    return verdicts, [lower[start : start + 42] for start in range(0, len(lower), 42)]
