"""Walk down the refused events in the order of the log."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

_INDEX = "ix_audit_events_refused"


def upgrade() -> None:
    """Make the change."""
    refused = sa.text("outcome != 'ok'")
    op.create_index(
        _INDEX, "audit_events", ["number"], sqlite_where=refused, postgresql_where=refused
    )


def downgrade() -> None:
    """Take it back."""
    op.drop_index(_INDEX, "audit_events")
