"""Keep the regular work, so that several processes share it; sealed bodies stay as they came."""

import sqlalchemy as sa
from alembic import op

from accord.hub.storage.base import WHOLE

revision = "0009"
down_revision = "0008"

_FREE = sa.text("lease_until IS NULL")


def upgrade() -> None:
    """Make the change."""
    op.create_table(
        "jobs",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("run_at", WHOLE, nullable=False),
        sa.Column("lease_until", WHOLE, nullable=True),
        sa.Column("holder", sa.String(), nullable=True),
        sa.Column("attempts", WHOLE, nullable=False),
        sa.Column("last_error", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_jobs")),
    )
    op.create_index(
        "ix_jobs_run_at", "jobs", ["run_at"], sqlite_where=_FREE, postgresql_where=_FREE
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE bundles ALTER COLUMN body SET STORAGE EXTERNAL")


def downgrade() -> None:
    """Take it back; the next start begins the work anew."""
    op.drop_index("ix_jobs_run_at", table_name="jobs")
    op.drop_table("jobs")
