"""Expired and erased get times of their own beside what a sender did; pruned feeds are marked."""

import sqlalchemy as sa
from alembic import op

from accord.hub.storage.base import WHOLE

revision = "0010"
down_revision = "0009"

_FEED = "feed_items"
_KEPT = {"sqlite_autoincrement": True}
_TIMES = ("expired", "erased", "erased_number")
_INDEXES = {
    "ix_bundles_expired_expires": ["expired", "expires"],
    "ix_bundles_erased_expired": ["erased", "expired"],
    "ix_bundles_body_file": ["body_file"],
}


def upgrade() -> None:
    """Make the change. What was marked expired counts as told at its ``expires``."""
    # Not as a batch, which makes the table anew: other tables' rows refer to it.
    for name in _TIMES:
        op.add_column("bundles", sa.Column(name, WHOLE, nullable=True))
    op.execute(sa.text("UPDATE bundles SET expired = expires WHERE state = 'expired'"))
    op.drop_index("ix_bundles_state_expires", table_name="bundles")
    op.drop_column("bundles", "state")
    for name, columns in _INDEXES.items():
        op.create_index(name, "bundles", columns, unique=False)
    with op.batch_alter_table(_FEED, table_kwargs=_KEPT) as table:
        table.add_column(sa.Column("ends", WHOLE, nullable=True))
        table.create_index("ix_feed_items_ends", ["ends"], unique=False)
    op.execute(sa.text("UPDATE feed_items SET ends = at WHERE bundle IS NULL"))
    op.create_table(
        "feed_pruned",
        sa.Column("org", sa.String(), nullable=False),
        sa.Column("through", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("org", name=op.f("pk_feed_pruned")),
    )


def downgrade() -> None:
    """Take it back; the sealed bytes of what was erased do not come again."""
    op.drop_table("feed_pruned")
    with op.batch_alter_table(_FEED, table_kwargs=_KEPT) as table:
        table.drop_index("ix_feed_items_ends")
        table.drop_column("ends")
    op.add_column(
        "bundles", sa.Column("state", sa.String(), nullable=False, server_default="active")
    )
    op.execute(
        sa.text(
            "UPDATE bundles SET state = CASE"
            " WHEN expired IS NOT NULL THEN 'expired'"
            " WHEN EXISTS (SELECT 1 FROM feed_items WHERE bundle = bundles.number"
            " AND item = 'retracted') THEN 'retracted'"
            " WHEN EXISTS (SELECT 1 FROM feed_items WHERE bundle = bundles.number"
            " AND item = 'superseded') THEN 'superseded'"
            " ELSE 'active' END"
        )
    )
    for name in _INDEXES:
        op.drop_index(name, table_name="bundles")
    for name in reversed(_TIMES):
        op.drop_column("bundles", name)
    op.create_index("ix_bundles_state_expires", "bundles", ["state", "expires"], unique=False)
