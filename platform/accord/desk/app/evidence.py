"""Wiring of evidence. Apart from the rest, so that no other command loads the typesetter."""

from accord.desk.app import Desk
from accord.desk.evidence.service import Maker


def maker_at(desk: Desk, person: str, reason: str) -> Maker:
    """Return who makes evidence at this desk, and what it trusts."""
    return Maker(
        org=desk.org,
        signing=desk.keyring.signing,
        person=person,
        reason=reason,
        roots=desk.mirror.root_files,
        directory=desk.mirror.state,
        now=desk.clock(),
    )
