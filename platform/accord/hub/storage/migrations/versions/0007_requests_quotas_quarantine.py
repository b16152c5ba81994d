"""Know which requests are open, how much each member sends, and what is held aside."""

import sqlalchemy as sa
from alembic import op

from accord.hub.storage.base import WHOLE

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the change; requests that were stored before are open until they expire."""
    op.create_table(
        "open_requests",
        sa.Column("bundle", WHOLE, nullable=False),
        sa.Column("org", sa.String(), nullable=False),
        sa.Column("expires", WHOLE, nullable=False),
        sa.Column("closed", WHOLE, nullable=True),
        sa.ForeignKeyConstraint(
            ["bundle"], ["bundles.number"], name="fk_open_requests_bundle_bundles"
        ),
        sa.PrimaryKeyConstraint("bundle", name="pk_open_requests"),
    )
    op.create_index("ix_open_requests_org_expires", "open_requests", ["org", "expires"])
    op.create_table(
        "member_use",
        sa.Column("org", sa.String(), nullable=False),
        sa.Column("minute", WHOLE, nullable=False),
        sa.Column("hour", WHOLE, nullable=False),
        sa.Column("day", WHOLE, nullable=False),
        sa.Column("minute_bundles", WHOLE, nullable=False),
        sa.Column("hour_bundles", WHOLE, nullable=False),
        sa.Column("hour_recalls", WHOLE, nullable=False),
        sa.Column("day_bytes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("org", name="pk_member_use"),
    )
    op.create_table(
        "held_bundles",
        sa.Column("bundle", WHOLE, nullable=False),
        sa.Column("org", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("since", WHOLE, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("decided", WHOLE, nullable=True),
        sa.ForeignKeyConstraint(
            ["bundle"], ["bundles.number"], name="fk_held_bundles_bundle_bundles"
        ),
        sa.PrimaryKeyConstraint("bundle", name="pk_held_bundles"),
    )
    op.create_index("ix_held_bundles_state_org", "held_bundles", ["state", "org"])
    op.execute(
        sa.text(
            "INSERT INTO open_requests (bundle, org, expires)"
            " SELECT number, org, expires FROM bundles WHERE kind = 'request'"
        )
    )


def downgrade() -> None:
    """Take it back; what is held aside stays undelivered."""
    op.drop_index("ix_held_bundles_state_org", "held_bundles")
    op.drop_table("held_bundles")
    op.drop_table("member_use")
    op.drop_index("ix_open_requests_org_expires", "open_requests")
    op.drop_table("open_requests")
