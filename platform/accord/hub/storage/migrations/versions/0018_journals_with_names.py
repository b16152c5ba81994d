"""Keep the newest head of each journal apart, with where it began anew and ended.

What was there is of desks from before journals had names.
"""

import sqlalchemy as sa
from alembic import op

from accord.hub.storage.base import WHOLE

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Make the change."""
    op.create_table(
        "journals",
        sa.Column("org", sa.String(), nullable=False),
        sa.Column("journal", sa.String(), nullable=False),
        sa.Column("size", WHOLE, nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("number", WHOLE, nullable=False),
        sa.Column("at", WHOLE, nullable=False),
        sa.Column("begun", WHOLE, nullable=True),
        sa.Column("said", sa.String(), nullable=True),
        sa.Column("ended", WHOLE, nullable=True),
        sa.PrimaryKeyConstraint("org", "journal", name=op.f("pk_journals")),
    )
    op.execute(
        "INSERT INTO journals (org, journal, size, root, number, at)"
        " SELECT org, '', size, root, number, at FROM journal_heads"
    )
    op.drop_table("journal_heads")


def downgrade() -> None:
    """Take it back; of several journals the one that was heard of last stays."""
    op.create_table(
        "journal_heads",
        sa.Column("org", sa.String(), nullable=False),
        sa.Column("size", WHOLE, nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("number", WHOLE, nullable=False),
        sa.Column("at", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("org", name=op.f("pk_journal_heads")),
    )
    op.execute(
        "INSERT INTO journal_heads (org, size, root, number, at)"
        " SELECT org, size, root, number, at FROM journals WHERE number ="
        " (SELECT max(number) FROM journals AS other WHERE other.org = journals.org)"
    )
    op.drop_table("journals")
