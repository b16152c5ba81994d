"""Files that a command makes for others to hold: new, whole, and readable by their owner alone."""

import os
from pathlib import Path
from typing import BinaryIO

from accord.kernel.errors import Conflict


def check_new(path: Path) -> None:
    """Refuse a name that is taken, before any work is done.

    Raises:
        Conflict: ``export_exists``.
    """
    if os.path.lexists(path):
        raise _taken(path)


def write_new(path: Path, data: bytes) -> None:
    """Write a new file, readable by its owner alone.

    Raises:
        Conflict: ``export_exists``, also for a link to nowhere; nothing is overwritten.
    """
    with open_new(path) as file:
        file.write(data)


def open_new(path: Path) -> BinaryIO:
    """Open a new file to write, readable by its owner alone from the start.

    Raises:
        Conflict: ``export_exists``, also for a link to nowhere; nothing is overwritten.
    """
    try:
        place = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise _taken(path) from error
    return os.fdopen(place, "wb")


def _taken(path: Path) -> Conflict:
    return Conflict(
        "export_exists",
        "There is something of this name already; it is not overwritten.",
        observed=path.name,
        next_step="Choose another name with -o.",
    )
