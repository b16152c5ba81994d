"""Write schemas/vectors/correspondence/lines.json: requests, answers, sightings, notices.

The lines are spelled here from the page alone (``json.dumps``), not by the code under test.
Run: ``python -m tests.support.make_correspondence_vectors``.
"""

import json
from pathlib import Path
from typing import Any

PATH = Path(__file__).resolve().parents[2] / "schemas" / "vectors" / "correspondence" / "lines.json"
ONE = "019e0000-0000-7000-8000-000000000001"
TWO = "019e0000-0000-7000-8000-000000000002"
BANK = "bank@hub.example"
CREATED, EXPIRES = 1_795_600_000, 1_798_192_000
DUE = CREATED + 86_400
WALLET = {"kind": "wallet", "network": "btc", "value": "1BoatSLRHtKNngkdXEeobR76b53LETtpyT"}
DOMAIN = {"kind": "domain", "value": "example.org"}
RECORDS = {"bundle": ONE, "org": BANK, "records": [0, 7]}
ASK: dict[str, Any] = {
    "ask": "freeze",
    "about": [RECORDS, WALLET],
    "basis": "Art. 5 of the agreement; order 12/2026",
    "deadline": DUE,
    "contact": "duty desk, +31 20 000 0001",
}
RECORD = (
    '{"kind":"wallet","network":"btc","value":"1BoatSLRHtKNngkdXEeobR76b53LETtpyT","canon":1,'
    '"checksum":"strong","confidence":80,"basis":"observed"}'
)


def spelled(obj: object) -> str:
    return (
        obj if isinstance(obj, str) else json.dumps(obj, separators=(",", ":"), ensure_ascii=False)
    )


def case(kind: str, name: str, lines: list[object], expect: str, *refs: str) -> dict[str, Any]:
    return {
        "kind": kind,
        "name": name,
        "header": {"created": CREATED, "expires": EXPIRES, "refs": list(refs)},
        "lines": [spelled(line) for line in lines],
        "expect": expect,
    }


def without(obj: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in obj.items() if name != key}


def asking(name: str, expect: str, *refs: str, **changes: object) -> dict[str, Any]:
    return case("request", name, [ASK | changes], expect, *(refs or (ONE,)))


def requests() -> list[dict[str, Any]]:
    about = "about"
    return [
        asking("records and a value", "ok"),
        *(asking(f"ask {ask}", "ok", ask=ask) for ask in ("preserve", "identify", "information")),
        asking("with a text of two lines", "ok", text="Please keep all logs.\nThank you."),
        case("request", "values only", [ASK | {about: [WALLET, DOMAIN]}], "ok"),
        asking("a whole bundle", "ok", about=[without(RECORDS, "records")]),
        asking("a memo", "ok", about=[RECORDS, WALLET | {"memo": "12"}]),
        asking("unknown kind of request", "ask_unknown", ask="seize"),
        asking("about nothing", "value_invalid", about=[]),
        asking("about a text", "value_invalid", about=[WALLET["value"]]),
        asking("a bundle twice", "about_twice", about=[RECORDS, without(RECORDS, "records")]),
        asking("a value twice", "about_twice", about=[RECORDS, WALLET, WALLET]),
        asking(
            "no value but its spelling",
            "value_not_canonical",
            about=[RECORDS, DOMAIN | {"value": "EXAMPLE.org"}],
        ),
        asking("another network", "network_mismatch", about=[RECORDS, WALLET | {"network": "ltc"}]),
        asking("no network", "value_not_canonical", about=[RECORDS, without(WALLET, "network")]),
        asking("unknown network", "network_unknown", about=[RECORDS, WALLET | {"network": "x"}]),
        asking(
            "unknown kind of value",
            "indicator_kind_unknown",
            about=[RECORDS, WALLET | {"kind": "email"}],
        ),
        asking(
            "more bundles than a header holds",
            "about_many",
            about=[
                {"bundle": f"019e0000-0000-7000-8000-{number:012x}", "org": BANK}
                for number in range(65)
            ],
        ),
        asking("records fall", "value_invalid", about=[RECORDS | {"records": [7, 0]}]),
        asking("a record that is true", "value_invalid", about=[RECORDS | {"records": [True]}]),
        asking("no record", "value_invalid", about=[RECORDS | {"records": []}]),
        asking("an id that is none", "bundle_id_invalid", about=[RECORDS | {"bundle": "x"}]),
        asking("a sender that is none", "org_id_invalid", about=[RECORDS | {"org": "bank"}]),
        asking("another bundle in the header", "refs_other", TWO),
        asking("one more bundle in the header", "refs_other", ONE, TWO),
        case("request", "a bundle that the header hides", [ASK], "refs_other"),
        asking("a deadline in the past", "deadline_invalid", deadline=CREATED),
        asking("a deadline after the end", "deadline_invalid", deadline=EXPIRES + 1),
        asking("the last deadline", "ok", deadline=EXPIRES),
        asking("a hidden character", "value_invalid", basis="a\u200bb"),
        asking("a basis of two lines", "value_invalid", basis="a\nb"),
        asking("blanks around", "value_invalid", contact=" desk"),
        asking("no contact", "value_invalid", contact=""),
        case("request", "no basis", [without(ASK, "basis")], "key_missing", ONE),
        case("request", "an unknown key", [ASK | {"victim": "x"}], "key_unknown", ONE),
        case("request", "two lines", [ASK, ASK], "lines_count", ONE),
        case("request", "no line", [], "lines_count"),
        case(
            "request",
            "white space",
            [spelled(ASK).replace(":", ": ", 1)],
            "json_not_canonical",
            ONE,
        ),
        case("request", "closing", [{"close": "settled"}], "ok", ONE),
        case(
            "request",
            "withdrawn, with words",
            [{"close": "withdrawn", "text": "Sent in error."}],
            "ok",
            ONE,
        ),
        case("request", "closing nothing", [{"close": "settled"}], "refs_other"),
        case("request", "closing two", [{"close": "settled"}], "refs_other", ONE, TWO),
        case("request", "an unknown end", [{"close": "won"}], "close_unknown", ONE),
        case(
            "request",
            "closing and asking",
            [{"close": "settled", "ask": "freeze"}],
            "key_unknown",
            ONE,
        ),
    ]


def responses() -> list[dict[str, Any]]:
    def answer(
        name: str, expect: str, *lines: object, refs: tuple[str, ...] = (ONE,)
    ) -> dict[str, Any]:
        return case("response", name, list(lines), expect, *refs)

    done = {"outcome": "done"}
    return [
        *(
            answer(outcome, "ok", {"outcome": outcome})
            for outcome in ("acknowledged", "done", "partly", "nothing-held")
        ),
        answer("declined", "ok", {"outcome": "declined", "reason": "needs-order"}),
        answer(
            "all words", "ok", {"outcome": "done", "reference": "F-77", "text": "Frozen today."}
        ),
        answer("with a record", "ok", done, RECORD),
        answer(
            "a record that is none",
            "ok: record 1 checksum_wrong",
            done,
            RECORD.replace("1Boat", "1boat"),
        ),
        answer("declined without a reason", "decline_reason", {"outcome": "declined"}),
        answer(
            "a reason without declining", "decline_reason", {"outcome": "done", "reason": "other"}
        ),
        answer(
            "an unknown reason", "decline_reason_unknown", {"outcome": "declined", "reason": "mood"}
        ),
        answer("an unknown outcome", "outcome_unknown", {"outcome": "maybe"}),
        answer(
            "records beside nothing held", "response_records", {"outcome": "nothing-held"}, RECORD
        ),
        answer(
            "records beside an acknowledgement",
            "response_records",
            {"outcome": "acknowledged"},
            RECORD,
        ),
        answer("a record first", "key_unknown", RECORD, done),
        answer("no line", "lines_count"),
        answer("to nothing", "refs_other", done, refs=()),
        answer("to two", "refs_other", done, refs=(ONE, TWO)),
        answer(
            "keys out of order", "key_order", {"outcome": "done", "text": "x", "reference": "y"}
        ),
    ]


def sightings() -> list[dict[str, Any]]:
    seen = {"record": 3, "saw": "seen", "count": "2-9", "period": "month"}

    def saw(
        name: str, expect: str, *lines: object, refs: tuple[str, ...] = (ONE,)
    ) -> dict[str, Any]:
        return case("sighting", name, list(lines), expect, *refs)

    return [
        saw("seen", "ok", seen),
        saw("not seen", "ok", seen | {"saw": "not-seen", "count": "0"}),
        saw("false positive", "ok", seen | {"saw": "false-positive", "count": "1"}),
        saw("outdated", "ok", seen | {"saw": "outdated", "count": "0"}),
        saw("the whole bundle", "ok", without(seen, "record") | {"saw": "helpful", "count": "0"}),
        saw(
            "several",
            "ok",
            without(seen, "record"),
            seen,
            seen | {"saw": "helpful"},
            seen | {"record": 4},
        ),
        saw("seen no times", "count_contradicts", seen | {"count": "0"}),
        saw("not seen twice", "count_contradicts", seen | {"saw": "not-seen"}),
        saw("an exact count", "count_unknown", seen | {"count": "37"}),
        saw("a number as count", "count_unknown", seen | {"count": 1}),
        saw("a date as period", "period_unknown", seen | {"period": "2026-10-03"}),
        saw("something else", "saw_unknown", seen | {"saw": "liked"}),
        saw("a note", "key_unknown", seen | {"note": "account 12"}),
        saw("a negative record", "value_invalid", seen | {"record": -1}),
        saw("a line twice", "sightings_order", seen, seen),
        saw("lines fall", "sightings_order", seen, seen | {"record": 2}),
        saw("the whole bundle last", "sightings_order", seen, without(seen, "record")),
        saw("nothing", "lines_count"),
        saw("of nothing", "refs_other", seen, refs=()),
        saw("of two", "refs_other", seen, refs=(ONE, TWO)),
    ]


def notices() -> list[dict[str, Any]]:
    told = {"subject": "Planned maintenance", "text": "The hub is down on Sunday.\nPull before."}

    def notice(
        name: str, expect: str, *lines: object, refs: tuple[str, ...] = ()
    ) -> dict[str, Any]:
        return case("notice", name, list(lines), expect, *refs)

    return [
        notice("plain", "ok", told),
        notice("with a contact", "ok", told | {"contact": "duty desk"}),
        notice("about two bundles", "ok", told, refs=(ONE, TWO)),
        notice("no text", "key_missing", without(told, "text")),
        notice("a subject of two lines", "value_invalid", told | {"subject": "a\nb"}),
        notice("a text that turns its direction", "value_invalid", told | {"text": "a\u202eb"}),
        notice("a picture", "key_unknown", told | {"image": "x"}),
        notice("two lines", "lines_count", told, told),
    ]


def main() -> None:
    """Write the file."""
    cases = [*requests(), *responses(), *sightings(), *notices()]
    body = {"format": "docs/formats/correspondence.md", "cases": cases}
    PATH.parent.mkdir(parents=True, exist_ok=True)
    PATH.write_text(json.dumps(body, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
