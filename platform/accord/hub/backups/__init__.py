"""Saving a hub to one encrypted file while it serves, and putting it back.

A backup holds the database as it stood at one moment, every sealed body that it names, settings,
root file and the log keys as they are kept: wrapped. The room restores into a folder of its own and
never over a hub; whether the restored hub may serve is decided by who calls it (the witnesses).
"""

from accord.hub.backups.archive import ArchiveReader, ArchiveWriter
from accord.hub.backups.manifest import LogState, Manifest
from accord.hub.backups.service import Backups, unpack

__all__ = ["ArchiveReader", "ArchiveWriter", "Backups", "LogState", "Manifest", "unpack"]
