"""The digest counts and tells nothing else, whatever lies in the vault."""

import dataclasses
import json
from pathlib import Path

import pytest
from tests.desk.conftest import NOW, bundle_id, described, put, records_of

from accord.desk.exchange.digest import Digest, digest
from accord.desk.exchange.digest_text import digest_text, since_of
from accord.desk.export.registry import FORMATS
from accord.desk.export.selection import Selection
from accord.desk.export.service import export
from accord.desk.indicators.watching import set_watch
from accord.desk.storage import Mark, MarkState, Vault, Way
from accord.desk.storage.acknowledgements import Said, add_said
from accord.desk.storage.bundles import add_mark
from accord.desk.storage.deliveries import DeliveryRow, DeliveryState, add_delivery
from accord.desk.storage.outbox import add_outbox
from accord.desk.storage.requests import RequestRow, add_request
from accord.kernel.errors import Malformed
from accord.kernel.identifiers import OrgId

OWN = OrgId("canary-own@hub.example")
SENDER = OrgId("canary-sender@hub.example")
VALUE = "canary-value.evil-example.org"
WORDS = ("canary", VALUE, "evil-example")
DAY = 86_400


def fill(vault: Vault, folder: Path) -> None:
    """Put a canary into every place that has words."""
    set_watch(
        vault, VALUE, reason="canary case", person="canary-ana", now=NOW - 20, expires=NOW + DAY
    )
    new = described(1, org=SENDER, title="canary title", head=b"canary head", arrived=NOW - 10)
    records = records_of([VALUE])
    put(vault, new, records)
    with vault.transaction() as connection:
        connection.execute("INSERT INTO watch_hits VALUES (1, 1, 0, 'value', ?, NULL)", (NOW - 9,))
    export(
        vault,
        FORMATS["csv"],
        folder / "canary.csv",
        Selection(),
        org=OWN,
        person="canary-ana",
        purpose="investigation",
        reason="canary case",
        now=NOW - 8,
    )
    for number, kind in ((2, "retraction"), (3, "sighting"), (4, "response"), (5, "request")):
        put(vault, described(number, org=SENDER, kind=kind, title="canary"), [])
    put(vault, described(6, org=OWN, way=Way.SENT, title="canary of ours"), records)
    back = Mark(
        record=0,
        state=MarkState.RETRACTED,
        by_org=SENDER,
        by_id=bundle_id(2),
        code="error",
        at=1,
        note="canary note",
    )
    late = RequestRow(
        org=SENDER,
        id=bundle_id(5),
        way=Way.RECEIVED,
        ask="freeze",
        arrived=NOW - 6,
        deadline=NOW - 1,
    )
    bad = DeliveryRow(
        seq=1,
        org=SENDER,
        id=None,
        manifest=None,
        state=DeliveryState.REFUSED,
        at=NOW,
        code="canary_code",
        message="canary words",
    )
    with vault.transaction() as connection:
        add_mark(connection, SENDER, bundle_id(1), back)
        add_request(connection, late)
        add_delivery(connection, bad, b"canary")
        add_outbox(connection, id_=bundle_id(6), sealed=b"x", recipients=[SENDER], now=NOW - 5)
    add_said(
        vault,
        [Said(id=bundle_id(6), org=SENDER, state="opened", code=None, at=NOW - 4, dsse=b"canary")],
    )


@pytest.fixture
def filled(vault: Vault, tmp_path: Path) -> Vault:
    fill(vault, tmp_path)
    return vault


def test_every_count_is_there_and_no_word_of_the_vault_is(filled: Vault) -> None:
    found = digest(filled, OWN, since=NOW - DAY, now=NOW)
    assert found == Digest(
        since=NOW - DAY,
        until=NOW,
        arrived=5,
        records=1,
        unopened=1,
        sent=1,
        opened=1,
        refused=0,
        sightings=1,
        answers=1,
        requests=1,
        waiting=1,
        due=0,
        overdue=1,
        late=0,
        recalls=1,
        calls=1,
        unconfirmed=0,
        recalls_late=0,
        hits=1,
        unseen=1,
    )
    for text in (digest_text(found), json.dumps(dataclasses.asdict(found))):
        assert not [word for word in WORDS if word in text]
        assert "@" not in text
        assert str(bundle_id(1)) not in text


def test_a_digest_holds_numbers_alone(filled: Vault) -> None:
    found = dataclasses.asdict(digest(filled, OWN, since=0, now=NOW))
    assert {type(value) for value in found.values()} == {int}
    assert {one.type for one in dataclasses.fields(Digest)} <= {int, "int"}


def test_what_came_before_is_not_counted_and_what_waits_still_is(filled: Vault) -> None:
    later = digest(filled, OWN, since=NOW + 1, now=NOW + DAY)
    happened = (later.arrived, later.records, later.sent, later.opened, later.recalls, later.hits)
    assert happened == (0,) * 6
    assert (later.waiting, later.overdue, later.unseen) == (1, 1, 1)


def test_an_empty_desk_has_an_empty_digest(vault: Vault) -> None:
    found = dataclasses.asdict(digest(vault, OWN, since=NOW - DAY, now=NOW))
    assert {value for name, value in found.items() if name not in {"since", "until"}} == {0}


@pytest.mark.parametrize(
    ("text", "at"),
    [("24h", NOW - DAY), ("7d", NOW - 7 * DAY), ("2026-09-01T12:00", 1_788_264_000)],
)
def test_a_time_that_has_passed_is_read(text: str, at: int) -> None:
    assert since_of(text, now=NOW) == at


@pytest.mark.parametrize("text", ["", "0h", "x", "2030-01-01", "9999-99-99", "-1h", "1e3h"])
def test_what_is_no_time_that_has_passed_is_refused(text: str) -> None:
    with pytest.raises(Malformed, match="since_unreadable"):
        since_of(text, now=NOW)
