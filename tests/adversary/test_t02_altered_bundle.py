"""T2: the hub alters, forges or replays a bundle. The recipient's desk takes nothing of it."""

import secrets

import pytest
from tests.desk.wire import DeskAt
from tests.support.hub_world import BTC, Desk, World
from tests.support.lies import Parts, answering, cut_out, look, lying, stream, twin

from accord.desk.exchange.pull import MAX_DELIVERY
from accord.desk.storage.bundles import list_bundles
from accord.kernel.bundle.framing import format_trimmed, parse_trimmed
from accord.kernel.errors import Malformed
from accord.kernel.identifiers import make_bundle_id
from accord.kernel.indicators import Basis, encode_line, normalise, record_of
from accord.kernel.keys import SigningKeyPair
from accord.kernel.markings import OrgKind

EVM = "0x52908400098527886e0f7030069857d2e4169ee7"


@pytest.fixture(scope="module")
def reader(world: World, police: DeskAt) -> Desk:
    return twin(world, police, OrgKind.LAW_ENFORCEMENT)


@pytest.fixture(scope="module")
def honest(mallory: Desk, reader: Desk) -> bytes:
    """A delivery from a member to the police."""
    return cut_out(mallory.seal(reader, values=[BTC])[1], reader.org)


def refused(police: DeskAt, raw: bytes) -> str:
    """Give ``raw`` to the police's desk; return the code with which it is kept."""
    with police.open() as desk:
        before = len(list_bundles(desk.vault))
        received = desk.pull.receive(secrets.randbits(40), raw)
        assert received.state == "refused"
        assert len(list_bundles(desk.vault)) == before
        return str(received.code)


def parts(raw: bytes) -> dict[str, int]:
    """Return a byte inside each part of a delivery."""
    trimmed = parse_trimmed(raw)
    header = 12 + len(trimmed.header_bytes)
    dsse = header + 4 + len(trimmed.dsse)
    return {
        "header": 12 + 200,
        "signatures": header + 4 + 700,
        "entry, blind": dsse + 4 + 2 + 3,
        "entry, sealed key": dsse + 4 + 2 + 100,
        "body, salt": len(raw) - len(trimmed.body) + 2,
        "body, commitment": len(raw) - len(trimmed.body) + 30,
        "body, end": len(raw) - 1,
    }


@pytest.mark.parametrize(
    "place",
    [
        "header",
        "signatures",
        "entry, blind",
        "entry, sealed key",
        "body, salt",
        "body, commitment",
        "body, end",
    ],
)
def test_one_changed_bit_anywhere_is_refused(police: DeskAt, honest: bytes, place: str) -> None:
    data = bytearray(honest)
    data[parts(honest)[place]] ^= 1
    assert refused(police, bytes(data))


@pytest.mark.parametrize("size", [0, 7, 100, 2000, 4000])
def test_a_truncated_delivery_is_refused(police: DeskAt, honest: bytes, size: int) -> None:
    assert refused(police, honest[:size]).endswith(("truncated", "mismatch"))


def test_bytes_after_the_end_are_refused(police: DeskAt, honest: bytes) -> None:
    assert refused(police, honest + b"\0") == "bundle_trailing"


def test_the_body_of_another_bundle_is_refused(
    police: DeskAt, honest: bytes, mallory: Desk, reader: Desk
) -> None:
    one = parse_trimmed(honest)
    other = parse_trimmed(cut_out(mallory.seal(reader, values=[EVM])[1], reader.org))
    mixed = format_trimmed(
        header=one.header_bytes,
        dsse=one.dsse,
        index=one.index,
        entry=one.entry.raw,
        path=one.path,
        body=other.body,
    )
    assert refused(police, mixed) == "body_mismatch"


def test_a_bundle_signed_by_the_hubs_own_key_is_refused(mallory: Desk, police: DeskAt) -> None:
    line = encode_line(record_of(normalise(EVM), confidence=80, basis=Basis.OBSERVED))
    made = Parts(
        sender=mallory,
        recipients=[(police.org, police.keyring.kem[-1].public)],
        lines=[line],
        signer=SigningKeyPair.generate(),
    )
    assert refused(police, cut_out(made.seal(), police.org)) == "key_unknown"


def test_a_bundle_in_the_name_of_another_member_is_refused(
    world: World, bank: DeskAt, police: DeskAt, mallory: Desk
) -> None:
    victim = twin(world, bank, OrgKind.FINANCIAL)
    made = Parts(
        sender=victim,
        recipients=[(police.org, police.keyring.kem[-1].public)],
        signer=mallory.sig,
    )
    assert refused(police, cut_out(made.seal(), police.org)) == "signer_not_sender"


@pytest.mark.parametrize(
    "suite",
    [
        "ASB1-X25519-HKDFSHA256-AES256GCM-ED25519",
        "ASB1-P256-HKDFSHA256-AES256GCM-ED25519+MLDSA65",
        "ASB0",
    ],
)
def test_another_suite_is_refused_by_hub_and_desk(
    police: DeskAt, mallory: Desk, suite: str
) -> None:
    """Signed by its sender, so that the suite alone is what is wrong: no downgrade."""
    made = Parts(
        sender=mallory,
        recipients=[(police.org, police.keyring.kem[-1].public)],
        header={"suite": suite},
    )
    raw = made.seal()
    assert mallory.put_bundle(raw, made.id).json()["code"] == "suite_unknown"
    with pytest.raises(Malformed) as caught:
        cut_out(raw, police.org)
    assert caught.value.code == "suite_unknown"


def test_the_same_delivery_again_doubles_nothing(police: DeskAt, honest: bytes) -> None:
    with police.open() as desk:
        first = desk.pull.receive(2**41, honest)
        again = desk.pull.receive(2**41 + 1, honest)
        assert (first.state, again.state) == ("opened", "repeated")
        assert len(look(desk, BTC)) == 1


def test_an_endless_delivery_is_not_held_in_memory(police: DeskAt) -> None:
    endless = (2**50).to_bytes(8, "big") + (MAX_DELIVERY + 1).to_bytes(8, "big")
    with (
        police.open() as desk,
        lying(police, answering("/v1/deliveries", endless)),
        pytest.raises(Malformed) as caught,
    ):
        desk.pull.pull(retention_days=30)
    assert caught.value.code == "delivery_too_long"


def test_deliveries_out_of_order_stop_the_pull(police: DeskAt, honest: bytes) -> None:
    twice = stream((2**52 + 2, honest), (2**52 + 1, honest))
    with (
        police.open() as desk,
        lying(police, answering("/v1/deliveries", twice)),
        pytest.raises(Exception, match="order") as caught,
    ):
        desk.pull.pull(retention_days=30)
    assert getattr(caught.value, "code", None) == "feed_backwards"


def test_a_bundle_from_before_or_after_its_time_is_refused(
    world: World, police: DeskAt, mallory: Desk, reader: Desk
) -> None:
    now = world.clock()
    for created, expires, code in (
        (now - 500 * 86_400, now + 60, "created_too_old"),
        (now + 3600, now + 7200, "created_in_future"),
        (now - 7200, now - 3600, "bundle_expired"),
    ):
        bundle_id = make_bundle_id(now * 1000, secrets.token_bytes(10))
        _, raw = mallory.seal(reader, created=created, expires=expires, bundle_id=bundle_id)
        assert mallory.put_bundle(raw, bundle_id).json()["code"] == code
        # Where the time lies before the sender's key itself, that is found first.
        assert refused(police, cut_out(raw, police.org)) in {code, "key_expired"}


@pytest.mark.parametrize("seq", [2**63, 2**64 - 1])
def test_a_number_that_no_database_holds_is_refused(
    police: DeskAt, honest: bytes, seq: int
) -> None:
    with (
        police.open() as desk,
        lying(police, answering("/v1/deliveries", stream((seq, honest)))),
        pytest.raises(Malformed) as caught,
    ):
        desk.pull.pull(retention_days=30)
    assert caught.value.code == "answer_invalid"
