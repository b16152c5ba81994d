"""``accord check``: is this a valid value, of what kind, and in what one form?

One result for each value or input line, in order. Nothing is read but the arguments or standard
input, nothing is kept or sent; no desk is needed. Lines are judged in batches as they arrive. A
value that is a secret, or may be one, is shown as ``***``.
"""

import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import BinaryIO

import click
import msgspec

from accord.kernel.errors import Malformed
from accord.kernel.indicators import Normalised, Outcome, normalise_batch
from accord.kernel.indicators.kinds import MAX_INPUT
from accord.kernel.indicators.normalise import Told
from accord.terminal import Failed, Terminal, common_options

MASK = "***"
MASKED = frozenset({"private_key", "seed_phrase", "network_needed", "too_long"})
"""Codes of refusals whose value is, or may hold, a secret."""

BATCH = 20_000
"""Most lines judged at once."""

_USAGE = "Give values, or - alone to read them from standard input."
_CHUNK = 1 << 20
_MAX_LINE = 4 * MAX_INPUT + 4
_MAX_KEY_LINES = 200
_ENCODER = msgspec.json.Encoder()
_SEEN = {
    "one_time": "a request for one payment, not a lasting wallet",
    "mixed_script": "mixes alphabets: may imitate another name",
    "gateway": "read through a web gateway",
    "subdomains": "with all sub-domains",
    "witness_unknown": "of a witness version without a meaning yet",
    "remark": "text after the value was dropped",
    "ip_host": "the host is an IP address",
}


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """One line of ``--json``; schema schemas/cli/check.v1.json."""

    input: str
    ok: bool
    kind: str | None = None
    network: str | None = None
    value: str | None = None
    code: str | None = None
    message: str | None = None


def _network(_ctx: click.Context, _param: click.Parameter, network: str | None) -> str | None:
    try:
        Told(network, None)
    except Malformed as error:
        if error.code == "network_unknown":
            words = f"{error.message} {error.next_step}"
            raise click.BadParameter(words) from error
    return network


@click.command()
@click.argument("values", nargs=-1, metavar="[VALUE...|-]")
@click.option("--network", metavar="N", callback=_network, help="btc, evm, xmr, eip155:30 ...")
@common_options
def check(terminal: Terminal, values: tuple[str, ...], network: str | None) -> None:
    """Say whether each VALUE is valid, of what kind, and its one canonical form.

    With - values come from standard input, one a line. Exit code 1 when any value fails.
    """
    if not values or ("-" in values and values != ("-",)):
        raise click.UsageError(_USAGE)
    batches: Iterable[Sequence[str]] = [values]
    if values == ("-",):
        batches = read_lines(sys.stdin.buffer)
    guard = _KeyBlock()
    count = failed = 0
    for lines in batches:
        results = judge(lines, network, guard)
        count += len(results)
        failed += sum(not result.ok for result in results)
        if terminal.json:
            click.echo(_ENCODER.encode_lines(results), nl=False)
        else:
            click.echo("\n".join(map(_human, results)))
    terminal.say(f"{count} checked: {count - failed} valid, {failed} refused.")
    if failed:
        raise Failed


class _KeyBlock:
    """Remembers that lines stand inside a PEM private key, whose middle lines look like nothing."""

    def __init__(self) -> None:
        self._left = 0

    def holds(self, line: str, outcome: Outcome) -> bool:
        """Say whether ``line`` is part of a private key that an earlier line began."""
        inside = self._left > 0
        if inside:
            self._left = 0 if "-----END" in line else self._left - 1
        elif isinstance(outcome, Malformed) and outcome.code == "private_key":
            begins = "-----BEGIN" in line and "-----END" not in line
            self._left = _MAX_KEY_LINES if begins else 0
        return inside


_PART_OF_KEY = Malformed("private_key", "This is part of a private key. It was not kept.")


def judge(lines: Sequence[str], network: str | None, guard: _KeyBlock) -> list[Result]:
    """Return one result for each line."""
    outcomes = normalise_batch(lines, networks=[network] * len(lines) if network else None)
    return [
        _result(line, _PART_OF_KEY if guard.holds(line, outcome) else outcome)
        for line, outcome in zip(lines, outcomes, strict=True)
    ]


def _result(line: str, outcome: Outcome) -> Result:
    if isinstance(outcome, Malformed):
        words = [outcome.message, outcome.next_step]
        if outcome.observed is not None:
            words.insert(1, f"Seen: {outcome.observed}.")
        return Result(
            input=MASK if outcome.code in MASKED else line,
            ok=False,
            code=outcome.code,
            message=" ".join(filter(None, words)),
        )
    return Result(
        input=line,
        ok=True,
        kind=outcome.kind,
        network=outcome.network,
        value=outcome.value,
        message=_remarks(outcome),
    )


def _remarks(found: Normalised) -> str | None:
    """Say what a reader should know of a valid value, or ``None``."""
    words = [f"memo {found.memo}"] if found.memo is not None else []
    for flag in found.flags:
        also = flag.removeprefix("also_")
        words.append(f"also an address of {also}" if also != flag else _SEEN.get(flag, flag))
    return "; ".join(words) or None


def _human(result: Result) -> str:
    if result.ok:
        what = " ".join(filter(None, (result.kind, result.network)))
        remark = f"  ({result.message})" if result.message else ""
        return f"valid    {what:16}  {result.value}{remark}"
    return f"refused  {result.code:16}  {_visible(result.input)}\n         {result.message}"


def _visible(text: str) -> str:
    """Return ``text`` safe for a terminal: nothing in it moves the cursor or turns the line."""
    return "".join("\ufffd" if unicodedata.category(c)[0] == "C" else c for c in text)


def read_lines(stream: BinaryIO) -> Iterator[list[str]]:
    """Yield the lines of ``stream`` in batches as they arrive; a last line needs no line end.

    A byte order mark is dropped. Bytes that are no UTF-8 become U+FFFD, which no value holds. Of a
    line longer than any value only the beginning is kept, so that memory stays flat.
    """
    rest = b""
    first = True
    # What has arrived is judged at once: a slow writer is answered line by line.
    read: Callable[[int], bytes] = getattr(stream, "read1", stream.read)
    while chunk := read(_CHUNK):
        if first:
            first = False
            chunk = chunk.removeprefix(b"\xef\xbb\xbf")
        whole, end, tail = (rest + chunk).rpartition(b"\n")
        rest = tail[:_MAX_LINE]
        if end:
            yield from _batches(whole.split(b"\n"))
    if rest:
        yield [_text(rest)]


def _batches(lines: list[bytes]) -> Iterator[list[str]]:
    for start in range(0, len(lines), BATCH):
        yield [_text(line) for line in lines[start : start + BATCH]]


def _text(line: bytes) -> str:
    return line.removesuffix(b"\r")[:_MAX_LINE].decode("utf-8", "replace")
