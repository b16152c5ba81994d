"""Blocks of cells to verdicts: in this process, or shared among others, in order either way.

Each worker has one block at a time and answers over its own pipe, so results come back in the order
of the file and memory holds one block a worker. A worker gets texts and gives numbers; it touches
neither the vault nor the disk. Ctrl-C at a terminal reaches every process of the command: workers
pass it over, and the process that began them ends them.
"""

import multiprocessing
import signal
from collections import deque
from collections.abc import Iterable, Iterator
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import NamedTuple

from accord.desk.screening.matching import Terms, candidates, judge_cells
from accord.desk.screening.reading import Block
from accord.kernel.errors import Malformed, Unavailable
from accord.kernel.indicators import Normalised


class Verdicts(NamedTuple):
    """What came of a block's cells, by their place in it.

    Attributes:
        near: what a cell names, and the numbers of the records that may match it.
        refused: the code of why a cell names nothing.
    """

    near: list[tuple[int, Normalised, tuple[int, ...]]]
    refused: list[tuple[int, str]]


def judge_block(terms: Terms, block: Block) -> Verdicts:
    """Return the verdicts on one block."""
    near: list[tuple[int, Normalised, tuple[int, ...]]] = []
    refused: list[tuple[int, str]] = []
    outcomes = judge_cells(block.texts, block.networks, block.kinds)
    for place, outcome in enumerate(outcomes):
        if isinstance(outcome, Malformed):
            refused.append((place, outcome.code))
            continue
        numbers = candidates(terms, outcome)
        if numbers:
            near.append((place, outcome, numbers))
    return Verdicts(near, refused)


def judge_all(
    terms: Terms, blocks: Iterable[Block], *, workers: int
) -> Iterator[tuple[Block, Verdicts]]:
    """Yield each block with its verdicts, in order; ``workers`` 0 uses this process alone.

    Raises:
        Unavailable: ``screening_worker`` when one of them ended.
    """
    if not workers:
        for block in blocks:
            yield block, judge_block(terms, block)
        return
    crew = [_Worker(terms) for _ in range(workers)]
    waiting: deque[tuple[_Worker, Block]] = deque()
    try:
        for block in blocks:
            if len(waiting) == workers:
                worker, done = waiting.popleft()
                verdicts = worker.answer()
                worker.ask(block)
                waiting.append((worker, block))
                yield done, verdicts
            else:
                worker = crew[len(waiting)]
                worker.ask(block)
                waiting.append((worker, block))
        while waiting:
            worker, done = waiting.popleft()
            yield done, worker.answer()
    finally:
        for worker in crew:
            worker.end()


class _Worker:
    """One process and the pipe to it."""

    def __init__(self, terms: Terms) -> None:
        ours, theirs = multiprocessing.Pipe()
        self._pipe: Connection = ours
        self._process: BaseProcess = multiprocessing.Process(
            target=_work, args=(ours, theirs, terms), daemon=True
        )
        # Held back until the worker passes it over by itself.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            self._process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        theirs.close()

    def ask(self, block: Block) -> None:
        try:
            self._pipe.send(block)
        except OSError as error:
            raise _ended() from error

    def answer(self) -> Verdicts:
        try:
            found = self._pipe.recv()
        except (EOFError, OSError) as error:
            raise _ended() from error
        if not isinstance(found, Verdicts):
            raise _ended()
        return found

    def end(self) -> None:
        self._pipe.close()
        self._process.terminate()
        self._process.join()


def _work(ours: Connection, pipe: Connection, terms: Terms) -> None:
    """Answer blocks until the other end closes, also because its process was killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ours.close()  # a copy of the other end, which would keep the pipe open
    try:
        while True:
            pipe.send(judge_block(terms, pipe.recv()))
    except (EOFError, OSError):
        return


def _ended() -> Unavailable:
    return Unavailable(
        "screening_worker",
        "A process that judged rows ended before its work did.",
        next_step="Run it again; with --jobs 0 it is done in one process.",
    )
