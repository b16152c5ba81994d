"""Search: with a reason, in order, exact, end states apart, and never a request to anybody."""

import importlib
import socket
from typing import Any, NoReturn

import msgspec
import pytest
from tests.desk.conftest import BANK, NOW, bundle_id, described, put, records_of

from accord.desk.indicators import (
    EndState,
    How,
    Manner,
    SearchReport,
    Sought,
    already_sent,
    sealed_in,
    search,
)
from accord.desk.storage import Mark, MarkState, Vault, Way, journal, outbox
from accord.desk.storage.bundles import WHOLE, add_mark, purge_expired
from accord.desk.storage.reindex import bring_index_up_to_date
from accord.kernel.errors import Malformed
from accord.kernel.identifiers import OrgId
from accord.kernel.indicators import Direction, Move, encode_line

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
    below = Manner(subdomains=True)
    sought = ("evil-site.org", "shop.evil-site.org", "third.evil-site.org")
    whole, host, other = ask(vault, *sought, manner=below).results
    assert [hit.match for hit in whole.hits] == ["subdomain", "subdomain"]
    assert [hit.record for hit in host.hits] == [0]
    assert other.hits == ()


def test_only_the_flag_looks_below_a_domain_and_a_crowd_there_hides_nothing(vault: Vault) -> None:
    put(vault, described(1), records_of(["evil-site.org", "https://b.evil-site.org:8443/pay"]))
    put(vault, described(2), records_of([f"a{n}.b.evil-site.org" for n in range(1100)]))
    exact, host = ask(vault, "evil-site.org", "b.evil-site.org").results
    assert [hit.match for hit in exact.hits] == ["value"]
    assert [(hit.match, hit.record) for hit in host.hits] == [("alias", 1)]
    below = ask(vault, "b.evil-site.org", "vil-site.org", manner=Manner(subdomains=True)).results
    assert {hit.match for hit in below[0].hits} == {"alias", "subdomain"}
    assert (len(below[0].hits), below[0].total) == (1000, 1100)
    assert below[1].hits == (), "a domain ends at a full stop"


def test_a_transaction_is_found_without_its_network_and_in_moves(vault: Vault) -> None:
    digits = "5c504ed432cb51138bcf09aa5e8a410dd4a1e204ef84bfed1be16dfba1b22060"
    moved = "9b0fc92260312ce44e74ef369f5c66bb26a1a4ef5e2c4b1c9d2a3f4e5d6c7b8a"
    (transaction,) = records_of(["0x" + digits], network="evm")
    (wallet,) = records_of([BITCOIN])
    (peer,) = records_of(["1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2"])
    move = Move(tx=moved, dir=Direction.OUT, peer=peer.value, amount="1", asset="btc")
    put(vault, described(1), [transaction, msgspec.structs.replace(wallet, moves=(move,))])
    results = ask(vault, digits.upper(), moved, peer.value, "0" * 63 + "1").results
    assert [[(hit.match, hit.record) for hit in one.hits] for one in results] == [
        [("value", 0)],
        [("move", 1)],
        [("move", 1)],
        [],
    ]
    assert all(one.error is None for one in results)


def test_a_prefix_finds_values_that_begin_so_in_their_own_case(vault: Vault) -> None:
    link = "https://files.example-locker.com/a"
    put(vault, described(1), records_of([WALLET, BITCOIN, link, "files.example-locker.com"]))
    sought = ["0x52908400", "52908400098", "0X5290840009", "1BoatSLR", "1boatSLR", "files.ex", link]
    results = ask(vault, *sought, manner=Manner(how=How.PREFIX)).results
    places = [[hit.record for hit in one.hits] for one in results]
    assert [sorted(one) for one in places] == [[0], [0], [0], [1], [], [2, 3], [2]]
    assert {hit.match for one in results for hit in one.hits} == {"prefix"}


@pytest.mark.parametrize(
    "text", ["", "0x", "0x529", "bc1", "bc1qar", "https://", "жжжжж", "x" * 3000]
)
def test_a_prefix_that_says_too_little_is_refused_by_itself(vault: Vault, text: str) -> None:
    first, second = ask(vault, text, "files", manner=Manner(how=How.PREFIX)).results
    assert first.error is not None
    assert (first.error.code, second.error) == ("prefix_short", None)


def test_a_prefix_of_too_many_values_asks_for_more_of_it(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = importlib.import_module("accord.desk.indicators.search")  # the name is a function's
    monkeypatch.setattr(module, "MAX_READ", 10)  # constants of ours, made small
    monkeypatch.setattr(module, "_MOST", 10)
    put(vault, described(1), records_of([f"shop{n}.example.org" for n in range(11)]))
    many, one = ask(vault, "shop", "shop10", manner=Manner(how=How.PREFIX)).results
    assert many.error is not None
    assert many.error.code == "prefix_broad"
    assert len(one.hits) == 1


def test_words_of_a_note_are_found_folded_all_of_them_and_whole(vault: Vault) -> None:
    wallet, coin = records_of([WALLET, BITCOIN])
    notes = ("Käufer im Forum „Straße“", "forum only")
    put(
        vault,
        described(1),
        [
            msgspec.structs.replace(record, note=note)
            for record, note in zip((wallet, coin), notes, strict=True)
        ],
    )
    sought = ["FORUM", "strasse, forum", "foru", "forum nothing", "!"]
    results = ask(vault, *sought, manner=Manner(how=How.NOTE)).results
    assert [len(one.hits) for one in results] == [2, 1, 0, 0, 0]
    assert results[4].error is not None
    assert results[4].error.code == "words_missing"


def test_the_journal_says_how_was_looked(vault: Vault) -> None:
    ask(vault, "evil-site.org", manner=Manner(subdomains=True))
    row = vault.connection.execute("SELECT manner FROM searches").fetchone()
    assert row == ("values+subdomains",)


def test_what_an_older_version_stored_is_found_in_every_manner(vault: Vault) -> None:
    (host,) = records_of(["a.b.evil-site.org"])
    put(vault, described(1), [msgspec.structs.replace(host, note="seen twice")])
    put(vault, described(2, kind="retraction"), [])
    vault.connection.execute("DELETE FROM term_chunks")
    vault.connection.execute("DELETE FROM term_runs")
    assert bring_index_up_to_date(vault)
    assert not bring_index_up_to_date(vault)
    assert ask(vault, "b.evil-site.org", manner=Manner(subdomains=True)).found == 1
    assert ask(vault, "a.b.evil", manner=Manner(how=How.PREFIX)).found == 1
    assert ask(vault, "twice", manner=Manner(how=How.NOTE)).found == 1


def test_first_characters_of_deleted_records_leave_the_index(vault: Vault) -> None:
    put(vault, described(1, expires=NOW - 50), records_of(["gone-site.org"]))
    put(vault, described(2), records_of(["stays-site.org"]))
    purge_expired(vault, before=NOW - 10, now=NOW)
    chunks = b"".join(row[0] for row in vault.connection.execute("SELECT data FROM term_chunks"))
    assert b"gone-sit"[::-1] not in chunks
    assert b"stays-si"[::-1] in chunks
    assert ask(vault, "stays-", manner=Manner(how=How.PREFIX)).found == 1


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
    for number in range(20, 40):  # however often others send it to us afterwards
        put(vault, described(number, org=OTHER), records_of([WALLET]))
    assert already_sent(vault, sought, [OTHER]) == before
    assert sealed_in(vault, b"s", [encode_line(one) for one in records]) == [True, True]
    mark = Mark(
        record=1, state=MarkState.RETRACTED, by_org=BANK, by_id=bundle_id(3), code="error", at=NOW
    )
    with vault.transaction() as connection:
        add_mark(connection, BANK, bundle_id(2), mark)
    assert [one is None for one in already_sent(vault, sought, [OTHER])] == [False, True]
    outbox.mark_refused(vault, bundle_id(2), code="charter_denied", message="No rule.")
    assert already_sent(vault, sought, [OTHER]) == [None, None]
