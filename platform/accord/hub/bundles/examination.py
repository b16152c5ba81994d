"""Do the files of large sealed bodies still hold what the rows say? For check, backup, restore."""

import hashlib
from collections.abc import Iterator

from sqlalchemy import Engine, select

from accord.hub.bundles.tables import BundleRow
from accord.hub.storage import BodyStore
from accord.kernel.errors import VerificationFailed


def body_names(engine: Engine) -> list[str]:
    """Return the names of all bodies that rows say are files."""
    with engine.connect() as connection:
        found = connection.scalars(
            select(BundleRow.body_file).where(BundleRow.body_file.is_not(None)).distinct()
        )
        return sorted(name for name in found if name is not None)


def examine_bodies(engine: Engine, bodies: BodyStore) -> int:
    """Return how many bodies are files; each has the content that its name says.

    Raises:
        NotFound: ``body_missing``.
        VerificationFailed: ``body_damaged``.
    """
    names = body_names(engine)
    for name in names:
        with bodies.open(name) as (_, pieces):
            found = _digest(pieces)
        if found != name:
            raise VerificationFailed(
                "body_damaged",
                "A sealed body is not what was accepted.",
                observed=name,
                next_step="Restore this file from a backup; its sender can also send it again.",
            )
    return len(names)


def _digest(chunks: Iterator[bytes]) -> str:
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
    return digest.hexdigest()
