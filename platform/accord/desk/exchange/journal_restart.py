"""A journal begins anew, or goes on after a restore: said in its own rows and in the hub's log.

Why in words is a row of the journal and stays here; the hub gets names, sizes, a root and one of
a few codes, because whatever it holds it may be made to show, and a text may name a case or a
person. The act hides nothing: heads of before stay in the log, and so does the act.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from accord.desk.exchange.client import HubClient, read_json
from accord.desk.exchange.journal_check import Compared, flawed
from accord.desk.exchange.journal_standing import kept_rows, undeclared
from accord.desk.storage import Vault
from accord.desk.storage.journal import Act, record_act_in, says_why
from accord.desk.storage.journal_heads import begin_head, drop_refusal, finish_head, leaf_count
from accord.desk.storage.journal_leaves import journal_head
from accord.desk.storage.journal_names import (
    drop_restart,
    give_name,
    journal_name,
    keep_restart,
    restart_rows,
    waiting_restart,
)
from accord.kernel.encoding import b64encode
from accord.kernel.errors import Conflict, Malformed, NotFound, VerificationFailed
from accord.kernel.tlog.growing import GrownHead
from accord.kernel.tlog.journals import Cause, Restart, restart_row
from accord.protocol import paths
from accord.protocol.schemas.journal import JournalAnchored, JournalRestart

_MISFITS = frozenset(
    {
        "journal_changed",
        "journal_cut",
        "journal_ended",
        "journal_head_unknown",
        "journal_restart_unknown",
    }
)
"""Problems after which the journal needs another name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a restart will say: under a new name or this one, what it keeps, what ends with it."""

    renamed: bool
    kept: int
    cause: Cause
    ended: bytes | None


def plan_restart(found: Compared, cause: Cause, *, ended: bytes | None = None) -> Plan:
    """Return what a restart of a journal with this report has to say.

    Args:
        found: the journal as it was compared just now.
        cause: why.
        ended: which other journal ends with it, where several go on.

    Raises:
        VerificationFailed: ``journal_changed``: a row contradicts its own leaf, which nothing that
            somebody says can mend; ``journal_head_hidden``.
        Conflict: ``journal_fits``, ``journal_which``, ``journal_own_first``.
        NotFound: ``journal_unknown``.
        Malformed: ``journal_restart_invalid``.
    """
    problem, name = found.report.problem, found.tree.name
    if problem is not None and problem.code == "journal_head_hidden":
        raise problem
    changed = flawed(found.tree)
    if changed is not None:
        raise changed
    renamed = problem is not None and problem.code in _MISFITS
    needed = renamed or name in undeclared(found.log, name)
    if cause is Cause.LOST_DESK:
        return _plan_end(found, ended, needed=needed)
    if not needed:
        raise Conflict(
            "journal_fits",
            "This journal needs no restart: every head fits, and it is known why it began.",
            observed=None if problem is None else problem.observed,
            next_step="Run accord doctor: it tells at which desk one is needed, if at all.",
        )
    ends = _ended(found, cause, ended, renamed=renamed)
    kept = kept_rows(found.log, found.tree, ends)
    return Plan(renamed=renamed, kept=kept, cause=cause, ended=ends)


def _plan_end(found: Compared, ended: bytes | None, *, needed: bool) -> Plan:
    """Return what this journal, which is well, says of one whose desk is gone."""
    if needed:
        raise Conflict(
            "journal_own_first",
            "This journal needs a word of its own before it can speak of another.",
            next_step="Run accord doctor, and say why this one began.",
        )
    if ended is None:
        raise Malformed(
            "journal_restart_invalid",
            "It must be said which journal was that of the lost desk.",
            next_step="Give --ended NAME; accord doctor lists them.",
        )
    _require_going_on(ended, found.log.open_besides(found.tree.name))
    return Plan(renamed=False, kept=0, cause=Cause.LOST_DESK, ended=ended)


def _require_going_on(wanted: bytes, going_on: Sequence[bytes]) -> None:
    if wanted not in going_on:
        raise NotFound(
            "journal_unknown",
            "There is no journal of that name that goes on.",
            observed=wanted.hex(),
            next_step="Run accord doctor: it lists the organisation's journals.",
        )


def begin_restart(vault: Vault, plan: Plan, *, person: str, reason: str, now: int) -> Restart:
    """Write the restart down: its row, the journal's name, and that it waits for the hub.

    Raises:
        Malformed: ``reason_missing``.
    """
    if not says_why(reason := reason.strip()):
        raise Malformed(
            "reason_missing",
            "A restart goes with a stated reason, in one line.",
            next_step="Give --reason.",
        )
    with vault.transaction() as connection:
        name = give_name(connection) if plan.renamed else journal_name(connection)
        size = leaf_count(vault) + 1
        draft = Restart(
            journal=name,
            head=GrownHead(size=size, root=bytes(32)),  # the row says neither
            kept=plan.kept,
            cause=plan.cause,
            ended=plan.ended,
        )
        record_act_in(
            connection,
            person=person,
            act=Act.JOURNAL_RESTART,
            subject=restart_row(draft),
            reason=reason,
            now=now,
        )
        head = journal_head(connection)
        begin_head(connection, head, now=now)
        made = Restart(journal=name, head=head, kept=plan.kept, cause=plan.cause, ended=plan.ended)
        keep_restart(connection, json.dumps(_body(made)).encode())
    return made


def restart_that_waits(vault: Vault) -> Restart | None:
    """Return the restart that the hub has not taken yet, or ``None``.

    Raises:
        VerificationFailed: ``journal_restart_damaged``: what stands there is none of this journal,
            as no row says so; nobody may hold the heads back with it.
    """
    body = waiting_restart(vault.connection)
    if body is None:
        return None
    try:
        told = read_json(body, JournalRestart)
        found = Restart(
            journal=told["journal"],
            head=GrownHead(size=told["size"], root=told["root"]),
            kept=told["kept"],
            cause=Cause(told["cause"]),
            ended=told.get("ended"),
        )
    except Malformed as error:
        raise _damaged(len(body)) from error
    row = restart_rows(vault.connection, act=Act.JOURNAL_RESTART.value).get(found.head.size)
    said = row is not None and row.said == restart_row(found)
    if not said or found.journal != journal_name(vault.connection):
        raise _damaged(len(body))
    return found


def _damaged(length: int) -> VerificationFailed:
    return VerificationFailed(
        "journal_restart_damaged",
        "What waits in this vault to be sent as a restart is none that a row of this journal says.",
        observed=f"{length} bytes",
        next_step="Somebody changed the vault: keep a copy as evidence. Heads go on without it; "
        "accord journal restart takes it away.",
    )


def send_restart(vault: Vault, client: HubClient) -> int | None:
    """Send the restart that waits, if one does; return the number of its event in the log.

    Raises:
        VerificationFailed: as ``restart_that_waits``.
        AccordError: the hub refused it or cannot be reached; it goes on waiting.
    """
    found = restart_that_waits(vault)
    if found is None:
        return None
    body = json.dumps(_body(found)).encode()
    answer = client.put(paths.JOURNAL_RESTART, body, paths.JSON_TYPE, JournalAnchored)
    number = int(answer["index"])
    finish_head(vault, found.head, number=number)
    with vault.transaction() as connection:
        drop_restart(connection)
    return number


def settle_restart(vault: Vault, client: HubClient) -> None:
    """Send a restart of before; one that the hub will never take is dropped for another one.

    So is what is no restart of this journal.

    Raises:
        AccordError: the hub cannot be reached, or does not take it now.
    """
    try:
        restart_that_waits(vault)
    except VerificationFailed:
        _drop(vault)
        return
    try:
        send_restart(vault, client)
    except Conflict:
        _drop(vault)


def _drop(vault: Vault) -> None:
    with vault.transaction() as connection:
        drop_restart(connection)
        drop_refusal(connection)


def _body(made: Restart) -> Mapping[str, object]:
    ended = {} if made.ended is None else {"ended": b64encode(made.ended)}
    return {
        "journal": b64encode(made.journal),
        "size": made.head.size,
        "root": b64encode(made.head.root),
        "kept": made.kept,
        "cause": made.cause.value,
    } | ended


def _ended(found: Compared, cause: Cause, wanted: bytes | None, *, renamed: bool) -> bytes | None:
    """Return the journal that ends: the one named, else this one's own line, else the only one."""
    log, name = found.log, found.tree.name
    if cause is Cause.SECOND_DESK:
        if wanted is not None:
            raise Malformed(
                "journal_restart_invalid",
                "A second desk ends no journal: the other one goes on.",
                observed=wanted.hex(),
                next_step="Leave --ended out.",
            )
        return None
    going_on = log.open_besides(b"")
    if wanted is not None:
        _require_going_on(wanted, going_on)
        return wanted
    own, seen = name, {name}
    while (ender := log.ender(own)) is not None and ender.restart.journal not in seen:
        own = ender.restart.journal
        seen.add(own)
    if renamed and own in going_on:
        return _as_said(found, own)
    others = [one for one in going_on if one != name]
    if len(others) > 1:
        raise Conflict(
            "journal_which",
            "Several journals of this organisation go on.",
            observed=", ".join(one.hex() for one in others[:5]),
            next_step="Say with --ended which one ends with this restart.",
        )
    return _as_said(found, others[0]) if others else None


def _as_said(found: Compared, other: bytes) -> bytes:
    """Return ``other`` unless it is not what the last restart here named, which the hub refused.

    What that one named ended meanwhile, perhaps with a restart at another desk: then ``other`` may
    be what goes on there, and ends only when somebody says so.
    """
    tree = found.tree
    taken = [one.restart.head.size for one in found.log.restarts if tree.row_of(one) is not None]
    place = max(tree.acts, default=0)
    dropped = place > max(taken, default=0)
    if other == tree.name or not dropped or tree.acts[place].said.endswith(f" ended={other.hex()}"):
        return other
    raise Conflict(
        "journal_which",
        "The hub refused the last restart here, and the journal that goes on is not the one that "
        "was to end with it: another desk may have begun it.",
        observed=other.hex(),
        next_step="Ask whose it is. Say --because second-desk, or with --ended which one ends.",
    )
