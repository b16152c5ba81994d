"""What recipients said, under their own signatures, of bundles that were sent from here."""

from collections.abc import Sequence
from dataclasses import dataclass

from accord.desk.storage.vault import Vault
from accord.kernel.identifiers import BundleId, OrgId


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One verified word of one recipient on one bundle; ``dsse`` is its signed statement."""

    id: BundleId
    org: OrgId
    state: str
    code: str | None
    at: int
    dsse: bytes


def add_said(vault: Vault, words: Sequence[Said]) -> None:
    """Keep verified words; a repeated one changes nothing."""
    with vault.transaction() as connection:
        connection.executemany(
            "INSERT INTO acknowledgements (id, org, state, code, at, dsse)"
            " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            [(word.id, word.org, word.state, word.code, word.at, word.dsse) for word in words],
        )


def said_of(vault: Vault, bundle: BundleId) -> dict[OrgId, list[Said]]:
    """Return the words of each recipient of a bundle, one for each state, by their own time."""
    rows = vault.connection.execute(
        "SELECT id, org, state, code, at, dsse FROM acknowledgements WHERE id = ?"
        " ORDER BY at, state",
        (bundle,),
    )
    words = [
        Said(id=row[0], org=row[1], state=row[2], code=row[3], at=row[4], dsse=row[5])
        for row in rows
    ]
    said: dict[OrgId, list[Said]] = {}
    for word in words:
        said.setdefault(word.org, []).append(word)
    return said
