"""Desk and hub together: what is sent arrives once, what is received was checked, recalls bite."""

import contextlib
import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path

import httpx2
import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.desk.conftest import records_of
from tests.desk.wire import DeskAt, plan
from tests.support.hub_world import BTC, Desk, World

from accord.desk.exchange import enrol
from accord.desk.exchange import submission as submission_module
from accord.desk.exchange.confirmations import Standing, collect, confirmations
from accord.desk.exchange.pull import Received, read_deliveries
from accord.desk.exchange.retraction import (
    Reason,
    Retraction,
    format_retraction,
    parse_retraction,
    send_retraction,
)
from accord.desk.exchange.tally import last_closed_month, make_tally, send_tally
from accord.desk.indicators import EndState, Hit, search
from accord.desk.storage import Vault
from accord.desk.storage.bundles import find_bundle, list_bundles
from accord.desk.storage.deliveries import refused_deliveries, unacknowledged
from accord.desk.storage.journal import searches
from accord.desk.storage.outbox import (
    mark_refused,
    mark_stored,
    only_sender,
    outbox_row,
    unfinished,
)
from accord.kernel.bundle.framing import parse_bundle, trim
from accord.kernel.errors import Conflict, Malformed, Refused, Unavailable, VerificationFailed
from accord.kernel.identifiers import BundleId, OrgId
from accord.kernel.markings import BundleKind, OrgKind

EVM = "0x52908400098527886e0f7030069857d2e4169ee7"
SITE = "market.evil-example.org"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    folder = tmp_path / "hub-side"
    folder.mkdir()
    made = World(folder)
    yield made
    made.close()


@pytest.fixture
def bank(world: World, tmp_path: Path) -> DeskAt:
    return DeskAt(world, tmp_path / "bank", "first-bank", OrgKind.FINANCIAL, "NL")


@pytest.fixture
def police(world: World, tmp_path: Path) -> DeskAt:
    return DeskAt(world, tmp_path / "police", "police", OrgKind.LAW_ENFORCEMENT, "DE")


def look(vault: Vault, world: World, value: str) -> tuple[Hit, ...]:
    report = search(vault, [value], person="ana", reason="case 114", now=world.clock())
    return report.results[0].hits


def submit(bank: DeskAt, police: DeskAt, *values: str, **changes: object) -> BundleId:
    with bank.open() as desk:
        report = desk.submissions.send(
            plan(bank.world, police.org, **changes), records_of(values or (BTC, EVM, SITE))
        )
        assert report.complete, report
        return report.bundles[0].id


def test_a_bank_sends_and_the_police_find_it_with_everything_checked(
    world: World, bank: DeskAt, police: DeskAt
) -> None:
    sent = submit(bank, police)
    heard: list[Received] = []
    with police.open() as desk:
        report = desk.pull.pull(retention_days=30, on_received=heard.append)
        assert (report.bundles, report.records, report.refused) == (1, 3, [])
        assert report.acknowledged == 1
        assert [one.bundle for one in heard] == [sent]
        (hit,) = look(desk.vault, world, EVM.upper().replace("X", "x"))
        assert (hit.org, hit.bundle, hit.signature, hit.active) == (bank.org, sent, "valid", True)
        again = desk.pull.pull(retention_days=30)
        assert (again.bundles, again.acknowledged) == (0, 0)
    with bank.open() as desk:
        row = outbox_row(desk.vault, sent)
        assert row is not None
        assert row.receipt is not None
        assert collect(desk.vault, desk.client, desk.mirror) == (1, 0)
        (said,) = confirmations(desk.vault, sent, now=world.clock())
        assert (said.org, said.standing, said.outcome) == (police.org, Standing.CONFIRMED, "opened")


def test_words_and_states_of_an_enrolment(bank: DeskAt) -> None:
    assert len(bank.begun.words) == 6
    assert (bank.begun.state, bank.begun.next_actor) == ("approval-needed", "registrar")
    assert (bank.after.state, bank.after.words) == ("active", bank.begun.words)


def test_an_enrolment_cut_before_its_proof_is_taken_up_again(world: World, tmp_path: Path) -> None:
    at = DeskAt(world, tmp_path / "late", "late-bank", OrgKind.FINANCIAL, "NL", cut_proof=True)
    assert (at.begun.state, at.after.state) == ("approval-needed", "active")


def test_a_second_enrolment_does_not_begin_while_one_is_under_way(
    world: World, bank: DeskAt
) -> None:
    with bank.open() as desk:
        application = enrol.Application(
            name="other",
            profile=desk.mirror.state.organisation(bank.org).profile,
            roles=(),
            invite="x",
        )
        with pytest.raises(Conflict) as caught:
            enrol.begin(
                desk.client,
                desk.vault,
                desk.keyring,
                root_file=world.root_bytes,
                application=application,
                recovery=desk.keyring.signing.public,
                now=world.clock(),
            )
    assert caught.value.code == "enrolment_begun"


def test_two_commands_at_once_do_not_disturb_each_other(
    world: World, bank: DeskAt, police: DeskAt
) -> None:
    submit(bank, police, BTC, source=b"1" * 32)
    with police.open() as one, police.open() as other:
        assert one.mirror.state.size == other.mirror.state.size
        world.enrol("third-bank", OrgKind.FINANCIAL)
        one.mirror.refresh()
        other.mirror.refresh()
        first = one.pull.pull(retention_days=30)
        submit(bank, police, EVM, source=b"2" * 32)
        second = other.pull.pull(retention_days=30)
        third = one.pull.pull(retention_days=30)
        assert (first.records, second.records, third.records) == (1, 1, 0)
    with bank.open() as one, bank.open() as other:
        with only_sender(one.vault), pytest.raises(Unavailable) as caught:
            other.submissions.send(plan(world, police.org), records_of([SITE]))
        assert caught.value.code == "sender_busy"
        assert other.submissions.send(plan(world, police.org), records_of([SITE])).complete


def test_a_bundle_that_another_command_brought_home_is_not_damaged(
    world: World, bank: DeskAt, police: DeskAt
) -> None:
    with bank.open() as one, bank.open() as other:
        bank.wire.lose_before = {"/v1/bundles/"}
        with pytest.raises(Unavailable):
            one.submissions.send(plan(world, police.org), records_of([BTC]))
        bank.wire.lose_before = set()
        (row,) = unfinished(one.vault)
        assert [sent.state for sent in other.submissions.flush()] == ["receipted"]
        mark_stored(one.vault, row.id, 1)
        mark_refused(one.vault, row.id, code="late", message="An answer that came late.")
        assert one.submissions.status(row.id).state == "receipted"


def test_the_hub_never_holds_the_plaintext(world: World, bank: DeskAt, police: DeskAt) -> None:
    submit(bank, police, SITE, head=submission_module.PayloadHead(title="canary-title-58213"))
    with police.open() as desk:
        desk.pull.pull(retention_days=30)
    for name, data in world.files().items():
        for word in (SITE, "canary-title-58213", "evil-example"):
            assert word.encode() not in data, name
    for home in (bank.home, police.home):
        for path in home.rglob("*"):
            if path.is_file():
                assert SITE.encode() not in path.read_bytes(), path.name


def test_the_charter_is_asked_before_anything_is_sealed(bank: DeskAt, police: DeskAt) -> None:
    with police.open() as desk:
        before = len(police.wire.requests)
        with pytest.raises(Refused) as caught:
            desk.submissions.send(plan(bank.world, bank.org), records_of([BTC]))
        assert caught.value.code == "charter_kind"
        assert list_bundles(desk.vault) == []
        assert [one for one in police.wire.requests[before:] if one[0] != "GET"] == []


def test_a_lost_answer_doubles_nothing(world: World, bank: DeskAt, police: DeskAt) -> None:
    with bank.open() as desk:
        bank.wire.lose_after = {"/v1/bundles/"}
        with pytest.raises(Unavailable):
            desk.submissions.send(plan(world, police.org), records_of([BTC, EVM]))
        assert len(unfinished(desk.vault)) == 1
    bank.wire.lose_after = set()
    with bank.open() as desk:
        report = desk.submissions.send(plan(world, police.org), records_of([BTC, EVM]))
        assert (report.records, report.repeated, report.resumed) == (0, 2, True)
        assert unfinished(desk.vault) == []
    with police.open() as desk:
        assert desk.pull.pull(retention_days=30).records == 2


def test_a_submit_killed_between_parts_goes_on_without_doubling(
    world: World, bank: DeskAt, police: DeskAt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(submission_module, "MAX_ROWS", 2)
    values = [f"shop{number}.evil-example.org" for number in range(7)]

    def until_killed() -> Iterator[object]:
        yield from records_of(values[:5])
        raise KeyboardInterrupt

    with bank.open() as desk, pytest.raises(KeyboardInterrupt):
        desk.submissions.send(plan(world, police.org), until_killed())  # type: ignore[arg-type]
    with bank.open() as desk:
        report = desk.submissions.send(plan(world, police.org), records_of(values))
        assert report.resumed
        assert report.records + report.repeated == 7
    with police.open() as desk:
        assert desk.pull.pull(retention_days=30).records == 7
        for value in values:
            assert len(look(desk.vault, world, value)) == 1


def test_sealed_bundles_wait_while_the_hub_cannot_be_reached(
    world: World, bank: DeskAt, police: DeskAt
) -> None:
    with bank.open() as desk:
        bank.wire.lose_before = {"/v1/bundles/"}
        with pytest.raises(Unavailable) as caught:
            desk.submissions.send(plan(world, police.org), records_of([BTC]))
        assert caught.value.code == "hub_unreachable"
    bank.wire.lose_before = set()
    with bank.open() as desk:
        (sent,) = desk.submissions.flush()
        assert sent.state == "receipted"


def test_without_witnesses_a_bundle_is_stored_and_no_receipt_is_claimed(
    world: World, bank: DeskAt, police: DeskAt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(submission_module, "MAX_WAIT", 0)
    with bank.open() as desk:
        desk.mirror.refresh()
        bank.wire.witness = False
        report = desk.submissions.send(plan(world, police.org), records_of([BTC]))
        assert [one.state for one in report.bundles] == ["stored"]
        assert not report.complete
    bank.wire.witness = True
    with bank.open() as desk:
        assert [one.state for one in desk.submissions.flush()] == ["receipted"]


def test_a_receipt_about_something_else_is_refused(
    world: World, bank: DeskAt, police: DeskAt
) -> None:
    first = submit(bank, police, BTC)
    with bank.open() as desk:
        row = outbox_row(desk.vault, first)
        assert row is not None
        old = row.receipt or b""

        def swap(request: httpx2.Request, response: httpx2.Response) -> httpx2.Response:
            if request.url.path.endswith("/receipt"):
                return httpx2.Response(200, content=old)
            return response

        bank.wire.change = swap
        with pytest.raises(VerificationFailed) as caught:
            desk.submissions.send(plan(world, police.org, source=b"t" * 32), records_of([EVM]))
        assert caught.value.code == "receipt_other"
        assert [row.state for row in unfinished(desk.vault)] == ["stored"]


def test_no_search_sends_a_request(world: World, bank: DeskAt, police: DeskAt) -> None:
    submit(bank, police)
    with police.open() as desk:
        desk.pull.pull(retention_days=30)
        before = list(police.wire.requests)
        search(
            desk.vault,
            [BTC, EVM, SITE, "nothing.example.net"],
            person="ana",
            reason="case 114",
            now=world.clock(),
            signature_state=desk.mirror.signature_state,
        )
        assert police.wire.requests == before
        assert len(searches(desk.vault)) == 1


def test_a_recall_reaches_the_record_and_is_confirmed(
    world: World, bank: DeskAt, police: DeskAt
) -> None:
    sent = submit(bank, police)
    with police.open() as desk:
        desk.pull.pull(retention_days=30)
    with bank.open() as desk:
        recall = send_retraction(
            desk.submissions,
            desk.vault,
            desk.mirror.refresh(),
            find_bundle(desk.vault, sent),
            retraction=Retraction(
                id=sent, reason=Reason.FALSE_POSITIVE, deadline=world.clock() + 60, records=(1,)
            ),
            clock=world.clock,
        )
        assert (recall.recipients, recall.gone) == ((police.org,), ())
        assert recall.sent.state == "receipted", recall.sent
        late = confirmations(
            desk.vault, recall.sent.id, now=world.clock() + 61, deadline=world.clock() + 60
        )
        assert [one.standing for one in late] == [Standing.OVERDUE]
    with police.open() as desk:
        report = desk.pull.pull(retention_days=30)
        assert report.recalls == 1
        assert [hit.states for hit in look(desk.vault, world, EVM)] == [(EndState.RETRACTED,)]
        assert [hit.states for hit in look(desk.vault, world, BTC)] == [(EndState.ACTIVE,)]
    with bank.open() as desk:
        collect(desk.vault, desk.client, desk.mirror)
        (said,) = confirmations(desk.vault, recall.sent.id, now=world.clock())
        assert (said.standing, said.outcome) == (Standing.CONFIRMED, "recall-applied")


def test_only_the_sender_can_take_a_bundle_back(world: World, bank: DeskAt, police: DeskAt) -> None:
    sent = submit(bank, police)
    other = world.enrol("second-bank", OrgKind.FINANCIAL)
    with police.open() as desk:
        desk.pull.pull(retention_days=30)
        with pytest.raises(Refused) as caught:
            send_retraction(
                desk.submissions,
                desk.vault,
                desk.mirror.state,
                find_bundle(desk.vault, sent),
                retraction=Retraction(id=sent, reason=Reason.ERROR, deadline=world.clock()),
                clock=world.clock,
            )
        assert caught.value.code == "retraction_not_ours"
        # A signed retraction by somebody else that a hostile hub lets through touches nothing.
        line = format_retraction(
            Retraction(id=sent, reason=Reason.ERROR, deadline=world.clock() + 9)
        )
        _, raw = other.seal(
            _as_sim(world, police, desk.keyring),
            kind=BundleKind.RETRACTION,
            lines=[line],
            refs=[sent],
        )
        desk.mirror.refresh()
        received = desk.pull.receive(900, trimmed_for(raw, police.org))
        assert received.state == "recall-applied"
        assert all(hit.active for hit in look(desk.vault, world, EVM))


def _as_sim(world: World, at: DeskAt, keyring: object) -> Desk:
    """The simulated counterpart of a real desk, as a recipient of hand-made bundles."""
    name = at.org.split("@")[0]
    return Desk(name=name, kind=OrgKind.LAW_ENFORCEMENT, world=world, kem=keyring.kem[-1])  # type: ignore[attr-defined]


def trimmed_for(raw: bytes, org: OrgId) -> bytes:
    sealed = parse_bundle(raw)
    index = next(at for at, entry in enumerate(sealed.entries) if entry.org == org)
    return trim(sealed, index)


def test_a_changed_delivery_is_quarantined_with_its_reason_and_told(
    world: World, bank: DeskAt, police: DeskAt
) -> None:
    submit(bank, police)

    def spoil(request: httpx2.Request, response: httpx2.Response) -> httpx2.Response:
        if request.url.path != "/v1/deliveries":
            return response
        data = bytearray(response.read())
        if data:
            data[-20] ^= 1
        return httpx2.Response(200, content=bytes(data))

    with police.open() as desk:
        police.wire.change = spoil
        report = desk.pull.pull(retention_days=30)
        assert report.bundles == 0
        ((_, code),) = report.refused
        (row,) = refused_deliveries(desk.vault, limit=5)
        assert row.code == code
        assert look(desk.vault, world, EVM) == ()
    with bank.open() as desk:
        assert collect(desk.vault, desk.client, desk.mirror) == (1, 0)
        (bundle,) = list_bundles(desk.vault)
        (said,) = confirmations(desk.vault, bundle.id, now=world.clock())
        assert (said.standing, said.code) == (Standing.REFUSED, code)


def test_a_broken_transfer_goes_on_after_the_last_whole_delivery(
    bank: DeskAt, police: DeskAt
) -> None:
    submit(bank, police, BTC, source=b"1" * 32)
    submit(bank, police, EVM, source=b"2" * 32)
    cut = {"left": 1}

    def shorten(request: httpx2.Request, response: httpx2.Response) -> httpx2.Response:
        if request.url.path == "/v1/deliveries" and cut["left"]:
            cut["left"] -= 1
            return httpx2.Response(200, content=response.read()[:-1000])
        return response

    with police.open() as desk:
        police.wire.change = shorten
        report = desk.pull.pull(retention_days=30)
        assert (report.bundles, report.repeated, report.refused) == (2, 0, [])


def test_a_delivery_for_somebody_else_is_not_opened(world: World, police: DeskAt) -> None:
    other = world.enrol("other-police", OrgKind.LAW_ENFORCEMENT)
    sender = world.enrol("second-bank", OrgKind.FINANCIAL)
    _, raw = sender.seal(other)
    with police.open() as desk:
        received = desk.pull.receive(1, trimmed_for(raw, other.org))
        assert (received.state, received.code) == ("refused", "entry_other")


@pytest.mark.parametrize(
    ("raw", "code"), [(b"", "bundle_truncated"), (b"\x89AST\r\n\x1a\n", "bundle_truncated")]
)
def test_what_is_no_bundle_is_kept_as_refused(police: DeskAt, raw: bytes, code: str) -> None:
    with police.open() as desk:
        assert desk.pull.receive(5, raw).code == code
        assert [row.code for row in refused_deliveries(desk.vault, limit=5)] == [code]
        assert unacknowledged(desk.vault, limit=5) == [], "nothing to name in an acknowledgement"


def test_a_hub_that_hides_leaves_or_goes_back_is_refused(world: World, bank: DeskAt) -> None:
    with bank.open() as desk:
        old = desk.client.get("/log/directory/checkpoint")
        desk.mirror.refresh()
        world.enrol("third-bank", OrgKind.FINANCIAL)
        desk.mirror.refresh()

        def roll_back(request: httpx2.Request, response: httpx2.Response) -> httpx2.Response:
            if request.url.path == "/log/directory/checkpoint":
                return httpx2.Response(200, content=old)
            return response

        bank.wire.change = roll_back
        with pytest.raises(VerificationFailed) as caught:
            desk.mirror.refresh()
        assert caught.value.code == "log_rolled_back"


def test_a_hub_that_swaps_a_leaf_is_refused(world: World, bank: DeskAt) -> None:
    world.enrol("third-bank", OrgKind.FINANCIAL)

    def swap(request: httpx2.Request, response: httpx2.Response) -> httpx2.Response:
        if "/tile/entries/" in request.url.path:
            data = bytearray(response.read())
            data[-5] ^= 1
            return httpx2.Response(200, content=bytes(data))
        return response

    with bank.open() as desk:
        size = desk.mirror.state.size
        bank.wire.change = swap
        with pytest.raises(VerificationFailed) as caught:
            desk.mirror.refresh()
        assert caught.value.code == "directory_root_wrong"
        assert desk.mirror.state.size == size


def test_a_stale_directory_is_not_sealed_with(world: World, bank: DeskAt, police: DeskAt) -> None:
    with bank.open() as desk:
        desk.mirror.refresh()
        bank.wire.witness = False
        world.clock.now += 25 * 3600
        with pytest.raises(VerificationFailed) as caught:
            desk.submissions.send(plan(world, police.org), records_of([BTC]))
        assert caught.value.code == "quorum_missing"
        assert list_bundles(desk.vault) == []


def test_a_checkpoint_that_grows_old_after_the_last_refresh_is_not_sealed_with(
    world: World, bank: DeskAt
) -> None:
    with bank.open() as desk:
        desk.mirror.refresh()
        bank.wire.witness = False
        world.clock.now += 24 * 3600 - 60
        desk.mirror.refresh()
        desk.mirror.sealing_point()
        world.clock.now += 120
        with pytest.raises(VerificationFailed) as caught:
            desk.mirror.sealing_point()
        assert caught.value.code == "quorum_missing"


def test_another_root_file_is_not_followed(bank: DeskAt, tmp_path: Path) -> None:
    (tmp_path / "foreign").mkdir()
    foreign = World(tmp_path / "foreign")

    def swap(request: httpx2.Request, response: httpx2.Response) -> httpx2.Response:
        if request.url.path == "/v1/root":
            return httpx2.Response(200, content=foreign.root_bytes)
        return response

    with bank.open() as desk:
        bank.wire.change = swap
        with pytest.raises(VerificationFailed) as caught:
            desk.mirror.refresh()
        assert caught.value.code == "root_not_successor"
    foreign.close()


def test_a_tally_counts_what_was_sent_last_month_and_the_hub_takes_it(
    world: World, bank: DeskAt, police: DeskAt
) -> None:
    sent = submit(bank, police, BTC, EVM, SITE)
    with bank.open() as desk:
        send_retraction(
            desk.submissions,
            desk.vault,
            desk.mirror.state,
            find_bundle(desk.vault, sent),
            retraction=Retraction(
                id=sent, reason=Reason.ERROR, deadline=world.clock(), records=(2,)
            ),
            clock=world.clock,
        )
        world.clock.now += 32 * 86_400
        month = last_closed_month(world.clock())
        tally = make_tally(desk.vault, bank.org, month, now=world.clock())
        assert [(cell.kind, cell.network, cell.records) for cell in tally.cells] == [
            ("wallet", "btc", 1),
            ("wallet", "evm", 1),
        ]
        assert send_tally(desk.client, desk.keyring, tally) >= 0


def test_the_last_closed_month_crosses_the_year() -> None:
    january = int(dt.datetime(2027, 1, 1, tzinfo=dt.UTC).timestamp())
    assert last_closed_month(january) == "2026-12"
    assert last_closed_month(january - 1) == "2026-11"


def test_expired_plaintext_goes_after_the_retention(
    world: World, bank: DeskAt, police: DeskAt
) -> None:
    submit(bank, police, expires=world.clock() + 86_400)
    with police.open() as desk:
        desk.pull.pull(retention_days=2)
        world.clock.now += 86_400
        assert [hit.states for hit in look(desk.vault, world, EVM)] == [(EndState.EXPIRED,)]
        assert desk.pull.purge(2) == 0
        world.clock.now += 2 * 86_400 + 1
        assert desk.pull.purge(2) == 1
        assert look(desk.vault, world, EVM) == ()


def test_each_published_retraction_gets_its_answer(project: Path) -> None:
    vectors = json.loads((project / "schemas/vectors/retraction/lines.json").read_text())
    schema = json.loads((project / "schemas/directory/retraction.v1.json").read_text())
    assert len(vectors["cases"]) > 10
    for case in vectors["cases"]:
        line = case["line"].encode()
        if case["expect"] == "ok":
            assert format_retraction(parse_retraction(line)) == line
            jsonschema.validate(json.loads(line), schema)
            continue
        with pytest.raises(Malformed) as caught:
            parse_retraction(line)
        assert caught.value.code == case["expect"], case["name"]


@given(st.binary(max_size=200))
def test_any_bytes_are_a_retraction_or_malformed(line: bytes) -> None:
    with contextlib.suppress(Malformed):
        assert format_retraction(parse_retraction(line)) == line


def test_a_retraction_comes_back_as_it_was_written() -> None:
    retraction = Retraction(
        id=BundleId("019e0000-0000-7000-8000-000000000000"),
        reason=Reason.LEGAL,
        deadline=5,
        records=(0, 7),
        note="order of the court",
    )
    assert parse_retraction(format_retraction(retraction)) == retraction


def test_a_stream_of_deliveries_may_be_cut_anywhere() -> None:
    whole = b"".join(
        number.to_bytes(8, "big") + len(body).to_bytes(8, "big") + body
        for number, body in ((1, b"one"), (2, b""), (9, b"nine"))
    )
    for step in (1, 2, 7, 100):
        pieces = (whole[at : at + step] for at in range(0, len(whole), step))
        assert list(read_deliveries(pieces)) == [(1, b"one"), (2, b""), (9, b"nine")]
    assert list(read_deliveries(iter([whole[:-1]]))) == [(1, b"one"), (2, b"")]
    with pytest.raises(Malformed) as caught:
        list(read_deliveries(iter([bytes(8) + b"\xff" * 8])))
    assert caught.value.code == "delivery_too_long"
