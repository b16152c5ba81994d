"""Files of audit events that can be checked without the hub: CSV, JSONL and OCSF.

All three carry the same: on the first line a title (which log, for whom, how many, under which
checkpoint), and for each event its openings and its path to that checkpoint's root. What a line
shows besides is made from the openings alone, so a reader makes it again and compares: nothing
that is shown can differ from what was logged. Page: docs/formats/audit-export.md.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from accord.kernel.encoding import (
    JsonValue,
    b64decode,
    b64encode,
    dump_object,
    parse_object,
    require_int,
    require_keys,
    require_list,
    require_object,
    require_str,
)
from accord.kernel.errors import Malformed, VerificationFailed
from accord.kernel.tlog.checkpoint import verify_cosigned
from accord.kernel.tlog.heads import FIELD
from accord.kernel.tlog.leaf import MAX_RECORD, RecordFields, format_record, parse_record
from accord.kernel.tlog.merkle import leaf_hash, verify_inclusion
from accord.kernel.tlog.notes import MAX_NOTE
from accord.kernel.tlog.ocsf import ocsf_event
from accord.kernel.tlog.policy import Policy
from accord.kernel.tlog.treehead import Checkpoint

KIND = "accord.audit.export"
MAX_EVENTS = 1_000_000
MAX_LINE = 2 * MAX_RECORD
HASH_SIZE = 32
MAX_PATH = 63
MAX_TEXT = 2000
_TITLE_KEYS = ("v", "kind", "log", "reader", "filter", "made", "count", "checkpoint")
_LINE_KEYS = ("number", "record", "path")
_SHOWN = ("what", "org", "person", "about", "subject", "basis", "outcome", "detail")
COLUMNS = ("number", "time", *_SHOWN, "numbers", "record", "path", "title")
"""Header of the CSV form."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_OURS = "accord"
_CODE = "export_malformed"


class Form(StrEnum):
    """In which form the events are written."""

    CSV = "csv"
    JSONL = "jsonl"
    OCSF = "ocsf"


MEDIA_TYPES = {
    Form.CSV: "text/csv; charset=utf-8",
    Form.JSONL: "application/jsonl",
    Form.OCSF: "application/jsonl",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Title:
    """What a file says of itself.

    Attributes:
        log: the origin of the audit log.
        reader: the organisation for which fields were opened.
        wanted: the filter, in words of the query.
        made: unix second.
        count: events that follow.
        checkpoint: the signed note under which every path ends.
    """

    log: str
    reader: str
    wanted: str
    made: int
    count: int
    checkpoint: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One event: its number in the log, its openings, its path."""

    number: int
    record: RecordFields
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedTrail:
    """A file of events that holds: each was logged as it is shown.

    For whom it was made, when and with which filter is what its maker says; nothing proves it.
    """

    form: Form
    title: Title
    checkpoint: Checkpoint
    lines: tuple[Line, ...]

    def gaps(self) -> int:
        """Return how many of the reader's own numbers are missing between the first and the last.

        None are in a file without a filter; one with a filter leaves out what does not fit.
        """
        numbers = [
            int(value.split(" ")[1])
            for line in self.lines
            for name, value in line.record.opened().items()
            if name.startswith(FIELD) and value.startswith(f"{self.title.reader} ")
        ]
        return numbers[-1] - numbers[0] + 1 - len(numbers) if numbers else 0


def write_trail(form: Form, title: Title, lines: Iterable[Line]) -> Iterator[bytes]:
    """Yield the file piece by piece; ``lines`` are ``title.count`` in the log's order."""
    first: Title | None = title
    if form is Form.JSONL:
        yield dump_object(_title(title)) + b"\n"
    if form is Form.CSV:
        yield _csv_row(COLUMNS)
    for line in lines:
        yield _WRITE[form](title, line, first)
        first = None


def _title(title: Title) -> dict[str, JsonValue]:
    return {
        "v": 1,
        "kind": KIND,
        "log": title.log,
        "reader": title.reader,
        "filter": title.wanted,
        "made": title.made,
        "count": title.count,
        "checkpoint": b64encode(title.checkpoint),
    }


def _line(line: Line) -> dict[str, JsonValue]:
    return {
        "number": line.number,
        "record": b64encode(format_record(line.record)),
        "path": [b64encode(step) for step in line.path],
    }


def _jsonl(_title: Title, line: Line, _first: Title | None) -> bytes:
    return dump_object(_line(line)) + b"\n"


def _ocsf(title: Title, line: Line, first: Title | None) -> bytes:
    ours = _line(line) | ({} if first is None else {"title": _title(first)})
    event = ocsf_event(line.number, line.record.opened(), log=title.log)
    return dump_object(event | {"unmapped": {_OURS: ours}}) + b"\n"


def _csv(title: Title, line: Line, first: Title | None) -> bytes:  # noqa: ARG001 - one signature
    fields = line.record.opened()
    numbers = [value for name, value in fields.items() if name.startswith(FIELD)]
    return _csv_row(
        (
            str(line.number),
            _moment(fields.get("time", "")),
            *(fields.get(name, "") for name in _SHOWN),
            "; ".join(" ".join(value.split(" ")[:2]) for value in numbers),
            format_record(line.record).decode("utf-8"),
            " ".join(step.hex() for step in line.path),
            "" if first is None else dump_object(_title(first)).decode("utf-8"),
        )
    )


_WRITE = {Form.CSV: _csv, Form.JSONL: _jsonl, Form.OCSF: _ocsf}


def _csv_row(cells: Sequence[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow([_plain(cell) for cell in cells])
    return text.getvalue().encode("utf-8")


def _plain(cell: str) -> str:
    """Return ``cell`` so that no spreadsheet takes it for a formula."""
    return "'" + cell if cell.startswith(_FORMULA) else cell


def _moment(text: str) -> str:
    if not (text.isascii() and text.isdigit()) or len(text) > 11:  # noqa: PLR2004 - year 5138
        return text
    return datetime.fromtimestamp(int(text), tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def form_of(data: bytes) -> Form | None:
    """Return the form of a file of events by how it begins, or ``None``."""
    if data.startswith(b'{"v":1,"kind":"' + KIND.encode()):
        return Form.JSONL
    if data.startswith(",".join(COLUMNS).encode()):
        return Form.CSV
    first = data.partition(b"\n")[0]
    return Form.OCSF if first.startswith(b'{"activity_id":') and b'"class_uid":' in first else None


def verify_trail(data: bytes, policy: Policy) -> VerifiedTrail:
    """Verify a file of events.

    (1) Form and title; (2) the checkpoint has the log's signatures and the quorum of ``policy``;
    (3) as many lines as the title says, each later in the log than the one before it; (4) each
    event's openings give a leaf that the path leads from to the checkpoint's root; (5) the line
    shows what the openings say and nothing else.

    Raises:
        Malformed: ``export_malformed`` with the line, or a code of its parts.
        VerificationFailed: ``export_incomplete``, ``export_order``, ``export_shown``, or a code of
            checkpoint and path.
    """
    form = form_of(data)
    if form is None:
        raise Malformed(_CODE, "This is no file of audit events.")
    title, lines = _parse(form, data)  # (1)
    checkpoint = verify_cosigned(title.checkpoint, policy)  # (2)
    if checkpoint.origin != title.log:
        raise VerificationFailed(
            "export_log_other",
            "The file names another log than its checkpoint.",
            observed=title.log[:120],
        )
    if len(lines) != title.count:  # (3)
        raise VerificationFailed(
            "export_incomplete",
            f"The file was made with {title.count} events.",
            observed=f"{len(lines)} events",
            next_step="Get the file again; lines were lost or added.",
        )
    last = -1
    for place, line in enumerate(lines, start=1):
        if line.number <= last:
            raise VerificationFailed(
                "export_order", "Events stand in another order.", observed=f"event {place}"
            )
        last = line.number
        verify_inclusion(  # (4)
            index=line.number,
            size=checkpoint.size,
            leaf=leaf_hash(line.record.leaf()),
            path=line.path,
            root=checkpoint.root,
        )
    again = b"".join(write_trail(form, title, lines))
    if again != data:  # (5)
        raise VerificationFailed(
            "export_shown",
            "A line shows something else than its openings say.",
            observed=f"line {_first_difference(again, data)}",
        )
    return VerifiedTrail(form=form, title=title, checkpoint=checkpoint, lines=tuple(lines))


def _first_difference(made: bytes, found: bytes) -> int:
    pairs = zip(made.split(b"\n"), found.split(b"\n"), strict=False)
    return next((place for place, (one, two) in enumerate(pairs, start=1) if one != two), 0)


def _parse(form: Form, data: bytes) -> tuple[Title, list[Line]]:
    rows = _csv_rows(data) if form is Form.CSV else _json_rows(form, data)
    title: Title | None = None
    lines: list[Line] = []
    for said, line in rows:
        if said is not None:
            if title is not None or lines:
                raise Malformed(_CODE, "A file has one title, on its first line.")
            title = _parse_title(said)
        if line is not None:
            lines.append(line)
        if len(lines) > MAX_EVENTS:
            raise Malformed(_CODE, f"A file has at most {MAX_EVENTS} events.")
    if title is None:
        raise Malformed(
            _CODE,
            "The file has no title, so it holds no event.",
            next_step="A search that finds nothing is proved in the form jsonl.",
        )
    return title, lines


_Row = tuple[dict[str, JsonValue] | None, Line | None]


def _csv_rows(data: bytes) -> Iterator[_Row]:
    csv.field_size_limit(
        MAX_LINE
    )  # for the whole process: whoever reads CSV has a limit of his own
    try:
        reader = csv.reader(io.StringIO(data.decode("utf-8"), newline=""), strict=True)
        next(reader)
        for cells in reader:
            yield _csv_parsed(cells)
    except (UnicodeDecodeError, csv.Error) as error:
        raise Malformed(_CODE, "This is not UTF-8 CSV text.") from error


def _csv_parsed(cells: Sequence[str]) -> _Row:
    if len(cells) != len(COLUMNS):
        raise Malformed(_CODE, f"A row has {len(COLUMNS)} cells.", observed=f"{len(cells)} cells")
    found = dict(zip(COLUMNS, cells, strict=True))
    try:
        path = tuple(bytes.fromhex(step) for step in found["path"].split())
    except ValueError as error:
        raise Malformed(_CODE, "A path is made of hexadecimal hashes.") from error
    title = parse_object(found["title"].encode(), limit=MAX_NOTE * 2) if found["title"] else None
    return title, _made(_decimal(found["number"]), found["record"].encode(), path)


def _decimal(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 18:  # noqa: PLR2004 - below 2^63
        raise Malformed(_CODE, "A number is written in decimal digits.", observed=text[:40])
    return int(text)


def _json_rows(form: Form, data: bytes) -> Iterator[_Row]:
    if not data.endswith(b"\n"):
        raise Malformed(_CODE, "The last line does not end.")
    for place, raw in enumerate(data[:-1].split(b"\n")):
        obj = parse_object(raw, limit=MAX_LINE)
        if form is Form.JSONL and place == 0:
            yield obj, None
            continue
        ours = obj if form is Form.JSONL else require_object(require_object(obj, "unmapped"), _OURS)
        title = require_object(ours, "title") if "title" in ours else None
        require_keys(ours, required=_LINE_KEYS, optional=() if form is Form.JSONL else ("title",))
        path = tuple(
            b64decode(step, length=HASH_SIZE)
            for step in require_list(ours, "path", minimum=0, maximum=MAX_PATH)
        )
        record = b64decode(ours["record"])
        yield title, _made(require_int(ours, "number"), record, path)


def _made(number: int, record: bytes, path: tuple[bytes, ...]) -> Line:
    if len(path) > MAX_PATH or any(len(step) != HASH_SIZE for step in path):
        raise Malformed(_CODE, f"A path has at most {MAX_PATH} hashes of {HASH_SIZE} bytes.")
    return Line(number=number, record=parse_record(record), path=path)


def _parse_title(obj: dict[str, JsonValue]) -> Title:
    require_keys(obj, required=_TITLE_KEYS)
    require_int(obj, "v", minimum=1, maximum=1)
    if require_str(obj, "kind", limit=40) != KIND:
        raise Malformed(_CODE, "The title is of another kind.")
    return Title(
        log=require_str(obj, "log", limit=255),
        reader=require_str(obj, "reader", limit=255),
        wanted=require_str(obj, "filter", limit=MAX_TEXT, minimum=0),
        made=require_int(obj, "made"),
        count=require_int(obj, "count", maximum=MAX_EVENTS),
        checkpoint=b64decode(obj["checkpoint"]),
    )
