"""Watches: a later hit is told exactly once, with what became of it; they end; every act is kept."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator
from tests.desk.conftest import BANK, NOW, bundle_id, described, records_of
from tests.desk.test_pages import BASE, analyst, app, desk, post, visitor
from werkzeug.test import Client

from accord.cli.main import main
from accord.desk.app import Desk
from accord.desk.indicators import store
from accord.desk.indicators.search import EndState
from accord.desk.indicators.watching import DAY, MAX_DAYS, Alert, alerts, end_watch, set_watch
from accord.desk.storage import Mark, MarkState, Vault, Way
from accord.desk.storage.bundles import WHOLE, add_mark, purge_expired
from accord.desk.storage.watches import Watch, count_hits, mark_seen, watches
from accord.kernel.errors import Conflict, Malformed, NotFound, Refused
from accord.kernel.indicators import IndicatorRecord, encode_line

__all__ = ["analyst", "app", "desk", "visitor"]  # fixtures of the pages

WALLET = "0x52908400098527886E0F7030069857D2E4169EE7"
BITCOIN = "1BoatSLRHtKNngkdXEeobR76b53LETtpyT"
SCHEMAS = Path(__file__).resolve().parents[2] / "schemas" / "cli"


def on(vault: Vault, value: str, **changes: Any) -> Watch:
    told: dict[str, Any] = {"reason": "case 114", "person": "ana", "now": NOW}
    return set_watch(vault, value, **told | {"expires": NOW + 90 * DAY} | changes)


def arrive(vault: Vault, number: int, records: list[IndicatorRecord], **changes: Any) -> bool:
    with vault.transaction() as connection:
        return store(
            vault,
            connection,
            described(number, **changes),
            lines=[encode_line(record) for record in records],
            records=records,
            quarantined=[],
        )


def told(vault: Vault, **changes: Any) -> list[Alert]:
    return alerts(vault, **{"now": NOW, "limit": 100} | changes)


def acts(vault: Vault) -> list[tuple[str, str, str, str]]:
    return vault.connection.execute("SELECT person, act, object, reason FROM acts").fetchall()


def test_a_later_hit_is_told_once_and_what_was_here_before_is_not(vault: Vault) -> None:
    arrive(vault, 1, records_of([WALLET]))
    watch = on(vault, WALLET)
    assert told(vault) == []
    assert arrive(vault, 2, records_of([BITCOIN, WALLET]))
    assert not arrive(vault, 2, records_of([BITCOIN, WALLET])), "the same bundle again"
    (alert,) = told(vault)
    assert (alert.hit.watch, alert.bundle.id, alert.hit.record) == (watch.no, bundle_id(2), 1)
    assert alert.found is not None
    assert (alert.found.match, alert.found.states) == ("value", (EndState.ACTIVE,))
    assert acts(vault) == [
        ("ana", "watch:set", f"{watch.no} on", "case 114"),
        ("desk", "watch:hit", f"{watch.no} {BANK} {bundle_id(2)} 1 records", "case 114"),
    ]


def test_hit_and_bundle_are_stored_together_or_not_at_all(vault: Vault) -> None:
    on(vault, WALLET)
    vault.connection.execute("DROP TABLE acts")
    with pytest.raises(Exception, match="acts"):
        arrive(vault, 1, records_of([WALLET]))
    assert told(vault) == []
    assert vault.connection.execute("SELECT count(*) FROM bundles").fetchone() == (0,)


def test_a_recalled_hit_says_so_and_a_deleted_one_too(vault: Vault) -> None:
    on(vault, WALLET)
    arrive(vault, 1, records_of([WALLET]))
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
    (alert,) = told(vault)
    assert alert.found is not None
    assert alert.found.states == (EndState.RETRACTED,)
    purge_expired(vault, before=NOW + 5000, now=NOW + 5000)
    (alert,) = told(vault, now=NOW + 5000)
    assert alert.found is None
    assert alert.bundle.purged == NOW + 5000


def test_a_watch_sees_below_a_host_only_when_asked_and_finds_moves_and_bare_transactions(
    vault: Vault,
) -> None:
    digits = "5c504ed432cb51138bcf09aa5e8a410dd4a1e204ef84bfed1be16dfba1b22060"
    exact, below = on(vault, "evil-site.org"), on(vault, "evil-site.org", subdomains=True)
    bare = on(vault, digits)
    (transaction,) = records_of([digits], network="btc")
    arrive(vault, 1, [*records_of(["a.evil-site.org", "evil-site.org.example.net"]), transaction])
    found = {(one.hit.watch, one.hit.record, one.hit.found_as) for one in told(vault)}
    assert found == {(below.no, 0, "subdomain"), (bare.no, 2, "value")}
    arrive(vault, 2, records_of(["evil-site.org"]))
    assert {one.hit.watch for one in told(vault)} == {exact.no, below.no, bare.no}


def test_what_this_desk_sends_raises_no_alert(vault: Vault) -> None:
    on(vault, WALLET)
    arrive(vault, 1, records_of([WALLET]), way=Way.SENT)
    assert told(vault) == []


def test_a_watch_ends_by_its_date_or_when_taken_off_and_its_hits_stay(vault: Vault) -> None:
    short = on(vault, WALLET, expires=NOW + DAY)
    long = on(vault, BITCOIN)
    arrive(vault, 1, records_of([WALLET]), arrived=NOW + DAY)
    assert told(vault) == [], "over at that second"
    arrive(vault, 2, records_of([BITCOIN]))
    gone = end_watch(vault, long.no, person="ben", reason="case closed", now=NOW + 5)
    assert (gone.removed, gone.removed_by) == (NOW + 5, "ben")
    arrive(vault, 3, records_of([BITCOIN]), arrived=NOW + 6)
    assert len(told(vault)) == 1
    assert watches(vault, now=NOW + DAY) == []
    assert [one.no for one in watches(vault, now=NOW + DAY, ended=True)] == [long.no, short.no]
    assert ("ben", "watch:set", f"{long.no} off", "case closed") in acts(vault)
    for number in (long.no, short.no, 99):
        with pytest.raises(NotFound) as caught:
            end_watch(vault, number, person="ben", reason="again", now=NOW + DAY)
        assert caught.value.code == "watch_unknown"


@pytest.mark.parametrize(
    ("value", "changes", "code"),
    [
        (WALLET, {"reason": " x "}, "reason_missing"),
        (WALLET, {"reason": "a\nb reason"}, "reason_missing"),
        (WALLET, {"reason": "x" * 501}, "reason_long"),
        (WALLET, {"expires": NOW}, "watch_period"),
        (WALLET, {"expires": NOW + MAX_DAYS * DAY + 1}, "watch_period"),
        ("not a value!", {}, "unknown_format"),
        ("1BoatSLRHtKNngkdXEeobR76b53LETtpyX", {}, "checksum_wrong"),
    ],
)
def test_a_watch_without_reason_value_or_end_is_refused(
    vault: Vault, value: str, changes: dict[str, Any], code: str
) -> None:
    with pytest.raises(Malformed) as caught:
        on(vault, value, **changes)
    assert caught.value.code == code
    assert watches(vault, now=NOW, ended=True) == []
    assert acts(vault) == []


def test_the_same_value_is_watched_once_and_again_after_it_ended(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = on(vault, WALLET)
    with pytest.raises(Conflict) as twice:
        on(vault, WALLET.lower(), person="ben")
    assert twice.value.code == "watch_exists"
    end_watch(vault, first.no, person="ana", reason="case closed", now=NOW)
    on(vault, WALLET)
    monkeypatch.setattr("accord.desk.storage.watches.MAX_WATCHES", 1)
    with pytest.raises(Refused) as many:
        on(vault, BITCOIN)
    assert many.value.code == "watches_many"


def test_what_somebody_has_seen_is_told_as_seen(vault: Vault) -> None:
    watch = on(vault, WALLET)
    arrive(vault, 1, records_of([WALLET]))
    assert count_hits(vault) == {watch.no: (1, 1)}
    assert (mark_seen(vault, watch.no, now=NOW), mark_seen(vault, watch.no, now=NOW)) == (1, 0)
    assert told(vault, unseen=True) == []
    assert [one.hit.seen for one in told(vault)] == [NOW]


def test_the_page_sets_shows_and_ends_a_watch(analyst: Client, desk: Desk) -> None:
    wrong = post(analyst, "/watches", act="add", value=WALLET, days="30", reason="")
    assert wrong.status_code == 400
    assert 'href="#reason"' in wrong.get_data(as_text=True)
    fields = {"value": "evil-site.org", "days": "30", "subdomains": "yes", "reason": "case 114"}
    assert post(analyst, "/watches", act="add", **fields).status_code == 303
    assert post(analyst, "/watches", act="add", **fields).status_code == 409
    arrive(desk.vault, 1, records_of(["pay.evil-site.org"]))
    page = analyst.get("/watches", base_url=BASE).get_data(as_text=True)
    assert "pay.evil-site.org" in page
    assert "1 new record holds a value on watch." in (
        analyst.get("/inbox", base_url=BASE).get_data(as_text=True)
    )
    assert post(analyst, "/watches", act="seen", number="1").status_code == 303
    assert "on watch." not in analyst.get("/inbox", base_url=BASE).get_data(as_text=True)
    assert post(analyst, "/watches", act="remove", number="1").status_code == 303
    assert watches(desk.vault, now=NOW) == []
    assert post(analyst, "/watches", act="remove", number="x").status_code == 404
    assert post(analyst, "/watches", act="other").status_code == 400
    assert [row[0] for row in acts(desk.vault) if row[1] == "watch:set"] == ["ana", "ana"]


def test_the_page_needs_a_sign_in_and_its_token(visitor: Client, desk: Desk) -> None:
    assert visitor.get("/watches", base_url=BASE).status_code in {302, 303, 401}
    forged = visitor.post("/watches", base_url=BASE, data={"act": "add", "value": WALLET})
    assert forged.status_code in {302, 303, 401, 403}
    assert watches(desk.vault, now=NOW) == []


def test_the_commands_speak_their_schemas(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    passphrase = tmp_path / "passphrase"
    passphrase.touch(mode=0o600)
    passphrase.write_text("a passphrase for watches")
    monkeypatch.setenv("ACCORD_PASSPHRASE_FILE", str(passphrase))
    home = str(tmp_path / "home")

    def run(*words: str, schema: str, code: int = 0) -> Any:
        done = CliRunner().invoke(main, [*words, "--json", "--home", home])
        assert done.exit_code == code, done.output
        data = json.loads(done.stdout)
        document = json.loads((SCHEMAS / f"{schema}.v1.json").read_text("utf-8"))
        Draft202012Validator(document).validate(data)
        return data

    run("desk", "init", "--hub", "http://127.0.0.1:9", schema="desk-init")
    made = run("watch", WALLET, "--reason", "case 114", schema="watch-add")
    assert (made["state"], made["value"]) == ("on", WALLET.lower())
    run("watch", "--reason", "case 114", "--until", "5d", BITCOIN, schema="watch-add")
    refused = run("watch", "not a value!", "--reason", "case 114", schema="error", code=1)
    assert refused["error"]["code"] == "unknown_format"
    listed = run("watch", "list", schema="watch-list")
    assert [one["value"] for one in listed["watches"]] == [BITCOIN, WALLET.lower()]
    run("watch", "seen", "1", schema="watch-seen")
    assert (
        run("watch", "remove", "1", "--reason", "over", schema="watch-remove")["state"] == "removed"
    )
    assert run("inbox", schema="inbox")["alerts"] == []
    shown = CliRunner().invoke(main, ["watch", "--help"])
    assert re.search(r"VALUE", shown.output)
