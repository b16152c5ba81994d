"""The readable part of a file of evidence: a tagged PDF (PDF/UA-1), the same bytes each time.

Everything in it comes from the other members; the desk's own words (custody, states) are named as
such. Nothing is fetched and no text of a sender is read as markup.
"""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

import msgspec
import typst

from accord.kernel.bundle.model import Header
from accord.kernel.directory.organisation import Ending
from accord.kernel.directory.rootfile import LogName, RootFile
from accord.kernel.evidence import archive
from accord.kernel.evidence.custody import WORD, Proved, claimed
from accord.kernel.evidence.statement import Statement
from accord.kernel.evidence.verification import VerifiedEvidence
from accord.kernel.indicators import IndicatorRecord
from accord.kernel.markings import Tlp
from accord.kernel.tlog.checkpoint import open_cosigned
from accord.kernel.tlog.proof import parse_proof

TEMPLATE = files("accord.desk.evidence").joinpath("report.typ").read_bytes()
_LAST = 253_402_300_799
_decode = msgspec.json.Decoder(IndicatorRecord).decode


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the report tells. Times are unix seconds.

    Attributes:
        record: the indicator; ``line`` is as it was signed.
        index: its number in the bundle.
        header: of the bundle.
        name: the sender's name in the directory.
        accepted, number, log: when the hub took it, as which entry of which log.
        witnesses: who cosigned the log, with their times.
        standing: what has become of the sender's key.
        statement: what the maker says: who, when, why, custody, states.
        root: SHA-256 of the root file's payload, in hex.
        stamped: when an authority stamped the signatures, and its name, or ``None``.
    """

    record: IndicatorRecord
    line: bytes
    index: int
    header: Header
    name: str
    accepted: int
    number: int
    log: str
    witnesses: Mapping[str, int]
    standing: str
    statement: Statement
    root: str
    stamped: tuple[int, str] | None


def report_pdf(facts: Facts) -> bytes:
    """Return the report."""
    made = dt.datetime.fromtimestamp(min(facts.statement.made, _LAST), tz=dt.UTC)
    data = {
        "date": [made.year, made.month, made.day, made.hour, made.minute, made.second],
        "value": facts.record.value,
        "record": _record(facts),
        "sender": _sender(facts),
        "handling": _handling(facts.header),
        "accepted": _accepted(facts),
        "maker": _maker(facts),
        "custody": [
            [moment(one.at), one.who, one.what, shown_by(proved)]
            for one, proved in zip(facts.statement.custody, claimed(facts.statement), strict=True)
        ],
        "line": facts.line.decode("utf-8", "backslashreplace"),
    }
    sheet = {"sheet": json.dumps(data)}
    return bytes(typst.compile(TEMPLATE, format="pdf", sys_inputs=sheet, pdf_standards=["ua-1"]))


def facts_of(shown: VerifiedEvidence) -> Facts:
    """Return what a report of a verified file tells, from its proof alone.

    Raises:
        Malformed: what is wrong with a member that the report reads by itself.
        VerificationFailed: the newest root file does not stand behind the hub's log.
        msgspec.DecodeError: the record is none of this version's.
    """
    disclosure, token, accepted = shown.disclosure, shown.token, shown.acceptance
    return Facts(
        record=_decode(disclosure.line),
        line=disclosure.line,
        index=disclosure.index,
        header=disclosure.header,
        name=shown.name,
        accepted=accepted.time,
        number=accepted.proof.index,
        log=shown.root.log_origin(LogName.AUDIT),
        witnesses=witnesses_of(parse_proof(shown.members[archive.ACCEPTANCE]).note, shown.root),
        standing=standing_words(shown.ending, shown.compromised_since),
        statement=shown.statement,
        root=shown.root.sha256.hex(),
        stamped=None if token is None else (token.time, token.authority),
    )


def shown_by(proved: Proved | None) -> str:
    """Say what stands behind a line of custody."""
    return WORD if proved is None else proved.words(moment(proved.at))


def standing_words(ending: Ending | None, since: int | None) -> str:
    """Say what has become of a key that counted when it signed."""
    words = "in force"
    if ending is not None:
        withdrawn = "withdrawn since: it may be a thief's"
        words = withdrawn if ending.withdrawn else "ended since"
    return words if since is None else f"{words}; reported compromised since {moment(since)}"


def witnesses_of(note: bytes, root: RootFile) -> dict[str, int]:
    """Return each witness that cosigned a checkpoint of the hub's log, with its earlier time."""
    times = open_cosigned(note, root.log_policy(LogName.AUDIT)).times
    found: dict[str, int] = {}
    for key, time in times.items():
        name = key.rpartition("/")[0]
        found[name] = min(time, found.get(name, time))
    return found


def moment(seconds: int) -> str:
    """Return a time for people, in UTC."""
    if not 0 <= seconds <= _LAST:
        return str(seconds)
    return dt.datetime.fromtimestamp(seconds, tz=dt.UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _record(facts: Facts) -> list[list[str]]:
    found = msgspec.to_builtins(facts.record)
    shown = ("network", "value", "memo", "token", "confidence", "basis", "vasp", "note")
    rows = [["Kind", facts.record.kind.value]]
    rows += [[name.capitalize(), str(found[name])] for name in shown if found.get(name) is not None]
    for name in ("alias", "roles", "countries"):
        if found.get(name):
            rows.append([name.capitalize(), ", ".join(found[name])])
    return rows


def _sender(facts: Facts) -> list[list[str]]:
    return [
        ["Organisation", f"{facts.name} ({facts.header.org})"],
        ["Bundle", facts.header.id],
        ["Record", f"number {facts.index} of {facts.header.n}, counted from 0"],
        ["Signed", moment(facts.header.created)],
        ["Key", facts.header.sig.hex()],
        ["The key since", facts.standing],
    ]


def _handling(header: Header) -> list[list[str]]:
    policy = header.policy
    return [
        ["Marking", f"TLP:{Tlp(policy.tlp).value.upper()}"],
        ["Purpose", policy.purpose.value.replace("-", " ")],
        ["Legal basis", policy.legal_basis.value.replace("-", " ")],
        ["Onward sharing", policy.onward.value.replace("-", " ")],
        ["Valid until", moment(header.expires)],
    ]


def _accepted(facts: Facts) -> list[list[str]]:
    rows = [
        ["Accepted by the hub", moment(facts.accepted)],
        ["Entry", f"{facts.number} of the log {facts.log}"],
    ]
    for name, time in sorted(facts.witnesses.items()):
        rows.append([f"Witness {name}", f"cosigned the log at {moment(time)}"])
    if facts.stamped is not None:
        when, who = facts.stamped
        told = f"{moment(when)} by {who}. Not shown here: that this authority is one that you trust"
        rows.append(["Time-stamp", told])
    rows.append(["Root file", f"SHA-256 {facts.root}"])
    return rows


def _maker(facts: Facts) -> list[list[str]]:
    return [
        ["Made by", f"{facts.statement.person}, {facts.statement.org}"],
        ["Made", moment(facts.statement.made)],
        ["Reason", facts.statement.reason],
        ["State of the record", ", ".join(facts.statement.states)],
    ]
