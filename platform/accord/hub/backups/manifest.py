"""What a backup says of itself: whose, when, how long the logs were, and each file's hash.

It is the last member of the archive, so that every hash in it was taken of bytes just written.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from accord.kernel.encoding import (
    JsonValue,
    b64decode,
    b64encode,
    dump_object,
    parse_object,
    require_int,
    require_keys,
    require_object,
    require_str,
)
from accord.kernel.errors import Malformed

NAME = "manifest.json"
MAX_MANIFEST = 64 * 1024 * 1024

_HASH_SIZE = 32
_MAX_NAME = 200
_MAX_FILES = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LogState:
    """How long a log was, and its root."""

    size: int
    root: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedFile:
    """One file of the backup."""

    name: str
    size: int
    sha256: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The whole statement; ``made`` is in unix seconds, ``logs`` by their names."""

    backup_id: str
    origin: str
    made: int
    version: str
    logs: dict[str, LogState]
    files: Sequence[SavedFile]

    def encode(self) -> bytes:
        """Return the manifest as the archive has it."""
        files: list[JsonValue] = [
            {"name": one.name, "size": one.size, "sha256": b64encode(one.sha256)}
            for one in self.files
        ]
        logs: dict[str, JsonValue] = {
            name: {"size": one.size, "root": b64encode(one.root)} for name, one in self.logs.items()
        }
        return dump_object(
            {
                "v": 1,
                "id": self.backup_id,
                "origin": self.origin,
                "made": self.made,
                "version": self.version,
                "logs": logs,
                "files": files,
            }
        )


def parse_manifest(data: bytes) -> Manifest:
    """Return the manifest in ``data``.

    Raises:
        Malformed: a code of ``kernel.encoding``.
    """
    found = parse_object(data, limit=MAX_MANIFEST)
    require_keys(found, required=("v", "id", "origin", "made", "version", "logs", "files"))
    require_int(found, "v", minimum=1, maximum=1)
    logs = require_object(found, "logs")
    files = found["files"]
    if not isinstance(files, list) or len(files) > _MAX_FILES:
        raise Malformed("value_invalid", "A manifest lists its files.")
    return Manifest(
        backup_id=require_str(found, "id", limit=40),
        origin=require_str(found, "origin", limit=255),
        made=require_int(found, "made", minimum=0),
        version=require_str(found, "version", limit=40),
        logs={name: _log(require_object(logs, name)) for name in logs},
        files=[_file(one) for one in files],
    )


def _log(found: dict[str, JsonValue]) -> LogState:
    require_keys(found, required=("size", "root"))
    return LogState(
        size=require_int(found, "size", minimum=0),
        root=b64decode(found["root"], length=_HASH_SIZE),
    )


def _file(found: JsonValue) -> SavedFile:
    if not isinstance(found, dict):
        raise Malformed("value_invalid", "A manifest names files by objects.")
    require_keys(found, required=("name", "size", "sha256"))
    return SavedFile(
        name=require_str(found, "name", limit=_MAX_NAME),
        size=require_int(found, "size", minimum=0),
        sha256=b64decode(found["sha256"], length=_HASH_SIZE),
    )
