"""The journal's head in the hub's witnessed log.

The desk sends the journal's name, size and root, never a row; a head is written down before it is
sent, so that one that we never sent is known for what it is. Nothing here runs while somebody
searches: heads go in the desk's rounds, and what could not be sent goes in the next.
"""

import json

from accord.clock import Clock
from accord.desk.exchange.client import HubClient
from accord.desk.exchange.journal_restart import restart_that_waits, send_restart
from accord.desk.storage import Vault
from accord.desk.storage.journal_heads import (
    begin_head,
    finish_head,
    keep_refusal,
    last_sent,
    leaf_count,
)
from accord.desk.storage.journal_leaves import journal_head
from accord.desk.storage.journal_names import journal_name
from accord.kernel.encoding import b64encode
from accord.kernel.errors import (
    Conflict,
    Malformed,
    NotFound,
    Refused,
    Unavailable,
    VerificationFailed,
)
from accord.protocol import paths
from accord.protocol.schemas.journal import JournalAnchored

PAUSE_SECONDS = 60
"""Time that a desk lets pass between two heads."""

_REFUSALS = (Conflict, Malformed, NotFound, Refused)
"""What the hub may answer to a head; one of an older release does not know names."""


def send_head(vault: Vault, client: HubClient, *, clock: Clock) -> int | None:
    """Send the newest head if it is new and the last one is a while ago.

    Returns the number of its event, or ``None`` when nothing was sent or it must wait. A head that
    the hub refuses (an older vault that was put back) stops no round: the refusal is kept, and the
    check tells of it. While a restart waits for the hub it goes first, and no head of the journal
    before it.
    """
    now = clock()
    try:
        if _restart_waits(vault):
            return send_restart(vault, client)
        return _send(vault, client, now=now)
    except Unavailable:
        return None
    except _REFUSALS as error:
        keep_refusal(vault, error.code, now=now)
        return None


def _restart_waits(vault: Vault) -> bool:
    """Tell whether one waits; what only looks like one holds nothing back, and the check tells."""
    try:
        return restart_that_waits(vault) is not None
    except VerificationFailed:
        return False


def _send(vault: Vault, client: HubClient, *, now: int) -> int | None:
    last = last_sent(vault)
    if last is not None:
        known = last.number is not None and leaf_count(vault) == last.head.size
        if known or 0 <= now - last.at < PAUSE_SECONDS:
            return None
    with vault.transaction() as connection:
        head, name = journal_head(connection), journal_name(connection)
        if not head.size:
            return None
        begin_head(connection, head, now=now)
    told = {"size": head.size, "root": b64encode(head.root), "journal": b64encode(name)}
    body = json.dumps(told).encode()
    answer = client.put(paths.JOURNAL_HEAD, body, paths.JSON_TYPE, JournalAnchored)
    number = int(answer["index"])
    finish_head(vault, head, number=number)
    return number
