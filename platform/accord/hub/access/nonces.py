"""Nonces that all processes of a hub share: a request that one has taken, the others refuse.

Invariants: a nonce is durable before its request is worked on, so that neither a restart nor a
fail-over lets a replay through; rows are dropped only long after their signature was good, and
what is older than the dropped ones is refused, should a clock go back.
"""

import hashlib

from sqlalchemy import Engine, delete, select

from accord.hub.access.tables import NonceRow
from accord.hub.storage import adding, replacing
from accord.kernel.errors import Unavailable
from accord.kernel.identifiers import KeyId
from accord.protocol.nonces import MAX_RETRY, MemoryNonceCache

KEPT_SECONDS = 600
"""How long a nonce is kept after its signature is over."""

_ADD = adding(NonceRow, ["name"])
_MARK = b""
"""The name of the row whose time says up to when nonces were dropped."""
_SET_MARK = replacing(NonceRow, ["name"], "until", where=lambda new: NonceRow.until < new.until)


class SharedNonceCache:
    """A ``NonceCache`` in the hub's database, in front of it one in memory that bounds it."""

    def __init__(self, engine: Engine) -> None:
        """Claim through ``engine``, in single statements beside the writer's."""
        self._engine = engine
        self._own = MemoryNonceCache()
        self._dropped = 0

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
        with self._engine.connect() as connection:
            done = connection.execute(_ADD.on(connection), {"name": name, "until": until})
        return done.rowcount == 1

    def drop_old(self, *, now: int) -> None:
        """Drop what no signature can need any longer, and learn what others dropped."""
        bound = now - KEPT_SECONDS
        with self._engine.connect() as connection:
            connection.execute(_SET_MARK.on(connection), {"name": _MARK, "until": bound})
            connection.execute(
                delete(NonceRow).where(NonceRow.until < bound, NonceRow.name != _MARK)
            )
            mark = connection.scalar(select(NonceRow.until).where(NonceRow.name == _MARK))
        self._dropped = max(self._dropped, mark or 0)
