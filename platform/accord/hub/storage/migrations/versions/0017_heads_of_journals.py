"""Remember the newest head of each organisation's journal."""

import sqlalchemy as sa
from alembic import op

from accord.hub.storage.base import WHOLE

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Make the change."""
    op.create_table(
        "journal_heads",
        sa.Column("org", sa.String(), nullable=False),
        sa.Column("size", WHOLE, nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("number", WHOLE, nullable=False),
        sa.Column("at", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("org", name=op.f("pk_journal_heads")),
    )


def downgrade() -> None:
    """Take it back."""
    op.drop_table("journal_heads")
