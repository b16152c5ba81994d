"""What must be told of a journal beside its comparison, though it proves no change of a row.

Heads that cannot be compared because they are closed, and heads that do not get to the hub: what
is in no head anybody may change, so that heads stop is never silent.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from accord.clock import moment
from accord.desk.exchange.journal_check import JournalReport, short
from accord.desk.exchange.journal_restart import restart_that_waits
from accord.desk.exchange.rounds import last_checked
from accord.desk.storage import Vault
from accord.desk.storage.journal_heads import (
    Refusal,
    first_second_after,
    last_refusal,
    sent_heads,
)
from accord.kernel.errors import AccordError, Conflict, Unavailable, VerificationFailed
from accord.kernel.tlog.journals import Restart

LATE_SECONDS = 86_400
"""Rows that are older and in no head are told, when the hub was reached since."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """What is told, and whether it is a warning or wrong."""

    error: AccordError
    warning: bool = False


def doubts(vault: Vault, report: JournalReport | None, *, now: int) -> Iterator[Doubt]:
    """Yield what is told; without a report (the hub was not reached) what the vault says alone."""
    erased = None if report is None else erased_heads(report)
    if erased is not None:
        yield Doubt(error=erased, warning=True)
    refusal = last_refusal(vault)
    try:
        waits = restart_that_waits(vault)
    except VerificationFailed as error:
        waits = None
        yield Doubt(error=error)
    if waits is not None and refusal is None:
        yield Doubt(error=_waiting(waits), warning=True)
    elif refusal is not None:
        yield Doubt(error=_refused_head(refusal) if waits is None else _refused(waits, refusal))
    late = None if report is None else _late(vault, report, now=now)
    if late is not None:
        yield Doubt(error=late, warning=True)


def erased_heads(report: JournalReport) -> VerificationFailed | None:
    """Return what to say of heads that are closed: a hub of this release erases none."""
    if not report.erased:
        return None
    named = ", ".join(short(one) for one in report.untold[:3])
    untold = f"; perhaps nobody said why these journals began: {named}" if named else ""
    return VerificationFailed(
        "journal_heads_erased",
        "Heads or restarts of our journals are closed in the hub's log, so nothing is compared "
        "with them. A hub of an earlier release erased such; one of this release does not.",
        observed=f"{report.erased} events up to {moment(report.erased_until)}{untold}",
        next_step="Ask the operator which run of erasure that was (audit.pruned in the audit "
        "trail). If none, an older vault may have been put back: keep this vault as evidence. Of a "
        "journal that is named here say why it began: accord journal restart.",
    )


def _waiting(waits: Restart) -> Unavailable:
    return Unavailable(
        "journal_restart_waiting",
        "A restart of this journal waits for the hub, and no head goes before it.",
        observed=f"{waits.cause.value}, row {waits.head.size}; no answer yet",
        next_step="accord pull sends it.",
    )


def _refused(waits: Restart, refusal: Refusal) -> Conflict:
    return Conflict(
        "journal_restart_refused",
        "The hub refuses a restart of this journal, so no head of it gets into the log.",
        observed=f"{waits.cause.value}, row {waits.head.size}; {_told(refusal)}",
        next_step="accord journal restart drops it when the hub will never take it, and says anew "
        "what is needed. If the hub does not know restarts, ask the operator to bring it up to "
        "date.",
    )


def _refused_head(refusal: Refusal) -> Conflict:
    return Conflict(
        "journal_head_refused",
        "The hub refuses the heads of this journal, so nothing protects its new rows.",
        observed=_told(refusal),
        next_step="Mend what the line of the journal names, then accord pull. If that is well, "
        "the hub may be older than this desk (request_invalid, not_found): ask the operator to "
        "bring it up to date.",
    )


def _told(refusal: Refusal) -> str:
    return f"the hub said {refusal.code or 'what cannot be read'}, {moment(refusal.at)}"


def _late(vault: Vault, report: JournalReport, *, now: int) -> Unavailable | None:
    """Find rows in no head; a head that the hub has taken may still wait for witnesses."""
    taken = [
        one.head.size
        for one in sent_heads(vault)
        if one.number is not None and one.at > now - LATE_SECONDS
    ]
    since = first_second_after(vault, max([report.covered, *taken]))
    reached = last_checked(vault)
    if since is None or since > now - LATE_SECONDS or reached is None or reached <= since:
        return None
    return Unavailable(
        "journal_head_late",
        "Rows of this journal are older than a day and in no head, though the hub was reached.",
        observed=f"rows since {moment(since)}; the hub was reached {moment(reached)}",
        next_step="accord pull sends a head; if this stays, ask the operator and the witnesses.",
    )
