"""What the environment says to every program: the home directory and the passphrase file.

Each program has a config module of its own for its settings; this one holds what they share.
An attacker who controls these two variables chooses which keys are opened, not what they are.
"""

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from platformdirs import user_data_path

from accord.kernel.errors import Refused

HOME_VARIABLE = "ACCORD_HOME"
PASSPHRASE_VARIABLE = "ACCORD_PASSPHRASE_FILE"  # noqa: S105 - the name of a variable
MAX_PASSPHRASE = 1024
"""Longest passphrase in bytes."""


def default_home() -> Path:
    """Return ``$ACCORD_HOME``, else the platform's data directory for accord."""
    chosen = os.environ.get(HOME_VARIABLE)
    return Path(chosen) if chosen else user_data_path("accord", appauthor=False)


def environment_for_children() -> dict[str, str]:
    """Return the environment without Accord's own variables, for processes that we start."""
    return {name: value for name, value in os.environ.items() if not name.startswith("ACCORD_")}


def use_only(environment: Mapping[str, str]) -> None:
    """Replace this process's environment; for a command that was forked, not started anew."""
    os.environ.clear()
    os.environ.update(environment)


def read_passphrase() -> bytes | None:
    """Return the content of ``$ACCORD_PASSPHRASE_FILE`` without its line end, or ``None``.

    Raises:
        Refused: ``passphrase_file_open`` when others may read it, ``passphrase_file_bad`` when it
            is missing, empty or longer than 1024 bytes.
    """
    chosen = os.environ.get(PASSPHRASE_VARIABLE)
    return read_passphrase_file(Path(chosen)) if chosen else None


def read_passphrase_file(path: Path) -> bytes:
    """Return the content of a passphrase file without its line end.

    Raises:
        Refused: as ``read_passphrase``.
    """
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            content = file.read(MAX_PASSPHRASE + 2).rstrip(b"\r\n")
    except OSError as error:
        raise Refused(
            "passphrase_file_bad",
            "The passphrase file cannot be read.",
            observed=str(path),
            next_step=f"Name a readable file; for all commands: {PASSPHRASE_VARIABLE}.",
        ) from error
    if stat.S_IMODE(mode) & 0o077:
        raise Refused(
            "passphrase_file_open",
            "Others may read the passphrase file.",
            observed=f"mode {stat.S_IMODE(mode):o}",
            next_step=f"chmod 600 {path}",
        )
    if not content or len(content) > MAX_PASSPHRASE:
        raise Refused(
            "passphrase_file_bad",
            f"The passphrase file must hold 1 to {MAX_PASSPHRASE} bytes.",
            observed=f"{len(content)} bytes",
        )
    return content
