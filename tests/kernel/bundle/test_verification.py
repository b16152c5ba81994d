"""What the hub checks without a secret, beyond the published vectors."""

import pytest
from tests.support import bundles

from accord.kernel.bundle import framing, verification
from accord.kernel.errors import VerificationFailed
from accord.kernel.identifiers import KeyId, parse_org_id
from accord.kernel.keys import SignerKey, SigningKeyPair

BUNDLE = framing.parse_bundle(bundles.sealed())
TRIMMED = framing.parse_trimmed(framing.trim(BUNDLE, 2))


def verified_at(now: int) -> verification.VerifiedBundle:
    return verification.verify_bundle(BUNDLE, signer=bundles.directory, now=now)


def test_a_verified_bundle_gives_what_was_verified() -> None:
    verified = verified_at(bundles.NOW)
    assert verified.header == BUNDLE.header
    assert verified.entries == BUNDLE.entries
    assert verified.manifest_sha256 == BUNDLE.manifest_sha256


def test_a_stranger_verifies_a_delivery_without_being_a_recipient() -> None:
    verified = verification.verify_trimmed(TRIMMED, signer=bundles.directory, now=bundles.NOW)
    assert verified.header == TRIMMED.header
    assert verified.entry == BUNDLE.entries[2]
    assert verified.manifest_sha256 == BUNDLE.manifest_sha256


def test_a_reader_without_any_key_is_no_recipient() -> None:
    with pytest.raises(VerificationFailed) as caught:
        verification.verify_trimmed(TRIMMED, signer=bundles.directory, now=bundles.NOW, own=())
    assert caught.value.code == "not_a_recipient"


@pytest.mark.parametrize(
    ("now", "code"),
    [
        (BUNDLE.header.created - verification.AHEAD - 1, "created_in_future"),
        (BUNDLE.header.expires, "bundle_expired"),
        (BUNDLE.header.created + verification.OLDEST + 1, "created_too_old"),
    ],
)
def test_the_times_are_judged_to_the_second(now: int, code: str) -> None:
    with pytest.raises(VerificationFailed) as caught:
        verified_at(now)
    assert caught.value.code == code


@pytest.mark.parametrize(
    "now", [BUNDLE.header.created - verification.AHEAD, BUNDLE.header.expires - 1]
)
def test_the_last_second_on_either_side_still_counts(now: int) -> None:
    assert verified_at(now).header == BUNDLE.header


def test_a_directory_that_names_another_owner_makes_nobody_the_sender() -> None:
    def wrong_owner(_kid: KeyId) -> SignerKey:
        return SignerKey(org=parse_org_id("eve@hub.example"), public=bundles.SIGNER.public)

    with pytest.raises(VerificationFailed) as caught:
        verification.verify_bundle(BUNDLE, signer=wrong_owner, now=bundles.NOW)
    assert caught.value.code == "signer_not_sender"


def test_a_directory_that_answers_with_another_key_is_not_believed() -> None:
    other = SigningKeyPair.generate()

    def wrong_key(_kid: KeyId) -> SignerKey:
        return SignerKey(org=bundles.SENDER, public=other.public)

    with pytest.raises(VerificationFailed) as caught:
        verification.verify_bundle(BUNDLE, signer=wrong_key, now=bundles.NOW)
    assert caught.value.code == "signature_wrong"


def test_a_revoked_key_stops_bundle_and_delivery() -> None:
    def revoked(_kid: KeyId) -> SignerKey:
        raise VerificationFailed("key_not_in_force", "The key was revoked.")

    with pytest.raises(VerificationFailed) as caught:
        verification.verify_bundle(BUNDLE, signer=revoked, now=bundles.NOW)
    assert caught.value.code == "key_not_in_force"
    with pytest.raises(VerificationFailed) as caught:
        verification.verify_trimmed(TRIMMED, signer=revoked, now=bundles.NOW)
    assert caught.value.code == "key_not_in_force"
