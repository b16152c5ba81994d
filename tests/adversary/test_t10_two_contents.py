"""T10: a sender shows each recipient other content under one signature."""

import secrets

from tests.desk.wire import DeskAt
from tests.support.hub_world import Desk
from tests.support.lies import Parts, cut_out

from accord.kernel.bundle.framing import format_trimmed, parse_bundle, parse_trimmed


def test_a_second_content_key_opens_nothing(police: DeskAt, bank: DeskAt, mallory: Desk) -> None:
    """The body commits to its key: one recipient's key cannot open it to something else."""
    to = [(at.org, at.keyring.kem[-1].public) for at in (bank, police)]
    made = Parts(sender=mallory, recipients=to, keys_of_body=[b"", secrets.token_bytes(32)])
    raw = made.seal()
    outcomes = {}
    for at in (bank, police):
        with at.open() as desk:
            desk.mirror.refresh()
            received = desk.pull.receive(secrets.randbits(40), cut_out(raw, at.org))
            outcomes[at.org] = (str(received.state), received.code)
    assert outcomes[bank.org] == ("opened", None)
    assert outcomes[police.org] == ("refused", "body_commitment")


def test_a_second_body_under_the_same_signature_is_refused(police: DeskAt, mallory: Desk) -> None:
    to = [(police.org, police.keyring.kem[-1].public)]
    one, other = (Parts(sender=mallory, recipients=to).seal() for _ in range(2))
    shown = parse_trimmed(cut_out(one, police.org))
    mixed = format_trimmed(
        header=shown.header_bytes,
        dsse=shown.dsse,
        index=0,
        entry=shown.entry.raw,
        path=shown.path,
        body=parse_bundle(other).body,
    )
    with police.open() as desk:
        assert desk.pull.receive(secrets.randbits(40), mixed).code == "body_mismatch"


def test_a_sender_cannot_sign_two_bundles_under_one_id_for_two_readers(
    police: DeskAt, bank: DeskAt, mallory: Desk
) -> None:
    """At one hub the second is refused; what a desk has, no other bytes of that id replace."""
    first = Parts(sender=mallory, recipients=[(police.org, police.keyring.kem[-1].public)])
    raw = first.seal()
    assert mallory.put_bundle(raw, first.id).status_code == 202
    second = Parts(sender=mallory, recipients=[(police.org, police.keyring.kem[-1].public)])
    second.id = first.id
    other = second.seal()
    assert mallory.put_bundle(other, first.id).status_code == 409
    assert bank.org
    with police.open() as desk:
        desk.mirror.refresh()
        assert desk.pull.receive(secrets.randbits(40), cut_out(raw, police.org)).state == "opened"
        again = desk.pull.receive(secrets.randbits(40), cut_out(other, police.org))
        assert again.state in {"repeated", "refused"}
