"""A served desk with something of every kind in its vault, and one with nothing."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.browser.conftest import served, sign_in
from tests.desk.conftest import BANK, NOW, bundle_id, described, put, records_of

from accord.desk.app import Desk
from accord.desk.app.pages import make_pages
from accord.desk.config import DeskConfig
from accord.desk.exchange.client import HubClient
from accord.desk.keyring import Keyring
from accord.desk.keyring.people import People
from accord.desk.storage import Mark, MarkState, Vault, Way, create_vault
from accord.desk.storage.acknowledgements import Said, add_said
from accord.desk.storage.bundles import WHOLE, add_bundle, add_mark
from accord.desk.storage.deliveries import DeliveryRow, DeliveryState, add_delivery
from accord.desk.storage.outbox import add_outbox
from accord.kernel.envelope.payload import PayloadHead, format_head
from accord.kernel.identifiers import OrgId
from accord.kernel.keys import KemKeyPair, RequestKeyPair, SigningKeyPair

POLICE = OrgId("police@hub.example")
HOTLINE = OrgId("hotline@hub.example")
EVM = "0x52908400098527886e0f7030069857d2e4169ee7"
LONG = "a" * 60 + ".evil-example.org"
OCTOBER, RETRACTED, EXPIRED, SENT, RECALL, BROKEN, BIG, RETRACTION = range(1, 9)
MORE = 60
"""Bundles of ``fill_more``."""


def head(title: str, **words: object) -> bytes:
    return format_head(bytes(32), PayloadHead(title=title, **words))  # type: ignore[arg-type]


def values(count: int) -> list[str]:
    return [f"0x{number:040x}" for number in range(10**40, 10**40 + count)]


class DeskPlace:
    """A desk, where it is served, and an account."""

    def __init__(self, folder: Path, *, org: OrgId | None) -> None:
        """Make vault, account and pages."""
        config = DeskConfig(home=folder, hub="http://127.0.0.1:9", org=org)
        keyring = Keyring(
            signing=SigningKeyPair.generate(),
            request=RequestKeyPair.generate(),
            kem=(KemKeyPair.generate(),),
            vault=bytes(32),
        )
        self.vault = create_vault(config.vault_file, keyring.vault)
        self.desk = Desk(
            config=config,
            keyring=keyring,
            vault=self.vault,
            client=HubClient(config.hub, clock=lambda: NOW),
            clock=lambda: NOW,
        )
        self.password = People(self.vault).set_password("ana", by="root", now=0)
        self.app = make_pages(self.desk, secret_key=bytes(32), instance="0a0b0c0d", port=0)
        self.base = ""

    def enter(self, page: object) -> None:
        """Sign in."""
        sign_in(page, "ana", self.password)  # type: ignore[arg-type]


def fill(vault: Vault) -> None:
    """Put in bundles in every state, a delivery that could not be opened, and one sent."""
    october = head(
        "October wallets",
        narrative="Seen on cash-outs of one cyberlocker.",
        case_ref="FB-2026-114",
        recipients=(HOTLINE, POLICE),
    )
    put(vault, described(OCTOBER, title="October wallets", head=october), records_of([EVM, LONG]))
    put(vault, described(RETRACTED, title="Taken back", head=head("Taken back")), records_of([EVM]))
    _mark(vault, RETRACTED, MarkState.RETRACTED, "error")
    put(vault, described(EXPIRED, title="Old", head=head("Old"), expires=NOW), records_of([EVM]))
    put(
        vault,
        described(
            SENT, org=POLICE, way=Way.SENT, title="Our list", head=head("Our list"), tlp="green"
        ),
        records_of([EVM]),
    )
    _send(vault)
    _other(vault, RECALL, "retraction", [b'{"id":"x","reason":"error"}'], [])
    _other(vault, BROKEN, "indicators", [b'{"kind":"?"}'], [(0, "record_invalid")])
    put(
        vault,
        described(BIG, title="A hundred", tlp="red", head=head("A hundred")),
        records_of(values(120)),
    )
    _refuse(vault)


def fill_more(vault: Vault) -> None:
    """Put in so many bundles that the inbox has a second page."""
    for number in range(MORE):
        put(vault, described(100 + number, title=f"Daily list {number}", head=head("x")), [])


def fill_recall(vault: Vault) -> None:
    """Take back what was sent: one has applied it, the other is late."""
    retraction = bundle_id(RETRACTION)
    mark = Mark(
        record=WHOLE,
        state=MarkState.RETRACTED,
        by_org=POLICE,
        by_id=retraction,
        code="false-positive",
        deadline=NOW - 1,
        at=NOW - 9_000,
    )
    with vault.transaction() as connection:
        add_mark(connection, POLICE, bundle_id(SENT), mark)
        add_outbox(
            connection, id_=retraction, sealed=b"recall", recipients=[BANK, HOTLINE], now=NOW
        )
    said = Said(id=retraction, org=BANK, state="recall-applied", code=None, at=NOW, dsse=b"{}")
    add_said(vault, [said])


def _mark(vault: Vault, number: int, state: MarkState, code: str) -> None:
    mark = Mark(
        record=WHOLE,
        state=state,
        by_org=BANK,
        by_id=bundle_id(RECALL),
        code=code,
        at=NOW,
        note="Wrong file.",
    )
    with vault.transaction() as connection:
        add_mark(connection, BANK, bundle_id(number), mark)


def _send(vault: Vault) -> None:
    with vault.transaction() as connection:
        add_outbox(
            connection, id_=bundle_id(SENT), sealed=b"sealed", recipients=[BANK, HOTLINE], now=NOW
        )
    said = Said(id=bundle_id(SENT), org=BANK, state="opened", code=None, at=NOW, dsse=b"{}")
    add_said(vault, [said])


def _other(
    vault: Vault, number: int, kind: str, lines: Sequence[bytes], wrong: Sequence[tuple[int, str]]
) -> None:
    with vault.transaction() as connection:
        add_bundle(
            connection,
            vault.term_key,
            described(number, kind=kind, title="", head=head("x")),
            lines=lines,
            records=[None] * len(lines),
            quarantined=wrong,
        )


def _refuse(vault: Vault) -> None:
    with vault.transaction() as connection:
        row = DeliveryRow(
            seq=9,
            org=None,
            id=None,
            manifest=None,
            state=DeliveryState.REFUSED,
            at=NOW,
            code="bundle_magic",
        )
        add_delivery(connection, row, b"no bundle")


@contextmanager
def desk_place(folder: Path, *fills: Callable[[Vault], None]) -> Iterator[DeskPlace]:
    """Serve an enrolled desk with what ``fills`` put in; without any, one not yet enrolled."""
    place = DeskPlace(folder, org=POLICE if fills else None)
    for put_in in fills:
        put_in(place.vault)
    with served(place.app) as base:
        place.base = base
        yield place
    place.desk.close()
