"""Count who applied a recall; know what is withheld from a recipient that may not get it now."""

import sqlalchemy as sa
from alembic import op

from accord.hub.storage.base import WHOLE

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Make the change; what was confirmed before is not counted again."""
    op.add_column("bundle_entries", sa.Column("withheld", WHOLE, nullable=True))
    op.create_index("ix_bundles_kind_number", "bundles", ["kind", "number"], unique=False)
    op.create_table(
        "recalls_applied",
        sa.Column("bundle", WHOLE, nullable=False),
        sa.Column("org", sa.String(), nullable=False),
        sa.Column("confirmed", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(
            ["bundle"], ["bundles.number"], name=op.f("fk_recalls_applied_bundle_bundles")
        ),
        sa.PrimaryKeyConstraint("bundle", "org", name=op.f("pk_recalls_applied")),
    )


def downgrade() -> None:
    """Take it back."""
    op.drop_table("recalls_applied")
    op.drop_index("ix_bundles_kind_number", table_name="bundles")
    op.drop_column("bundle_entries", "withheld")
