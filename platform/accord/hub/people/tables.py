"""Rows of people. Names of persons stand here, and in an event's erasable field, nowhere else."""

from sqlalchemy import ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from accord.hub.storage import Base


class PersonRow(Base):
    """An account; ``password`` is an Argon2id hash in PHC form, absent where there is none.

    ``handle`` is what events and pages call the person by; it says nothing once the name is gone.
    """

    __tablename__ = "people"
    __table_args__ = (UniqueConstraint("login"), UniqueConstraint("handle"))

    number: Mapped[int] = mapped_column(primary_key=True)
    handle: Mapped[str]
    login: Mapped[str]
    org: Mapped[str]
    role: Mapped[str]
    password: Mapped[str | None]
    created: Mapped[int]
    disabled: Mapped[int | None]


class SessionRow(Base):
    """A session; ``token`` is the hash of what the cookie holds."""

    __tablename__ = "people_sessions"
    __table_args__ = (UniqueConstraint("token"), Index(None, "person"))

    number: Mapped[int] = mapped_column(primary_key=True)
    token: Mapped[bytes] = mapped_column(LargeBinary)
    person: Mapped[int] = mapped_column(ForeignKey("people.number"))
    began: Mapped[int]
    seen: Mapped[int]
    proved: Mapped[int]
    waits_for: Mapped[str]
    means: Mapped[str]
    browser: Mapped[str]


class PasskeyRow(Base):
    """A passkey; ``halted`` when its counter went back, so that it may have been copied."""

    __tablename__ = "people_passkeys"
    __table_args__ = (UniqueConstraint("credential"), Index(None, "person"))

    number: Mapped[int] = mapped_column(primary_key=True)
    person: Mapped[int] = mapped_column(ForeignKey("people.number"))
    credential: Mapped[bytes] = mapped_column(LargeBinary)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    counter: Mapped[int]
    label: Mapped[str]
    created: Mapped[int]
    used: Mapped[int | None]
    halted: Mapped[int | None]


class TotpRow(Base):
    """A person's authenticator app: the sealed secret, and the last time step that was taken."""

    __tablename__ = "people_totp"

    person: Mapped[int] = mapped_column(
        ForeignKey("people.number"), primary_key=True, autoincrement=False
    )
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    created: Mapped[int]
    confirmed: Mapped[int | None]
    step: Mapped[int]


class RecoveryCodeRow(Base):
    """A recovery code that has not been used, as its tag."""

    __tablename__ = "people_recovery_codes"
    __table_args__ = (UniqueConstraint("person", "tag"),)

    number: Mapped[int] = mapped_column(primary_key=True)
    person: Mapped[int] = mapped_column(ForeignKey("people.number"))
    tag: Mapped[bytes] = mapped_column(LargeBinary)


class PersonInviteRow(Base):
    """A one-off code: to make an account (``person`` is absent), or to set one up anew.

    ``made_by`` is the handle of the administrator who made it, empty for the operator.
    """

    __tablename__ = "people_invites"
    __table_args__ = (UniqueConstraint("tag"), Index(None, "org"))

    number: Mapped[int] = mapped_column(primary_key=True)
    tag: Mapped[bytes] = mapped_column(LargeBinary)
    org: Mapped[str]
    role: Mapped[str]
    login: Mapped[str | None]
    person: Mapped[int | None] = mapped_column(ForeignKey("people.number"))
    made_by: Mapped[str]
    made: Mapped[int]
    expires: Mapped[int]


class NoticeRow(Base):
    """Something that a person must be told at the next sign-in; ``about`` is a handle."""

    __tablename__ = "people_notices"
    __table_args__ = (Index(None, "person"),)

    number: Mapped[int] = mapped_column(primary_key=True)
    person: Mapped[int] = mapped_column(ForeignKey("people.number"))
    what: Mapped[str]
    about: Mapped[str]
    reason: Mapped[str]
    at: Mapped[int]


class AttemptRow(Base):
    """How many attempts a name or an address made since ``began``; ``key`` is a tag."""

    __tablename__ = "people_attempts"
    __table_args__ = (Index(None, "began"),)

    key: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    began: Mapped[int]
    attempts: Mapped[int]


class SpentRow(Base):
    """A challenge that was answered; kept until it is too old to be taken anyway."""

    __tablename__ = "people_spent"
    __table_args__ = (Index(None, "until"),)

    key: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    until: Mapped[int]
