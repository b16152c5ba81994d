"""What a letter that waits says, line by line, for the person who is to let it go.

Nothing is left out: a name without a word of ours is shown as it stands, and a value that is no
text, number or list of them as JSON. A text of the maker is never mixed with ours.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from accord.clock import moment
from accord.desk.storage.drafts import MAX_DRAFT
from accord.desk.web import words
from accord.kernel.encoding import JsonValue, parse_object
from accord.kernel.markings import BundleKind
from accord.webbase.texts import gettext

NAMES: Mapping[str, str] = {
    "about": gettext("About"),
    "ask": gettext("Asks for"),
    "basis": gettext("Legal basis"),
    "bundle": gettext("bundle"),
    "close": gettext("Closed because"),
    "contact": gettext("Reply by voice to"),
    "count": gettext("How often"),
    "deadline": gettext("Until"),
    "outcome": gettext("Outcome"),
    "org": gettext("of"),
    "period": gettext("Looked back over"),
    "reason": gettext("Reason"),
    "record": gettext("Record"),
    "records": gettext("records"),
    "reference": gettext("Reference"),
    "saw": gettext("What was seen"),
    "subject": gettext("Subject"),
    "text": gettext("In words"),
}
"""Words for the names in a letter; the basis of a record is another one."""

_CODES: Mapping[str, Mapping[str, str]] = {"ask": words.ASK, "saw": words.SAW}
_SPACED = frozenset({"outcome", "reason", "close", "period"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One name with its value: a ``text``, or things of which each has names and texts."""

    name: str
    text: str = ""
    things: tuple[tuple[tuple[str, str], ...], ...] = ()


def read_line(kind: BundleKind, number: int, line: bytes) -> list[Said]:
    """Return what line ``number`` of a letter of ``kind`` says."""
    said = parse_object(line, limit=MAX_DRAFT)
    of_record = kind is BundleKind.RESPONSE and number > 0
    found = [_said(name, value, of_record=of_record) for name, value in said.items()]
    if kind is BundleKind.SIGHTING and "record" not in said:
        found.insert(0, Said(name=NAMES["record"], text=gettext("the whole bundle")))
    return found


def _said(name: str, value: JsonValue, *, of_record: bool) -> Said:
    if of_record:  # an indicator has its own names, as on every page of records
        return Said(name=words.spaced(name), text=_plain(value))
    label = NAMES.get(name, words.spaced(name))
    if isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
        things = tuple(_thing(one) for one in value if isinstance(one, dict))
        return Said(name=label, things=things)
    return Said(name=label, text=_text(name, value))


def _thing(value: Mapping[str, JsonValue]) -> tuple[tuple[str, str], ...]:
    return tuple((NAMES.get(name, words.spaced(name)), _plain(one)) for name, one in value.items())


def _text(name: str, value: JsonValue) -> str:
    if name == "deadline" and isinstance(value, int):
        return moment(value)
    if isinstance(value, str) and name in _CODES:
        return _CODES[name].get(value, value)
    if isinstance(value, str) and name in _SPACED:
        return words.spaced(value)
    return _plain(value)


def _plain(value: JsonValue) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(type(one) in {str, int} for one in value):
        return ", ".join(map(str, value))
    return json.dumps(value, ensure_ascii=False)
