"""Sessions of people: rows of the database, so that they hold over several processes and restarts.

Invariants: the database knows a token by its hash only; a session is over after ``IDLE_SECONDS``
without a request, ``SESSION_SECONDS`` after it began, and when a clock went back before its
beginning; one that still waits for something lives ``WAITING_SECONDS``. Whatever raises what a
session may do ends it and begins another. That a session is in use is noted without an event.
"""

import hashlib
import secrets
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, Row, delete, insert, select, update

from accord.clock import Clock
from accord.hub.people.queries import Person, numbered_person
from accord.hub.people.tables import SessionRow
from accord.hub.storage import Writer
from accord.kernel.errors import Unavailable

SESSION_SECONDS = 8 * 3600
"""Longest session."""

IDLE_SECONDS = 30 * 60
"""Longest time between two requests of a session."""

WAITING_SECONDS = 10 * 60
"""Longest time until the second factor was given or set up."""

FRESH_SECONDS = 10 * 60
"""How long a proof of who one is counts for sensitive acts."""

SEEN_EVERY = 60
"""Seconds between two notes that a session is in use."""

TOKEN_BYTES = 32
MAX_BROWSER = 120

FACTOR, ENROL = "factor", "enrol"
"""What a session may wait for: the second factor, or setting one up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A session that is not over.

    Attributes:
        number: the row's number.
        person: whose it is.
        began: unix seconds; also ``seen``, the last request, to the minute.
        seen: the last request.
        waits_for: ``FACTOR``, ``ENROL`` or empty.
        means: how the person proved who they are, for example ``passkey``.
        browser: what the browser said of itself.
        fresh: the proof is younger than ``FRESH_SECONDS``.
    """

    number: int
    person: Person
    began: int
    seen: int
    waits_for: str
    means: str
    browser: str
    fresh: bool


class Sessions:
    """The sessions of this hub's people."""

    def __init__(self, *, engine: Engine, writer: Writer, clock: Clock) -> None:
        """Read through ``engine``, write through ``writer``."""
        self._engine = engine
        self._writer = writer
        self._clock = clock

    def find(self, token: str) -> Session | None:
        """Return whose session this is, or ``None`` when it is over."""
        now = self._clock()
        with self._engine.connect() as connection:
            row = connection.execute(
                select(SessionRow.__table__).where(SessionRow.token == token_hash(token))
            ).one_or_none()
            if row is None or is_over(row, now):
                return None
            person = numbered_person(connection, row.person)
        if person is None:
            return None
        if now - row.seen >= SEEN_EVERY:
            self._note_seen(row.number, now)
        return session_of(row, person, now)

    def _note_seen(self, number: int, now: int) -> None:
        note = update(SessionRow).where(SessionRow.number == number).values(seen=now)
        # A page that only reads does not fail with a full disk; the session is idle earlier then.
        with suppress(Unavailable):
            self._writer.run(lambda connection: connection.execute(note))


def begin_session(
    connection: Connection,
    person: Person,
    *,
    waits_for: str,
    means: str,
    browser: str,
    now: int,
    began: int | None = None,
) -> str:
    """Begin a session inside the caller's act and return its token; old rows are swept away.

    Args:
        connection: of the act.
        person: whose session it is.
        waits_for: ``FACTOR``, ``ENROL`` or empty.
        means: how the person proved who they are.
        browser: as it names itself.
        now: unix seconds.
        began: when the session began that this one takes the place of.
    """
    token = secrets.token_urlsafe(TOKEN_BYTES)
    connection.execute(delete(SessionRow).where(SessionRow.began < now - SESSION_SECONDS))
    connection.execute(
        insert(SessionRow).values(
            token=token_hash(token),
            person=person.number,
            began=now if began is None else began,
            seen=now,
            proved=now,
            waits_for=waits_for,
            means=means,
            browser="".join(sign for sign in browser if sign.isprintable())[:MAX_BROWSER],
        )
    )
    return token


def end_sessions(connection: Connection, person: int, *, but: Collection[str] = ()) -> int:
    """End all sessions of a person inside the caller's act; return how many there were.

    Args:
        connection: of the act.
        person: the number.
        but: tokens of sessions that stay.
    """
    kept = [token_hash(token) for token in but]
    query = delete(SessionRow).where(SessionRow.person == person, SessionRow.token.not_in(kept))
    return connection.execute(query).rowcount


def session_row(connection: Connection, token: str, now: int) -> Row[Any] | None:
    """Return the row of a session that is not over, inside the caller's act."""
    row = connection.execute(
        select(SessionRow.__table__).where(SessionRow.token == token_hash(token))
    ).one_or_none()
    return None if row is None or is_over(row, now) else row


def drop_session(connection: Connection, token: str) -> None:
    """Forget a session inside the caller's act, because another takes its place."""
    connection.execute(delete(SessionRow).where(SessionRow.token == token_hash(token)))


def token_hash(token: str) -> bytes:
    """Return what the database knows a token by."""
    return hashlib.sha256(b"accord/hub/session\0" + token.encode("utf-8", "replace")).digest()


def is_over(row: Row[Any], now: int) -> bool:
    """Say whether a session has run out of time."""
    longest = WAITING_SECONDS if row.waits_for else SESSION_SECONDS
    return not (0 <= now - row.began <= longest and now - row.seen <= IDLE_SECONDS)


def session_of(row: Row[Any], person: Person, now: int) -> Session:
    """Return the value of a row."""
    return Session(
        number=row.number,
        person=person,
        began=row.began,
        seen=row.seen,
        waits_for=row.waits_for,
        means=row.means,
        browser=row.browser,
        fresh=0 <= now - row.proved <= FRESH_SECONDS,
    )
