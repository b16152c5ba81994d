"""Ending sessions: one's own, one by one or by signing out."""

from collections.abc import Sequence

from sqlalchemy import Connection, Engine, delete, select

from accord.clock import Clock
from accord.hub.access import Action, Actor, require
from accord.hub.audit import Event, EventClass, Recorder
from accord.hub.people.queries import Person, numbered_person, require_person
from accord.hub.people.sessions import Session, is_over, session_of, token_hash
from accord.hub.people.tables import SessionRow
from accord.hub.storage import Writer
from accord.kernel.errors import NotFound


class SigningOut:
    """The verbs of ending sessions."""

    def __init__(self, *, engine: Engine, writer: Writer, recorder: Recorder, clock: Clock) -> None:
        """Read through ``engine``, write and record through the others."""
        self._engine = engine
        self._writer = writer
        self._recorder = recorder
        self._clock = clock

    def own(self, actor: Actor) -> Sequence[Session]:
        """Return the actor's own sessions, the newest first.

        Raises:
            AccordError: a code of ``access.require``.
        """
        require(actor, Action.ACCOUNT_VIEW)
        now = self._clock()
        with self._engine.connect() as connection:
            person = require_person(connection, actor.person)
            rows = connection.execute(
                select(SessionRow.__table__)
                .where(SessionRow.person == person.number)
                .order_by(SessionRow.number.desc())
            ).all()
        return [session_of(row, person, now) for row in rows if not is_over(row, now)]

    def end_own(self, actor: Actor, number: int) -> None:
        """End one of the actor's own sessions.

        Raises:
            NotFound: ``session_missing``, also for another person's.
        """
        require(actor, Action.ACCOUNT_SIGN_OUT)
        now = self._clock()

        def act(connection: Connection) -> None:
            person = require_person(connection, actor.person)
            ended = connection.execute(
                delete(SessionRow).where(
                    SessionRow.number == number, SessionRow.person == person.number
                )
            )
            if not ended.rowcount:
                raise NotFound("session_missing", "This session is over already.")
            self._record_end(connection, person, "one of the own", now)

        self._writer.run(act)

    def end(self, token: str) -> None:
        """End the session of a token, when there is one: the sign-out."""
        now = self._clock()

        def act(connection: Connection) -> None:
            key = token_hash(token)
            row = connection.execute(
                select(SessionRow.__table__).where(SessionRow.token == key)
            ).one_or_none()
            if row is None:
                return
            connection.execute(delete(SessionRow).where(SessionRow.token == key))
            person = numbered_person(connection, row.person)
            if person is not None and not row.waits_for:
                self._record_end(connection, person, "sign-out", now)

        self._writer.run(act)

    def _record_end(self, connection: Connection, person: Person, why: str, now: int) -> None:
        event = Event(
            what=EventClass.SESSION_ENDED,
            org=person.org,
            person=person.login,
            detail=why,
            concerns=[person.org],
        )
        self._recorder.record(connection, event, now=now)
