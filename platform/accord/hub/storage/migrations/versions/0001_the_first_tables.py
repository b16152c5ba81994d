"""The first tables."""

import sqlalchemy as sa
from alembic import op

from accord.hub.storage.base import WHOLE

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the change."""
    op.create_table(
        "acknowledgements",
        sa.Column("seq", WHOLE, autoincrement=True, nullable=False),
        sa.Column("sender", sa.String(), nullable=False),
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("at", WHOLE, nullable=False),
        sa.Column("statement", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_acknowledgements")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("acknowledgements", schema=None) as batch_op:
        batch_op.create_index("ix_acknowledgements_sender_seq", ["sender", "seq"], unique=False)

    op.create_table(
        "audit_events",
        sa.Column("number", WHOLE, autoincrement=False, nullable=False),
        sa.Column("entry_id", sa.LargeBinary(), nullable=False),
        sa.Column("time", WHOLE, nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("opened", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit_events")),
    )
    with op.batch_alter_table("audit_events", schema=None) as batch_op:
        batch_op.create_index("ix_audit_events_what_number", ["what", "number"], unique=False)

    op.create_table(
        "audit_orgs",
        sa.Column("org", sa.String(), nullable=False),
        sa.Column("seq", WHOLE, nullable=False),
        sa.Column("number", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("org", "seq", name=op.f("pk_audit_orgs")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "audit_sequences",
        sa.Column("org", sa.String(), nullable=False),
        sa.Column("last", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("org", name=op.f("pk_audit_sequences")),
    )
    op.create_table(
        "bundles",
        sa.Column("number", WHOLE, nullable=False),
        sa.Column("org", sa.String(), nullable=False),
        sa.Column("bundle_id", sa.String(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("manifest", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("accepted", WHOLE, nullable=False),
        sa.Column("expires", WHOLE, nullable=False),
        sa.Column("audit_number", WHOLE, nullable=False),
        sa.Column("directory_size", WHOLE, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("header", sa.LargeBinary(), nullable=False),
        sa.Column("dsse", sa.LargeBinary(), nullable=False),
        sa.Column("leaves", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("body_file", sa.String(), nullable=True),
        sa.Column("body_length", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_bundles")),
        sa.UniqueConstraint("org", "bundle_id", name=op.f("uq_bundles_org_bundle_id")),
    )
    with op.batch_alter_table("bundles", schema=None) as batch_op:
        batch_op.create_index("ix_bundles_state_expires", ["state", "expires"], unique=False)

    op.create_table(
        "documents",
        sa.Column("number", WHOLE, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("at", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_documents")),
        sa.UniqueConstraint("kind", "version", name=op.f("uq_documents_kind_version")),
    )
    op.create_table(
        "enrolments",
        sa.Column("enrolment_id", sa.String(), nullable=False),
        sa.Column("org", sa.String(), nullable=False),
        sa.Column("statement", sa.LargeBinary(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("at", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("enrolment_id", name=op.f("pk_enrolments")),
    )
    op.create_table(
        "invites",
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("org", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("made", WHOLE, nullable=False),
        sa.Column("expires", WHOLE, nullable=False),
        sa.Column("used", WHOLE, nullable=True),
        sa.PrimaryKeyConstraint("code_hash", name=op.f("pk_invites")),
    )
    op.create_table(
        "log_cosigned",
        sa.Column("log", sa.String(), nullable=False),
        sa.Column("size", WHOLE, nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("log", name=op.f("pk_log_cosigned")),
    )
    op.create_table(
        "log_entries",
        sa.Column("log", sa.String(), nullable=False),
        sa.Column("number", WHOLE, nullable=False),
        sa.Column("entry", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("log", "number", name=op.f("pk_log_entries")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "log_heads",
        sa.Column("log", sa.String(), nullable=False),
        sa.Column("size", WHOLE, nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("log", name=op.f("pk_log_heads")),
    )
    op.create_table(
        "log_tiles",
        sa.Column("log", sa.String(), nullable=False),
        sa.Column("level", WHOLE, nullable=False),
        sa.Column("number", WHOLE, nullable=False),
        sa.Column("hashes", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("log", "level", "number", name=op.f("pk_log_tiles")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "people",
        sa.Column("number", WHOLE, nullable=False),
        sa.Column("login", sa.String(), nullable=False),
        sa.Column("org", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("password", sa.String(), nullable=False),
        sa.Column("created", WHOLE, nullable=False),
        sa.Column("disabled", WHOLE, nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_people")),
        sa.UniqueConstraint("login", name=op.f("uq_people_login")),
    )
    op.create_table(
        "releases",
        sa.Column("month", sa.String(), nullable=False),
        sa.Column("audience", sa.String(), nullable=False),
        sa.Column("number", WHOLE, nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("month", "audience", name=op.f("pk_releases")),
    )
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
        "bundle_entries",
        sa.Column("bundle", WHOLE, nullable=False),
        sa.Column("position", WHOLE, nullable=False),
        sa.Column("org", sa.String(), nullable=False),
        sa.Column("entry", sa.LargeBinary(), nullable=False),
        sa.Column("delivered", WHOLE, nullable=True),
        sa.ForeignKeyConstraint(
            ["bundle"], ["bundles.number"], name=op.f("fk_bundle_entries_bundle_bundles")
        ),
        sa.PrimaryKeyConstraint("bundle", "position", name=op.f("pk_bundle_entries")),
    )
    with op.batch_alter_table("bundle_entries", schema=None) as batch_op:
        batch_op.create_index("ix_bundle_entries_org_bundle", ["org", "bundle"], unique=False)

    op.create_table(
        "feed_items",
        sa.Column("seq", WHOLE, autoincrement=True, nullable=False),
        sa.Column("org", sa.String(), nullable=False),
        sa.Column("item", sa.String(), nullable=False),
        sa.Column("bundle", WHOLE, nullable=False),
        sa.Column("at", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(
            ["bundle"], ["bundles.number"], name=op.f("fk_feed_items_bundle_bundles")
        ),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_feed_items")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("feed_items", schema=None) as batch_op:
        batch_op.create_index("ix_feed_items_org_seq", ["org", "seq"], unique=False)


def downgrade() -> None:
    """Take it back."""
    with op.batch_alter_table("feed_items", schema=None) as batch_op:
        batch_op.drop_index("ix_feed_items_org_seq")

    op.drop_table("feed_items")
    with op.batch_alter_table("bundle_entries", schema=None) as batch_op:
        batch_op.drop_index("ix_bundle_entries_org_bundle")

    op.drop_table("bundle_entries")
    op.drop_table("tallies")
    op.drop_table("releases")
    op.drop_table("people")
    op.drop_table("log_tiles")
    op.drop_table("log_heads")
    op.drop_table("log_entries")
    op.drop_table("log_cosigned")
    op.drop_table("invites")
    op.drop_table("enrolments")
    op.drop_table("documents")
    with op.batch_alter_table("bundles", schema=None) as batch_op:
        batch_op.drop_index("ix_bundles_state_expires")

    op.drop_table("bundles")
    op.drop_table("audit_sequences")
    op.drop_table("audit_orgs")
    with op.batch_alter_table("audit_events", schema=None) as batch_op:
        batch_op.drop_index("ix_audit_events_what_number")

    op.drop_table("audit_events")
    with op.batch_alter_table("acknowledgements", schema=None) as batch_op:
        batch_op.drop_index("ix_acknowledgements_sender_seq")

    op.drop_table("acknowledgements")
