"""Notices: what people must be told at their next sign-in, until they say that they have read it.

A notice names the person that it is about by the handle and shows the present name beside it, so
that an erased name is gone from here too. That one was read is noted without an event.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, Engine, delete, insert, select

from accord.hub.access import Action, Actor, Role, require
from accord.hub.people.queries import people_of, require_person
from accord.hub.people.tables import NoticeRow, PersonRow
from accord.hub.storage import Writer
from accord.kernel.errors import Malformed
from accord.kernel.identifiers import OrgId

MIN_REASON, MAX_REASON = 10, 300
"""Shortest and longest reason, in characters."""

WATCHERS = frozenset({Role.ADMINISTRATOR, Role.AUDITOR})
"""Who is told when somebody takes an emergency way."""


class What(StrEnum):
    """What a notice says."""

    RECOVERY = "recovery-code-used"
    COPIED = "passkey-halted"
    RESET = "reset-by-operator"
    ADMINISTRATOR = "administrator-added-by-operator"
    REMOVED = "removed-by-operator"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One notice; ``about`` is the present name of the person, or the handle when it is gone."""

    number: int
    what: What
    about: str
    reason: str
    at: int


class Notices:
    """What a person has to be told."""

    def __init__(self, *, engine: Engine, writer: Writer) -> None:
        """Read through ``engine``, write through ``writer``."""
        self._engine = engine
        self._writer = writer

    def unread(self, actor: Actor) -> Sequence[Notice]:
        """Return the actor's notices, the newest first.

        Raises:
            AccordError: a code of ``access.require``.
        """
        require(actor, Action.ACCOUNT_VIEW)
        with self._engine.connect() as connection:
            person = require_person(connection, actor.person)
            rows = connection.execute(
                select(NoticeRow.__table__, PersonRow.login)
                .outerjoin(PersonRow, PersonRow.handle == NoticeRow.about)
                .where(NoticeRow.person == person.number)
                .order_by(NoticeRow.number.desc())
            ).all()
        return [
            Notice(
                number=row.number,
                what=What(row.what),
                about=row.login or row.about,
                reason=row.reason,
                at=row.at,
            )
            for row in rows
        ]

    def read(self, actor: Actor, number: int) -> None:
        """Note that the actor has read one of their own notices."""
        require(actor, Action.ACCOUNT_VIEW)

        def act(connection: Connection) -> None:
            person = require_person(connection, actor.person)
            connection.execute(
                delete(NoticeRow).where(
                    NoticeRow.number == number, NoticeRow.person == person.number
                )
            )

        self._writer.run(act)


def tell_watchers(
    connection: Connection, org: OrgId, what: What, *, about: str, reason: str, now: int
) -> int:
    """Tell the administrators and auditors of ``org``, inside the caller's act; return how many."""
    told = [one for one in people_of(connection, org) if one.role in WATCHERS]
    for person in told:
        connection.execute(
            insert(NoticeRow).values(
                person=person.number, what=what.value, about=about, reason=reason, at=now
            )
        )
    return len(told)


def parse_reason(text: str) -> str:
    """Return a stated reason.

    Raises:
        Malformed: ``reason_invalid``.
    """
    reason = " ".join(text.split())
    if not MIN_REASON <= len(reason) <= MAX_REASON or not reason.isprintable():
        raise Malformed(
            "reason_invalid",
            f"State the reason in {MIN_REASON} to {MAX_REASON} characters.",
            observed=f"{len(reason)} characters",
            next_step="Say what happened, for example: phone with the passkey was lost.",
        )
    return reason
