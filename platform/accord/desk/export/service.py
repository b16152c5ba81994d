"""Make one export: choose, write, write down, hand over, in this order."""

import hashlib
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from accord.desk.export.form import Format, Occasion
from accord.desk.export.rules import WITHHELD
from accord.desk.export.selection import Selection, Tally, select
from accord.desk.indicators.search import check_reason
from accord.desk.storage import Vault
from accord.desk.storage.digests import file_digest
from accord.desk.storage.exports import ExportEntry, add_export, was_exported
from accord.desk.storage.journal import Act, record_act_in
from accord.kernel.errors import Conflict, Malformed, Refused
from accord.kernel.identifiers import OrgId
from accord.kernel.markings import Purpose, parse_code


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """A finished export: its number in the journal, what it holds and what stayed behind."""

    no: int
    path: Path
    records: int
    bundles: int
    sha256: bytes
    withheld: Mapping[str, int]


def export(  # noqa: PLR0913 - one argument for each thing a person states
    vault: Vault,
    form: Format,
    target: Path,
    wanted: Selection,
    *,
    org: OrgId,
    person: str,
    purpose: str,
    reason: str,
    now: int,
    previous: Path | None = None,
) -> Exported:
    """Export the chosen records to ``target``.

    The file is written beside its place, readable by its owner alone; then the export and its
    records are written down; only then it gets its name. A failure leaves nothing behind.

    Args:
        vault: the open vault.
        form: in which form.
        target: file or folder to make.
        wanted: which records.
        org: whose desk makes it.
        person: who takes it.
        purpose: what for.
        reason: why, in words.
        now: unix seconds.
        previous: the list before, made by this desk; changes since it are told.

    Raises:
        Malformed: ``reason_missing``, ``reason_long``, ``purpose_unknown``, ``list_damaged``,
            ``list_unknown``: this desk made no such list.
        Conflict: ``export_exists``; nothing is overwritten.
        Refused: ``export_empty`` with what stays behind, ``export_large``.
    """
    check_reason(reason, "An export")
    occasion = Occasion(
        org=org,
        purpose=parse_code(Purpose, purpose, code="purpose_unknown").value,
        reason=reason.strip(),
        audience=wanted.audience.value,
        now=now,
        previous=_made_here(vault, form, previous),
    )
    if target.exists():
        raise Conflict(
            "export_exists",
            "There is something of this name already; it is not overwritten.",
            observed=target.name,
            next_step="Choose another name with -o.",
        )
    part = target.with_name(f".{target.name}.part")
    _remove(part)
    tally = Tally()
    umask = os.umask(0o077)
    try:
        form.write(part, select(vault, wanted, tally, now=now), occasion)
        if not tally.records and not form.empty:
            raise Refused(
                "export_empty",
                "No record here may go out in this way.",
                observed=_told(tally.withheld) or "no record fits",
                next_step="See accord export --help for audience, TLP:RED and ended records.",
            )
        digest = _digest(part)
        number = _write_down(vault, form, occasion, tally, person=person, digest=digest)
        part.rename(target)
    finally:
        os.umask(umask)
        _remove(part)
    return Exported(
        no=number,
        path=target,
        records=tally.records,
        bundles=len(tally.taken),
        sha256=digest,
        withheld=dict(sorted(tally.withheld.items())),
    )


def _write_down(
    vault: Vault, form: Format, occasion: Occasion, tally: Tally, *, person: str, digest: bytes
) -> int:
    entry = ExportEntry(
        no=0,
        at=occasion.now,
        person=person,
        form=form.name,
        audience=occasion.audience,
        purpose=occasion.purpose,
        reason=occasion.reason,
        records=tally.records,
        sha256=digest,
    )
    with vault.transaction() as connection:
        number = add_export(connection, entry=entry, taken=tally.taken)
        record_act_in(
            connection,
            person=person,
            act=Act.EXPORT_MAKE,
            subject=f"{number} {form.name} {tally.records} records sha256={digest.hex()}",
            reason=f"{occasion.purpose}: {occasion.reason}",
            now=occasion.now,
        )
    return number


def _made_here(vault: Vault, form: Format, previous: Path | None) -> Path | None:
    """Return ``previous`` when the journal knows it as an export of this form, unchanged."""
    if previous is not None and (
        not (form.empty and previous.is_dir())
        or not was_exported(vault, form=form.name, sha256=_digest(previous))
    ):
        raise Malformed(
            "list_unknown",
            "This desk made no such list, or it was changed since.",
            observed=previous.name,
            next_step="Name the folder of the list before, as it was made, or leave it out.",
        )
    return previous


def _told(withheld: Mapping[str, int]) -> str:
    return "; ".join(f"{count} kept back: {WITHHELD[code]}" for code, count in withheld.items())


def _digest(path: Path) -> bytes:
    """SHA-256 of a file; of a folder, over its names and its files' digests in order of name."""
    if path.is_file():
        return file_digest(path)
    lines = [f"{_digest(one).hex()}  {one.name}\n" for one in sorted(path.iterdir())]
    return hashlib.sha256("".join(lines).encode()).digest()


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
