"""What a hub, a peer or a stranger may try against a desk, and what the desk says to it."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest
from tests.desk.conftest import records_of
from tests.desk.wire import Change, DeskAt, plan
from tests.support.hub_world import BTC, ORIGIN, Desk, World

from accord.desk.exchange import submission as submission_module
from accord.desk.exchange.client import HubClient
from accord.desk.exchange.confirmations import Standing, collect, confirmations
from accord.desk.exchange.retraction import (
    Reason,
    Retraction,
    format_retraction,
    send_retraction,
)
from accord.desk.indicators import EndState, search
from accord.desk.storage.bundles import find_bundle, list_bundles
from accord.desk.storage.outbox import unfinished
from accord.kernel.bundle.framing import parse_bundle, parse_trimmed, trim
from accord.kernel.bundle.model import DirectoryPoint
from accord.kernel.directory.rootfile import Registrar, sign_root
from accord.kernel.directory.statements import Op, Statement, sign_statement
from accord.kernel.encoding import b64encode
from accord.kernel.errors import (
    AccordError,
    AuthenticationNeeded,
    Malformed,
    NotFound,
    Refused,
    Unavailable,
    VerificationFailed,
)
from accord.kernel.identifiers import BundleId, OrgId
from accord.kernel.keys import KemKeyPair, SigningKeyPair
from accord.kernel.markings import BundleKind, OrgKind
from accord.kernel.policy.charter import sign_charter
from accord.kernel.policy.default_charter import DEFAULT_CHARTER
from accord.kernel.statements.acknowledgement import (
    Acknowledgement,
    Item,
    Outcome,
    sign_acknowledgement,
)
from accord.protocol import paths
from accord.protocol.schemas.hub import Hub

EVM = "0x52908400098527886e0f7030069857d2e4169ee7"


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


def sealed_for(sender: Desk, at: DeskAt, **changes: object) -> bytes:
    """A hand-made delivery by a simulated desk to a real one."""
    receiver = Desk(
        name=at.org.split("@")[0],
        kind=OrgKind.LAW_ENFORCEMENT,
        world=at.world,
        kem=at.keyring.kem[-1],
    )
    _, raw = sender.seal(receiver, **changes)
    return trim(parse_bundle(raw), 0)


def answering(body: bytes, status: int = 200, part: str = "/v1/bundles/") -> Change:
    """A wire's change: every answer under ``part`` is this one instead."""

    def change(request: httpx2.Request, response: httpx2.Response) -> httpx2.Response:
        return httpx2.Response(status, content=body) if part in request.url.path else response

    return change


def test_a_root_file_signed_by_old_and_new_registrars_is_followed_and_kept(
    world: World, bank: DeskAt
) -> None:
    second = SigningKeyPair.generate()
    registrars = (*world.root.registrars, Registrar(name="bert", key=second.public))
    following = replace(world.root, version=2, prev=world.root.sha256, registrars=registrars)
    signed = sign_root(following, [world.registrar, second])
    bank.wire.change = answering(signed, part="/v1/root")
    for _ in range(2):  # the second time it is read from the vault
        with bank.open() as desk:
            desk.mirror.refresh()
            assert desk.mirror.root.version == 2
            assert desk.mirror.root_bytes == world.root_bytes, "the words stay the same"


def test_a_root_file_signed_by_the_new_registrars_alone_is_refused(
    world: World, bank: DeskAt
) -> None:
    thief = SigningKeyPair.generate()
    following = replace(
        world.root,
        version=2,
        prev=world.root.sha256,
        registrars=(Registrar(name="thief", key=thief.public),),
    )
    bank.wire.change = answering(sign_root(following, [thief]), part="/v1/root")
    with bank.open() as desk, pytest.raises(VerificationFailed) as caught:
        desk.mirror.refresh()
    assert caught.value.code == "threshold_missed"


def test_a_charter_that_the_log_does_not_name_is_refused(
    world: World, bank: DeskAt, police: DeskAt
) -> None:
    bank.wire.change = answering(world.root_bytes, part="/v1/charter")
    with bank.open() as desk, pytest.raises(AccordError) as caught:
        desk.submissions.send(plan(world, police.org), records_of([BTC]))
    assert caught.value.code == "payload_type_wrong"


def test_a_signer_of_another_hub_or_directory_is_refused(world: World, police: DeskAt) -> None:
    sender = world.enrol("second-bank", OrgKind.FINANCIAL)
    point = world.point()
    other_root = DirectoryPoint(origin=point.origin, size=point.size, root=bytes(32))
    ahead = DirectoryPoint(origin=point.origin, size=point.size + 9, root=point.root)
    foreign = DirectoryPoint(origin="else.test/directory", size=1, root=point.root)
    with police.open() as desk:
        desk.mirror.refresh()
        for directory, code in (
            (other_root, "directory_other"),
            (ahead, "directory_other"),
        ):
            received = desk.pull.receive(1, sealed_for(sender, police, directory=[directory]))
            assert (received.state, received.code) == ("refused", code)
        raw = sealed_for(sender, police, org=OrgId("second-bank@else.test"), directory=[foreign])
        assert desk.pull.receive(1, raw).code == "sender_hub_unknown"


def test_a_sender_that_was_never_enrolled_is_refused(world: World, police: DeskAt) -> None:
    stranger = Desk(name="stranger", kind=OrgKind.FINANCIAL, world=world)
    with police.open() as desk:
        received = desk.pull.receive(1, sealed_for(stranger, police))
        assert (received.state, received.code) == ("refused", "key_unknown")
        assert list_bundles(desk.vault) == []


def test_a_key_that_was_compromised_is_shown_on_what_it_signed(
    world: World, police: DeskAt
) -> None:
    sender = world.enrol("second-bank", OrgKind.FINANCIAL)
    early = sealed_for(sender, police)
    stolen_at = world.clock() + 100
    world.clock.now += 200
    late = sealed_for(sender, police)
    _rotate(world, sender, compromised_since=stolen_at)
    with police.open() as desk:
        desk.mirror.refresh()
        assert desk.pull.receive(1, early).state == "opened"
        assert desk.pull.receive(2, late).state == "opened"
        report = search(
            desk.vault,
            [BTC],
            person="ana",
            reason="case 114",
            now=world.clock(),
            signature_state=desk.mirror.signature_state,
        )
        words = {hit.created: hit.signature for hit in report.results[0].hits}
        assert sorted(words.values()) == [
            "valid, but the key was reported compromised before it was signed",
            "valid; the key was reported compromised later",
        ]


def _rotate(world: World, desk: Desk, **changes: int) -> None:
    held = world.services.directory.state().organisation(desk.org)
    new = SigningKeyPair.generate()
    statement = Statement(
        org=desk.org,
        seq=held.seq + 1,
        prev=held.digest,
        op=Op.ROTATE,
        not_before=world.clock(),
        not_after=world.clock() + 86_400,
        sig=new.public,
        **changes,
    )
    signed = sign_statement(statement, [new, desk.sig])
    world.services.directory.append_statement(signed, now=world.clock())
    world.witness_round()


def test_a_hub_cannot_invent_an_acknowledgement(world: World, bank: DeskAt, police: DeskAt) -> None:
    with bank.open() as desk:
        sent = desk.submissions.send(plan(world, police.org), records_of([BTC])).bundles[0].id
        manifest = find_bundle(desk.vault, sent).manifest
        item = Item(bundle=sent, manifest=manifest, state=Outcome.OPENED, time=world.clock())
        said = Acknowledgement(org=police.org, created=world.clock(), items=(item,))
        thief = sign_acknowledgement(said, SigningKeyPair.generate())
        other = replace(said, items=(replace(item, manifest=bytes(32)),))
        stale = sign_acknowledgement(other, police.keyring.signing)
        for statement, expected in ((thief, (0, 1)), (stale, (0, 0))):
            page = {
                "items": [{"seq": 1, "org": police.org, "statement": b64encode(statement)}],
                "next": 0,
                "more": False,
            }
            bank.wire.change = answering(json.dumps(page).encode(), part="/v1/acknowledgements")
            desk.mirror.refresh()
            assert collect(desk.vault, desk.client, desk.mirror) == expected
            (one,) = confirmations(desk.vault, sent, now=world.clock())
            assert one.standing is Standing.PENDING


def test_a_garbled_answer_is_no_refusal_and_a_refusal_is_final(
    world: World, bank: DeskAt, police: DeskAt
) -> None:
    problem = json.dumps({"code": "charter_kind", "detail": "No rule."}).encode()
    with bank.open() as desk:
        for body, status in ((b"<html>", 200), (b"<html>", 403), (b"", 302)):
            bank.wire.change = answering(body, status)
            with pytest.raises(AccordError):
                desk.submissions.send(plan(world, police.org), records_of([BTC]))
            assert [row.state for row in unfinished(desk.vault)] == ["sealed"]
        bank.wire.change = answering(problem, 403)
        (sent,) = desk.submissions.flush()
        assert (sent.state, sent.code) == ("refused", "charter_kind")
        assert unfinished(desk.vault) == []


def test_a_refused_part_is_sent_again_alone(
    world: World, bank: DeskAt, police: DeskAt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(submission_module, "MAX_ROWS", 2)
    values = [f"shop{number}.evil-example.org" for number in range(6)]
    problem = json.dumps({"code": "quota_now", "detail": "No."}).encode()
    puts: list[str] = []

    def refuse_second(request: httpx2.Request) -> httpx2.Response | None:
        if request.method != "PUT":
            return None
        puts.append(request.url.path)
        return httpx2.Response(403, content=problem) if len(puts) == 2 else None

    bank.wire.instead = refuse_second
    with bank.open() as desk:
        with pytest.raises(Refused) as caught:
            desk.submissions.send(plan(world, police.org), records_of(values))
        assert caught.value.code == "quota_now"
    with bank.open() as desk:
        report = desk.submissions.send(plan(world, police.org), records_of(values))
        assert report.resumed
        assert report.complete
        assert report.records + report.repeated == 6
    with police.open() as desk:
        assert desk.pull.pull(retention_days=30).records == 6
        found = search(desk.vault, values, person="ana", reason="case 114", now=world.clock())
        assert [result.total for result in found.results] == [1] * 6


def test_a_bundle_that_replaces_another_supersedes_it(world: World, police: DeskAt) -> None:
    sender = world.enrol("second-bank", OrgKind.FINANCIAL)
    old = sealed_for(sender, police)
    with police.open() as desk:
        desk.mirror.refresh()
        first = desk.pull.receive(1, old)
        assert first.bundle is not None
        desk.pull.receive(2, sealed_for(sender, police, replaces=first.bundle))
        report = search(desk.vault, [BTC], person="ana", reason="case 114", now=world.clock())
        states = [hit.states for hit in report.results[0].hits]
        assert states == [(EndState.ACTIVE,), (EndState.SUPERSEDED,)]
        assert report.results[0].origins == 1


@pytest.mark.parametrize("fault", ["two lines", "other id", "no reference"])
def test_a_retraction_that_contradicts_itself_is_refused(
    world: World, police: DeskAt, fault: str
) -> None:
    sender = world.enrol("second-bank", OrgKind.FINANCIAL)
    ref, _ = sender.seal(sender)
    other, _ = sender.seal(sender)
    line = format_retraction(Retraction(id=ref, reason=Reason.ERROR, deadline=world.clock()))
    lines = [line, line] if fault == "two lines" else [line]
    refs = {"two lines": [ref], "other id": [other], "no reference": []}[fault]
    with police.open() as desk:
        desk.mirror.refresh()
        raw = sealed_for(sender, police, kind=BundleKind.RETRACTION, lines=lines, refs=refs)
        received = desk.pull.receive(1, raw)
        assert received.state == "refused"
        assert received.code in {"retraction_lines", "retraction_other"}


def test_a_recall_before_its_bundle_is_kept_for_it(world: World, police: DeskAt) -> None:
    sender = world.enrol("second-bank", OrgKind.FINANCIAL)
    original = sealed_for(sender, police)
    with police.open() as desk:
        desk.mirror.refresh()
        name = parse_trimmed_id(original)
        line = format_retraction(Retraction(id=name, reason=Reason.ERROR, deadline=world.clock()))
        recall = sealed_for(sender, police, kind=BundleKind.RETRACTION, lines=[line], refs=[name])
        assert desk.pull.receive(1, recall).state == "recall-applied"
        assert desk.pull.receive(2, original).state == "opened"
        assert desk.pull.receive(3, original).state == "repeated"
        report = search(desk.vault, [BTC], person="ana", reason="case 114", now=world.clock())
        assert [hit.states for hit in report.results[0].hits] == [(EndState.RETRACTED,)]


def parse_trimmed_id(raw: bytes) -> BundleId:
    return parse_trimmed(raw).header.id


def test_only_what_was_sent_and_exists_can_be_taken_back(
    world: World, bank: DeskAt, police: DeskAt
) -> None:
    with bank.open() as desk:
        sent = desk.submissions.send(plan(world, police.org), records_of([BTC])).bundles[0].id
        with pytest.raises(Refused) as caught:
            send_retraction(
                desk.submissions,
                desk.vault,
                desk.mirror.state,
                find_bundle(desk.vault, sent),
                retraction=Retraction(
                    id=sent, reason=Reason.ERROR, deadline=world.clock(), records=(1,)
                ),
                clock=world.clock,
            )
        assert caught.value.code == "record_unknown"


def test_names_of_recipients_are_resolved_in_the_directory(bank: DeskAt, police: DeskAt) -> None:
    with bank.open() as desk:
        assert desk.submissions.resolve(["police", f"police@{ORIGIN}"]) == (police.org,)
        with pytest.raises(NotFound) as caught:
            desk.submissions.resolve(["nobody"])
        assert caught.value.code == "org_unknown"
        assert desk.mirror.require_enrolled(bank.org) == bank.org
        for org in (None, OrgId(f"nobody@{ORIGIN}")):
            with pytest.raises(AuthenticationNeeded):
                desk.mirror.require_enrolled(org)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"no json", 200, "answer_invalid"),
        (b'{"a":1,"a":2}', 200, "answer_invalid"),
        (b'{"unknown":1}', 200, "answer_invalid"),
        (b"[" * 100_000, 200, "answer_invalid"),
        (b"x" * (9 * 1024 * 1024), 200, "answer_too_long"),
        (b"", 302, "answer_invalid"),
        (b"<html>", 500, "http_500"),
        (b"y" * 100_000, 404, "http_404"),
    ],
    ids=["no-json", "twice", "unknown", "deep", "long", "redirect", "500", "404"],
)
def test_an_answer_that_is_none_is_refused(
    bank: DeskAt, body: bytes, status: int, code: str
) -> None:
    bank.wire.change = answering(body, status, part="/v1/hub")
    with bank.open() as desk:
        with pytest.raises(AccordError) as caught:
            desk.client.get_json(paths.HUB, Hub)
        assert caught.value.code == code


def test_a_request_that_must_be_signed_is_not_made_without_a_key(world: World) -> None:
    with (
        HubClient("http://[::1]:8600", clock=world.clock) as client,
        pytest.raises(Malformed) as caught,
    ):
        client.get(paths.FEED, signed=True)
    assert caught.value.code == "request_unsignable"
    assert client.authority == "[::1]:8600"


def test_following_goes_on_after_failures_and_stops_when_told(
    world: World, bank: DeskAt, police: DeskAt
) -> None:
    failures: list[str] = []
    pauses: list[float] = []

    def pause(seconds: float) -> bool:
        pauses.append(seconds)
        police.wire.lose_before = set()
        return len(pauses) == 2

    with bank.open() as desk:
        desk.submissions.send(plan(world, police.org), records_of([BTC]))
    police.wire.lose_before = {"/v1/"}
    with police.open() as desk:
        desk.rounds.follow(
            pause,
            on_received=lambda _received: None,
            on_failure=lambda error, _seconds: failures.append(error.code),
        )
        assert failures == ["hub_unreachable"]
        assert pauses[0] >= 2
        assert len(list_bundles(desk.vault)) == 1
        assert desk.rounds.tally() is None, "once a month is enough"


def test_a_feed_that_goes_back_or_is_cut_is_said(
    world: World, bank: DeskAt, police: DeskAt
) -> None:
    with bank.open() as desk:
        desk.submissions.send(plan(world, police.org), records_of([BTC]))
    with police.open() as desk:
        assert desk.pull.wait_for_news(0)
        assert not desk.pull.wait_for_news(0)
        feed = desk.vault.setting("feed_name")
        assert feed is not None
        empty = {"items": [], "feed": feed.decode(), "next": 0, "more": False, "retention": 1}
        page = json.dumps(empty).encode()
        police.wire.change = answering(page, part="/v1/feed")
        with pytest.raises(VerificationFailed) as caught:
            desk.pull.wait_for_news(0)
        assert caught.value.code == "feed_backwards"
        other = json.dumps(empty | {"feed": "a" * 16, "next": 1}).encode()
        police.wire.change = answering(other, part="/v1/feed")
        with pytest.raises(VerificationFailed) as caught:
            desk.pull.wait_for_news(0)
        assert caught.value.code == "feed_other"
        police.wire.change = None
        police.wire.lose_before = {"/v1/deliveries"}
        with pytest.raises(Unavailable):
            desk.pull.pull(retention_days=30)
        police.wire.lose_before = set()
        assert desk.pull.pull(retention_days=30).bundles == 1


def test_keys_and_named_directory_are_of_one_size_also_after_another_command(
    world: World, bank: DeskAt, police: DeskAt
) -> None:
    with bank.open() as one, bank.open() as other:
        one.mirror.refresh()
        world.enrol("third-bank", OrgKind.FINANCIAL)
        other.mirror.refresh()
        assert one.mirror.state.size < other.mirror.state.size
        assert one.mirror.sealing_point().size == one.mirror.state.size
        assert police.org in {found.org for found in one.mirror.state.organisations()}


def test_a_full_disk_loses_nothing_and_confirms_nothing(
    world: World, bank: DeskAt, police: DeskAt
) -> None:
    values = [f"shop{number}.evil-example.org" for number in range(3000)]
    with bank.open() as desk:
        assert desk.submissions.send(plan(world, police.org), records_of(values)).complete
    with police.open() as desk:
        connection = desk.vault.connection
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(Unavailable) as caught:
            desk.pull.pull(retention_days=30)
        assert caught.value.code == "vault_full"
        assert list_bundles(desk.vault) == []
        assert ("POST", "/v1/acknowledgements") not in police.wire.requests
        connection.execute("PRAGMA max_page_count = 1000000")
        report = desk.pull.pull(retention_days=30)
        assert (report.records, report.acknowledged) == (3000, 1)


def test_an_outbox_that_cannot_be_written_seals_nothing(
    world: World, bank: DeskAt, police: DeskAt
) -> None:
    (bank.home / "outbox").write_text("a file where a directory should be")
    with bank.open() as desk:
        with pytest.raises(Unavailable) as caught:
            desk.submissions.send(plan(world, police.org), records_of([BTC]))
        assert caught.value.code == "outbox_unwritable"
        assert list_bundles(desk.vault) == []


def test_an_approval_that_the_charter_asks_for_is_not_assumed(
    world: World, bank: DeskAt, police: DeskAt
) -> None:
    text = DEFAULT_CHARTER.replace("version = 1", "version = 2", 1).replace(
        "approval = false", "approval = true"
    )
    signed = sign_charter(text.encode(), [world.registrar])
    world.services.directory.publish_charter(signed, now=world.clock())
    with bank.open() as desk:
        desk.mirror.refresh()
        with pytest.raises(Refused) as caught:
            desk.submissions.send(plan(world, police.org), records_of([BTC]))
        assert caught.value.code == "charter_approval"
        wanted = plan(world, police.org, approved=True)
        assert desk.submissions.send(wanted, records_of([BTC])).complete


def test_a_delivery_sealed_to_a_key_that_is_not_ours_is_refused(
    world: World, police: DeskAt
) -> None:
    sender = world.enrol("second-bank", OrgKind.FINANCIAL)
    receiver = Desk(
        name="police", kind=OrgKind.LAW_ENFORCEMENT, world=world, kem=KemKeyPair.generate()
    )
    _, raw = sender.seal(receiver, values=[EVM])
    with police.open() as desk:
        desk.mirror.refresh()
        received = desk.pull.receive(1, trim(parse_bundle(raw), 0))
        assert received.state == "refused"
