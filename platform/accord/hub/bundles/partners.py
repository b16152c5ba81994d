"""Who has exchanged bundles with whom: for telling those concerned that keys have changed."""

from sqlalchemy import Connection, select, union

from accord.hub.bundles.tables import BundleRow, EntryRow
from accord.kernel.identifiers import OrgId


def partners(connection: Connection, org: OrgId) -> frozenset[OrgId]:
    """Return those to whom ``org`` sent a bundle, and those who sent it one."""
    joined = BundleRow.number == EntryRow.bundle
    found = connection.scalars(
        union(
            select(EntryRow.org).join(BundleRow, joined).where(BundleRow.org == org),
            select(BundleRow.org).join(EntryRow, joined).where(EntryRow.org == org),
        )
    ).all()
    return frozenset(OrgId(one) for one in found)
