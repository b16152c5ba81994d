"""What must be told of a journal beside its comparison, though it proves no change of a row.

Heads that cannot be compared because they are closed.
"""

from accord.clock import moment
from accord.desk.exchange.journal_check import JournalReport, short
from accord.kernel.errors import VerificationFailed


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
