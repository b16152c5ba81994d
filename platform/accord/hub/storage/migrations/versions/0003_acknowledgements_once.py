"""Keep an acknowledgement once: its digest tells the same bytes, its number the first event."""

import hashlib

import sqlalchemy as sa
from alembic import op

from accord.hub.storage.base import WHOLE

revision = "0003"
down_revision = "0002"

_TABLE = "acknowledgements"
_ONCE = "uq_acknowledgements_recipient_digest_sender"
_KEPT = {"sqlite_autoincrement": True}


def upgrade() -> None:
    """Make the change; of repeats that were kept before, the first stays."""
    op.add_column(_TABLE, sa.Column("number", WHOLE, nullable=False, server_default="0"))
    connection = op.get_bind()
    nothing = sa.text("x''" if connection.dialect.name == "sqlite" else "''::bytea")
    op.add_column(
        _TABLE, sa.Column("digest", sa.LargeBinary(), nullable=False, server_default=nothing)
    )
    seen: set[tuple[str, str, bytes]] = set()
    rows = connection.execute(
        sa.text("SELECT seq, sender, recipient, statement FROM acknowledgements ORDER BY seq")
    ).all()
    for row in rows:
        digest = hashlib.sha256(row.statement).digest()
        key = (row.sender, row.recipient, digest)
        if key in seen:
            connection.execute(
                sa.text("DELETE FROM acknowledgements WHERE seq = :seq"), {"seq": row.seq}
            )
            continue
        seen.add(key)
        connection.execute(
            sa.text("UPDATE acknowledgements SET digest = :digest WHERE seq = :seq"),
            {"digest": digest, "seq": row.seq},
        )
    with op.batch_alter_table(_TABLE, table_kwargs=_KEPT) as table:
        table.alter_column("number", server_default=None)
        table.alter_column("digest", server_default=None)
        table.create_unique_constraint(_ONCE, ["recipient", "digest", "sender"])


def downgrade() -> None:
    """Take it back."""
    with op.batch_alter_table(_TABLE, table_kwargs=_KEPT) as table:
        table.drop_constraint(_ONCE, type_="unique")
        table.drop_column("digest")
        table.drop_column("number")
