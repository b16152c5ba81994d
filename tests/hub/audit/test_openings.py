"""Which field of an event opens to whom: the whole table, written out."""

import pytest

from accord.hub.audit import Reader, opened_for
from accord.hub.audit.openings import OPENS, Standing
from accord.kernel.identifiers import OrgId
from accord.kernel.tlog.leaf import RecordFields, verify_opening

BANK = OrgId("bank@hub.test")
POLICE = OrgId("police@hub.test")
WATCH = OrgId("ombudsman@hub.test")
OPERATOR = OrgId("operator@hub.test")
FACTS = ("time", "what", "org", "subject", "basis", "outcome", "detail")
NAMES = ("person", "about")

EVENT = RecordFields.fresh(
    {
        "time": "1795600000",
        "what": "bundle.delivered",
        "org": BANK,
        "person": "anna",
        "about": "piet",
        "subject": "0190",
        "basis": "",
        "outcome": "ok",
        "detail": "",
        "member.0": f"{BANK} 7",
        "member.1": f"{POLICE} 9",
    }
)
HUBS_OWN = RecordFields.fresh({"what": "backup.made", "org": "", "person": "root"})

BANK_NUMBER, POLICE_NUMBER = ("member.0",), ("member.1",)

TABLE: list[tuple[str, Reader, tuple[str, ...] | None]] = [
    ("own auditor", Reader(org=BANK, names=True), (*FACTS, *NAMES, *BANK_NUMBER)),
    ("own desk", Reader(org=BANK), (*FACTS, *BANK_NUMBER)),
    ("auditor of whom it concerns", Reader(org=POLICE, names=True), (*FACTS, *POLICE_NUMBER)),
    ("desk of whom it concerns", Reader(org=POLICE), (*FACTS, *POLICE_NUMBER)),
    (
        "oversight",
        Reader(org=WATCH, whole=True, names=True),
        (*FACTS, *BANK_NUMBER, *POLICE_NUMBER),
    ),
    ("oversight's desk", Reader(org=WATCH, whole=True), (*FACTS, *BANK_NUMBER, *POLICE_NUMBER)),
    ("operator's auditor", Reader(org=OPERATOR, names=True), None),
    ("operator's desk", Reader(org=OPERATOR), None),
    ("an auditor without the charter's grant", Reader(org=WATCH, names=True), None),
]


@pytest.mark.parametrize(("who", "reader", "fields"), TABLE, ids=[row[0] for row in TABLE])
def test_each_reader_gets_exactly_the_fields_of_the_table(
    who: str, reader: Reader, fields: tuple[str, ...] | None
) -> None:
    shown = opened_for(reader, EVENT)
    if fields is None:
        assert shown is None, who
        return
    assert shown is not None
    assert set(shown.opened()) == set(fields), who
    assert verify_opening(EVENT.leaf(), shown) == shown.opened()


def test_the_hubs_own_event_opens_to_oversight_alone_and_without_the_name() -> None:
    assert opened_for(Reader(org=OPERATOR, names=True), HUBS_OWN) is None
    shown = opened_for(Reader(org=WATCH, whole=True, names=True), HUBS_OWN)
    assert shown is not None
    assert set(shown.opened()) == {"what", "org"}


def test_a_field_that_the_table_does_not_know_stays_closed_to_all() -> None:
    record = RecordFields.fresh({"org": BANK, "secret": "x"})
    shown = opened_for(Reader(org=BANK, whole=True, names=True), record)
    assert shown is not None
    assert set(shown.opened()) == {"org"}


def test_every_standing_has_a_row() -> None:
    assert set(OPENS) == set(Standing)
