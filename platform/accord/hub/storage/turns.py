"""Work that one process of a hub does for all: whose turn it is.

On a server the turn is a lock of a connection: it ends with the process, or with its connection,
and the next one that asks has it. Two may believe for a moment that it is theirs, when a connection
broke unnoticed; so what is done in a turn must bear being done twice.
"""

import psycopg

from accord.hub.storage.postgresql import PatientConnection, connect

WITNESSES = 0x6163636F72640002
"""The turn of asking the witnesses: "accord" and 2."""


class Turn:
    """One process's claim to the turn ``key``; for one thread."""

    def __init__(self, address: str | None, key: int) -> None:
        """Agree with the others at ``address``; without one there are no others."""
        self._address = address
        self._key = key
        self._connection: PatientConnection | None = None
        self._held = False

    def is_mine(self) -> bool:
        """Return whether the turn is ours, taking it when it is free."""
        if self._address is None:
            return True
        try:
            if self._connection is None:
                self._connection = connect(self._address, autocommit=True)
            if self._held:
                self._connection.execute("SELECT 1")
            else:
                asked = self._connection.execute("SELECT pg_try_advisory_lock(%s)", [self._key])
                row = asked.fetchone()
                self._held = row is not None and bool(row[0])
        except psycopg.Error:
            self.give_up()
        return self._held

    def give_up(self) -> None:
        """Let another have it."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None
        self._held = False
