"""The codes that people type: of an authenticator app, and for recovery.

Invariants: a time step counts once, so that a code seen over the shoulder is worth nothing;
recovery codes are kept as tags and each is gone with its use. Source: RFC 6238.
"""

import base64
import hmac
import secrets
from collections.abc import Sequence
from typing import Any

import pyotp
from sqlalchemy import Connection, Row, delete, func, insert, select, update

from accord.hub.people.queries import Person
from accord.hub.people.sealing import PeopleKeys
from accord.hub.people.tables import RecoveryCodeRow, TotpRow

STEP_SECONDS = 30
DRIFT = (0, -1, 1)
"""Time steps beside the present one that are taken, for clocks that are a little off."""

RECOVERY_CODES = 10
"""Codes of one set; a new set replaces the old one."""

RECOVERY_BYTES = 10
"""Randomness of a recovery code: 80 bits."""

MAX_TYPED = 64


def new_secret() -> str:
    """Return the secret of a new authenticator app, in base32 (160 bits)."""
    return pyotp.random_base32()


def provisioning_uri(secret: str, *, login: str, hub: str) -> str:
    """Return what an authenticator app reads from the square."""
    return pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=f"Accord {hub}")


def open_secret(row: Row[Any], person: Person, keys: PeopleKeys) -> str:
    """Return the secret in a person's row."""
    return keys.open(row.sealed, bound_to=_context(person)).decode()


def seal_secret(secret: str, person: Person, keys: PeopleKeys) -> bytes:
    """Return the secret as the row keeps it."""
    return keys.seal(secret.encode(), bound_to=_context(person))


def totp_row(connection: Connection, person: Person) -> Row[Any] | None:
    """Return the row of a person's authenticator app, confirmed or not."""
    return connection.execute(
        select(TotpRow.__table__).where(TotpRow.person == person.number)
    ).one_or_none()


def take_totp(connection: Connection, row: Row[Any], secret: str, typed: str, *, now: int) -> bool:
    """Say whether a code is right and new, and note its time step inside the caller's act."""
    code = typed.replace(" ", "")[:MAX_TYPED]
    app = pyotp.TOTP(secret, interval=STEP_SECONDS)
    step = None
    for drift in DRIFT:
        at = now // STEP_SECONDS + drift
        # Every step is compared, so that the time does not tell which one fits.
        if hmac.compare_digest(app.at(at * STEP_SECONDS).encode(), code.encode()) and at > row.step:
            step = at
    if step is None:
        return False
    connection.execute(update(TotpRow).where(TotpRow.person == row.person).values(step=step))
    return True


def make_recovery_codes(connection: Connection, person: Person, keys: PeopleKeys) -> Sequence[str]:
    """Replace a person's recovery codes inside the caller's act; return them, shown this once."""
    connection.execute(delete(RecoveryCodeRow).where(RecoveryCodeRow.person == person.number))
    codes = [
        base64.b32encode(secrets.token_bytes(RECOVERY_BYTES)).decode().lower()
        for _ in range(RECOVERY_CODES)
    ]
    connection.execute(
        insert(RecoveryCodeRow),
        [{"person": person.number, "tag": _tag(person, code, keys)} for code in codes],
    )
    return ["-".join(code[at : at + 4] for at in range(0, len(code), 4)) for code in codes]


def take_recovery_code(
    connection: Connection, person: Person, typed: str, keys: PeopleKeys
) -> bool:
    """Say whether a recovery code is one of the person's, and use it up inside the act."""
    code = typed[:MAX_TYPED].replace("-", "").replace(" ", "").lower()
    gone = connection.execute(
        delete(RecoveryCodeRow).where(
            RecoveryCodeRow.person == person.number,
            RecoveryCodeRow.tag == _tag(person, code, keys),
        )
    )
    return bool(gone.rowcount)


def count_recovery_codes(connection: Connection, person: Person) -> int:
    """Return how many recovery codes a person has left."""
    query = select(func.count()).select_from(RecoveryCodeRow)
    return connection.scalar(query.where(RecoveryCodeRow.person == person.number)) or 0


def _context(person: Person) -> bytes:
    return b"totp/" + person.handle.encode()


def _tag(person: Person, code: str, keys: PeopleKeys) -> bytes:
    return keys.tag("recovery", person.handle.encode(), code.encode("utf-8", "replace"))
