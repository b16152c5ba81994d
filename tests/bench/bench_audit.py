"""The auditor's query: pages of 50 from a trail of 1,000,000 events, filter by filter.

The rows are written at once, not through the recorder; their openings are one real record each, so
that a page is read, opened by entitlement and parsed as it is when it serves.
"""

import random
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Connection, insert
from tests.bench.load import percentile

from accord.hub.audit import EventClass, Reader, opened_for
from accord.hub.audit.tables import AuditEvent, AuditOrg, AuditSequence
from accord.hub.storage import open_database
from accord.hub.trail.filters import Wanted, parse_wanted
from accord.hub.trail.queries import Scope, find, read_events
from accord.kernel.identifiers import OrgId
from accord.kernel.tlog.leaf import RecordFields, format_record, parse_record

NAME = "audit"
EVENTS, SHORT_EVENTS = 1_000_000, 50_000
BLOCK = 20_000
PAGE = 50
ROUNDS = 7
GOAL_MILLIS = 300.0
START = 1_790_000_000
ORGS = [OrgId(f"member-{number:02}@hub.bench") for number in range(40)]
LARGE, SMALL = ORGS[0], ORGS[-1]
PEOPLE = [f"person-{number}" for number in range(400)]
COMMON = ("bundle.accepted", "bundle.delivered", "bundle.acknowledged", "sign-in.ok")


def fill(connection: Connection, events: int) -> None:
    """Write ``events`` that are spread like a busy hub's: few members send most."""
    chance = random.Random(7)
    opened = {(org, what): format_record(_record(org, what)) for org in ORGS for what in COMMON}
    seqs = dict.fromkeys(ORGS, 0)
    for first in range(0, events, BLOCK):
        rows, members = [], []
        for number in range(first, min(first + BLOCK, events)):
            org = ORGS[min(int(chance.expovariate(0.15)), len(ORGS) - 1)]
            what = COMMON[min(int(chance.expovariate(1.2)), 3)]
            rare = number % 5_003 == 0
            rows.append(
                {
                    "number": number,
                    "entry_id": b"0" * 16,
                    "time": START + number * 30,
                    "what": EventClass.BUNDLE_REFUSED.value if rare else what,
                    "org": org,
                    "person": chance.choice(PEOPLE) if what == "sign-in.ok" else "",
                    "about": "",
                    "subject": f"bundle-{number // 4}",
                    "outcome": "charter_tlp" if rare else "ok",
                    "opened": opened[org, what],
                }
            )
            for member in {org, LARGE}:
                seqs[member] += 1
                members.append(
                    {
                        "org": member,
                        "seq": seqs[member],
                        "number": number,
                        "what": rows[-1]["what"],
                    }
                )
        connection.execute(insert(AuditEvent), rows)
        connection.execute(insert(AuditOrg), members)
    connection.execute(
        insert(AuditSequence),
        [{"org": org, "last": last, "chain": b""} for org, last in seqs.items()],
    )


def _record(org: OrgId, what: str) -> RecordFields:
    return RecordFields.fresh(
        {
            "time": str(START),
            "what": what,
            "org": org,
            "person": "",
            "about": "",
            "subject": "bundle",
            "basis": "legal-obligation",
            "outcome": "ok",
            "detail": f"sha256={'0' * 64} directory=40",
            "member.0": f"{org} 1",
            "member.1": f"{LARGE} 2",
        }
    )


WHOLE, LARGE_OWN, SMALL_OWN = (
    Reader(org=SMALL, whole=True),
    Reader(org=LARGE, names=True),
    Reader(org=SMALL, names=True),
)
QUERIES: list[tuple[str, Reader, dict[str, str]]] = [
    ("newest, whole trail", WHOLE, {}),
    ("newest, own", SMALL_OWN, {}),
    ("who saw a bundle", WHOLE, {"seen": "bundle-999"}),
    ("who saw what concerns a member", WHOLE, {"seen": LARGE}),
    ("a small member, whole trail", WHOLE, {"org": SMALL}),
    ("a small member and a class", WHOLE, {"org": SMALL, "what": "bundle.refused"}),
    ("two members", LARGE_OWN, {"org": SMALL, "what": "bundle.acknowledged"}),
    ("a class that is rare", LARGE_OWN, {"what": "bundle.refused"}),
    ("a class that never was, own", LARGE_OWN, {"what": "backup.made"}),
    ("one day in the middle", LARGE_OWN, {"since": "2026-12-01", "until": "2026-12-01"}),
    ("a person", LARGE_OWN, {"person": "person-7"}),
    ("refused", SMALL_OWN, {"outcome": "refused"}),
    ("a code that never was", SMALL_OWN, {"outcome": "never_seen"}),
    ("a subject, all its events", WHOLE, {"subject": "bundle-100"}),
]


def ask(connection: Connection, reader: Reader, wanted: Wanted, events: int) -> int:
    """Answer one query as the page does, without the entry that logs it; return the rows."""
    scope = Scope(org=reader.org, whole=reader.whole)
    found = find(connection, scope, wanted, below=events, limit=PAGE)
    raw = read_events(connection, found.numbers)
    return sum(opened_for(reader, parse_record(raw[number])) is not None for number in raw)


def run(options: dict[str, int]) -> list[dict[str, object]]:
    """Measure; ``rows`` is the number of events."""
    events = options.get("rows") or (SHORT_EVENTS if options.get("short") else EVENTS)
    slowest: tuple[float, str] = (0.0, "")
    figures = []
    with TemporaryDirectory(prefix="accord-audit-") as name:
        database = open_database(Path(name) / "audit.db")
        with database.writing.begin() as connection:
            fill(connection, events)
        for words, reader, parts in QUERIES:
            times = []
            for _ in range(ROUNDS):
                start = time.perf_counter()
                with database.reading.connect() as connection:
                    rows = ask(connection, reader, _wanted(parts), events)
                times.append((time.perf_counter() - start) * 1000)
            figures.append(
                {
                    "figure": round(percentile(times, 0.99), 1),
                    "unit": f"ms p99, {words}: {rows} rows of {events:,}",
                    "goal": f"< {GOAL_MILLIS:.0f}",
                }
            )
            slowest = max(slowest, (percentile(times, 0.99), words))
        database.close()
    return [
        {
            "figure": round(slowest[0], 1),
            "unit": f"ms p99, slowest of {len(QUERIES)} queries over {events:,}: {slowest[1]}",
            "goal": f"< {GOAL_MILLIS:.0f}",
        },
        *figures,
    ]


def _wanted(parts: dict[str, str]) -> Wanted:
    # Subjects of this bench are no bundle ids, so that many are made quickly.
    if parts.get("seen", "").startswith("bundle-"):
        return Wanted(subject=parts["seen"])
    return parse_wanted(parts)
