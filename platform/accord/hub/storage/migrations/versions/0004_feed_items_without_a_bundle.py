"""Let an item of the feed stand without a bundle, and say itself what it is about."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_TABLE = "feed_items"
_KEPT = {"sqlite_autoincrement": True}
_NAMES = ("bundle_id", "sender", "kind", "subject")


def upgrade() -> None:
    """Make the change; items that are there get the name, sender and kind of their bundle."""
    with op.batch_alter_table(_TABLE, table_kwargs=_KEPT) as table:
        table.alter_column("bundle", existing_type=sa.Integer(), nullable=True)
        for name in _NAMES:
            table.add_column(sa.Column(name, sa.String(), nullable=True))
        table.create_index("ix_feed_items_bundle", ["bundle"], unique=False)
    op.execute(
        sa.text(
            "UPDATE feed_items SET"
            " bundle_id = (SELECT bundle_id FROM bundles WHERE number = feed_items.bundle),"
            " sender = (SELECT org FROM bundles WHERE number = feed_items.bundle),"
            " kind = (SELECT kind FROM bundles WHERE number = feed_items.bundle)"
        )
    )


def downgrade() -> None:
    """Take it back; notices without a bundle have no place there."""
    op.execute(sa.text("DELETE FROM feed_items WHERE bundle IS NULL"))
    with op.batch_alter_table(_TABLE, table_kwargs=_KEPT) as table:
        table.drop_index("ix_feed_items_bundle")
        for name in _NAMES:
            table.drop_column(name)
        table.alter_column("bundle", existing_type=sa.Integer(), nullable=False)
