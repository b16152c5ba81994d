"""How often someone may try, counted in the database: it holds over processes and restarts.

An attempt is counted before anything of it is looked at, under the name and under the address, for
names that exist and for those that do not. A limit is a delay, never a lock-out. What is kept is a
tag, not the name; counters whose window is over are swept away by the next attempt.
"""

import ipaddress
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Engine, delete, insert, select, update

from accord.hub.people.sealing import PeopleKeys
from accord.hub.people.tables import AttemptRow
from accord.hub.storage import Writer
from accord.kernel.errors import Unavailable

WINDOW = 900
"""Seconds over which attempts are counted."""

PER_ACCOUNT = 10
PER_SOURCE = 50
"""Attempts in one window; a source may be a whole office."""

PER_FACTOR = 6
"""Second factors that may be tried for one account in a window."""

MAX_NAME = 80
"""Characters of a name that are looked at."""

V6_PREFIX = 64
"""Bits of an IPv6 address that count: who has one address has its whole network."""


class Attempts:
    """Counts attempts; one object serves one kind of attempt."""

    def __init__(
        self,
        kind: str,
        *,
        engine: Engine,
        writer: Writer,
        keys: PeopleKeys,
        per_account: int = PER_ACCOUNT,
        per_source: int = PER_SOURCE,
    ) -> None:
        """Count attempts of ``kind`` with these limits a window."""
        self._kind = kind
        self._engine = engine
        self._writer = writer
        self._keys = keys
        self._limits = {"account": per_account, "source": per_source}

    def attempt(self, *, account: str, source: str, now: int) -> None:
        """Count one attempt; call this before anything of it is looked at.

        Raises:
            Unavailable: ``too_many_attempts``.
        """
        counted = [("source", _network(source))]
        if account:
            counted.append(("account", _name(account)))
        keys = [(self._key(what, value), self._limits[what]) for what, value in counted]
        with self._engine.connect() as connection:  # refused without a write, however many come
            _check(connection, keys, now)

        def act(connection: Connection) -> None:
            connection.execute(delete(AttemptRow).where(AttemptRow.began <= now - WINDOW))
            _check(connection, keys, now)
            for key, _ in keys:
                _count(connection, key, now)

        self._writer.run(act)

    def succeeded(self, *, account: str) -> None:
        """Forget the attempts of an account whose owner has signed in."""
        key = self._key("account", _name(account))
        self._writer.run(
            lambda connection: connection.execute(delete(AttemptRow).where(AttemptRow.key == key))
        )

    def _key(self, what: str, value: str) -> bytes:
        return self._keys.tag(f"attempt/{self._kind}/{what}", value.encode("utf-8", "replace"))


def _check(connection: Connection, keys: Sequence[tuple[bytes, int]], now: int) -> None:
    for key, limit in keys:
        row = _row(connection, key)
        if row is not None and 0 <= now - row.began < WINDOW and row.attempts >= limit:
            raise Unavailable(
                "too_many_attempts",
                "Too many attempts to sign in.",
                retry_after=max(1, row.began + WINDOW - now),
                next_step="Wait, then try again.",
            )


def _count(connection: Connection, key: bytes, now: int) -> None:
    row = _row(connection, key)
    if row is not None and 0 <= now - row.began < WINDOW:
        more = update(AttemptRow).where(AttemptRow.key == key)
        connection.execute(more.values(attempts=AttemptRow.attempts + 1))
        return
    connection.execute(delete(AttemptRow).where(AttemptRow.key == key))
    connection.execute(insert(AttemptRow).values(key=key, began=now, attempts=1))


def _row(connection: Connection, key: bytes) -> Any:  # noqa: ANN401 - a row of the table
    return connection.execute(
        select(AttemptRow.began, AttemptRow.attempts).where(AttemptRow.key == key)
    ).one_or_none()


def _name(account: str) -> str:
    # Cut: no account has so long a name, and what strangers type must cost nothing.
    return account.strip()[:MAX_NAME].casefold()


def _network(source: str) -> str:
    try:
        address = ipaddress.ip_address(source)
    except ValueError:
        return source[:64]
    if address.version == 4:  # noqa: PLR2004 - the protocol's own number
        return str(address)
    return str(ipaddress.ip_network((address, V6_PREFIX), strict=False))
