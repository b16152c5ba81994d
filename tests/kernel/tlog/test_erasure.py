"""A proof of erasure: one event, one bundle, these bytes; anything else is refused."""

from collections.abc import Mapping

import pytest

from accord.kernel.errors import AccordError
from accord.kernel.identifiers import BundleId, OrgId, make_bundle_id
from accord.kernel.tlog.erasure import Erasure, read_erasure

BUNDLE = make_bundle_id(1_790_000_000_000, b"0123456789")
OTHER = make_bundle_id(1_790_000_000_000, b"9876543210")
BANK = OrgId("first-bank@hub.example")
SHA256 = "ab" * 32
FIELDS = {
    "what": "bundle.erased",
    "outcome": "ok",
    "subject": BUNDLE,
    "detail": f"sha256={SHA256} sender={BANK}",
    "time": "1790000100",
    "basis": "retention",
}


def test_the_opened_event_says_which_bundle_which_bytes_and_when() -> None:
    assert read_erasure(FIELDS) == Erasure(
        bundle=BundleId(BUNDLE), sender=BANK, sha256=SHA256, at=1_790_000_100, basis="retention"
    )


def test_an_event_of_before_tells_no_sender() -> None:
    found = read_erasure(FIELDS | {"detail": f"sha256={SHA256}"})
    assert (found.sender, found.sha256) == (None, SHA256)


@pytest.mark.parametrize(
    "change",
    [
        {"what": "bundle.accepted"},
        {"what": "bundle.expired"},
        {"outcome": "refused"},
        {"detail": ""},
        {"detail": f"sha256={SHA256} directory=4"},
        {"detail": f"sha256={SHA256} sender="},
        {"detail": f"sha256={SHA256} sender=bank"},
        {"detail": f"sha256={SHA256} sender={BANK} sender={BANK}"},
        {"detail": f"sha256={SHA256} sender={BANK}\n"},
        {"detail": f"sender={BANK} sha256={SHA256}"},
        {"detail": f"sha256={SHA256.upper()}"},
        {"detail": f"sha256={SHA256}\n"},
        {"time": ""},
        {"time": "-1"},
        {"time": "١٢٣"},
        {"time": "1" * 16},
        {"subject": ""},
        {"subject": "bundle"},
    ],
)
def test_another_event_or_a_field_that_is_not_as_the_hub_writes_it_is_refused(
    change: Mapping[str, str],
) -> None:
    with pytest.raises(AccordError) as caught:
        read_erasure(FIELDS | change)
    assert caught.value.code in {"erasure_other", "bundle_id_invalid", "org_id_invalid"}


@pytest.mark.parametrize("name", ["what", "outcome", "subject", "detail", "time"])
def test_an_event_that_is_not_opened_enough_is_refused(name: str) -> None:
    with pytest.raises(AccordError):
        read_erasure({key: value for key, value in FIELDS.items() if key != name})
