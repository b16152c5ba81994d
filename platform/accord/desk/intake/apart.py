"""A large file read and judged in a process of its own, while this one deals with what came before.

The other process is forked with the opened file. It gives blocks of results and the counts so far,
in the order of the file; what was sent before it asks of this one, because it must not touch the
vault. It is at most one block ahead, and it ends with this process, however that ends.
"""

import multiprocessing
import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection
from typing import Final

import msgspec

from accord.desk.intake.delimited import Fields
from accord.desk.intake.results import Result, RowResult, Totals
from accord.kernel.errors import AccordError, Unavailable
from accord.kernel.markings import Tlp

LARGE = 4 << 20
"""Bytes of a file for which another process is worth its start."""

Block = tuple[list[RowResult], list[Fields | None]]
"""The results of some rows, and their cells as they stand in the file."""

AlreadySent = Callable[[Sequence[bytes]], Sequence[str | None]]
"""Given value keys, says for each when and where it was sent before, or ``None``."""

Judging = Callable[[AlreadySent], Iterator[Block]]
"""Judges the file; given what to ask about values that were sent before."""

_ERRORS: Final = {kind.__name__: kind for kind in AccordError.__subclasses__()}


class _Asked(msgspec.Struct, tag=True):
    keys: list[bytes]


class _Judged(msgspec.Struct, tag=True):
    results: list[RowResult]
    cells: list[list[str] | None]
    by_result: dict[Result, int]
    refused_by_code: dict[str, int]
    held_by_code: dict[str, int]
    left_out: dict[str, int]
    strictest_tlp: Tlp | None


class _Failed(msgspec.Struct, tag=True):
    kind: str
    code: str
    message: str
    observed: str | None
    next_step: str | None


class _Done(msgspec.Struct, tag=True):
    pass


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Asked | _Judged | _Failed | _Done).decode
_decode_answer = msgspec.msgpack.Decoder(list[str | None]).decode


def worth_it(size: int) -> bool:
    """Tell whether a file of ``size`` bytes is judged apart on this machine."""
    forks = multiprocessing.get_context().get_start_method() == "fork"
    return forks and size >= LARGE and (os.cpu_count() or 1) > 1


def judged_apart(
    judging: Judging, totals: Totals, already_sent: AlreadySent, *, cells: bool
) -> Iterator[Block]:
    """Yield what ``judging`` yields, and keep ``totals`` as it does; call it in no other thread.

    Args:
        judging: run in the other process.
        totals: counts of this process.
        already_sent: asked here.
        cells: give the cells too; without them there are none.

    Raises:
        AccordError: what ``judging`` raises.
        Unavailable: ``intake_worker`` when the other process ended before its work did.
    """
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(
        target=_work, args=(judging, totals, ours, theirs, cells), daemon=True
    )
    process.start()
    theirs.close()
    try:
        while not isinstance(told := _received(ours), _Done):
            if isinstance(told, _Failed):
                raise _ERRORS[told.kind](
                    told.code, told.message, observed=told.observed, next_step=told.next_step
                )
            if isinstance(told, _Asked):
                ours.send_bytes(_encode(list(already_sent(told.keys))))
                continue
            _count(totals, told)
            yield told.results, [*told.cells]
    finally:
        ours.close()
        process.terminate()
        process.join()


def _received(pipe: Connection) -> _Asked | _Judged | _Failed | _Done:
    try:
        told: _Asked | _Judged | _Failed | _Done = _decode(pipe.recv_bytes())
    except (EOFError, OSError) as error:
        raise Unavailable(
            "intake_worker",
            "The process that judged rows ended before its work did.",
            next_step="Run it again: what was sealed stays.",
        ) from error
    return told


def _count(totals: Totals, told: _Judged) -> None:
    totals.by_result = Counter(told.by_result)
    totals.refused_by_code = Counter(told.refused_by_code)
    totals.held_by_code = Counter(told.held_by_code)
    totals.left_out = Counter(told.left_out)
    totals.strictest_tlp = told.strictest_tlp


def _work(
    judging: Judging,
    totals: Totals,
    ours: Connection,
    pipe: Connection,
    cells: bool,  # noqa: FBT001 - an argument of a process
) -> None:
    """Judge until the end, or until nobody listens any more."""
    ours.close()  # a copy of the other end, which would keep the pipe open
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who is interrupted is the one that asks

    def ask(keys: Sequence[bytes]) -> Sequence[str | None]:
        pipe.send_bytes(_encode(_Asked(list(keys))))
        return _decode_answer(pipe.recv_bytes())

    try:
        try:
            for results, rows in judging(ask):
                pipe.send_bytes(_encode(_judged(results, rows if cells else [], totals)))
            pipe.send_bytes(_encode(_Done()))
        except AccordError as error:
            kind = type(error).__name__
            pipe.send_bytes(
                _encode(_Failed(kind, error.code, error.message, error.observed, error.next_step))
            )
    except (EOFError, OSError):
        return


def _judged(results: list[RowResult], cells: Sequence[Fields | None], totals: Totals) -> _Judged:
    return _Judged(
        results=results,
        cells=[None if row is None else list(row) for row in cells],
        by_result=totals.by_result,
        refused_by_code=totals.refused_by_code,
        held_by_code=totals.held_by_code,
        left_out=totals.left_out,
        strictest_tlp=totals.strictest_tlp,
    )
