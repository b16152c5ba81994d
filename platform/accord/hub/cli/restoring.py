"""From a backup to a home: unpack beside it, verify everything, ask the witnesses, only then move.

Invariants: a home that exists is never touched; nothing is signed before every witness has
answered that it knows no more than the backup holds; what fails leaves no folder behind.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import httpx2

from accord.clock import Clock, system_clock
from accord.findings import Finding, attempt, well, worst, wrong
from accord.hub.backups import Manifest, unpack
from accord.hub.cli.checks import examine_content
from accord.hub.cli.doctor import ANSWER_SECONDS, examine_witnesses
from accord.hub.cli.identity import load_hub_keys
from accord.hub.cli.opened import check_keys, read_root
from accord.hub.config import load_config, set_database
from accord.hub.services import Services, build_services
from accord.hub.storage.copying import copy_from_file, require_empty
from accord.hub.trail import load_erasures
from accord.hub.transparency import LogName
from accord.kernel.errors import Conflict, Refused, VerificationFailed

STALE = frozenset({"behind_witness", "forked_from_witness"})
"""What a witness can show that makes a whole backup one that must not sign."""

SILENT = frozenset({"witness_unreachable", "witness_follows_not"})
"""What leaves the question open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What came of it.

    Attributes:
        manifest: what the backup says of itself.
        findings: each thing that was verified.
        restored: the home is there now.
        whole: the backup itself holds.
        servable: and no witness knows more.
        age_seconds: time since the backup was made.
        lost_entries: log entries that witnesses know and the backup lacks; ``None`` if unknown.
    """

    manifest: Manifest
    findings: list[Finding]
    restored: bool
    whole: bool
    servable: bool
    age_seconds: int
    lost_entries: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a backup is to go, and what else is known.

    Attributes:
        home: where the hub is to live; empty or not there.
        without_witnesses: go on although a witness does not answer.
        erasures: the newest list of erasures: who was erased after the backup is erased in it.
        database: an empty PostgreSQL database, or ``""`` for a file in the home; ``None``: as the
            saved settings say.
    """

    home: Path
    without_witnesses: bool = False
    erasures: Path | None = None
    database: str | None = None


def restore_home(
    target: Target,
    source: Path,
    passphrase: bytes,
    keys_passphrase: bytes,
    *,
    clock: Clock = system_clock,
    transport: httpx2.BaseTransport | None = None,
) -> Restored:
    """Restore ``source`` to ``target``.

    Args:
        target: where to.
        source: the backup.
        passphrase: the backup's.
        keys_passphrase: that of the log keys in it.
        clock: the present time.
        transport: how witnesses are reached; the network when absent.

    Raises:
        Conflict: ``home_in_use``, ``database_in_use``.
        AccordError: a code of ``unpack``; the keys' passphrase or root file do not fit.
    """
    home = target.home
    if home.exists() and any(home.iterdir()):
        raise Conflict(
            "home_in_use",
            "There is something in this folder; a restore never goes over it.",
            observed=str(home),
            next_step="Give an empty --home. Keep the old one: it may be newer than the backup.",
        )
    staging = home.with_name(f"{home.name}.restoring")
    with _staged(staging, source, passphrase, keys_passphrase, clock, transport) as (
        services,
        found,
    ):
        allowed = SILENT if target.without_witnesses else frozenset[str]()
        address = load_config(staging).database if target.database is None else target.database
        if address:
            require_empty(address)
        if not all(_passes(finding, allowed) for finding in found.findings):
            return found
        held = _note_restored(services, found.manifest.backup_id, target.erasures, now=clock())
        services.close()
        if address:
            copy_from_file(services.config.database_file, address)
            services.config.database_file.unlink()
        if target.database is not None:
            set_database(staging, target.database)
        if home.exists():
            home.rmdir()
        staging.rename(home)
        return replace(found, restored=True, findings=[*found.findings, held])


def rehearse(
    home: Path,
    source: Path,
    passphrase: bytes,
    keys_passphrase: bytes,
    *,
    clock: Clock = system_clock,
    transport: httpx2.BaseTransport | None = None,
) -> Restored:
    """Do all of a restore beside ``home`` but the last step, sign nothing, and throw it away."""
    home.parent.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(dir=home.parent, prefix=f"{home.name}.restoring.") as name,
        _staged(Path(name) / "home", source, passphrase, keys_passphrase, clock, transport) as (
            _,
            found,
        ),
    ):
        return found


def _note_restored(services: Services, backup_id: str, file: Path | None, *, now: int) -> Finding:
    """Log the restore, and erase again who was erased after the backup was made."""
    lists = load_erasures(services.config.erasures)
    if file is not None:
        lists += load_erasures(file)
    missing = services.erasures.note_restored(backup_id, lists, now=now)
    if file is None:
        absent = Refused(
            "erasures_not_given",
            "No list of erasures was given: who was erased after the backup stands in it again.",
            observed=f"{len(lists)} in the backup itself",
            next_step="If any was made since: accord hub audit erase-person, for each of them.",
        )
        return wrong("erasures", absent, warning=True)
    return well("erasures", f"{len(lists)} on the lists, {missing} made after the backup")


@contextmanager
def _staged(
    staging: Path,
    source: Path,
    passphrase: bytes,
    keys_passphrase: bytes,
    clock: Clock,
    transport: httpx2.BaseTransport | None,
) -> Iterator[tuple[Services, Restored]]:
    """Give the services over the unpacked backup and what was found; clean up at the end."""
    if staging.exists():
        raise Conflict(
            "home_in_use",
            "A restore was cut off, or another one runs.",
            observed=str(staging),
            next_step="When none runs, delete that folder and try again.",
        )
    try:
        manifest = unpack(source, passphrase, staging)
        # Every backup carries its database as a file, whatever the hub keeps it in.
        config = replace(load_config(staging), database="")
        root_bytes, root = read_root(config)
        keys = load_hub_keys(config, keys_passphrase)
        check_keys(keys, root)
        services = build_services(
            config,
            root=root,
            root_bytes=root_bytes,
            keys=keys,
            clock=clock,
            transport=transport,
        )
        try:
            yield services, _examine(services, manifest, clock, transport)
        finally:
            services.close()
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _examine(
    services: Services, manifest: Manifest, clock: Clock, transport: httpx2.BaseTransport | None
) -> Restored:
    content = [
        attempt("backup and settings", partial(_same_hub, services, manifest)),
        *examine_content(services),
        attempt("logs and manifest", partial(_same_logs, services, manifest)),
    ]
    with httpx2.Client(timeout=ANSWER_SECONDS, transport=transport, trust_env=False) as client:
        asked = examine_witnesses(client, services.reader, services.root, now=clock())
    whole = worst(content) is None
    return Restored(
        manifest=manifest,
        findings=[*content, *asked],
        restored=False,
        whole=whole,
        servable=whole and worst(asked) is None,
        age_seconds=max(0, clock() - manifest.made),
        lost_entries=_lost(asked),
    )


def _passes(finding: Finding, allowed: frozenset[str]) -> bool:
    return finding.state != "wrong" or (
        finding.problem is not None and finding.problem.code in allowed
    )


def _same_hub(services: Services, manifest: Manifest) -> str:
    if services.config.origin != manifest.origin or services.root.hub != manifest.origin:
        raise _Differs(manifest.origin)
    return f"{manifest.origin}, {len(manifest.files)} files, every hash holds"


def _same_logs(services: Services, manifest: Manifest) -> str:
    for name in LogName:
        head, said = services.reader.head(name), manifest.logs.get(name.value)
        if (head is None) != (said is None):
            raise _Differs(name.value)
        if head is None or said is None:
            continue
        if head.size != said.size or services.reader.root(name, head.size) != said.root:
            raise _Differs(name.value)
    return "the same sizes and roots"


def _lost(asked: list[Finding]) -> int | None:
    """Return how many entries the witnesses know beyond the backup, over both logs."""
    lost = 0
    for finding in asked:
        code = finding.problem.code if finding.problem is not None else ""
        if code in SILENT or code == "forked_from_witness":
            return None
        if code == "behind_witness":
            known, _, here = finding.observed.partition(", here: ")
            lost += int(known) - int(here)
    return lost


class _Differs(VerificationFailed):
    """The parts of a backup do not fit each other."""

    def __init__(self, what: str) -> None:
        super().__init__(
            "backup_inconsistent",
            "The backup's parts are not of one hub at one moment.",
            observed=what,
            next_step="Take another backup; keep this one for those who investigate.",
        )
