"""Sending: ask the charter, seal in parts, keep in the outbox, put, wait for the receipt.

A part is durable in the outbox, with its records, before it is sent: a killed command goes on
where it stopped, and the hub's answer to the same bytes is the same, so nothing is doubled. A part
is done only with a verified receipt. The hub's refusal is final for that part and is kept.
"""

import hashlib
import itertools
import secrets
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

from accord.clock import Clock
from accord.desk.exchange.client import HubClient, query_of
from accord.desk.exchange.mirror import DirectoryMirror
from accord.desk.exchange.ours import require_ours
from accord.desk.exchange.receipts import Patience, Pause, verify_receipt
from accord.desk.exchange.routing import is_pattern, named_orgs, resolve
from accord.desk.indicators import describe, sealed_in, store
from accord.desk.keyring import Keyring
from accord.desk.storage import Vault, Way
from accord.desk.storage.bundles import bundles_of_submission, find_bundle, senders_of
from accord.desk.storage.outbox import (
    OutboxRow,
    OutboxState,
    add_outbox,
    begin_submission,
    finish_submission,
    mark_receipted,
    mark_refused,
    mark_stored,
    only_sender,
    outbox_row,
    read_sealed,
    remove_orphans,
    submissions_of,
    unfinished,
    write_sealed,
)
from accord.kernel.bundle.content import SALT_SIZE
from accord.kernel.bundle.framing import parse_bundle
from accord.kernel.bundle.model import HandlingPolicy
from accord.kernel.directory.rootfile import LogName
from accord.kernel.envelope.payload import PayloadHead
from accord.kernel.envelope.sealing import Recipient, seal
from accord.kernel.errors import (
    AccordError,
    AuthenticationNeeded,
    Malformed,
    Refused,
    Unavailable,
    VerificationFailed,
)
from accord.kernel.identifiers import (
    UUID7_RANDOM,
    BundleId,
    OrgId,
    make_bundle_id,
)
from accord.kernel.indicators import IndicatorRecord, encode_line
from accord.kernel.markings import BundleKind
from accord.kernel.policy.decide import Decision, Question, decide
from accord.kernel.tlog.proof import MAX_PROOF
from accord.protocol import paths
from accord.protocol.schemas.bundles import MAX_WAIT, StoredBundle

MAX_ROWS = 50_000
"""Records in one bundle; a longer submission becomes several.

Two parts are in memory at a time (one read, one sealed), and the last one's way to its recipients
is what they wait for; bundles of 100,000 are no faster and take 100 MB more.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is sent to whom, and how it may be handled.

    Attributes:
        recipients: organisations, each once.
        policy: marking, purpose, legal basis, onward rule.
        expires: unix seconds.
        head: title, narrative, case reference; recipients only when they may know of each other.
        kind: what the records are.
        source: SHA-256 of the file that the records come from; makes a killed submit resumable.
        name: the file's name, for people.
        approved: a second person approved; a desk knows, so it never leaves this open.
        refs: bundles of which it speaks.
        replaces: a bundle of ours that it supersedes.
        recalls: it takes back a bundle of ours and goes to those who got that one.
    """

    recipients: tuple[OrgId, ...]
    policy: HandlingPolicy
    expires: int
    head: PayloadHead
    kind: BundleKind = BundleKind.INDICATORS
    source: bytes | None = None
    name: str | None = None
    approved: bool = False
    refs: tuple[BundleId, ...] = ()
    replaces: BundleId | None = None
    recalls: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SentBundle:
    """How far one part came: ``sealed``, ``stored``, ``receipted`` or ``refused`` with its code."""

    id: BundleId
    n: int
    size: int
    state: OutboxState
    log_index: int | None
    code: str | None
    message: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SendReport:
    """All parts of a submission, also those sealed before it was resumed.

    ``records`` were sealed now; ``repeated`` ones had been before.
    """

    bundles: tuple[SentBundle, ...]
    records: int
    repeated: int
    resumed: bool

    @property
    def complete(self) -> bool:
        """Every part has its verified receipt."""
        return all(bundle.state is OutboxState.RECEIPTED for bundle in self.bundles)


Note = Callable[[sqlite3.Connection, BundleId], None]
"""Writes what a bundle says beside it, inside the transaction that stores it."""

OnBundle = Callable[[SentBundle], None]

Encoded = tuple[IndicatorRecord, bytes]
"""A record, and the line that ``encode_line`` made of it."""


class Submissions:
    """Seals and sends for one organisation."""

    def __init__(
        self,
        *,
        vault: Vault,
        client: HubClient,
        mirror: DirectoryMirror,
        keyring: Keyring,
        org: OrgId,
        clock: Clock,
        pause: Pause,
        four_eyes: bool = False,
    ) -> None:
        """Work with what is handed down; ``pause`` waits between requests for late receipts.

        ``four_eyes``: the organisation itself wants a second person's approval of records.
        """
        self._four_eyes = four_eyes
        self._vault = vault
        self._client = client
        self._mirror = mirror
        self._keyring = keyring
        self._org = org
        self._clock = clock
        self._pause = pause

    def resolve(self, names: Sequence[str]) -> tuple[OrgId, ...]:
        """Return the organisations of names, ids and ``kind:…@COUNTRY``, each once, in order.

        A pattern means who is enrolled now: the directory is asked, however fresh ours is.

        Raises:
            Malformed: ``org_kind_unknown``, ``country_unknown``, ``org_id_invalid``.
            NotFound: ``org_unknown``, ``recipient_none``.
        """
        hub = self._mirror.root.hub
        if any(map(is_pattern, names)):
            state = self._mirror.refresh()
        else:
            state = self._mirror.recent(named_orgs(names, hub))
        return resolve(state, names, own=self._org, hub=hub)

    def decide(self, plan: Plan) -> Decision:
        """Ask the charter whether ``plan`` may go, and by which rule."""
        state = self._mirror.recent((self._org, *plan.recipients))
        now = self._clock()
        return decide(
            self._mirror.charter(),
            Question(
                sender=state.organisation(self._org).party,
                recipients=tuple(state.organisation(org).party for org in plan.recipients),
                kind=plan.kind,
                tlp=plan.policy.tlp,
                purpose=plan.policy.purpose,
                onward=plan.policy.onward,
                lifetime=plan.expires - now,
                approved=plan.approved,
                replies_to=senders_of(self._vault, plan.refs),
                recalls=plan.recalls,
            ),
        )

    def openers(self, plan: Plan) -> list[Recipient]:
        """Return whose keys a bundle of ``plan`` is wrapped to: who can open it, and nobody else.

        Raises:
            NotFound, Refused: a recipient may not receive now.
        """
        state, now = self._mirror.state, self._clock()
        return [Recipient(org=org, key=state.recipient(org, at=now).kem) for org in plan.recipients]

    def opened_by(self, plan: Plan) -> str:
        """Say who can open a bundle of ``plan``, from the keys that it is wrapped to."""
        state = self._mirror.state
        names = [
            f"{state.organisation(one.org).profile.name} ({one.org})" for one in self.openers(plan)
        ]
        return f"Only these and your own desk can open it: {'; '.join(names)}. The hub cannot."

    def needs_approval(self, plan: Plan) -> bool:
        """Tell whether a second person approves: by our own rule, or by the charter's.

        A recall waits for nobody: the charter lets it follow its bundle, and so does our own rule.
        """
        if plan.recalls:
            return False
        return self._four_eyes or self.decide(replace(plan, approved=True)).approval

    def send(
        self,
        plan: Plan,
        records: Iterable[IndicatorRecord],
        *,
        wait: bool = True,
        on_bundle: OnBundle = lambda _bundle: None,
    ) -> SendReport:
        """Send ``records`` in bundles of up to 50,000; go on where a killed command stopped.

        Args:
            plan: to whom and how.
            records: taken as they come; memory stays flat.
            wait: wait for the receipts.
            on_bundle: told of each part as soon as the hub has answered.

        Raises:
            Refused: the charter says no (before anything is sealed), or a recipient is gone.
            VerificationFailed: no fresh witnessed directory.
            Unavailable: the hub cannot be reached; what is sealed waits in the outbox.
        """
        pairs = ((record, encode_line(record)) for record in records)
        return self.send_encoded(plan, pairs, wait=wait, on_bundle=on_bundle)

    def send_encoded(
        self,
        plan: Plan,
        records: Iterable[Encoded],
        *,
        wait: bool = True,
        on_bundle: OnBundle = lambda _bundle: None,
        first: Callable[[], None] = lambda: None,
    ) -> SendReport:
        """Send records that ``encode_line`` has checked and encoded already; else as ``send``.

        While one part is sealed and put, the next is taken from ``records``. ``first`` is called
        when nobody else can send any more, and may still refuse.
        """
        self._require_may(plan)
        with only_sender(self._vault):
            first()
            return self._send(plan, records, wait=wait, on_bundle=on_bundle)

    def _require_may(self, plan: Plan) -> None:
        self.decide(plan).require()
        if not plan.approved and self.needs_approval(plan):
            raise Refused(
                "approval_needed",
                "A second person of your organisation approves first; nothing has been sent.",
                next_step="Say who you are with --as; then a colleague approves the draft.",
            )

    def _send(
        self,
        plan: Plan,
        records: Iterable[Encoded],
        *,
        wait: bool,
        on_bundle: OnBundle,
    ) -> SendReport:
        remove_orphans(self._vault)
        self.flush()
        key, resumed = self._begin(plan)
        sent: list[BundleId] = []
        total = repeated = 0

        def arrived(part: Future[SentBundle]) -> None:
            bundle = part.result()
            sent.append(bundle.id)
            on_bundle(bundle)

        with ThreadPoolExecutor(max_workers=1) as courier:
            under_way = None
            for part in _parts(records):
                fresh = self._unsealed(part, key) if resumed else part
                repeated += len(part) - len(fresh)
                if not fresh:
                    continue
                total += len(fresh)
                if under_way is not None:
                    arrived(under_way)
                    self._stop_when_refused(sent[-1])
                under_way = courier.submit(self._seal_and_put, plan, fresh, key)
            if under_way is not None:
                arrived(under_way)
        # With a refused part it stays open: sending the file again sends that part alone.
        if all(self.status(one).state is not OutboxState.REFUSED for one in sent):
            finish_submission(self._vault, key, now=self._clock())
        if wait:
            self._collect(sent)
        return SendReport(
            bundles=tuple(self._parts_of(key, sent) if resumed else map(self.status, sent)),
            records=total,
            repeated=repeated,
            resumed=resumed,
        )

    def _parts_of(self, key: bytes, sent: Sequence[BundleId]) -> list[SentBundle]:
        """Return all parts of a resumed submission but those refused before and sent anew."""
        found = [self.status(one.id) for one in bundles_of_submission(self._vault, key)]
        return [one for one in found if one.id in sent or one.state is not OutboxState.REFUSED]

    def send_lines(
        self,
        plan: Plan,
        lines: Sequence[bytes],
        *,
        records: Sequence[IndicatorRecord | None] = (),
        note: Note = lambda _connection, _bundle: None,
        wait: bool = True,
        first: Callable[[], None] = lambda: None,
    ) -> SentBundle:
        """Send one bundle of other lines (a retraction, a request); returns how far it came.

        With a ``source`` in the plan (a draft's digest) it is sealed once: sending it again after
        it was cut off finishes that bundle.

        Args:
            plan: to whom and how.
            lines: what it says.
            records: the indicator record of each line, ``None`` for a line that is none.
            note: writes what it says beside it, in the transaction that stores it.
            wait: wait for the receipt.
            first: as in ``send_encoded``.

        Raises:
            As ``send``.
        """
        self._require_may(plan)
        with only_sender(self._vault):
            first()
            key = None if plan.source is None else self._begin(plan)[0]
            was = bundles_of_submission(self._vault, key) if key else []
            bundle = (
                was[0].id if was else self._seal(plan, lines, records, submission=key, note=note)
            )
            self._put(bundle)
            if key:
                finish_submission(self._vault, key, now=self._clock())
        if wait:
            self._collect([bundle])
        return self.status(bundle)

    def take_up(self, source: bytes) -> SentBundle | None:
        """Finish the one bundle of a draft that was sealed and then cut off, if there is one.

        Raises:
            Unavailable: the hub cannot be reached; it waits in the outbox.
        """
        for key in submissions_of(self._vault, source):
            for one in bundles_of_submission(self._vault, key):
                with only_sender(self._vault):
                    self._put(one.id)
                    finish_submission(self._vault, key, now=self._clock())
                self._collect([one.id])
                return self.status(one.id)
        return None

    def _begin(self, plan: Plan) -> tuple[bytes, bool]:
        base, now = _base_key(plan), self._clock()
        return begin_submission(self._vault, base, source=plan.source, name=plan.name, now=now)

    def flush(
        self, *, on_bundle: OnBundle = lambda _bundle: None, pause: Pause | None = None
    ) -> list[SentBundle]:
        """Send what a killed or disconnected command left in the outbox, with its receipts.

        Args:
            on_bundle: told of each part as soon as the hub has answered.
            pause: waits between requests for late receipts, instead of the desk's own.

        Raises:
            Unavailable: the hub cannot be reached; nothing is lost.
        """
        waiting = [row.id for row in unfinished(self._vault)]
        for bundle in waiting:
            on_bundle(self._put(bundle))
        self._collect(waiting, pause)
        return [self.status(bundle) for bundle in waiting]

    def _unsealed(self, part: list[Encoded], submission: bytes) -> list[Encoded]:
        """Return those of a part that this submission has not sealed before it was resumed."""
        done = sealed_in(self._vault, submission, [line for _, line in part])
        return [pair for pair, was in zip(part, done, strict=True) if not was]

    def _seal_and_put(self, plan: Plan, part: list[Encoded], submission: bytes) -> SentBundle:
        lines = [line for _, line in part]
        records = [record for record, _ in part]
        return self._put(self._seal(plan, lines, records, submission=submission))

    def status(self, bundle: BundleId) -> SentBundle:
        """Return how far a bundle of ours came."""
        row = _require(self._vault, bundle)
        return SentBundle(
            id=bundle,
            n=find_bundle(self._vault, bundle, self._org).n,
            size=row.size,
            state=row.state,
            log_index=row.log_index,
            code=row.code,
            message=row.message,
        )

    def _seal(
        self,
        plan: Plan,
        lines: Sequence[bytes],
        records: Sequence[IndicatorRecord | None],
        *,
        submission: bytes | None,
        note: Note = lambda _connection, _bundle: None,
    ) -> BundleId:
        now = self._clock()
        point = self._mirror.sealing_point()
        state = self._mirror.state
        # Another command may have changed the keys meanwhile: nothing is sealed with old ones.
        require_ours(state, self._org, self._keyring)
        bundle = make_bundle_id(now * 1000, secrets.token_bytes(UUID7_RANDOM))
        salt = secrets.token_bytes(SALT_SIZE)
        sealed = seal(
            bundle_id=bundle,
            kind=plan.kind,
            org=self._org,
            created=now,
            expires=plan.expires,
            policy=plan.policy,
            directory=[point],
            recipients=self.openers(plan),
            head=plan.head,
            lines=lines,
            signer=self._keyring.signing,
            refs=plan.refs,
            replaces=plan.replaces,
            salt=salt,
        )
        new = describe(
            parse_bundle(sealed),
            salt=salt,
            head=plan.head,
            way=Way.SENT,
            arrived=now,
            submission=submission,
        )
        write_sealed(self._vault, bundle, sealed)
        with self._vault.transaction() as connection:
            store(self._vault, connection, new, lines=lines, records=records, quarantined=[])
            add_outbox(connection, id_=bundle, sealed=sealed, recipients=plan.recipients, now=now)
            note(connection, bundle)
        return bundle

    def _put(self, bundle: BundleId) -> SentBundle:
        row = _require(self._vault, bundle)
        if row.state is not OutboxState.SEALED:
            return self.status(bundle)
        try:
            sealed = read_sealed(self._vault, row)
        except VerificationFailed:
            # Another command may have brought it home meanwhile; then its file is gone.
            if _require(self._vault, bundle).state is OutboxState.SEALED:
                raise
            return self.status(bundle)
        try:
            path = paths.bundle(bundle)
            answer = self._client.put(path, sealed, paths.BUNDLE_TYPE, StoredBundle)
        except (Unavailable, AuthenticationNeeded):
            raise
        except AccordError as error:
            if not _is_final(error):
                raise
            mark_refused(self._vault, bundle, code=error.code, message=str(error))
        else:
            mark_stored(self._vault, bundle, int(answer["index"]), held=answer.get("held"))
        return self.status(bundle)

    def _collect(self, bundles: Sequence[BundleId], pause: Pause | None = None) -> None:
        """Fetch and verify receipts; a late witness leaves the rest in state ``stored``."""
        policy = self._mirror.root.log_policy(LogName.AUDIT)
        patience = Patience(clock=self._clock, pause=pause or self._pause)
        for bundle in bundles:
            row = _require(self._vault, bundle)
            if row.state is not OutboxState.STORED:
                continue
            receipt = self._receipt(bundle, patience)
            if receipt is None:
                return
            verify_receipt(receipt, policy=policy, org=self._org, bundle=bundle, digest=row.digest)
            mark_receipted(self._vault, bundle, receipt, now=self._clock())

    def _receipt(self, bundle: BundleId, patience: Patience) -> bytes | None:
        """Return the receipt, or ``None`` when it is still pending and patience is at its end."""
        while True:
            began = self._clock()
            try:
                return self._client.get(
                    paths.receipt(bundle),
                    query_of({"wait": min(MAX_WAIT, patience.left)}),
                    signed=True,
                    limit=MAX_PROOF,
                )
            except Unavailable as error:
                if error.code != "receipt_pending":
                    raise
                if not patience.ask_again(error.retry_after, began=began):
                    return None

    def _stop_when_refused(self, bundle: BundleId) -> None:
        row = _require(self._vault, bundle)
        if row.state is OutboxState.REFUSED:
            raise Refused(
                row.code or "hub_refused",
                "The hub refused a part; the rest was not sent.",
                observed=row.message,
                next_step="Mend the cause and submit the file again: what was taken stays.",
            )


def _parts(records: Iterable[Encoded]) -> Iterator[list[Encoded]]:
    source = iter(records)
    while part := list(itertools.islice(source, MAX_ROWS)):
        yield part


def _is_final(error: AccordError) -> bool:
    """Tell whether the hub itself refused; garbled answers and strangers between us decide nothing.

    A problem document of a hub has its own code; ``http_…`` stands for an answer without one.
    """
    return not error.code.startswith(("http_", "answer_")) and error.code != "request_unsignable"


def _base_key(plan: Plan) -> bytes:
    if plan.source is None:
        return secrets.token_bytes(32)
    parts = (
        plan.source.hex(),
        plan.kind.value,
        plan.policy.tlp.value,
        plan.policy.purpose.value,
        plan.policy.legal_basis.value,
        plan.policy.onward.value,
        *sorted(plan.recipients),
    )
    return hashlib.sha256("\n".join(parts).encode()).digest()


def _require(vault: Vault, bundle: BundleId) -> OutboxRow:
    row = outbox_row(vault, bundle)
    if row is None:
        raise Malformed("outbox_missing", "This bundle was not sealed here.", observed=bundle)
    return row
