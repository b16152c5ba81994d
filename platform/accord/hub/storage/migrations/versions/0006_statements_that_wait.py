"""Keep what each waiting statement does, and why it was refused; find what waits by its state."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the change; everything that waited before was an enrolment."""
    with op.batch_alter_table("enrolments") as table:
        table.add_column(sa.Column("op", sa.String(), nullable=False, server_default="enrol"))
        table.add_column(sa.Column("reason", sa.String(), nullable=True))
    with op.batch_alter_table("enrolments") as table:
        table.alter_column("op", server_default=None)
    op.create_index("ix_enrolments_state", "enrolments", ["state"], unique=False)


def downgrade() -> None:
    """Take it back; what is no enrolment is begun again by its desk."""
    op.drop_index("ix_enrolments_state", table_name="enrolments")
    op.execute("DELETE FROM enrolments WHERE op <> 'enrol'")
    with op.batch_alter_table("enrolments") as table:
        table.drop_column("reason")
        table.drop_column("op")
