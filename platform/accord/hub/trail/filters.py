"""What one may look for in the audit trail, strictly parsed; nothing is guessed."""

import base64
import binascii
import datetime as dt
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass, fields

from accord.hub.audit import EventClass
from accord.kernel.errors import AccordError, Malformed
from accord.kernel.identifiers import parse_bundle_id, parse_org_id

MAX_TEXT = 200
"""Longest value of a filter in characters."""

LOOKING = (
    EventClass.AUDIT_EXPORTED,
    EventClass.AUDIT_SEARCHED,
    EventClass.BUNDLE_DELIVERED,
    EventClass.LEDGER_VIEWED,
    EventClass.SUMMARY_VIEWED,
)
"""Events in which somebody saw something: what the filter ``seen`` looks through."""

_DAY = 86_400
_CODE = "audit_filter_invalid"
_OUTCOME = re.compile(r"[a-z][a-z0-9_]{1,63}")
_DATE = re.compile(r"20[0-9]{2}-[01][0-9]-[0-3][0-9]")
_CURSOR_BYTES = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A filter; what is empty does not narrow.

    Attributes:
        seen: who saw this bundle (id), this organisation's things (``name@hub``), this person.
        what: a class of event.
        org: an organisation that acted or is concerned.
        person: a person who acted or to whom something was done.
        subject: what it was done to, for example a bundle's id.
        outcome: ``ok``, ``refused`` (whatever is not ok) or a stable code.
        since: first day, ``YYYY-MM-DD``, UTC.
        until: last day, inclusive.
    """

    seen: str = ""
    what: str = ""
    org: str = ""
    person: str = ""
    subject: str = ""
    outcome: str = ""
    since: str = ""
    until: str = ""

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes to look through; none means all."""
        if self.what:
            return (self.what,)
        return tuple(one.value for one in LOOKING) if self.seen else ()

    @property
    def seen_org(self) -> str:
        """The organisation of ``seen``, if it is one."""
        return self.seen if "@" in self.seen else ""

    @property
    def seen_subject(self) -> str:
        """The bundle of ``seen``, if it is one."""
        return self.seen if _is_bundle(self.seen) else ""

    @property
    def seen_person(self) -> str:
        """The person of ``seen``, if it is one."""
        return "" if self.seen_org or self.seen_subject else self.seen

    @property
    def named(self) -> str:
        """The person whom the filter names; goes into a field that can be erased."""
        return self.person or self.seen_person

    @property
    def period(self) -> tuple[int | None, int | None]:
        """First unix second, and the first one after the period."""
        end = None if not self.until else _second(self.until, "until") + _DAY
        return (_second(self.since, "since") if self.since else None), end

    def words(self) -> str:
        """Return the filter as words of a query, without a person's name."""
        given = {one.name: str(getattr(self, one.name)) for one in fields(self)}
        if self.named:
            given["person" if self.person else "seen"] = "(a person)"
        return " ".join(f"{name}={value}" for name, value in given.items() if value)


NAMES = tuple(one.name for one in fields(Wanted))
"""The names of a filter's parts in a query."""


def parse_wanted(texts: Mapping[str, str]) -> Wanted:
    """Parse the parts of a query.

    Raises:
        Malformed: ``audit_filter_invalid``: unknown name, too long, no such class, no date.
    """
    unknown = sorted(set(texts) - set(NAMES))
    if unknown:
        raise _invalid(unknown[0], "this is no part of a filter")
    for name, value in texts.items():
        if len(value) > MAX_TEXT or not value.isprintable():
            raise _invalid(name, f"at most {MAX_TEXT} printable characters")
    wanted = Wanted(**{name: value.strip() for name, value in texts.items()})
    if wanted.what and wanted.what not in set(EventClass):
        raise _invalid("what", "there is no such event")
    if wanted.outcome and _OUTCOME.fullmatch(wanted.outcome) is None:
        raise _invalid("outcome", "ok, refused or a stable code")
    for name, org in (("org", wanted.org), ("seen", wanted.seen_org)):
        if org:
            _check_org(name, org)
    since, until = wanted.period
    if since is not None and until is not None and since >= until:
        raise _invalid("until", "the period ends before it begins")
    return wanted


def _check_org(name: str, text: str) -> None:
    try:
        parse_org_id(text)
    except AccordError as error:
        raise _invalid(name, "an organisation is name@hub") from error


def _is_bundle(text: str) -> bool:
    try:
        parse_bundle_id(text)
    except AccordError:
        return False
    return True


def _second(text: str, name: str) -> int:
    if _DATE.fullmatch(text) is not None:
        try:
            day = dt.datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=dt.UTC)
            return int(day.timestamp())
        except ValueError:
            pass
    raise _invalid(name, "a day is YYYY-MM-DD, for example 2026-03-31")


def _invalid(name: str, wanted: str) -> Malformed:
    return Malformed(
        _CODE,
        f"The filter '{name}' cannot be used: {wanted}.",
        observed=name[:40],
        next_step="Correct that part of the filter and ask again.",
    )


def format_cursor(number: int) -> str:
    """Return the opaque cursor after which a page goes on: events older than ``number``."""
    return base64.urlsafe_b64encode(b"\x01" + struct.pack(">Q", number)).decode("ascii")


def parse_cursor(text: str) -> int:
    """Parse a cursor.

    Raises:
        Malformed: ``cursor_invalid``.
    """
    try:
        raw = base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True)
    except (UnicodeEncodeError, binascii.Error):
        raw = b""
    number = struct.unpack(">Q", raw[1:])[0] if len(raw) == _CURSOR_BYTES else 2**63
    if number >= 2**63 or raw[:1] != b"\x01" or format_cursor(number) != text:
        raise Malformed(
            "cursor_invalid",
            "This is not a place in the list.",
            next_step="Begin again at the first page.",
        )
    return int(number)
