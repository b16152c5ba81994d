"""Keep every tally that came and every version of a release; find recalls by their time."""

import sqlalchemy as sa
from alembic import op

from accord.hub.storage.base import WHOLE

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Make the change; what is there becomes the newest tally and the first version."""
    op.create_index("ix_bundles_kind_accepted", "bundles", ["kind", "accepted"], unique=False)
    op.create_table(
        "tally_statements",
        sa.Column("month", sa.String(), nullable=False),
        sa.Column("org", sa.String(), nullable=False),
        sa.Column("number", WHOLE, nullable=False),
        sa.Column("created", WHOLE, nullable=False),
        sa.Column("statement", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("month", "org", "number", name=op.f("pk_tally_statements")),
    )
    op.create_table(
        "summary_releases",
        sa.Column("period", sa.String(), nullable=False),
        sa.Column("audience", sa.String(), nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        sa.Column("number", WHOLE, nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("period", "audience", "version", name=op.f("pk_summary_releases")),
    )
    op.execute(
        sa.text(
            "INSERT INTO tally_statements (month, org, number, created, statement)"
            " SELECT month, org, number, created, statement FROM tallies"
        )
    )
    op.execute(
        sa.text(
            "INSERT INTO summary_releases (period, audience, version, number, document)"
            " SELECT month, audience, 1, number, document FROM releases"
        )
    )
    op.drop_table("releases")
    op.drop_table("tallies")


def downgrade() -> None:
    """Take it back; the newest tally and the first version of each month stay."""
    op.drop_index("ix_bundles_kind_accepted", table_name="bundles")
    op.create_table(
        "tallies",
        sa.Column("month", sa.String(), nullable=False),
        sa.Column("org", sa.String(), nullable=False),
        sa.Column("created", WHOLE, nullable=False),
        sa.Column("number", WHOLE, nullable=False),
        sa.Column("statement", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("month", "org", name=op.f("pk_tallies")),
    )
    op.create_table(
        "releases",
        sa.Column("month", sa.String(), nullable=False),
        sa.Column("audience", sa.String(), nullable=False),
        sa.Column("number", WHOLE, nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("month", "audience", name=op.f("pk_releases")),
    )
    op.execute(
        sa.text(
            "INSERT INTO tallies (month, org, created, number, statement)"
            " SELECT month, org, created, number, statement FROM tally_statements AS one"
            " WHERE number = (SELECT MAX(number) FROM tally_statements AS other"
            " WHERE other.month = one.month AND other.org = one.org)"
        )
    )
    op.execute(
        sa.text(
            "INSERT INTO releases (month, audience, number, document)"
            " SELECT period, audience, number, document FROM summary_releases"
            " WHERE version = 1 AND audience = 'members'"
        )
    )
    op.drop_table("summary_releases")
    op.drop_table("tally_statements")
