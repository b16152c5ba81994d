"""What happened at this desk in a time, in counts alone: nothing of a value, title, note or name.

It may leave the desk by mail, so it must tell no more to a stranger than that the desk was at work.
``Digest`` holds numbers and times and no text, so that no face can put content into it.
"""

from dataclasses import dataclass

from accord.desk.exchange.confirmations import Standing
from accord.desk.exchange.recalls import recalls, recalls_here
from accord.desk.exchange.standing import Next, requests_now
from accord.desk.storage import Vault, Way
from accord.desk.storage.deliveries import DeliveryState
from accord.desk.storage.watches import count_hits
from accord.kernel.identifiers import OrgId
from accord.kernel.markings import BundleKind
from accord.kernel.statements.acknowledgement import Outcome

RECALLS = 1000
"""The latest recalls that are looked at."""

_SAID = "count(*) FROM acknowledgements WHERE state = :state AND at >= :since AND at <= :now"


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """Counts from ``since`` until ``until``; of what is open, as it stands at ``until``.

    Attributes:
        arrived: bundles that came and were opened here; ``records`` in them.
        unopened: deliveries that could not be opened.
        sent: bundles sealed here.
        opened: words of recipients, by their own clocks, that they opened a bundle of ours.
        refused: likewise, that they could not.
        sightings: bundles that came with sightings of ours.
        answers: that came to requests of ours.
        requests: that came; ``waiting`` wait for our word, ``due`` of them within a day and
            ``overdue`` behind their deadline; ``late`` are ours that nobody answered in time.
        recalls: that came; ``calls`` are those of them of which a file left this desk.
        unconfirmed: recalls of ours that somebody has not applied; ``recalls_late`` of them are
            behind their deadline.
        hits: records with a value on watch; ``unseen`` ones that nobody has looked at, ever.
    """

    since: int
    until: int
    arrived: int
    records: int
    unopened: int
    sent: int
    opened: int
    refused: int
    sightings: int
    answers: int
    requests: int
    waiting: int
    due: int
    overdue: int
    late: int
    recalls: int
    calls: int
    unconfirmed: int
    recalls_late: int
    hits: int
    unseen: int


def digest(vault: Vault, org: OrgId, *, since: int, now: int) -> Digest:
    """Return the counts of this desk from ``since`` on."""
    connection = vault.connection
    span = {"since": since, "now": now}
    arrived = "FROM bundles WHERE way = 'received' AND arrived >= :since AND arrived <= :now"
    asked = [*requests_now(vault, org, now=now, unclosed=True)]
    theirs = [one for one in asked if one.row.way is Way.RECEIVED and one.next is Next.YOU]
    taken = [one for one in recalls_here(vault, org, limit=RECALLS) if one.files]
    ours = [one for one in recalls(vault, org, now=now, limit=RECALLS) if not one.done]

    def count(what: str, **more: str) -> int:
        return int(connection.execute(f"SELECT {what}", span | more).fetchone()[0])

    def came(kind: BundleKind) -> int:
        return count(f"count(*) {arrived} AND kind = :kind", kind=kind.value)

    def arrived_now(id_: str) -> bool:
        return bool(count(f"count(*) {arrived} AND id = :id", id=id_))

    return Digest(
        since=since,
        until=now,
        arrived=count(f"count(*) {arrived}"),
        records=count(f"coalesce(sum(n), 0) {arrived} AND kind IN ('indicators', 'list')"),
        unopened=count(
            "count(*) FROM deliveries WHERE state = :state AND at >= :since AND at <= :now",
            state=DeliveryState.REFUSED.value,
        ),
        sent=count("count(*) FROM outbox WHERE created >= :since AND created <= :now"),
        opened=count(_SAID, state=Outcome.OPENED.value),
        refused=count(_SAID, state=Outcome.REFUSED.value),
        sightings=came(BundleKind.SIGHTING),
        answers=came(BundleKind.RESPONSE),
        requests=count(
            "count(*) FROM requests WHERE way = 'received'"
            " AND arrived >= :since AND arrived <= :now"
        ),
        waiting=len(theirs),
        due=sum(one.due for one in theirs),
        overdue=sum(one.overdue for one in theirs),
        late=sum(one.overdue for one in asked if one.row.way is Way.SENT),
        recalls=came(BundleKind.RETRACTION),
        calls=sum(arrived_now(one.id) for one in taken),
        unconfirmed=len(ours),
        recalls_late=sum(bool(one.count(Standing.OVERDUE)) for one in ours),
        hits=count("count(*) FROM watch_hits WHERE at >= :since AND at <= :now"),
        unseen=sum(unseen for _, unseen in count_hits(vault).values()),
    )
