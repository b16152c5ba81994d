"""Keep who made an invite, so that it ends with their being an administrator."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Make the change; open invites stay, as if the operator had made them."""
    with op.batch_alter_table("people_invites") as table:
        table.add_column(sa.Column("made_by", sa.String(), nullable=False, server_default=""))
    with op.batch_alter_table("people_invites") as table:
        table.alter_column("made_by", existing_type=sa.String(), server_default=None)


def downgrade() -> None:
    """Take it back."""
    with op.batch_alter_table("people_invites") as table:
        table.drop_column("made_by")
