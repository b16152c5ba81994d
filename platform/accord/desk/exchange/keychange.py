"""Changes of our own keys and standing: rotate, recover, revoke, leave.

The directory decides, never the hub's answer: new keys take over here when the witnessed directory
holds exactly them. So a killed command needs no memory of its own. Run again, it either finds the
new keys in the directory and finishes, or makes the statement again with the same new keys. Each
change stands in the journal before it is made; a killed one may stand there twice.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from accord.clock import Clock
from accord.desk.exchange.client import HubClient
from accord.desk.exchange.mirror import DirectoryMirror
from accord.desk.exchange.ours import holds, keys_not_ours, require_ours
from accord.desk.exchange.receipts import Pause
from accord.desk.keyring import Following, KeyFile, Keyring
from accord.desk.storage import Vault
from accord.desk.storage.journal import Act, record_act
from accord.desk.storage.outbox import OutboxState, only_sender, unfinished
from accord.desk.storage.vault import put_setting
from accord.kernel.directory.challenge import open_challenge
from accord.kernel.directory.organisation import Organisation, Status
from accord.kernel.directory.statements import Op, parse_statement, sign_statement
from accord.kernel.directory.transition import following_statement
from accord.kernel.directory.words import six_words
from accord.kernel.encoding import b64encode, dump_object
from accord.kernel.errors import Conflict, Malformed, NotFound, Refused, Unavailable
from accord.kernel.identifiers import OrgId
from accord.kernel.keys import SigningKeyPair, SigningPublicKey
from accord.protocol import paths
from accord.protocol.schemas.enrolments import EnrolmentState, StatementTaken

KEY_LIFETIME = 365 * 86_400
"""Seconds for which new keys count."""

TRIES = 20
PAUSE = 0.5
"""How often, and after how many seconds, a logged statement is looked for in the directory."""

_RECOVERY_ID = "recovery_id"
_RECOVERY_STATEMENT = "recovery_statement"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a change stands.

    Attributes:
        org: our organisation.
        state: ``active`` when the directory holds it; else what the hub waits for.
        next_actor: ``desk``, ``registrar`` or ``nobody``.
        status: our standing in the directory.
        hold_until: end of the 72 hours after a recovery.
        reason: why the registrars refused it, when they did.
        words: six words to compare by voice, for a recovery.
    """

    org: OrgId
    state: str
    next_actor: str
    status: Status
    hold_until: int | None = None
    reason: str | None = None
    words: tuple[str, ...] = ()


class KeyChanges:
    """The verbs on our own keys."""

    def __init__(
        self,
        *,
        vault: Vault,
        client: HubClient,
        mirror: DirectoryMirror,
        key_file: KeyFile,
        org: OrgId,
        person: str,
        clock: Clock,
        pause: Pause,
    ) -> None:
        """Work for ``person``; ``pause`` waits between looks at the directory."""
        self._vault = vault
        self._client = client
        self._mirror = mirror
        self._key_file = key_file
        self._org = org
        self._person = person
        self._clock = clock
        self._pause = pause

    def rotate(self, *, compromised_since: int | None = None) -> Standing:
        """Replace all three keys; return when the witnessed directory holds the new ones.

        (1) A change that the directory holds already is finished. (2) What is sealed with the
        present keys must have gone. (3) New keys are made, once. (4) The statement is signed by
        the new key and by the one in force. (5) The hub's challenge to the new opening key is
        answered. (6) The directory is looked at until it holds the new keys.

        Raises:
            VerificationFailed: ``keys_not_ours``.
            Refused: ``standing_lost``, ``outbox_waits``, ``rotation_too_soon``.
            Unavailable: ``sender_busy``; ``change_pending`` until the witnesses have cosigned.
        """
        with only_sender(self._vault):
            held = self._mirror.refresh().organisation(self._org)
            keyring = self._key_file.unlock()
            if self._finished(held, keyring):  # (1)
                return self._standing(held)
            require_ours(self._mirror.state, self._org, keyring)
            self._require_sent()  # (2)
            keyring = self._key_file.prepare()  # (3)
            following = _following(keyring)
            now = self._clock()
            statement = replace(
                following_statement(held, Op.ROTATE, not_before=max(now, held.time)),
                kem=following.kem.public,
                sig=following.signing.public,
                request_key=following.request.public,
                not_after=max(now, held.time) + KEY_LIFETIME,
                compromised_since=compromised_since,
            )
            signed = sign_statement(statement, [following.signing, keyring.signing])  # (4)
            self._note(_key(following), "rotate")
            self._send(signed, following)  # (5)
            held = self._awaited(lambda one: holds(one, following))  # (6)
            self._take_over(following)
            return self._standing(held)

    def recover(
        self,
        recovery: SigningKeyPair,
        *,
        new_recovery: Callable[[], SigningPublicKey],
        compromised_since: int | None = None,
    ) -> Standing:
        """Ask for all new keys with the offline recovery key; registrars must sign it too.

        Args:
            recovery: the key that the directory names.
            new_recovery: makes the next recovery key and returns its public half; called when
                this recovery has none yet.
            compromised_since: unix seconds.

        Raises:
            Refused: ``recovery_key_other``.
        """
        with only_sender(self._vault):
            held = self._mirror.refresh().organisation(self._org)
            keyring = self._key_file.unlock()
            if self._finished(held, keyring):
                return self._standing(held)
            if recovery.kid != held.recovery.kid:
                raise Refused(
                    "recovery_key_other",
                    "This is not the recovery key that the directory names.",
                    observed=b64encode(recovery.kid),
                    next_step="Take the newest sheet or recovery file of this organisation.",
                )
            if keyring.following is None or keyring.following.recovery is None:
                keyring = self._key_file.prepare(recovery=new_recovery())
            following = _following(keyring)
            time = max(self._clock(), held.time)
            statement = replace(
                following_statement(held, Op.RECOVER, not_before=time),
                kem=following.kem.public,
                sig=following.signing.public,
                request_key=following.request.public,
                recovery=following.recovery,
                not_after=time + KEY_LIFETIME,
                compromised_since=compromised_since,
            )
            signed = sign_statement(statement, [following.signing, recovery])
            self._note(_key(following), "recover")
            self._send(signed, following)
        return self.status()

    def revoke(
        self, recovery: SigningKeyPair | None = None, *, compromised_since: int | None = None
    ) -> Standing:
        """End all our keys, with the recovery key or, without one, with our own in force.

        Raises:
            VerificationFailed: ``signer_not_entitled``.
            Refused: ``status_wrong``.
        """
        held = self._mirror.refresh().organisation(self._org)
        signer = recovery or self._key_file.unlock().signing
        statement = following_statement(held, Op.REVOKE, not_before=max(self._clock(), held.time))
        self._note(f"org {self._org}", "revoke")
        self._send(
            sign_statement(replace(statement, compromised_since=compromised_since), [signer]), None
        )
        return self._standing(self._awaited(lambda one: one.status is Status.REVOKED))

    def leave(self) -> Standing:
        """Leave the hub, for good; signed with our key in force.

        Raises:
            VerificationFailed: ``keys_not_ours``.
            Refused: ``standing_lost``, ``outbox_waits``.
        """
        with only_sender(self._vault):
            keyring = self._key_file.unlock()
            held = require_ours(self._mirror.refresh(), self._org, keyring)
            self._require_sent()
            statement = following_statement(
                held, Op.LEAVE, not_before=max(self._clock(), held.time)
            )
            self._note(f"org {self._org}", "leave the hub")
            self._send(sign_statement(statement, [keyring.signing]), None)
            return self._standing(self._awaited(lambda one: one.status is Status.LEFT))

    def status(self) -> Standing:
        """Return where a change stands; one that the directory holds is finished here.

        Raises:
            NotFound: ``org_unknown``.
            VerificationFailed: ``keys_not_ours`` when nothing of ours is under way.
        """
        held = self._mirror.refresh().organisation(self._org)
        keyring = self._key_file.unlock()
        if self._finished(held, keyring):
            return self._standing(held)
        handle = self._vault.setting(_RECOVERY_ID)
        statement = self._vault.setting(_RECOVERY_STATEMENT)
        if keyring.following is None or handle is None or statement is None:
            if not holds(held, keyring):
                raise keys_not_ours(held)
            return self._standing(held)
        try:
            told = self._client.get_json(paths.enrolment(handle.decode()), EnrolmentState)
        except NotFound:
            told = {"state": "expired", "next_actor": "desk"}
        return replace(
            self._standing(held),
            state=str(told["state"]),
            next_actor=str(told["next_actor"]),
            reason=told.get("reason"),
            words=six_words(self._mirror.root_bytes, statement),
        )

    def _finished(self, held: Organisation, keyring: Keyring) -> bool:
        """Let following keys take over that the directory holds; tell whether it was so."""
        if keyring.following is None or not holds(held, keyring.following):
            return False
        self._take_over(keyring.following)
        return True

    def _take_over(self, following: Following) -> None:
        self._note(_key(following), "take over")
        self._key_file.finish()

    def _note(self, subject: str, what: str) -> None:
        record_act(
            self._vault,
            person=self._person,
            act=Act.KEY_ROTATE,
            subject=subject,
            reason=what,
            now=self._clock(),
        )

    def _require_sent(self) -> None:
        waiting = [row for row in unfinished(self._vault) if row.state is OutboxState.SEALED]
        if waiting:
            raise Refused(
                "outbox_waits",
                "Bundles that were sealed with the present keys have not gone yet.",
                observed=str(len(waiting)),
                next_step="Send them first: accord pull; or wait until the hub answers.",
            )

    def _send(self, signed: bytes, following: Following | None) -> None:
        """Send a statement and answer the challenge to a new opening key."""
        try:
            answer = self._client.post(
                paths.STATEMENTS, signed, paths.STATEMENT_TYPE, StatementTaken, signed=False
            )
        except Conflict as error:
            if error.code not in {"statement_stale", "key_taken"}:
                raise
            # An earlier run of this command may have been logged; its checkpoint is on its way.
            raise _pending(self._org) from error
        handle, challenge = answer.get("id"), answer.get("challenge")
        if following is None or handle is None or challenge is None:
            return
        payload = parse_statement(signed).envelope.payload
        if parse_statement(signed).statement.op is Op.RECOVER:
            with self._vault.transaction() as connection:
                put_setting(connection, _RECOVERY_ID, str(handle).encode())
                put_setting(connection, _RECOVERY_STATEMENT, signed)
        proof = dump_object({"proof": b64encode(open_challenge(following.kem, payload, challenge))})
        path = paths.enrolment_proof(str(handle))
        self._client.post(path, proof, paths.JSON_TYPE, EnrolmentState, signed=False)

    def _awaited(self, done: Callable[[Organisation], bool]) -> Organisation:
        """Return our entry as soon as the witnessed directory says so."""
        for _ in range(TRIES):
            held = self._mirror.refresh().organisation(self._org)
            if done(held):
                return held
            if self._pause(PAUSE):
                break
        raise _pending(self._org)

    def _standing(self, held: Organisation) -> Standing:
        waits = held.status is Status.SUSPENDED
        return Standing(
            org=held.org,
            state="active",
            next_actor="registrar" if waits else "nobody",
            status=held.status,
            hold_until=held.hold_until,
        )


def _following(keyring: Keyring) -> Following:
    if keyring.following is None:
        raise Malformed("keys_incomplete", "The key file lacks the keys of a change.")
    return keyring.following


def _key(following: Following) -> str:
    return f"key {b64encode(following.signing.kid)}"


def _pending(org: OrgId) -> Unavailable:
    return Unavailable(
        "change_pending",
        "The hub has taken the change; the witnesses have not cosigned it yet.",
        retry_after=5,
        observed=org,
        next_step="Run the same command again in a moment; nothing is lost.",
    )
