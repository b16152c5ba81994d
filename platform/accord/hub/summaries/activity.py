"""Live figures beside the released tables: what the hub did, and how many members it has.

They count bundles and organisations, which the hub knows anyway, and nothing that was in a bundle.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Engine

from accord.hub.access import Actor
from accord.hub.audit import EventClass
from accord.hub.audit.queries import count_between, first_since
from accord.hub.bundles.recalls import Recalls, recent_recalls
from accord.hub.directory import Directory
from accord.hub.summaries.viewers import require_viewer
from accord.kernel.directory.organisation import Status
from accord.kernel.markings import OrgKind

WEEKS = 8
"""How many weeks are shown, the running one included."""

WEEK = 7 * 86_400
_MONDAY = 4 * 86_400
"""The first Monday of unix time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Week:
    """Bundles accepted and delivered in the week that began on Monday ``start`` (UTC date)."""

    start: str
    accepted: int
    delivered: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """Weeks, oldest first; active organisations by kind, in their order; recalls of these weeks."""

    weeks: tuple[Week, ...]
    members: tuple[tuple[str, int], ...]
    recalls: Recalls


def recent_activity(
    actor: Actor | None, *, engine: Engine, directory: Directory, now: int
) -> Activity:
    """Return the figures of the last weeks for someone who may see summaries."""
    require_viewer(actor, directory)
    this_week = now - (now - _MONDAY) % WEEK
    starts = [this_week - WEEK * back for back in range(WEEKS - 1, -1, -1)]
    with engine.connect() as connection:
        edges = [first_since(connection, moment) for moment in (*starts, this_week + WEEK)]
        weeks = tuple(
            Week(
                start=datetime.fromtimestamp(start, tz=UTC).date().isoformat(),
                accepted=count_between(connection, EventClass.BUNDLE_ACCEPTED, low, high),
                delivered=count_between(connection, EventClass.BUNDLE_DELIVERED, low, high),
            )
            for start, low, high in zip(starts, edges, edges[1:], strict=False)
        )
        recalls = recent_recalls(connection, starts[0])
    kinds = Counter(
        one.profile.kind for one in directory.state().organisations() if one.status is Status.ACTIVE
    )
    return Activity(
        weeks=weeks,
        members=tuple((kind.value, kinds[kind]) for kind in OrgKind if kinds[kind]),
        recalls=recalls,
    )
