"""Give people handles, and tables for sessions, second factors, invites, notices and attempts."""

import secrets

import sqlalchemy as sa
from alembic import op

from accord.hub.storage.base import WHOLE

revision = "0011"
down_revision = "0010"

_NEW = (
    *("people_spent", "people_attempts", "people_notices", "people_invites"),
    *("people_recovery_codes", "people_totp", "people_passkeys", "people_sessions"),
)


def upgrade() -> None:
    """Make the change; each account that is there gets a handle."""
    with op.batch_alter_table("people") as table:
        table.add_column(sa.Column("handle", sa.String(), nullable=True))
        table.alter_column("password", existing_type=sa.String(), nullable=True)
    connection = op.get_bind()
    for number in connection.scalars(sa.text("SELECT number FROM people")).all():
        connection.execute(
            sa.text("UPDATE people SET handle = :handle WHERE number = :number"),
            {"handle": secrets.token_hex(8), "number": number},
        )
    with op.batch_alter_table("people") as table:
        table.alter_column("handle", existing_type=sa.String(), nullable=False)
        table.create_unique_constraint("uq_people_handle", ["handle"])
    _sign_in_tables()
    _other_tables()


def downgrade() -> None:
    """Take it back; accounts without a password are gone, since nobody could sign in to them."""
    for name in _NEW:
        op.drop_table(name)
    op.execute(sa.text("DELETE FROM people WHERE password IS NULL"))
    with op.batch_alter_table("people") as table:
        table.drop_constraint("uq_people_handle", type_="unique")
        table.drop_column("handle")
        table.alter_column("password", existing_type=sa.String(), nullable=False)


def _number() -> sa.Column[int]:
    return sa.Column("number", WHOLE, nullable=False)


def _person(name: str, *, nullable: bool = False) -> tuple[sa.Column[int], sa.Constraint]:
    column: sa.Column[int] = sa.Column("person", WHOLE, nullable=nullable, autoincrement=False)
    key = sa.ForeignKeyConstraint(
        ["person"], ["people.number"], name=op.f(f"fk_{name}_person_people")
    )
    return column, key


def _sign_in_tables() -> None:
    op.create_table(
        "people_sessions",
        _number(),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        *_person("people_sessions"),
        sa.Column("began", WHOLE, nullable=False),
        sa.Column("seen", WHOLE, nullable=False),
        sa.Column("proved", WHOLE, nullable=False),
        sa.Column("waits_for", sa.String(), nullable=False),
        sa.Column("means", sa.String(), nullable=False),
        sa.Column("browser", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_people_sessions")),
        sa.UniqueConstraint("token", name=op.f("uq_people_sessions_token")),
    )
    op.create_index(op.f("ix_people_sessions_person"), "people_sessions", ["person"])
    op.create_table(
        "people_passkeys",
        _number(),
        *_person("people_passkeys"),
        sa.Column("credential", sa.LargeBinary(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("counter", WHOLE, nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("created", WHOLE, nullable=False),
        sa.Column("used", WHOLE, nullable=True),
        sa.Column("halted", WHOLE, nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_people_passkeys")),
        sa.UniqueConstraint("credential", name=op.f("uq_people_passkeys_credential")),
    )
    op.create_index(op.f("ix_people_passkeys_person"), "people_passkeys", ["person"])
    op.create_table(
        "people_totp",
        *_person("people_totp"),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created", WHOLE, nullable=False),
        sa.Column("confirmed", WHOLE, nullable=True),
        sa.Column("step", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("person", name=op.f("pk_people_totp")),
    )
    op.create_table(
        "people_recovery_codes",
        _number(),
        *_person("people_recovery_codes"),
        sa.Column("tag", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_people_recovery_codes")),
        sa.UniqueConstraint("person", "tag", name=op.f("uq_people_recovery_codes_person_tag")),
    )


def _other_tables() -> None:
    op.create_table(
        "people_invites",
        _number(),
        sa.Column("tag", sa.LargeBinary(), nullable=False),
        sa.Column("org", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("login", sa.String(), nullable=True),
        *_person("people_invites", nullable=True),
        sa.Column("made", WHOLE, nullable=False),
        sa.Column("expires", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_people_invites")),
        sa.UniqueConstraint("tag", name=op.f("uq_people_invites_tag")),
    )
    op.create_index(op.f("ix_people_invites_org"), "people_invites", ["org"])
    op.create_table(
        "people_notices",
        _number(),
        *_person("people_notices"),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("about", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("at", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_people_notices")),
    )
    op.create_index(op.f("ix_people_notices_person"), "people_notices", ["person"])
    op.create_table(
        "people_attempts",
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("began", WHOLE, nullable=False),
        sa.Column("attempts", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_people_attempts")),
    )
    op.create_index(op.f("ix_people_attempts_began"), "people_attempts", ["began"])
    op.create_table(
        "people_spent",
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("until", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_people_spent")),
    )
    op.create_index(op.f("ix_people_spent_until"), "people_spent", ["until"])
