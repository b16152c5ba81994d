"""What a digest says, and from when on it counts: one text for mail, command and page."""

import datetime as dt
import re

from accord.clock import LAST_MOMENT, moment
from accord.desk.exchange.digest import Digest
from accord.kernel.errors import Malformed

USUAL = "24h"
"""From when on a digest counts by itself."""

_AGO = re.compile(r"([1-9][0-9]{0,3})([hd])")


def since_of(text: str, *, now: int) -> int:
    """Return ``24h``, ``7d``, ``2026-12-01`` or ``2026-12-01T12:00`` (UTC) as unix seconds.

    Raises:
        Malformed: ``since_unreadable``, also for what lies ahead.
    """
    ago = _AGO.fullmatch(text)
    try:
        at = now - int(ago[1]) * (3600 if ago[2] == "h" else 86_400) if ago else _date(text)
    except (ValueError, OverflowError):
        at = LAST_MOMENT
    if not 0 <= at <= now:
        raise Malformed(
            "since_unreadable",
            "A time that has passed is 24h, 7d, 2026-12-01 or 2026-12-01T12:00 (UTC).",
            observed=text[:40],
            next_step="Give such a time.",
        )
    return at


def _date(text: str) -> int:
    found = dt.datetime.fromisoformat(text)
    return int((found if found.tzinfo else found.replace(tzinfo=dt.UTC)).timestamp())


def digest_lines(found: Digest) -> tuple[tuple[str, str], ...]:
    """Return what is counted, each with its counts in words."""
    return (
        ("Arrived", f"{_many(found.arrived, 'bundle')}, {_many(found.records, 'record')}"),
        ("Could not be opened here", f"{found.unopened}"),
        ("Sent", _many(found.sent, "bundle")),
        ("Opened by recipients", f"{found.opened}; could not be opened: {found.refused}"),
        (
            "Came back",
            f"{_many(found.sightings, 'bundle')} of sightings, {_many(found.answers, 'answer')}",
        ),
        ("Requests that came", f"{found.requests}"),
        (
            "Requests that wait for you",
            f"{found.waiting}; {found.due} due, {found.overdue} overdue",
        ),
        ("Requests of yours that are overdue", f"{found.late}"),
        ("Recalls that came", f"{found.recalls}; {found.calls} of what was exported here"),
        ("Recalls of yours under way", f"{found.unconfirmed}; {found.recalls_late} overdue"),
        ("Watches", f"{_many(found.hits, 'hit')}; {found.unseen} that nobody has looked at"),
    )


def _many(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def digest_text(found: Digest) -> str:
    """Return the digest as the text of a mail."""
    lines = (
        f"Accord desk, {moment(found.since)} to {moment(found.until)}",
        "",
        *(f"{what}: {counts}" for what, counts in digest_lines(found)),
        "",
        "Counts alone. The rest is at the desk: accord inbox, accord requests, accord recalls.",
    )
    return "\n".join(lines)
