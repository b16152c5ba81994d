"""The memory of nonces: bounded, fair, and never forgetful in a way that lets a replay through."""

import threading

import pytest

from accord.kernel.errors import Unavailable
from accord.kernel.identifiers import KeyId
from accord.protocol.nonces import SLOT_SECONDS, MemoryNonceCache

A, B = KeyId(b"a" * 32), KeyId(b"b" * 32)


def test_a_nonce_is_good_once_for_its_key() -> None:
    cache = MemoryNonceCache()
    assert cache.claim(A, "n", until=1000, now=0)
    assert not cache.claim(A, "n", until=1000, now=0)
    assert not cache.claim(A, "n", until=500, now=0)
    assert cache.claim(B, "n", until=1000, now=0)


def test_a_nonce_is_forgotten_only_after_its_time() -> None:
    cache = MemoryNonceCache()
    cache.claim(A, "n", until=1000, now=0)
    cache.claim(A, "m", until=1000, now=1000)
    assert len(cache) == 2
    cache.claim(A, "o", until=5000, now=1000 + SLOT_SECONDS)
    assert len(cache) == 1


def test_a_clock_that_goes_back_lets_no_forgotten_nonce_through() -> None:
    cache = MemoryNonceCache()
    assert cache.claim(A, "n", until=1000, now=900)
    assert cache.claim(A, "m", until=9000, now=8900)
    with pytest.raises(Unavailable, match="nonce_unknowable"):
        cache.claim(A, "n", until=1000, now=900)


def test_a_process_that_starts_anew_can_refuse_what_it_may_have_seen() -> None:
    cache = MemoryNonceCache(since=1000)
    with pytest.raises(Unavailable, match="nonce_unknowable") as caught:
        cache.claim(A, "n", until=990, now=500)
    assert caught.value.retry_after == 10
    assert cache.claim(A, "n", until=1000, now=500)


def test_a_full_memory_refuses_instead_of_forgetting() -> None:
    cache = MemoryNonceCache(capacity=2)
    assert cache.claim(A, "1", until=1000, now=0)
    assert cache.claim(A, "2", until=1000, now=0)
    with pytest.raises(Unavailable, match="nonces_full"):
        cache.claim(B, "3", until=1000, now=0)
    assert not cache.claim(A, "1", until=1000, now=0)
    assert cache.claim(B, "3", until=5000, now=2000)


def test_one_key_cannot_fill_the_memory_of_all() -> None:
    cache = MemoryNonceCache(per_key=1)
    assert cache.claim(A, "1", until=1000, now=0)
    with pytest.raises(Unavailable, match="nonces_full"):
        cache.claim(A, "2", until=1000, now=0)
    assert cache.claim(B, "1", until=1000, now=0)
    assert cache.claim(A, "3", until=5000, now=2000)


def test_of_many_threads_one_gets_the_nonce() -> None:
    cache = MemoryNonceCache()
    won: list[bool] = []
    threads = [
        threading.Thread(target=lambda: won.append(cache.claim(A, "n", until=1000, now=0)))
        for _ in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert won.count(True) == 1
