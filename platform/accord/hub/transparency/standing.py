"""What a witness knows of our logs, asked without submitting anything: for doctor and restore.

What it shows counts only under our own keys. A contradiction is proof that this database is an
older or another copy; a silent witness proves nothing.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import httpx2

from accord.hub.transparency.queries import LogReader
from accord.kernel.directory.rootfile import LogName, RootFile, Witness
from accord.kernel.errors import Conflict, Refused, Unavailable
from accord.kernel.tlog.checkpoint import verify_checkpoint

MAX_ANSWER = 64 * 1024
"""Largest answer of a witness in bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A witness's answer about one log, and its clock (the ``Date`` field)."""

    status: int
    note: bytes
    date: str


def ask_witness(client: httpx2.Client, witness: Witness, origin: str) -> Shown:
    """Ask for the newest checkpoint of ``origin`` that ``witness`` cosigned.

    Raises:
        Unavailable: ``witness_unreachable``.
    """
    digest = hashlib.sha256(origin.encode("utf-8")).hexdigest()
    address = f"{(witness.url or '').rstrip('/')}/{digest}/checkpoint"
    try:
        with client.stream("GET", address) as answer:
            note = _read(answer.iter_bytes())
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise Unavailable(
            "witness_unreachable",
            "A witness does not answer; receipts wait, and an older copy is not noticed.",
            observed=f"{witness.url}: {type(error).__name__}",
            next_step="Ask its operator; look at the network between.",
        ) from error
    return Shown(status=answer.status_code, note=note, date=answer.headers.get("Date", ""))


def compare_with_witness(reader: LogReader, root: RootFile, name: LogName, shown: Shown) -> str:
    """Return in words what a witness knows of our log.

    Raises:
        Conflict: ``behind_witness``, ``forked_from_witness``.
        Refused: ``witness_follows_not``.
        AccordError: what it shows is not signed by us.
    """
    if shown.status != httpx2.codes.OK:
        raise Refused(
            "witness_follows_not",
            "The witness does not know this log, or has cosigned none of it.",
            observed=f"status {shown.status}",
            next_step="Its operator: accord witness log add --root root.json",
        )
    seen = verify_checkpoint(
        shown.note, origin=root.log_origin(name), log_vkeys=root.log_vkeys(name)
    )
    head = reader.head(name)
    here = head.size if head is not None else 0
    if seen.size > here:
        raise Conflict(
            "behind_witness",
            "A witness has seen a longer log than this database holds.",
            observed=f"{seen.size}, here: {here}",
            next_step="This is an older copy. Restore the newest backup; never sign from it.",
        )
    if seen.size and reader.root(name, seen.size) != seen.root:
        raise Conflict(
            "forked_from_witness",
            "A witness has cosigned a log that this database does not continue.",
            observed=f"at {seen.size}, here: {here}",
            next_step="This grew from an older copy. Restore the newest backup.",
        )
    return f"knows {seen.size} of {here} entries"


def _read(pieces: Iterable[bytes]) -> bytes:
    data = bytearray()
    for piece in pieces:
        data += piece
        if len(data) > MAX_ANSWER:
            break
    return bytes(data[:MAX_ANSWER])
