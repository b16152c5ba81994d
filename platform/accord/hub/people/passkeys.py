"""Passkeys (WebAuthn level 3): challenges, what the browser is asked, and what its answer proves.

Invariants: the user was verified by the authenticator, so one passkey is two factors; an answer
counts for one challenge, once, from the browser that was asked, at the origin of the settings; no
attestation is asked for. A challenge is not kept: it carries its own time and tag, and only a used
one is written down. The library is asked with a counter of 0, because a counter that went back must
be noted and not only refused (``went_back``).

Source: https://www.w3.org/TR/webauthn-3/ clauses 7.1 (registration) and 7.2 (assertion).
"""

import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import webauthn
from sqlalchemy import Connection, delete, insert, select
from webauthn.helpers import (
    base64url_to_bytes,
    options_to_json,
    parse_authentication_credential_json,
)
from webauthn.helpers.structs import (
    AttestationConveyancePreference,
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from accord.hub.people.queries import Person
from accord.hub.people.sealing import PeopleKeys
from accord.hub.people.tables import PasskeyRow, SpentRow
from accord.kernel.errors import AuthenticationNeeded, Conflict, Malformed

CHALLENGE_SECONDS = 300
"""How long a challenge may be answered."""

MAX_ANSWER = 16 * 1024
"""Longest answer of a browser, in characters."""

MAX_PASSKEYS = 10
"""Most passkeys of one person."""

_RANDOM, _TIME, _TAG = 16, 8, 32


@dataclass(frozen=True, slots=True, kw_only=True)
class RelyingParty:
    """Where passkeys count: the pages' origin, for example ``https://hub.example``."""

    origin: str
    name: str

    @property
    def id(self) -> str:
        """The host name to which passkeys are bound."""
        return urlsplit(self.origin).hostname or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a browser answered, and what it was asked.

    Attributes:
        credential: the credential as JSON text, from the page's form.
        challenge: the challenge as the form carries it; its tag says that it is ours.
        bound_to: what ties it to this browser, for example the token of its forms.
        party: where it must have been made.
    """

    credential: str
    challenge: str
    bound_to: str
    party: RelyingParty


class Challenges:
    """Makes challenges, and takes each once."""

    def __init__(self, keys: PeopleKeys) -> None:
        """Make and know them by ``keys``."""
        self._keys = keys

    def make(self, bound_to: str, *, now: int) -> bytes:
        """Return a challenge for the browser that ``bound_to`` stands for."""
        head = secrets.token_bytes(_RANDOM) + now.to_bytes(_TIME, "big")
        return head + self._tag(head, bound_to)

    def take(self, connection: Connection, answer: Answer, *, now: int) -> bytes:
        """Return the challenge of an answer inside the caller's act, and never again.

        Raises:
            AuthenticationNeeded: ``passkey_refused``: foreign, too old, or used.
        """
        challenge = _decode(answer.challenge)
        head, tag = challenge[: _RANDOM + _TIME], challenge[_RANDOM + _TIME :]
        made = int.from_bytes(head[_RANDOM:], "big")
        if not hmac.compare_digest(tag, self._tag(head, answer.bound_to)):
            raise passkey_refused()
        if not 0 <= now - made <= CHALLENGE_SECONDS:
            raise passkey_refused()
        key = self._keys.tag("spent", challenge)
        connection.execute(delete(SpentRow).where(SpentRow.until < now))
        if connection.scalar(select(SpentRow.until).where(SpentRow.key == key)) is not None:
            raise passkey_refused()
        connection.execute(insert(SpentRow).values(key=key, until=now + CHALLENGE_SECONDS))
        return challenge

    def _tag(self, head: bytes, bound_to: str) -> bytes:
        return self._keys.tag("challenge", head, bound_to.encode())


def registration_options(
    person: Person, held: Sequence[bytes], *, challenge: bytes, party: RelyingParty
) -> str:
    """Return what a browser is asked to make a passkey, as JSON."""
    return options_to_json(
        webauthn.generate_registration_options(
            rp_id=party.id,
            rp_name=party.name,
            user_id=bytes.fromhex(person.handle),
            user_name=person.login,
            challenge=challenge,
            attestation=AttestationConveyancePreference.NONE,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=[PublicKeyCredentialDescriptor(id=one) for one in held],
        )
    )


def sign_in_options(held: Sequence[bytes], *, challenge: bytes, party: RelyingParty) -> str:
    """Return what a browser is asked to prove, as JSON; without ``held`` the person picks."""
    return options_to_json(
        webauthn.generate_authentication_options(
            rp_id=party.id,
            challenge=challenge,
            allow_credentials=[PublicKeyCredentialDescriptor(id=one) for one in held],
            user_verification=UserVerificationRequirement.REQUIRED,
        )
    )


def register(
    connection: Connection,
    person: Person,
    answer: Answer,
    challenge: bytes,
    *,
    label: str,
    now: int,
) -> None:
    """Check a new passkey and keep it, inside the caller's act.

    Raises:
        AuthenticationNeeded: ``passkey_refused``.
        Conflict: ``passkey_known``, ``passkeys_full``.
    """
    if len(passkeys_of(connection, person)) >= MAX_PASSKEYS:
        raise Conflict("passkeys_full", f"A person has at most {MAX_PASSKEYS} passkeys.")
    try:
        made = webauthn.verify_registration_response(
            credential=_text(answer),
            expected_challenge=challenge,
            expected_rp_id=answer.party.id,
            expected_origin=answer.party.origin,
            require_user_verification=True,
        )
    except Exception as error:  # the library raises many kinds on hostile bytes
        raise passkey_refused() from error
    known = select(PasskeyRow.number).where(PasskeyRow.credential == made.credential_id)
    if connection.scalar(known) is not None:
        raise Conflict("passkey_known", "This passkey is registered already.")
    connection.execute(
        insert(PasskeyRow).values(
            person=person.number,
            credential=made.credential_id,
            public_key=made.credential_public_key,
            counter=made.sign_count,
            label=label,
            created=now,
        )
    )


def credential_of(answer: Answer) -> bytes:
    """Return the id of the credential that an answer claims to be of.

    Raises:
        AuthenticationNeeded: ``passkey_refused``.
    """
    try:
        return parse_authentication_credential_json(_text(answer)).raw_id
    except Exception as error:  # the library raises many kinds on hostile bytes
        raise passkey_refused() from error


def check_assertion(answer: Answer, challenge: bytes, *, public_key: bytes) -> int:
    """Check that an answer was signed by a passkey; return the counter that it shows.

    Raises:
        AuthenticationNeeded: ``passkey_refused``.
    """
    try:
        proved = webauthn.verify_authentication_response(
            credential=_text(answer),
            expected_challenge=challenge,
            expected_rp_id=answer.party.id,
            expected_origin=answer.party.origin,
            credential_public_key=public_key,
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    except Exception as error:  # the library raises many kinds on hostile bytes
        raise passkey_refused() from error
    return proved.new_sign_count


def went_back(kept: int, shown: int) -> bool:
    """Say whether a counter did not grow: two devices may hold the same passkey (clause 6.1.1)."""
    return bool(kept or shown) and shown <= kept


def passkeys_of(connection: Connection, person: Person) -> list[bytes]:
    """Return the ids of a person's passkeys that are not halted."""
    query = select(PasskeyRow.credential).where(
        PasskeyRow.person == person.number, PasskeyRow.halted.is_(None)
    )
    return list(connection.scalars(query.order_by(PasskeyRow.number)))


def parse_label(text: str) -> str:
    """Return the name that a person gives a passkey.

    Raises:
        Malformed: ``label_invalid``.
    """
    label = text.strip()
    if not 1 <= len(label) <= 40 or not label.isprintable():  # noqa: PLR2004 - as the message says
        raise Malformed("label_invalid", "Name the passkey in 1 to 40 characters.")
    return label


def passkey_refused() -> AuthenticationNeeded:
    """Return the one refusal of a passkey, whatever was wrong."""
    return AuthenticationNeeded(
        "passkey_refused",
        "This passkey was not accepted.",
        next_step="Load the page again and try once more, or use another way to sign in.",
    )


def _text(answer: Answer) -> str:
    if len(answer.credential) > MAX_ANSWER:
        raise passkey_refused()
    return answer.credential


def _decode(text: str) -> bytes:
    try:
        found = base64url_to_bytes(text[:256])
    except ValueError as error:
        raise passkey_refused() from error
    if len(found) != _RANDOM + _TIME + _TAG:
        raise passkey_refused()
    return found
