"""Legal holds by case: what a hold covers is not deleted while it stands.

A hold covers the bundles that it names and every bundle whose sender gave the same case reference,
also those that arrive later. Several holds may cover one bundle; it is free when all are lifted. A
hold keeps things here only: it changes no end state, and no recall.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from accord.desk.storage.bundles import StoredBundle, find_bundle
from accord.desk.storage.journal import Act, record_act
from accord.desk.storage.vault import Vault
from accord.kernel.envelope.payload import parse_head
from accord.kernel.errors import Malformed, NotFound
from accord.kernel.identifiers import BundleId

MAX_CASE = 80
MAX_REASON = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """One hold: case, reason, who set it when; ``lifted`` is when it ended, or ``None``."""

    no: int
    case: str
    reason: str
    person: str
    at: int
    lifted: int | None
    bundles: tuple[tuple[str, str], ...]


def set_hold(
    vault: Vault, case: str, bundles: Sequence[BundleId], *, reason: str, person: str, now: int
) -> Hold:
    """Set a hold for ``case`` over ``bundles`` and what carries the case's reference.

    Raises:
        Malformed: ``hold_case_invalid``, ``hold_reason_missing``.
        NotFound: ``bundle_unknown``.
    """
    _check_line(case, MAX_CASE, "hold_case_invalid", "A case has a reference of")
    _check_line(reason, MAX_REASON, "hold_reason_missing", "A hold has a reason of")
    found = [find_bundle(vault, one) for one in bundles]
    with vault.transaction() as connection:
        number = connection.execute(
            "INSERT INTO holds (case_ref, reason, person, at) VALUES (?, ?, ?, ?)",
            (case, reason, person, now),
        ).lastrowid
        connection.executemany(
            "INSERT INTO held_bundles VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            [(number, one.org, one.id) for one in found],
        )
    record_act(vault, person=person, act=Act.HOLD_SET, subject=case, reason=reason, now=now)
    return holds(vault)[0]


def lift_holds(vault: Vault, case: str, *, reason: str, person: str, now: int) -> int:
    """Lift every hold of ``case``; return how many there were.

    Raises:
        Malformed: ``hold_reason_missing``.
        NotFound: ``hold_unknown``.
    """
    _check_line(reason, MAX_REASON, "hold_reason_missing", "Lifting a hold has a reason of")
    with vault.transaction() as connection:
        done = connection.execute(
            "UPDATE holds SET lifted = ?, lifted_by = ?, lifted_reason = ?"
            " WHERE case_ref = ? AND lifted IS NULL",
            (now, person, reason, case),
        )
    if not done.rowcount:
        raise NotFound(
            "hold_unknown",
            "No hold stands for this case.",
            observed=case[:MAX_CASE],
            next_step="accord hold list shows those that stand.",
        )
    record_act(vault, person=person, act=Act.HOLD_LIFT, subject=case, reason=reason, now=now)
    return done.rowcount


def holds(vault: Vault) -> list[Hold]:
    """Return every hold, the latest first, lifted ones too."""
    rows = vault.connection.execute(
        "SELECT no, case_ref, reason, person, at, lifted FROM holds ORDER BY no DESC"
    ).fetchall()
    named = vault.connection.execute("SELECT hold, org, id FROM held_bundles").fetchall()
    return [
        Hold(
            no=row[0],
            case=row[1],
            reason=row[2],
            person=row[3],
            at=row[4],
            lifted=row[5],
            bundles=tuple((org, id_) for hold, org, id_ in named if hold == row[0]),
        )
        for row in rows
    ]


class HeldBundles:
    """Tells which bundles a standing hold covers now."""

    def __init__(self, vault: Vault) -> None:
        """Read the holds that stand."""
        standing = [hold for hold in holds(vault) if hold.lifted is None]
        self._cases = frozenset(hold.case for hold in standing)
        self._named = frozenset(one for hold in standing for one in hold.bundles)

    def covers(self, bundle: StoredBundle) -> bool:
        """Tell whether ``bundle`` must stay."""
        if (bundle.org, bundle.id) in self._named:
            return True
        if not self._cases or bundle.head is None:
            return False
        return parse_head(bundle.head)[1].case_ref in self._cases


def _check_line(text: str, limit: int, code: str, words: str) -> None:
    if not text.strip() or len(text) > limit or not text.isprintable():
        raise Malformed(code, f"{words} 1 to {limit} characters on one line.")
