"""Keep a list of erasures, which a restored older copy is held to."""

import sqlalchemy as sa
from alembic import op

from accord.hub.storage.base import WHOLE

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make the change."""
    op.create_table(
        "audit_erasures",
        sa.Column("number", WHOLE, autoincrement=False, nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit_erasures")),
    )


def downgrade() -> None:
    """Take it back; what was erased stays erased."""
    op.drop_table("audit_erasures")
