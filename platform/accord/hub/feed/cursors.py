"""Cursors: where a desk is in its own feed, and which cursors are refused.

A cursor is a number and the name of the feed in which it counts. The name follows from the hub's
audit log (its first entry, which is random) and the organisation, so that a cursor of another
member, another hub, or a database that was begun anew has another one. It is no secret.
"""

import base64
import hashlib
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, func, select

from accord.hub.feed.tables import FeedPruned, FeedRow
from accord.hub.transparency import LogName, LogReader
from accord.kernel.errors import Conflict, Malformed
from accord.kernel.identifiers import OrgId

_LABEL = b"accord/1/feed\0"
_NAME_BYTES = 10

# Built once: composing a statement costs more than running it.
_PLACES = select(
    select(FeedPruned.through).where(FeedPruned.org == bindparam("org")).scalar_subquery(),
    select(func.max(FeedRow.seq)).where(FeedRow.org == bindparam("org")).scalar_subquery(),
)
"""Through which item the feed of ``org`` was pruned, and its newest item."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """A place in a feed: behind item ``after`` of the feed ``feed``.

    ``resync`` says that the caller knows that items may be missing and begins anew.
    """

    after: int = 0
    feed: str | None = None
    resync: bool = False


class FeedNames:
    """The names of the feeds of one hub."""

    def __init__(self, reader: LogReader) -> None:
        """Name after the log that ``reader`` reads."""
        self._reader = reader
        self._first: bytes | None = None

    def of(self, org: OrgId) -> str:
        """Return the name of the feed of ``org``: 16 letters of lower-case base32."""
        if self._first is None:
            [self._first] = self._reader.entries(LogName.AUDIT, 0, 1)
        digest = hashlib.sha256(_LABEL + self._first + org.encode("utf-8")).digest()
        return base64.b32encode(digest[:_NAME_BYTES]).decode("ascii").lower()


def check_cursor(connection: Connection, org: OrgId, cursor: Cursor, name: str) -> None:
    """Refuse a cursor that is not one of this feed or behind which items were pruned.

    (1) A place other than the beginning has a name; (2) it is this feed's; (3) nothing behind it
    was pruned, or the caller resyncs; (4) the feed has come that far.

    Raises:
        Malformed: ``cursor_nameless``.
        Conflict: ``cursor_other``, ``cursor_stale``, ``cursor_future``.
    """
    if cursor.after > 0 and cursor.feed is None:  # (1)
        raise Malformed(
            "cursor_nameless",
            "A place in a feed is told with the feed's name.",
            next_step="Send 'feed' as the last page named it, or begin at 0.",
        )
    if cursor.feed is not None and cursor.feed != name:  # (2)
        raise Conflict(
            "cursor_other",
            "This cursor belongs to the feed of another member or another hub.",
            observed=cursor.feed,
            next_step="Resync on purpose: accord pull --resync",
        )
    through, last = connection.execute(_PLACES, {"org": org}).one()
    pruned, newest = through or 0, max(last or 0, through or 0)
    if cursor.after < pruned and not cursor.resync:  # (3)
        raise Conflict(
            "cursor_stale",
            "Items behind this cursor are older than the hub keeps them.",
            observed=f"{cursor.after}, pruned through {pruned}",
            next_step="Begin a full resync.",
        )
    if cursor.after > newest:  # (4)
        raise Conflict(
            "cursor_future",
            "The feed has not come that far: it was begun anew or set back.",
            observed=f"{cursor.after}, newest {newest}",
            next_step="Ask the hub's operator; then resync on purpose: accord pull --resync",
        )
