"""Search: with a reason, in order, exact, end states apart, and never a request to anybody."""

import socket
from typing import Any, NoReturn

import pytest
from tests.desk.conftest import BANK, NOW, bundle_id, described, put, records_of

from accord.desk.indicators import EndState, SearchReport, Sought, already_sent, search
from accord.desk.storage import Mark, MarkState, Vault, Way, journal, outbox
from accord.desk.storage.bundles import WHOLE, add_mark
from accord.kernel.errors import Malformed
from accord.kernel.identifiers import OrgId

WALLET = "0x52908400098527886e0f7030069857d2e4169ee7"
BITCOIN = "1BoatSLRHtKNngkdXEeobR76b53LETtpyT"
OTHER = OrgId("hotline@hub.example")


def ask(vault: Vault, *values: str, **changes: Any) -> SearchReport:
    told: dict[str, Any] = {"person": "ana", "reason": "case 114", "now": NOW} | changes
    return search(vault, list(values), **told)


def test_results_keep_the_order_and_say_who_when_how_sure(vault: Vault) -> None:
    put(vault, described(1), records_of([WALLET, BITCOIN]))
    report = ask(
        vault, "absent.example.org", BITCOIN, "not a value!", WALLET.upper().replace("X", "x")
    )
    assert [bool(result.hits) for result in report.results] == [False, True, False, True]
    hit = report.results[3].hits[0]
    assert (hit.org, hit.bundle, hit.record) == (BANK, bundle_id(1), 0)
    assert (hit.found.confidence, hit.found.basis, hit.signature) == (80, "observed", "valid")
    assert (hit.created, hit.arrived, hit.match) == (NOW - 100, NOW, "value")
    assert report.results[2].error is not None
    assert report.found == 2


def test_a_search_is_written_down_before_it_is_answered(vault: Vault) -> None:
    ask(vault, WALLET)
    (entry,) = journal.searches(vault)
    assert (entry.person, entry.reason, entry.n, entry.found) == ("ana", "case 114", 1, 0)


def test_a_search_that_cannot_be_written_down_is_not_answered(vault: Vault) -> None:
    vault.connection.execute("DROP TABLE searches")
    with pytest.raises(Exception, match="searches"):
        ask(vault, WALLET)


@pytest.mark.parametrize(
    ("values", "reason", "code"),
    [
        ([], "case 114", "search_empty"),
        ([WALLET] * 5001, "case 114", "search_many"),
        ([WALLET], "", "reason_missing"),
        ([WALLET], "  x ", "reason_missing"),
        ([WALLET], "x" * 501, "reason_long"),
    ],
)
def test_a_search_without_reason_or_beyond_limits_is_refused(
    vault: Vault, values: list[str], reason: str, code: str
) -> None:
    with pytest.raises(Malformed) as caught:
        search(vault, values, person="ana", reason=reason, now=NOW)
    assert caught.value.code == code
    assert journal.searches(vault) == []


def test_no_request_leaves_the_machine_during_a_search(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(vault, described(1), records_of([WALLET]))

    def refuse(*_: object, **__: object) -> NoReturn:
        pytest.fail("a search opened a socket")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert ask(vault, WALLET, "example.org", "http://evil.example.net/").found == 1


def test_a_domain_finds_the_addresses_below_it_but_not_its_neighbours(vault: Vault) -> None:
    put(vault, described(1), records_of(["https://shop.evil-site.org/pay", "other.evil-site.org"]))
    whole, host, other = ask(
        vault, "evil-site.org", "shop.evil-site.org", "third.evil-site.org"
    ).results
    assert {hit.match for hit in whole.hits} == {"alias"}
    assert [hit.record for hit in host.hits] == [0]
    assert other.hits == ()


@pytest.mark.parametrize("state", list(MarkState))
def test_each_end_state_is_its_own(vault: Vault, state: MarkState) -> None:
    put(vault, described(1), records_of([WALLET, BITCOIN]))
    mark = Mark(record=1, state=state, by_org=BANK, by_id=bundle_id(2), code="error", at=NOW)
    with vault.transaction() as connection:
        add_mark(connection, BANK, bundle_id(1), mark)
    first, second = ask(vault, WALLET, BITCOIN).results
    assert first.hits[0].states == (EndState.ACTIVE,)
    assert second.hits[0].states == (EndState(state.value),)
    over = state in (MarkState.RETRACTED, MarkState.SUPERSEDED)
    assert second.origins == (0 if over else 1), "a dispute silences nobody"


def test_expiry_follows_from_the_signed_time_and_stands_beside_a_recall(vault: Vault) -> None:
    put(vault, described(1), records_of([WALLET]))
    mark = Mark(
        record=WHOLE,
        state=MarkState.RETRACTED,
        by_org=BANK,
        by_id=bundle_id(2),
        code="error",
        at=NOW,
    )
    with vault.transaction() as connection:
        add_mark(connection, BANK, bundle_id(1), mark)
    (before,) = ask(vault, WALLET).results
    (after,) = ask(vault, WALLET, now=NOW + 1000).results
    assert before.hits[0].states == (EndState.RETRACTED,)
    assert after.hits[0].states == (EndState.EXPIRED, EndState.RETRACTED)


def test_a_mark_of_another_organisation_changes_nothing(vault: Vault) -> None:
    put(vault, described(1), records_of([WALLET]))
    mark = Mark(
        record=WHOLE,
        state=MarkState.RETRACTED,
        by_org=BANK,
        by_id=bundle_id(2),
        code="error",
        at=NOW,
    )
    with vault.transaction() as connection:
        add_mark(connection, OTHER, bundle_id(1), mark)
    (result,) = ask(vault, WALLET).results
    assert result.hits[0].active


def test_corroboration_counts_origins_not_copies(vault: Vault) -> None:
    for number, org in enumerate([BANK, BANK, OTHER]):
        put(vault, described(number, org=org), records_of([WALLET]))
    (result,) = ask(vault, WALLET).results
    assert (len(result.hits), result.total, result.origins) == (3, 3, 2)


def test_what_was_sent_counts_as_sent_until_refused_or_taken_back(vault: Vault) -> None:
    records = records_of([WALLET, BITCOIN])
    sought = [
        Sought(
            kind=one.kind.value,
            network="" if one.network is None else one.network.value,
            value=one.value,
            memo=one.memo or "",
        )
        for one in records
    ]
    put(vault, described(1), records_of([WALLET]))
    assert already_sent(vault, sought, [OTHER]) == [None, None], "received is not sent"
    put(vault, described(2, way=Way.SENT, submission=b"s"), records)
    outbox.write_sealed(vault, bundle_id(2), b"x")
    with vault.transaction() as connection:
        outbox.add_outbox(connection, id_=bundle_id(2), sealed=b"x", recipients=[OTHER], now=NOW)
    before = already_sent(vault, sought, [OTHER])
    assert [(one.bundle, one.record) for one in before if one] == [
        (bundle_id(2), 0),
        (bundle_id(2), 1),
    ]
    assert already_sent(vault, sought, [OTHER, BANK]) == [None, None], "not to everybody yet"
    mark = Mark(
        record=1, state=MarkState.RETRACTED, by_org=BANK, by_id=bundle_id(3), code="error", at=NOW
    )
    with vault.transaction() as connection:
        add_mark(connection, BANK, bundle_id(2), mark)
    assert [one is None for one in already_sent(vault, sought, [OTHER])] == [False, True]
    outbox.mark_refused(vault, bundle_id(2), code="charter_denied", message="No rule.")
    assert already_sent(vault, sought, [OTHER]) == [None, None]
