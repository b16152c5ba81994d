"""Find events by whom and what they are about; keep each organisation's chain."""

import hashlib
import json
import struct
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_FIELDS = ("org", "person", "about", "subject", "outcome")
_RARE = {"person": "person != ''", "about": "about != ''", "outcome": "outcome != 'ok'"}
_KEPT = {"sqlite_with_rowid": False}
_BLOCK = 1000


def upgrade() -> None:
    """Make the change; the new columns are filled from what the events say already."""
    for name in _FIELDS:
        op.add_column("audit_events", sa.Column(name, sa.String(), nullable=True))
    op.add_column("audit_orgs", sa.Column("what", sa.String(), nullable=True))
    op.add_column("audit_sequences", sa.Column("chain", sa.LargeBinary(), nullable=True))
    connection = op.get_bind()
    _fill_events(connection)
    connection.execute(
        sa.text(
            "UPDATE audit_orgs SET what ="
            " (SELECT what FROM audit_events WHERE audit_events.number = audit_orgs.number)"
        )
    )
    for org in connection.scalars(sa.text("SELECT org FROM audit_sequences")).all():
        connection.execute(
            sa.text("UPDATE audit_sequences SET chain = :chain WHERE org = :org"),
            {"chain": _chain(connection, org), "org": org},
        )
    with op.batch_alter_table("audit_events") as table:
        for name in _FIELDS:
            table.alter_column(name, existing_type=sa.String(), nullable=False)
    with op.batch_alter_table("audit_orgs", table_kwargs=_KEPT) as table:
        table.alter_column("what", existing_type=sa.String(), nullable=False)
    with op.batch_alter_table("audit_sequences") as table:
        table.alter_column("chain", existing_type=sa.LargeBinary(), nullable=False)
    op.create_index("ix_audit_events_subject_number", "audit_events", ["subject", "number"])
    for name, condition in _RARE.items():
        op.create_index(
            f"ix_audit_events_{name}_number",
            "audit_events",
            [name, "number"],
            sqlite_where=sa.text(condition),
            postgresql_where=sa.text(condition),
        )
    op.create_index("ix_audit_orgs_org_what_number", "audit_orgs", ["org", "what", "number"])


def _fill_events(connection: sa.Connection) -> None:
    """Copy the fields by which one looks out of ``opened``."""
    last = -1
    while True:
        rows = connection.execute(
            sa.text(
                "SELECT number, opened FROM audit_events WHERE number > :last"
                " ORDER BY number LIMIT :block"
            ),
            {"last": last, "block": _BLOCK},
        ).all()
        if not rows:
            return
        connection.execute(
            sa.text(
                "UPDATE audit_events SET org = :org, person = :person, about = :about,"
                " subject = :subject, outcome = :outcome WHERE number = :number"
            ),
            [{"number": row.number} | _copied(bytes(row.opened)) for row in rows],
        )
        last = rows[-1].number


def _copied(opened: bytes) -> dict[str, Any]:
    fields = {one["name"]: one["value"] for one in json.loads(opened)["fields"] if "name" in one}
    return {name: fields.get(name, "") for name in _FIELDS}


def _chain(connection: sa.Connection, org: str) -> bytes:
    chain = hashlib.sha256(b"hub-audit/v1/org\n" + org.encode()).digest()
    rows = connection.execute(
        sa.text(
            "SELECT audit_orgs.seq, audit_orgs.number, log_entries.entry FROM audit_orgs"
            " JOIN log_entries ON log_entries.log = 'audit'"
            " AND log_entries.number = audit_orgs.number"
            " WHERE org = :org ORDER BY seq"
        ),
        {"org": org},
    )
    for row in rows:
        place = struct.pack(">QQ", row.seq, row.number)
        message = b"hub-audit/v1/org-event\n" + chain + place + bytes(row.entry)
        chain = hashlib.sha256(message).digest()
    return chain


def downgrade() -> None:
    """Take it back; what events say stays in them."""
    op.drop_index("ix_audit_orgs_org_what_number", "audit_orgs")
    op.drop_index("ix_audit_events_subject_number", "audit_events")
    for name in _RARE:
        op.drop_index(f"ix_audit_events_{name}_number", "audit_events")
    with op.batch_alter_table("audit_sequences") as table:
        table.drop_column("chain")
    with op.batch_alter_table("audit_orgs", table_kwargs=_KEPT) as table:
        table.drop_column("what")
    with op.batch_alter_table("audit_events") as table:
        for name in _FIELDS:
            table.drop_column(name)
