"""Enrolment: keys made here, an enrolment that signs itself, proof of the opening key, six words.

The desk trusts the root file that its operator gave it; without one it takes the hub's and the six
words, compared by voice, decide. What comes back counts only when it stands in the witnessed
directory with exactly our keys.
"""

import functools
from dataclasses import dataclass, field

from accord.desk.exchange.client import HubClient
from accord.desk.exchange.mirror import DirectoryMirror
from accord.desk.keyring import Keyring
from accord.desk.storage import Vault
from accord.desk.storage.vault import put_setting
from accord.kernel.directory.challenge import open_challenge
from accord.kernel.directory.rootfile import MAX_ROOT, RootFile, verify_root
from accord.kernel.directory.statements import (
    Op,
    Profile,
    Statement,
    parse_statement,
    sign_statement,
)
from accord.kernel.directory.words import six_words
from accord.kernel.encoding import b64encode, dump_object
from accord.kernel.errors import Conflict, NotFound, Unavailable, VerificationFailed
from accord.kernel.identifiers import OrgId, make_org_id
from accord.kernel.keys import SigningPublicKey
from accord.protocol import paths
from accord.protocol.schemas.enrolments import EnrolmentChallenge, EnrolmentState

KEY_LIFETIME = 365 * 86_400
"""Seconds for which the first keys count."""

_ID = "enrolment_id"
_STATEMENT = "enrolment_statement"
_CHALLENGE = "enrolment_challenge"


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """What an organisation asks for: its short name, profile, roles, and the invite's code."""

    name: str
    profile: Profile
    roles: tuple[str, ...]
    invite: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Enrolment:
    """Where the enrolment stands, and who acts next.

    ``expires`` is until when the hub takes it (unix seconds); ``reason`` why it was refused.
    ``root_file`` and ``statement`` are what the words are made of.
    """

    org: OrgId
    state: str
    next_actor: str
    root_file: bytes = field(repr=False)
    statement: bytes = field(repr=False)
    expires: int | None = None
    reason: str | None = None

    @functools.cached_property
    def words(self) -> tuple[str, ...]:
        """The six words to compare by voice; costly, so made once and only when asked for."""
        return six_words(self.root_file, self.statement)


def fetch_root(client: HubClient, expected: bytes | None) -> bytes:
    """Return the hub's root file; with ``expected`` it must be the same one.

    Raises:
        VerificationFailed: ``root_other``, or the file does not hold.
    """
    offered = client.get(paths.ROOT, limit=MAX_ROOT)
    root = verify_root(offered)
    if expected is not None and verify_root(expected).sha256 != root.sha256:
        raise VerificationFailed(
            "root_other",
            "The hub shows another root file than the one you were given.",
            observed=f"version {root.version} of {root.hub}",
            next_step="Ask your operator which one is right; do not enrol.",
        )
    return offered


def begin(
    client: HubClient,
    vault: Vault,
    keyring: Keyring,
    *,
    root_file: bytes,
    application: Application,
    recovery: SigningPublicKey,
    now: int,
) -> Enrolment:
    """Send the enrolment, answer the challenge, and return the words to compare.

    Raises:
        Conflict: ``enrolment_begun`` when one was sent already.
        Refused: the invite is wrong.
    """
    _require_none_under_way(client, vault)
    root = verify_root(root_file)
    statement = _statement(root, keyring, application, recovery, now=now)
    body = dump_object({"invite": application.invite, "statement": b64encode(statement)})
    answer = client.post(paths.ENROLMENTS, body, paths.JSON_TYPE, EnrolmentChallenge, signed=False)
    enrolment_id = str(answer["id"])
    # Kept before the proof: a killed command is taken up by ``check``.
    with vault.transaction() as connection:
        put_setting(connection, _STATEMENT, statement)
        put_setting(connection, _CHALLENGE, answer["challenge"])
        put_setting(connection, _ID, enrolment_id.encode())
    return _prove(client, keyring, enrolment_id, statement, answer["challenge"], root_file)


def check(client: HubClient, vault: Vault, keyring: Keyring, *, root_file: bytes) -> Enrolment:
    """Return where the enrolment stands; answer the challenge if that is still to be done.

    Raises:
        NotFound: ``enrolment_missing`` when none was sent.
    """
    stored, statement = vault.setting(_ID), vault.setting(_STATEMENT)
    challenge = vault.setting(_CHALLENGE)
    if stored is None or statement is None or challenge is None:
        raise NotFound(
            "enrolment_missing",
            "This desk has not sent an enrolment.",
            next_step="Ask the registrar for an invite, then accord desk enrol --invite CODE.",
        )
    enrolment_id = stored.decode()
    state = client.get_json(paths.enrolment(enrolment_id), EnrolmentState)
    if state["state"] == "proof-needed":
        return _prove(client, keyring, enrolment_id, statement, challenge, root_file)
    return _enrolment(state, root_file, statement)


def _prove(
    client: HubClient,
    keyring: Keyring,
    enrolment_id: str,
    statement: bytes,
    challenge: bytes,
    root_file: bytes,
) -> Enrolment:
    payload = parse_statement(statement).envelope.payload
    secret = open_challenge(keyring.kem[-1], payload, challenge)
    proof = dump_object({"proof": b64encode(secret)})
    path = paths.enrolment_proof(enrolment_id)
    state = client.post(path, proof, paths.JSON_TYPE, EnrolmentState, signed=False)
    return _enrolment(state, root_file, statement)


def _require_none_under_way(client: HubClient, vault: Vault) -> None:
    """Let a second enrolment begin only when the first came to nothing."""
    stored = vault.setting(_ID)
    if stored is None:
        return
    try:
        state = client.get_json(paths.enrolment(stored.decode()), EnrolmentState)["state"]
    except NotFound:
        return
    if state not in {"refused", "expired"}:
        raise Conflict(
            "enrolment_begun",
            "This desk has sent an enrolment already.",
            observed=str(state),
            next_step="Run accord desk enrol without an invite to see where it stands.",
        )


def confirm(mirror: DirectoryMirror, vault: Vault, keyring: Keyring, org: OrgId) -> None:
    """Check that the witnessed directory holds us with exactly our keys.

    Raises:
        VerificationFailed: ``enrolment_other``.
        Unavailable: ``enrolment_pending`` until the witnesses have cosigned the approval.
    """
    try:
        found = mirror.refresh().organisation(org)
    except NotFound as error:
        raise Unavailable(
            "enrolment_pending",
            "The hub says approved; the witnesses have not cosigned that yet.",
            observed=org,
            next_step="Run accord desk enrol again in a moment.",
        ) from error
    ours = (keyring.signing.kid, keyring.kem[-1].kid, keyring.request.public)
    if (found.sig.kid, found.kem.kid, found.request_key) != ours:
        raise VerificationFailed(
            "enrolment_other",
            "The directory holds other keys for this organisation than ours.",
            observed=org,
            next_step="Tell the registrar by voice; send nothing.",
        )
    vault.put_setting("enrolled", org.encode())


def _statement(
    root: RootFile,
    keyring: Keyring,
    application: Application,
    recovery: SigningPublicKey,
    *,
    now: int,
) -> bytes:
    return sign_statement(
        Statement(
            org=make_org_id(application.name, root.hub),
            seq=1,
            op=Op.ENROL,
            not_before=now,
            not_after=now + KEY_LIFETIME,
            profile=application.profile,
            kem=keyring.kem[-1].public,
            sig=keyring.signing.public,
            request_key=keyring.request.public,
            recovery=recovery,
            roles=tuple(sorted(set(application.roles))),
        ),
        [keyring.signing],
    )


def _enrolment(state: dict[str, object], root_file: bytes, statement: bytes) -> Enrolment:
    ours = parse_statement(statement).statement.org
    if state["org"] != ours:
        raise VerificationFailed(
            "enrolment_other", "The hub speaks of another organisation.", observed=str(state["org"])
        )
    return Enrolment(
        org=ours,
        state=str(state["state"]),
        next_actor=str(state["next_actor"]),
        root_file=root_file,
        statement=statement,
        expires=int(str(state["expires"])),
        reason=None if state.get("reason") is None else str(state["reason"]),
    )
