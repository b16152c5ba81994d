"""T8: a member replays, speaks in another's name, passes on or passes off what it received."""

import secrets

import pytest
from tests.desk.wire import DeskAt
from tests.support.hub_world import Desk, World
from tests.support.lies import Parts, cut_out, look, twin

from accord.kernel.bundle.entries import format_entry
from accord.kernel.bundle.framing import format_bundle, format_trimmed, parse_bundle
from accord.kernel.bundle.manifest import manifest_of, sign_manifest
from accord.kernel.envelope.suites import unwrap_key, wrap_key
from accord.kernel.markings import OrgKind
from accord.kernel.tlog import merkle

VALUE = "stolen.evil-example.org"


@pytest.fixture(scope="module")
def victim(world: World) -> Desk:
    return world.enrol("third-bank", OrgKind.FINANCIAL)


@pytest.fixture(scope="module")
def insider(world: World) -> Desk:
    """A recipient that abuses what it was sent; it may send to anybody."""
    return world.enrol("crooked-police", OrgKind.LAW_ENFORCEMENT)


def test_the_same_bundle_again_is_the_same_and_delivers_nothing_new(
    victim: Desk, insider: Desk
) -> None:
    bundle_id, raw = victim.seal(insider)
    first = victim.put_bundle(raw, bundle_id).json()
    count = len(insider.deliveries())
    again = victim.put_bundle(raw, bundle_id)
    assert (again.status_code, again.json()["index"]) == (202, first["index"])
    assert len(insider.deliveries()) == count


def test_other_bytes_under_a_used_id_are_refused(victim: Desk, insider: Desk) -> None:
    bundle_id, raw = victim.seal(insider)
    assert victim.put_bundle(raw, bundle_id).status_code == 202
    _, other = victim.seal(insider, bundle_id=bundle_id)
    answer = victim.put_bundle(other, bundle_id)
    assert (answer.status_code, answer.json()["code"]) == (409, "bundle_id_taken")


def test_a_bundle_of_another_is_not_taken_from_a_member(victim: Desk, insider: Desk) -> None:
    bundle_id, raw = victim.seal(insider)
    answer = insider.put_bundle(raw, bundle_id)
    assert answer.json()["code"] == "sender_other"


def test_a_bundle_signed_by_a_member_in_anothers_name_is_refused(
    victim: Desk, insider: Desk, mallory: Desk
) -> None:
    made = Parts(sender=victim, recipients=[(insider.org, insider.kem.public)], signer=mallory.sig)
    raw = made.seal()
    assert mallory.put_bundle(raw, made.id).json()["code"] == "sender_other"
    assert victim.put_bundle(raw, made.id).json()["code"] == "signer_not_sender"


def test_a_recipient_cannot_pass_a_bundle_on_under_the_senders_signature(
    victim: Desk, insider: Desk, police: DeskAt
) -> None:
    """Surreptitious forwarding: the content key is wrapped anew for a third."""
    _, raw = victim.seal(insider, values=[VALUE])
    sealed = parse_bundle(raw)
    entry = sealed.entries[0]
    cek = unwrap_key(insider.kem, header_hash=sealed.header_hash, sealed=entry.sealed)
    third = police.keyring.kem[-1].public
    forged = format_entry(
        blind=secrets.token_bytes(16),
        kid=third.kid,
        org=police.org,
        sealed=wrap_key(third, header_hash=sealed.header_hash, cek=cek),
    )
    delivery = format_trimmed(
        header=sealed.header_bytes,
        dsse=sealed.dsse,
        index=0,
        entry=forged,
        path=merkle.inclusion_path(0, [merkle.leaf_hash(forged)]),
        body=sealed.body,
    )
    with police.open() as desk:
        received = desk.pull.receive(secrets.randbits(40), delivery)
        assert (received.state, received.code) == ("refused", "entry_not_in_tree")
        assert look(desk, VALUE) == ()


def test_a_recipient_cannot_pass_the_sealed_content_off_as_its_own(
    victim: Desk, insider: Desk, police: DeskAt
) -> None:
    """Plagiarism: body and entry of another's bundle under one's own header and signature."""
    reader = twin(victim.world, police, OrgKind.LAW_ENFORCEMENT)
    _, raw = victim.seal(reader, values=[VALUE])
    stolen = parse_bundle(raw)
    made = Parts(sender=insider, recipients=[(police.org, police.keyring.kem[-1].public)], n=1)
    own = parse_bundle(made.seal())
    entries = [entry.raw for entry in stolen.entries]
    manifest = manifest_of(header=own.header_bytes, entries=entries, body=stolen.body)
    mixed = format_bundle(
        header=own.header_bytes,
        dsse=sign_manifest(manifest, insider.sig),
        entries=entries,
        body=stolen.body,
    )
    with police.open() as desk:
        received = desk.pull.receive(secrets.randbits(40), cut_out(mixed, police.org))
        assert (received.state, received.code) == ("refused", "entry_unsealable")
        assert look(desk, VALUE) == ()


def test_an_entry_moved_to_another_organisation_is_refused(
    victim: Desk, police: DeskAt, insider: Desk
) -> None:
    """The hub routes by the name in an entry, so the name must be that of the key."""
    made = Parts(sender=victim, recipients=[(police.org, insider.kem.public)])
    answer = victim.put_bundle(made.seal(), made.id)
    assert answer.json()["code"] == "recipient_key_other"
