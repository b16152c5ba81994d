"""Asking the witnesses: one round sends the newest checkpoint and collects cosignatures.

Invariants: a cosigned checkpoint is kept as soon as it meets the root file's quorum, and never
before. A witness that *shows* a checkpoint under our own keys that our log does not reach or
continue stops the hub: an older copy of the database must not sign. A mere claim stops nothing. A
witness that is down, slow or lying never blocks acceptance, nor the others. Source: C2SP
tlog-witness.
"""

import base64
import hashlib
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass

import httpx2
import structlog

from accord.clock import Clock
from accord.hub.storage import Writer
from accord.hub.transparency.queries import Head, LogReader
from accord.hub.transparency.service import store_cosigned
from accord.kernel.directory.rootfile import LogName
from accord.kernel.errors import AccordError, Conflict, Unavailable, VerificationFailed
from accord.kernel.tlog.checkpoint import (
    add_verified_cosignatures,
    verify_checkpoint,
    verify_cosigned,
)
from accord.kernel.tlog.notes import parse_note
from accord.kernel.tlog.policy import Policy
from accord.kernel.tlog.treehead import parse_checkpoint

TRIES = 3
"""Times that one witness is asked in a round when the sizes do not fit."""

REFRESH_SECONDS = 600
"""A checkpoint that does not grow is cosigned again after this time, so that it stays fresh."""

MAX_ANSWER = 64 * 1024
"""Largest answer of a witness in bytes."""

ANSWER_SECONDS = 20.0
"""How long the whole answer of a witness may take."""

log = structlog.get_logger("accord.hub.witnesses")


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessPlace:
    """A witness and where it takes checkpoints (its submission prefix)."""

    name: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """A witness's lines, and the keys under which they hold."""

    lines: bytes
    vkeys: list[str]


class WitnessRound:
    """Collects cosignatures for the logs of this hub."""

    def __init__(
        self,
        *,
        reader: LogReader,
        writer: Writer,
        witnesses: Sequence[WitnessPlace],
        policies: Mapping[LogName, Policy],
        client: httpx2.Client,
        clock: Clock,
        answer_seconds: float = ANSWER_SECONDS,
    ) -> None:
        """Ask ``witnesses`` through ``client``; ``policies`` say which quorum counts."""
        self._answer_seconds = answer_seconds
        self._reader = reader
        self._writer = writer
        self._witnesses = tuple(witnesses)
        self._policies = dict(policies)
        self._client = client
        self._clock = clock
        self._seen: dict[tuple[LogName, str], int] = {}
        self._fresh: dict[LogName, int] = {}
        self.cosigned = threading.Condition()
        """Notified after each round that gave a new cosigned checkpoint."""
        self._lock = threading.Lock()
        self._busy: set[tuple[LogName, str]] = set()
        self._failing: dict[tuple[LogName, str], str | None] = {}
        self._pool = ThreadPoolExecutor(
            max_workers=2 * max(1, len(self._witnesses)), thread_name_prefix="hub-ask"
        )

    def run(self, name: LogName) -> bool:
        """Ask for cosignatures of the newest checkpoint of ``name``; say whether one was kept.

        Raises:
            Conflict: ``behind_witness`` when a witness has seen a longer log than this one,
                ``forked_from_witness`` when it has seen another one.
        """
        head = self._reader.head(name)
        if head is None or self._is_done(name, head):
            return False
        note = head.note
        for future in as_completed(self._ask_all(name, head)):
            answer = future.result()
            if answer is None:
                continue
            note = add_verified_cosignatures(note, answer.lines, vkeys=answer.vkeys)
            if self._meets_quorum(note, name):
                self._keep(name, head.size, note)
                return True
        return False

    def _keep(self, name: LogName, size: int, note: bytes) -> None:
        self._writer.run(lambda connection: store_cosigned(connection, name, size, note))
        self._fresh[name] = self._clock()
        self.wake()

    def wake(self) -> None:
        """Wake whoever waits for a quorum, collected by this process or another."""
        with self.cosigned:
            self.cosigned.notify_all()

    def is_done(self, name: LogName) -> bool:
        """Return whether the newest checkpoint of ``name`` has its quorum and is fresh."""
        head = self._reader.head(name)
        return head is None or self._is_done(name, head)

    def failing(self) -> dict[str, str | None]:
        """Return the witnesses that were asked, each with why it failed last, ``None`` if well."""
        with self._lock:
            found: dict[str, str | None] = {}
            for (_, witness), reason in self._failing.items():
                found[witness] = found.get(witness) or reason
            return found

    def close(self) -> None:
        """Wait for no witness any longer."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _ask_all(self, name: LogName, head: Head) -> list[Future[_Answer | None]]:
        """Ask every witness that is not still being asked, side by side."""
        found = []
        for witness in self._witnesses:
            with self._lock:
                if (name, witness.name) in self._busy:
                    continue
                self._busy.add((name, witness.name))
            found.append(self._pool.submit(self._ask_one, name, head, witness))
        return found

    def _ask_one(self, name: LogName, head: Head, witness: WitnessPlace) -> _Answer | None:
        """Return a witness's own lines that hold, or ``None`` and a word in the log.

        Raises:
            Conflict: the witness has shown that our log is an older or another one.
        """
        try:
            vkeys = self._vkeys(name, witness)
            lines = self._ask(name, head, witness)
            add_verified_cosignatures(head.note, lines, vkeys=vkeys)
            self._tell(witness, name, None)
            return _Answer(lines=lines, vkeys=vkeys)
        except Conflict:
            raise
        except (httpx2.HTTPError, httpx2.InvalidURL, AccordError, ValueError) as error:
            self._tell(witness, name, _reason(error))
            return None
        finally:
            with self._lock:
                self._busy.discard((name, witness.name))

    def _tell(self, witness: WitnessPlace, name: LogName, reason: str | None) -> None:
        """Log when a witness begins to fail, fails in another way, or is well again."""
        with self._lock:
            before = self._failing.get((name, witness.name))
            self._failing[name, witness.name] = reason
        if reason == before:
            return
        if reason is None:
            log.info("witness.well", witness=witness.name, log=name.value)
        else:
            log.warning("witness.failed", witness=witness.name, log=name.value, reason=reason)

    def _meets_quorum(self, note: bytes, name: LogName) -> bool:
        try:
            verify_cosigned(note, self._policies[name])
        except VerificationFailed:
            return False
        return True

    def _vkeys(self, name: LogName, witness: WitnessPlace) -> list[str]:
        return [
            known.verifier.vkey
            for known in self._policies[name].witnesses
            if known.verifier.name == witness.name
        ]

    def _is_done(self, name: LogName, head: Head) -> bool:
        known = self._reader.cosigned(name)
        age = self._clock() - self._fresh.get(name, 0)
        return known is not None and known.size == head.size and age < REFRESH_SECONDS

    def _ask(self, name: LogName, head: Head, witness: WitnessPlace) -> bytes:
        key = (name, witness.name)
        for _ in range(TRIES):
            old = self._seen.get(key, 0)
            status, answer = self._post(witness, self._request(name, old, head))
            if status == httpx2.codes.OK:
                self._seen[key] = head.size
                return answer
            if status == httpx2.codes.UNPROCESSABLE_CONTENT:
                self._contradiction(name, head, witness)
                raise VerificationFailed(
                    "witness_contradicts",
                    "The witness says that our log does not continue what it saw, without proof.",
                )
            if status != httpx2.codes.CONFLICT:
                raise Unavailable(
                    "witness_refused", "The witness did not cosign.", observed=f"status {status}"
                )
            self._seen[key] = self._not_ahead(name, head, witness, answer)
        raise Unavailable("witness_refused", "The witness keeps naming other sizes.")

    def _post(self, witness: WitnessPlace, content: bytes) -> tuple[int, bytes]:
        return self._exchange("POST", f"{witness.url.rstrip('/')}/add-checkpoint", content)

    def _exchange(self, method: str, url: str, content: bytes | None) -> tuple[int, bytes]:
        """Return status and body; neither a long nor a dripping answer can hold the round up."""
        end = time.monotonic() + self._answer_seconds
        data = bytearray()
        headers = {} if content is None else {"Content-Type": "text/plain"}
        with self._client.stream(method, url, content=content, headers=headers) as answer:
            for piece in answer.iter_bytes():
                data += piece
                if len(data) > MAX_ANSWER:
                    raise VerificationFailed(
                        "witness_answer_long", "The witness answered too much."
                    )
                if time.monotonic() > end:
                    raise Unavailable("witness_refused", "The witness answers too slowly.")
        return answer.status_code, bytes(data)

    def _not_ahead(self, name: LogName, head: Head, witness: WitnessPlace, answer: bytes) -> int:
        size = int(answer.strip())
        if size > head.size:
            newest = self._reader.head(name)
            if newest is not None and size <= newest.size:
                raise Unavailable(
                    "witness_refused", "Another process asked for a longer checkpoint meanwhile."
                )
            self._contradiction(name, head, witness)
            raise VerificationFailed(
                "witness_contradicts",
                "The witness claims to have seen a longer log, without proof.",
                observed=f"{size}, here: {head.size}",
            )
        return size

    def _contradiction(self, name: LogName, head: Head, witness: WitnessPlace) -> None:
        """Ask for the checkpoint that the witness holds; return when it proves nothing.

        Only we can have signed it, so that it proves what it says whatever the witness is.

        Raises:
            Conflict: ``behind_witness`` when it is longer than our log, ``forked_from_witness``
                when our log of that size has another root.
        """
        origin = parse_checkpoint(parse_note(head.note).body).origin
        digest = hashlib.sha256(origin.encode("utf-8")).hexdigest()
        status, note = self._exchange("GET", f"{witness.url.rstrip('/')}/{digest}/checkpoint", None)
        if status != httpx2.codes.OK:
            return
        vkeys = [one.vkey for one in self._policies[name].log_verifiers(origin)]
        shown = verify_checkpoint(note, origin=origin, log_vkeys=vkeys)
        # Another process may have grown the log and asked this witness since we read the head.
        head = self._reader.head(name) or head
        if shown.size > head.size:
            raise Conflict(
                "behind_witness",
                "A witness has seen a longer log than this database holds.",
                observed=f"{witness.name}: {shown.size}, here: {head.size}",
                next_step="This is an older copy. Restore the newest backup; never sign from it.",
            )
        if self._reader.root(name, shown.size) != shown.root:
            raise Conflict(
                "forked_from_witness",
                "A witness has cosigned a log that this database does not continue.",
                observed=f"{witness.name}: {shown.size}, here: {head.size}",
                next_step="This grew from an older copy. Restore the newest backup.",
            )

    def _request(self, name: LogName, old: int, head: Head) -> bytes:
        proof = self._reader.consistency_proof(name, old, head.size) if old else []
        lines = [f"old {old}", *(base64.b64encode(node).decode("ascii") for node in proof)]
        return "\n".join(lines).encode("ascii") + b"\n\n" + head.note


def _reason(error: Exception) -> str:
    return error.code if isinstance(error, AccordError) else type(error).__name__
