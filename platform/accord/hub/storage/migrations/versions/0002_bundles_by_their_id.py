"""Find bundles by their id alone: acknowledgements, answers and deliveries name no sender."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the change."""
    op.create_index("ix_bundles_bundle_id", "bundles", ["bundle_id"], unique=False)


def downgrade() -> None:
    """Take it back."""
    op.drop_index("ix_bundles_bundle_id", table_name="bundles")
