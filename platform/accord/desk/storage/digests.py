"""SHA-256 of a file, read in pieces: one function for what is sent, exported and screened."""

import hashlib
from pathlib import Path


def file_digest(path: Path) -> bytes:
    """Return SHA-256 of a file.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
