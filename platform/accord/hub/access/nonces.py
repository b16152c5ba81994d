"""Nonces that all processes of a hub share: a request that one has taken, the others refuse.

Invariants: a nonce is durable before its request is worked on, so that neither a restart nor a
fail-over lets a replay through; rows are dropped only long after their signature was good, and
what is older than the dropped ones is refused, should a clock go back. Requests that come at the
same time share one statement: whoever waits behind it goes together into the next.
"""

import hashlib
import threading
from collections import deque
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, delete, select

from accord.hub.access.tables import NonceRow
from accord.hub.storage import adding_many, replacing
from accord.kernel.errors import Unavailable
from accord.kernel.identifiers import KeyId
from accord.protocol.nonces import MAX_RETRY, MemoryNonceCache

KEPT_SECONDS = 600
"""How long a nonce is kept after its signature is over."""

_ADD = adding_many(NonceRow, ["name"])
_MARK = b""
"""The name of the row whose time says up to when nonces were dropped."""
_SET_MARK = replacing(NonceRow, ["name"], "until", where=lambda new: NonceRow.until < new.until)


@dataclass(slots=True, eq=False)
class _Claim:
    """One request's nonce, and what became of it: new or not, or an error."""

    name: bytes
    until: int
    outcome: bool | Exception | None = None


class SharedNonceCache:
    """A ``NonceCache`` in the hub's database, in front of it one in memory that bounds it."""

    def __init__(self, engine: Engine) -> None:
        """Claim through ``engine``, in single statements beside the writer's."""
        self._engine = engine
        self._own = MemoryNonceCache()
        with engine.connect() as connection:  # a clock may have been set back before this start
            self._dropped = _mark(connection)
        self._waiting: deque[_Claim] = deque()
        self._turn = threading.Lock()

    def claim(self, kid: KeyId, nonce: str, *, until: int, now: int) -> bool:
        """See ``NonceCache.claim``."""
        if not self._own.claim(kid, nonce, until=until, now=now):
            return False
        if until < self._dropped:
            raise Unavailable(
                "nonce_unknowable",
                "It cannot be told whether this signed request was received before.",
                retry_after=min(self._dropped - until, MAX_RETRY),
                next_step="Sign it again; if this repeats, set this computer's clock.",
            )
        name = hashlib.sha256(kid + nonce.encode("utf-8")).digest()[:16]
        claim = _Claim(name, until)
        self._waiting.append(claim)
        with self._turn:
            if claim.outcome is None:
                self._insert_waiting()
        if isinstance(claim.outcome, Exception):
            raise claim.outcome
        return claim.outcome is True

    def _insert_waiting(self) -> None:
        claims = []
        while self._waiting:
            claims.append(self._waiting.popleft())
        # In one order in all processes: they could otherwise wait for each other.
        rows = sorted((one.name, one.until) for one in claims)
        outcome: Exception | None = None
        new: set[bytes] = set()
        try:
            with self._engine.connect() as connection:
                done = connection.execute(
                    _ADD.on(connection), [{"name": name, "until": until} for name, until in rows]
                )
                new.update(done.scalars())
        except Exception as error:  # noqa: BLE001 - each of those who wait gets it
            outcome = error
        for one in claims:
            one.outcome = outcome or one.name in new

    def drop_old(self, *, now: int) -> None:
        """Drop what no signature can need any longer, and learn what others dropped."""
        bound = now - KEPT_SECONDS
        with self._engine.connect() as connection:
            connection.execute(_SET_MARK.on(connection), {"name": _MARK, "until": bound})
            connection.execute(
                delete(NonceRow).where(NonceRow.until < bound, NonceRow.name != _MARK)
            )
            mark = _mark(connection)
        self._dropped = max(self._dropped, mark)


def _mark(connection: Connection) -> int:
    """Return up to when nonces were dropped, by whichever process."""
    return connection.scalar(select(NonceRow.until).where(NonceRow.name == _MARK)) or 0
