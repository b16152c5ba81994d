"""Let the processes of a hub share the nonces of signed requests."""

import sqlalchemy as sa
from alembic import op

from accord.hub.storage.base import WHOLE

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Make the change."""
    op.create_table(
        "nonces",
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("until", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_nonces")),
    )
    op.create_index("ix_nonces_until", "nonces", ["until"])


def downgrade() -> None:
    """Take it back."""
    op.drop_index("ix_nonces_until", table_name="nonces")
    op.drop_table("nonces")
