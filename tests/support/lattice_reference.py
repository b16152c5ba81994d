"""Derandomised ML-KEM-768 encapsulation and ML-DSA-65 signing, for vectors only.

``cryptography`` draws its own randomness, so published vectors cannot be made with it. This second
implementation is slow, not constant-time and must never leave ``tests/``; its results are checked
against ``cryptography`` and against published known answers (tests/kernel/envelope).

Sources: FIPS 203 algorithms 8 to 17; FIPS 204 algorithms 2, 7 and 29 to 48, deterministic variant.
"""

import hashlib
from collections.abc import Iterator
from functools import cache

import numpy as np
from numpy.typing import NDArray

Poly = NDArray[np.int64]

N = 256
KEM_Q, KEM_K = 3329, 3
DSA_Q, DSA_K, DSA_L = 8380417, 6, 5
_D, _TAU, _ETA, _OMEGA = 13, 49, 4, 55
_GAMMA1, _GAMMA2 = 1 << 19, (DSA_Q - 1) // 32
_BETA = _TAU * _ETA


def _bit_reversed(value: int, width: int) -> int:
    return int(f"{value:0{width}b}"[::-1], 2)


@cache
def _zetas(q: int, root: int, blocks: int, width: int) -> Poly:
    """Return the twiddle factors of the layer with ``blocks`` blocks, one in a row."""
    powers = [pow(root, _bit_reversed(k, width), q) for k in range(blocks, 2 * blocks)]
    return np.array(powers, np.int64)[:, None]


def _forward(poly: Poly, *, q: int, root: int, last: int) -> Poly:
    """Number-theoretic transform down to blocks of ``last`` coefficients."""
    width = (N // last).bit_length() - 1
    out, length = poly % q, N // 2
    while length >= last:
        pairs = out.reshape(-1, 2, length)
        turned = _zetas(q, root, N // (2 * length), width) * pairs[:, 1] % q
        out = np.stack([pairs[:, 0] + turned, pairs[:, 0] - turned], axis=1).reshape(N) % q
        length //= 2
    return out


def _inverse(poly: Poly, *, q: int, root: int, last: int) -> Poly:
    """Inverse of ``_forward``."""
    width = (N // last).bit_length() - 1
    out, length = poly % q, last
    while length <= N // 2:
        pairs = out.reshape(-1, 2, length)
        zetas = _zetas(q, root, N // (2 * length), width)[::-1]
        turned = zetas * (pairs[:, 1] - pairs[:, 0]) % q
        out = np.stack([pairs[:, 0] + pairs[:, 1], turned], axis=1).reshape(N) % q
        length *= 2
    return out * pow(N // last, -1, q) % q


def _bits(data: bytes) -> Poly:
    return np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little").astype(np.int64)


def _pack(values: Poly, width: int) -> bytes:
    spread = (values[:, None] >> np.arange(width)) & 1
    return np.packbits(spread.reshape(-1).astype(np.uint8), bitorder="little").tobytes()


def _unpack(data: bytes, width: int) -> Poly:
    total: Poly = (_bits(data).reshape(-1, width) << np.arange(width)).sum(axis=1)
    return total


# ML-KEM-768


def _kem_ntt(poly: Poly) -> Poly:
    return _forward(poly, q=KEM_Q, root=17, last=2)


def _kem_back(poly: Poly) -> Poly:
    return _inverse(poly, q=KEM_Q, root=17, last=2)


def _kem_product(left: Poly, right: Poly) -> Poly:
    gamma = np.array([pow(17, 2 * _bit_reversed(i, 7) + 1, KEM_Q) for i in range(N // 2)])
    a0, a1, b0, b1 = left[0::2], left[1::2], right[0::2], right[1::2]
    out = np.empty(N, np.int64)
    out[0::2] = (a0 * b0 + a1 * b1 % KEM_Q * gamma) % KEM_Q
    out[1::2] = (a0 * b1 + a1 * b0) % KEM_Q
    return out


def _kem_uniform(seed: bytes) -> Poly:
    stream = hashlib.shake_128(seed).digest(3 * N * 3)
    found: list[int] = []
    for at in range(0, len(stream), 3):
        b0, b1, b2 = stream[at : at + 3]
        found += [d for d in (b0 + 256 * (b1 % 16), b1 // 16 + 16 * b2) if d < KEM_Q]
    return np.array(found[:N], np.int64)


def _kem_noise(seed: bytes, counter: int) -> Poly:
    bits = _bits(hashlib.shake_256(seed + bytes([counter])).digest(N // 2)).reshape(N, 4)
    noise: Poly = bits[:, 0] + bits[:, 1] - bits[:, 2] - bits[:, 3]
    return noise % KEM_Q


def _compressed(poly: Poly, width: int) -> bytes:
    return _pack(((poly << width) + KEM_Q // 2) // KEM_Q % (1 << width), width)


def mlkem768_encapsulate(public: bytes, message: bytes) -> tuple[bytes, bytes]:
    """Return (shared secret 32 bytes, ciphertext 1088 bytes) for 32 bytes of chosen randomness."""
    digest = hashlib.sha3_512(message + hashlib.sha3_256(public).digest()).digest()
    shared, coins = digest[:32], digest[32:]
    t_hat = _unpack(public[:1152], 12).reshape(KEM_K, N)
    rho = public[1152:]
    y_hat = [_kem_ntt(_kem_noise(coins, i)) for i in range(KEM_K)]
    first = b""
    for i in range(KEM_K):
        total = sum(_kem_product(_kem_uniform(rho + bytes([i, j])), y_hat[j]) for j in range(KEM_K))
        u = (_kem_back(np.asarray(total) % KEM_Q) + _kem_noise(coins, KEM_K + i)) % KEM_Q
        first += _compressed(u, 10)
    inner = sum(_kem_product(t_hat[j], y_hat[j]) for j in range(KEM_K))
    carried = _bits(message) * ((KEM_Q + 1) // 2)
    v = (_kem_back(np.asarray(inner) % KEM_Q) + _kem_noise(coins, 2 * KEM_K) + carried) % KEM_Q
    return shared, first + _compressed(v, 4)


# ML-DSA-65


def _dsa_ntt(poly: Poly) -> Poly:
    return _forward(poly, q=DSA_Q, root=1753, last=1)


def _dsa_back(poly: Poly) -> Poly:
    return _inverse(poly, q=DSA_Q, root=1753, last=1)


def _shake(data: bytes, size: int) -> bytes:
    return hashlib.shake_256(data).digest(size)


def _centred(poly: Poly) -> Poly:
    return (poly + DSA_Q // 2) % DSA_Q - DSA_Q // 2


def _dsa_uniform(seed: bytes) -> Poly:
    stream = hashlib.shake_128(seed).digest(3 * N * 2)
    found = []
    for at in range(0, len(stream), 3):
        value = int.from_bytes(stream[at : at + 3], "little") & 0x7FFFFF
        if value < DSA_Q:
            found.append(value)
    return np.array(found[:N], np.int64)


def _dsa_small(seed: bytes) -> Poly:
    found: list[int] = []
    for byte in _shake(seed, 2 * N):
        found += [_ETA - half for half in (byte & 15, byte >> 4) if half < 9]
    return np.array(found[:N], np.int64)


def _decomposed(poly: Poly) -> tuple[Poly, Poly]:
    value = poly % DSA_Q
    low = value % (2 * _GAMMA2)
    low = np.where(low > _GAMMA2, low - 2 * _GAMMA2, low)
    top = value - low == DSA_Q - 1
    return np.where(top, 0, (value - low) // (2 * _GAMMA2)), np.where(top, low - 1, low)


def _challenge(seed: bytes) -> Poly:
    stream = _shake(seed, 8 + 4 * N)
    signs, at = int.from_bytes(stream[:8], "little"), 8
    out = np.zeros(N, np.int64)
    for i in range(N - _TAU, N):
        while stream[at] > i:
            at += 1
        j, at = stream[at], at + 1
        out[i] = out[j]
        out[j] = 1 - 2 * (signs & 1)
        signs >>= 1
    return out


class MlDsa65:
    """A deterministic ML-DSA-65 signer made from its 32-byte seed."""

    def __init__(self, seed: bytes) -> None:
        """Expand the seed (FIPS 204 algorithm 6)."""
        expanded = _shake(seed + bytes([DSA_K, DSA_L]), 128)
        rho, noise, self._key = expanded[:32], expanded[32:96], expanded[96:]
        self._a = [[_dsa_uniform(rho + bytes([s, r])) for s in range(DSA_L)] for r in range(DSA_K)]
        small = [_dsa_small(noise + r.to_bytes(2, "little")) for r in range(DSA_L + DSA_K)]
        self._s1 = [_dsa_ntt(s) for s in small[:DSA_L]]
        self._s2 = [_dsa_ntt(s) for s in small[DSA_L:]]
        self.public, self._t0 = rho, []
        for row, error in zip(self._a, small[DSA_L:], strict=True):
            t = (_dsa_back(self._times(row, self._s1)) + error) % DSA_Q
            low = t % (1 << _D)
            low = np.where(low > 1 << (_D - 1), low - (1 << _D), low)
            self._t0.append(_dsa_ntt(low))
            self.public += _pack((t - low) >> _D, 10)

    @staticmethod
    def _times(row: list[Poly], vector: list[Poly]) -> Poly:
        total = np.zeros(N, np.int64)
        for left, right in zip(row, vector, strict=True):
            total = (total + left * right) % DSA_Q
        return total

    def sign(self, message: bytes, context: bytes) -> bytes:
        """Return the deterministic signature (3309 bytes) with FIPS 204's context string."""
        framed = bytes([0, len(context)]) + context + message
        mu = _shake(_shake(self.public, 64) + framed, 64)
        mask_seed = _shake(self._key + bytes(32) + mu, 64)
        return next(found for found in self._attempts(mu, mask_seed) if found is not None)

    def _attempts(self, mu: bytes, mask_seed: bytes) -> Iterator[bytes | None]:
        for kappa in range(0, 1 << 16, DSA_L):
            yield self._attempt(mu, mask_seed, kappa)

    def _attempt(self, mu: bytes, mask_seed: bytes, kappa: int) -> bytes | None:
        masks = [
            _GAMMA1 - _unpack(_shake(mask_seed + (kappa + r).to_bytes(2, "little"), 640), 20)
            for r in range(DSA_L)
        ]
        masks_hat = [_dsa_ntt(y) for y in masks]
        w = [_dsa_back(self._times(row, masks_hat)) for row in self._a]
        seed = _shake(mu + b"".join(_pack(_decomposed(p)[0], 4) for p in w), 48)
        c_hat = _dsa_ntt(_challenge(seed))
        z = [
            _centred(y + _dsa_back(c_hat * s % DSA_Q)) for y, s in zip(masks, self._s1, strict=True)
        ]
        rest = [
            (p - _dsa_back(c_hat * s % DSA_Q)) % DSA_Q for p, s in zip(w, self._s2, strict=True)
        ]
        ct0 = [_centred(_dsa_back(c_hat * t % DSA_Q)) for t in self._t0]
        hints = [
            np.flatnonzero(_decomposed(r)[0] != _decomposed(r + c)[0])
            for r, c in zip(rest, ct0, strict=True)
        ]
        too_long = (
            max(np.abs(p).max() for p in z) >= _GAMMA1 - _BETA
            or max(np.abs(_decomposed(r)[1]).max() for r in rest) >= _GAMMA2 - _BETA
            or max(np.abs(c).max() for c in ct0) >= _GAMMA2
            or sum(map(len, hints)) > _OMEGA
        )
        if too_long:
            return None
        packed = bytes(at for hint in hints for at in hint.tolist())
        ends = [sum(map(len, hints[: i + 1])) for i in range(DSA_K)]
        return (
            seed
            + b"".join(_pack(_GAMMA1 - p, 20) for p in z)
            + packed.ljust(_OMEGA, b"\0")
            + bytes(ends)
        )
