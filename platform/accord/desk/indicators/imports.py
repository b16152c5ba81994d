"""Take an opened bundle, or one that was sealed here, into the vault.

The caller holds the transaction, so that the bundle, its delivery and what it does to other
bundles become durable together or not at all.
"""

import sqlite3
from collections.abc import Sequence

from accord.desk.indicators.watching import note_watched
from accord.desk.storage import Mark, MarkState, NewBundle, Vault, Way
from accord.desk.storage.bundles import WHOLE, add_bundle, add_mark
from accord.kernel.bundle.framing import Signed
from accord.kernel.envelope.opening import OpenedBundle
from accord.kernel.envelope.payload import PayloadHead, format_head
from accord.kernel.errors import Malformed
from accord.kernel.indicators import IndicatorRecord


def import_opened(
    vault: Vault,
    connection: sqlite3.Connection,
    opened: OpenedBundle[IndicatorRecord],
    *,
    now: int,
) -> bool:
    """Store an opened bundle with its records; tell whether it was new.

    A bundle that ``replaces`` another one of the same organisation supersedes it.
    """
    records = [None if isinstance(one, Malformed) else one for one in opened.outcomes]
    new = describe(
        opened.trimmed, salt=opened.salt, head=opened.head, way=Way.RECEIVED, arrived=now
    )
    return store(
        vault,
        connection,
        new,
        lines=opened.lines,
        records=records,
        quarantined=[(place, error.code) for place, error in opened.quarantined],
    )


def import_other(
    vault: Vault,
    connection: sqlite3.Connection,
    opened: OpenedBundle[bytes],
    *,
    now: int,
    records: Sequence[IndicatorRecord | None] = (),
    quarantined: Sequence[tuple[int, str]] = (),
) -> bool:
    """Store an opened bundle whose lines are no indicators, or not all (retraction, answer…)."""
    new = describe(
        opened.trimmed, salt=opened.salt, head=opened.head, way=Way.RECEIVED, arrived=now
    )
    return store(
        vault, connection, new, lines=opened.lines, records=records, quarantined=quarantined
    )


def describe(
    signed: Signed,
    *,
    salt: bytes,
    head: PayloadHead,
    way: Way,
    arrived: int,
    submission: bytes | None = None,
) -> NewBundle:
    """Return the vault's row of a verified bundle."""
    header = signed.header
    return NewBundle(
        org=header.org,
        id=header.id,
        way=way,
        kind=header.kind.value,
        tlp=header.policy.tlp.value,
        purpose=header.policy.purpose.value,
        legal_basis=header.policy.legal_basis.value,
        onward=header.policy.onward.value,
        created=header.created,
        expires=header.expires,
        arrived=arrived,
        signer=header.sig,
        manifest=signed.manifest_sha256,
        header=signed.header_bytes,
        dsse=signed.dsse,
        head=format_head(salt, head),
        title=head.title,
        replaces=header.replaces,
        submission=submission,
    )


def store(
    vault: Vault,
    connection: sqlite3.Connection,
    new: NewBundle,
    *,
    lines: Sequence[bytes],
    records: Sequence[IndicatorRecord | None],
    quarantined: Sequence[tuple[int, str]],
) -> bool:
    """Store a described bundle, what its header does to another one, and what of it is watched."""
    number = add_bundle(
        connection, vault.term_key, new, lines=lines, records=records, quarantined=quarantined
    )
    if number is not None and new.way is Way.RECEIVED:
        note_watched(connection, number, f"{new.org} {new.id}", records, now=new.arrived)
    if number is not None and new.replaces is not None:
        mark = Mark(
            record=WHOLE,
            state=MarkState.SUPERSEDED,
            by_org=new.org,
            by_id=new.id,
            code="replaced",
            at=new.created,
        )
        add_mark(connection, new.org, new.replaces, mark)
    return number is not None
