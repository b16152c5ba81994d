"""Asking the witnesses: one round sends the newest checkpoint and collects cosignatures.

Invariants: a cosigned checkpoint is kept only when it meets the root file's quorum; a witness that
has seen more of the log than we have stops the hub (an older copy of the database must not sign).
A witness that is down never blocks acceptance; receipts wait. Source: C2SP tlog-witness.
"""

import base64
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import httpx2
import structlog

from accord.clock import Clock
from accord.hub.storage import Writer
from accord.hub.transparency.queries import Head, LogReader
from accord.hub.transparency.service import store_cosigned
from accord.kernel.directory.rootfile import LogName
from accord.kernel.errors import AccordError, Conflict, Unavailable, VerificationFailed
from accord.kernel.tlog.checkpoint import add_verified_cosignatures, verify_cosigned
from accord.kernel.tlog.policy import Policy

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
        for witness in self._witnesses:
            try:
                answer = self._ask(name, head, witness)
                note = add_verified_cosignatures(note, answer, vkeys=self._vkeys(name, witness))
            except Conflict:
                raise
            except (httpx2.HTTPError, httpx2.InvalidURL, AccordError, ValueError) as error:
                log.warning(
                    "witness.failed", witness=witness.name, log=name.value, reason=_reason(error)
                )
        try:
            verify_cosigned(note, self._policies[name])
        except AccordError as error:
            log.warning("witness.no_quorum", log=name.value, size=head.size, reason=error.code)
            return False
        self._writer.run(lambda connection: store_cosigned(connection, name, head.size, note))
        self._fresh[name] = self._clock()
        with self.cosigned:
            self.cosigned.notify_all()
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
                raise Conflict(
                    "forked_from_witness",
                    "A witness has cosigned a log that this database does not continue.",
                    observed=f"{witness.name}: old {old}, here: {head.size}",
                    next_step="This grew from an older copy. Restore the newest backup.",
                )
            if status != httpx2.codes.CONFLICT:
                raise Unavailable(
                    "witness_refused", "The witness did not cosign.", observed=f"status {status}"
                )
            self._seen[key] = self._not_ahead(witness, head, answer)
        raise Unavailable("witness_refused", "The witness keeps naming other sizes.")

    def _post(self, witness: WitnessPlace, content: bytes) -> tuple[int, bytes]:
        """Return status and body; neither a long nor a dripping answer can hold the round up."""
        end = time.monotonic() + self._answer_seconds
        data = bytearray()
        with self._client.stream(
            "POST",
            f"{witness.url.rstrip('/')}/add-checkpoint",
            content=content,
            headers={"Content-Type": "text/plain"},
        ) as answer:
            for piece in answer.iter_bytes():
                data += piece
                if len(data) > MAX_ANSWER:
                    raise VerificationFailed(
                        "witness_answer_long", "The witness answered too much."
                    )
                if time.monotonic() > end:
                    raise Unavailable("witness_refused", "The witness answers too slowly.")
        return answer.status_code, bytes(data)

    def _not_ahead(self, witness: WitnessPlace, head: Head, answer: bytes) -> int:
        size = int(answer.strip())
        if size > head.size:
            raise Conflict(
                "behind_witness",
                "A witness has seen a longer log than this database holds.",
                observed=f"{witness.name}: {size}, here: {head.size}",
                next_step="This is an older copy. Restore the newest backup; never sign from it.",
            )
        return size

    def _request(self, name: LogName, old: int, head: Head) -> bytes:
        proof = self._reader.consistency_proof(name, old, head.size) if old else []
        lines = [f"old {old}", *(base64.b64encode(node).decode("ascii") for node in proof)]
        return "\n".join(lines).encode("ascii") + b"\n\n" + head.note


def _reason(error: Exception) -> str:
    return error.code if isinstance(error, AccordError) else type(error).__name__
