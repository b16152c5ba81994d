"""Making a backup of a serving hub, and unpacking one into a new folder.

The event is logged before the database is copied: so the copy holds it, and a backup of a hub that
was stopped is not older than what its witnesses saw.
"""

import hashlib
import io
import os
import re
import secrets
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from accord import __version__
from accord.hub.audit import Event, EventClass, Recorder
from accord.hub.backups.archive import ArchiveReader, ArchiveWriter
from accord.hub.backups.manifest import (
    MAX_MANIFEST,
    NAME,
    LogState,
    Manifest,
    SavedFile,
    parse_manifest,
)
from accord.hub.bundles.examination import body_names
from accord.hub.config import (
    BODIES_NAME,
    DATABASE_NAME,
    ERASURES_NAME,
    FILE_NAME,
    KEYS_NAME,
    ROOT_DRAFT_NAME,
    ROOT_NAME,
    HubConfig,
)
from accord.hub.storage import Database, Writer
from accord.hub.storage.copying import copy_to_file
from accord.hub.storage.examination import looking_at
from accord.hub.transparency import LogName, LogReader
from accord.kernel.errors import Conflict, Malformed, Unavailable, VerificationFailed
from accord.kernel.tlog.checkpoint import parse_checkpoint
from accord.kernel.tlog.notes import parse_note

SMALL_FILES = (FILE_NAME, ROOT_NAME, ROOT_DRAFT_NAME, KEYS_NAME, ERASURES_NAME)
"""Files of a home that a backup takes as they are; nothing else of the home is taken."""

ID_SIZE = 8
BLOCK = 1024 * 1024

_BODY = re.compile(rf"{BODIES_NAME}/([0-9a-f]{{2}})/(\1[0-9a-f]{{62}})")


@dataclass(frozen=True, kw_only=True)
class Backups:
    """Backups of one hub."""

    config: HubConfig
    database: Database
    writer: Writer
    recorder: Recorder

    def make(self, target: Path, passphrase: bytes, *, now: int) -> Manifest:
        """Write a backup of the whole hub to the new file ``target``.

        Raises:
            Conflict: ``backup_exists``; nothing is overwritten.
            Unavailable: ``backup_failed`` when a file cannot be written or read.
        """
        if target.exists():
            raise Conflict(
                "backup_exists",
                "There is a file of this name; nothing is overwritten.",
                observed=str(target),
                next_step="Give another name, for example with the date.",
            )
        backup_id = secrets.token_hex(ID_SIZE)
        event = Event(what=EventClass.BACKUP_MADE, subject=backup_id)
        self.writer.run(lambda connection: self.recorder.record(connection, event, now=now))
        draft = target.with_name(f"{target.name}.{backup_id}.part")
        copy = self.config.home / f"backup.{backup_id}.part"
        try:
            copy_to_file(self.database, copy)
            with _new_file(draft) as file:
                manifest = self._write(file, copy, passphrase, backup_id, now)
            _place(draft, target)
        except OSError as error:
            raise Unavailable(
                "backup_failed",
                "The backup could not be written; there is none.",
                retry_after=60,
                observed=f"{type(error).__name__}: {error.strerror}",
                next_step="Look for room on both disks, then run it again.",
            ) from error
        finally:
            for path in (draft, *copy.parent.glob(f"{copy.name}*")):
                path.unlink(missing_ok=True)
        return manifest

    def _write(
        self, file: BinaryIO, copy: Path, passphrase: bytes, backup_id: str, now: int
    ) -> Manifest:
        archive = ArchiveWriter(file, passphrase)
        # tarfile asks its target for nothing but write.
        with tarfile.open(fileobj=cast("BinaryIO", archive), mode="w|", bufsize=BLOCK) as tar:
            files = [
                _add(tar, self.config.home / name, name)
                for name in SMALL_FILES
                if (self.config.home / name).is_file()
            ]
            files.append(_add(tar, copy, DATABASE_NAME))
            with looking_at(copy) as engine:
                names, logs = body_names(engine), _logs(LogReader(engine))
            for body in names:
                path = f"{body[:2]}/{body}"
                files.append(_add(tar, self.config.bodies / path, f"{BODIES_NAME}/{path}"))
            manifest = Manifest(
                backup_id=backup_id,
                origin=self.config.origin,
                made=now,
                version=__version__,
                logs=logs,
                files=files,
            )
            data = manifest.encode()
            tar.addfile(_member(NAME, len(data)), io.BytesIO(data))
        archive.close()
        return manifest


def unpack(source: Path, passphrase: bytes, folder: Path) -> Manifest:
    """Unpack the backup ``source`` into the new ``folder``, every hash checked.

    Raises:
        AuthenticationNeeded: ``backup_passphrase_wrong``.
        Malformed: ``backup_format``.
        VerificationFailed: ``backup_damaged``; the folder is to be thrown away.
    """
    folder.mkdir(mode=0o700, parents=True)
    files: list[SavedFile] = []
    manifest: Manifest | None = None
    with source.open("rb") as file:
        archive = ArchiveReader(file, passphrase)
        try:
            with tarfile.open(fileobj=cast("BinaryIO", archive), mode="r|", bufsize=BLOCK) as tar:
                for member in tar:
                    content = tar.extractfile(member)
                    if not member.isreg() or content is None or manifest is not None:
                        raise _damaged(member.name[:80])
                    if member.name == NAME:
                        manifest = parse_manifest(content.read(MAX_MANIFEST + 1))
                    else:
                        files.append(_extract(folder, member.name, cast("BinaryIO", content)))
            archive.read()
        except (tarfile.TarError, Malformed) as error:
            raise _damaged(type(error).__name__) from error
    if manifest is None or list(manifest.files) != files:
        raise _damaged("files")
    if {FILE_NAME, KEYS_NAME, DATABASE_NAME} - {one.name for one in files}:
        raise _damaged("missing")
    _sync_tree(folder)
    return manifest


def _add(tar: tarfile.TarFile, path: Path, name: str) -> SavedFile:
    """Add the file at ``path``; what is hashed is what goes into the archive."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        reader = _Hashing(file)
        tar.addfile(_member(name, size), cast("BinaryIO", reader))
    return SavedFile(name=name, size=size, sha256=reader.digest())


class _Hashing:
    """A file that is hashed as it is read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._digest = hashlib.sha256()

    def read(self, size: int) -> bytes:
        data = self._file.read(size)
        self._digest.update(data)
        return data

    def digest(self) -> bytes:
        return self._digest.digest()


def _member(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size = size
    member.mode = 0o600
    return member


def _extract(folder: Path, name: str, content: BinaryIO) -> SavedFile:
    """Write one member below ``folder``; only names that a hub's home has are taken."""
    body = _BODY.fullmatch(name)
    if name not in {*SMALL_FILES, DATABASE_NAME} and body is None:
        raise _damaged(name[:80])
    path = folder / name
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with _new_file(path) as file:
        while piece := content.read(BLOCK):
            digest.update(piece)
            size += len(piece)
            file.write(piece)
    if body is not None and digest.hexdigest() != body[2]:
        raise _damaged(name)
    return SavedFile(name=name, size=size, sha256=digest.digest())


def _logs(reader: LogReader) -> dict[str, LogState]:
    found = {}
    for name in LogName:
        head = reader.head(name)
        if head is not None:
            checkpoint = parse_checkpoint(parse_note(head.note).body)
            found[name.value] = LogState(size=checkpoint.size, root=checkpoint.root)
    return found


@contextmanager
def _new_file(path: Path) -> Iterator[BinaryIO]:
    """A new file for its owner alone, on disk when the block ends."""
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


def _place(draft: Path, target: Path) -> None:
    """Give the draft its name, unless somebody took that meanwhile."""
    os.link(draft, target)
    draft.unlink()
    _sync(target.parent)


def _sync_tree(folder: Path) -> None:
    for path in (folder, *(path for path in folder.rglob("*") if path.is_dir())):
        _sync(path)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _damaged(observed: str) -> VerificationFailed:
    return VerificationFailed(
        "backup_damaged",
        "The backup is damaged or cut off.",
        observed=observed,
        next_step="Fetch it again, or take another backup.",
    )
