"""Wiring of what a desk knows and does about its own keys; for the commands and for the page."""

from accord.desk.app import Desk
from accord.desk.exchange.keychange import KeyChanges, Standing
from accord.desk.keyring import KeyFile
from accord.kernel.directory.state import DirectoryState
from accord.kernel.errors import Unavailable


def changes_of(desk: Desk, key_file: KeyFile, *, person: str) -> KeyChanges:
    """Return the verbs on our own keys; ``person`` stands in the journal."""
    return KeyChanges(
        vault=desk.vault,
        client=desk.client,
        mirror=desk.mirror,
        key_file=key_file,
        org=desk.org,
        person=person,
        clock=desk.clock,
        pause=desk.pause,
    )


def rotate(
    desk: Desk, key_file: KeyFile, *, person: str, compromised_since: int | None = None
) -> Standing:
    """Send what is sealed with the present keys, then replace them; as ``KeyChanges.rotate``."""
    if key_file.unlock().following is None:
        desk.submissions.flush()
    changes = changes_of(desk, key_file, person=person)
    return changes.rotate(compromised_since=compromised_since)


def directory_here(desk: Desk, *, ask: bool) -> tuple[DirectoryState | None, bool]:
    """Return the directory and whether the hub answered just now; without one before enrolment.

    Args:
        desk: whose.
        ask: fetch it anew; else it may be some minutes old.
    """
    if desk.config.org is None or not desk.config.root_file.is_file():
        return None, False
    try:
        return (desk.mirror.refresh() if ask else desk.mirror.recent()), True
    except Unavailable:
        return desk.mirror.state, False
