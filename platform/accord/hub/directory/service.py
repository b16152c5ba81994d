"""The directory in force at this hub, kept in step with its log.

Invariants: the state is only ever the replay of the log's leaves; a leaf is appended only when the
replay accepts it, under the writer's lock; another process's leaves are picked up from the log.
"""

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, func, insert, select

from accord.hub.audit import Event, EventClass, Recorder
from accord.hub.directory.tables import DocumentRow
from accord.hub.feed import Item, add_notices
from accord.hub.storage import Writer
from accord.hub.transparency import LogName, LogReader, LogSequencer
from accord.kernel.bundle.model import DirectoryPoint
from accord.kernel.directory.entries import CharterPoint, RootPoint, charter_point, format_point
from accord.kernel.directory.growth import PlacedCharter
from accord.kernel.directory.organisation import Organisation, Status
from accord.kernel.directory.rootfile import RootFile
from accord.kernel.directory.state import DirectoryState, replay
from accord.kernel.directory.statements import Op, Statement, parse_statement
from accord.kernel.errors import NotFound, Refused, Unavailable
from accord.kernel.identifiers import KeyId, OrgId
from accord.kernel.policy.charter import Charter, verify_charter
from accord.kernel.policy.decide import Party

REFRESH_SECONDS = 0.5
"""How long the state may lag behind leaves that another process appended."""

Partners = Callable[[Connection, OrgId], Iterable[OrgId]]

SETTLE = 3600
"""Seconds after a rotation for which bundles that were sealed to the old key are still taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """The directory by which one bundle is judged; ``size`` goes into its accept event.

    ``sealed_at`` is the size that the sender used: recipients' keys are those of then.
    """

    state: DirectoryState
    size: int
    now: int
    sealed_at: int

    def party(self, org: OrgId) -> Party:
        """Return what the charter needs to know of ``org``."""
        return self.state.organisation(org, size=self.size).party

    def is_active(self, org: OrgId) -> bool:
        """Return whether ``org`` still receives."""
        found = self.state.find_organisation(org, size=self.size)
        return found is not None and found.status is Status.ACTIVE

    def require_recipient(self, org: OrgId, kid: KeyId) -> None:
        """Check that bundles may be sealed to ``org`` with the key ``kid``.

        A bundle that was under way when its recipient rotated is taken for ``SETTLE`` seconds
        after that, unless the rotation says that the old key was compromised: its owner keeps the
        old opening key.

        Raises:
            Refused: ``recipient_unknown``, ``recipient_key_other`` or ``recipient_key_expired``.
        """
        found = self.state.find_organisation(org, size=self.size)
        if found is None or found.status is not Status.ACTIVE:
            raise Refused(
                "recipient_unknown",
                "A recipient is not an active member of this hub.",
                observed=org,
                next_step="Fetch the directory and choose recipients from it.",
            )
        if found.kem.kid != kid and not self._was_under_way(found, kid):
            raise Refused(
                "recipient_key_other",
                "The bundle is sealed to a key that is not in force.",
                observed=org,
                next_step="Fetch the directory and seal again.",
            )
        self.state.recipient(org, size=self.size, at=self.now)

    def _was_under_way(self, found: Organisation, kid: KeyId) -> bool:
        """Tell whether ``kid`` was the opening key at the sender's size and ended just now."""
        then = self.state.find_organisation(found.org, size=self.sealed_at)
        if then is None or then.kem.kid != kid:
            return False
        ending = self.state.ending(kid)
        return (
            ending is not None
            and not ending.withdrawn
            and self.state.key(kid).compromised_since is None
            and self.now - ending.time <= SETTLE
        )


class Directory:
    """Reads the directory's state and appends to its log."""

    def __init__(
        self,
        *,
        root: RootFile,
        engine: Engine,
        writer: Writer,
        logs: LogSequencer,
        reader: LogReader,
        recorder: Recorder,
        partners: Partners = lambda _connection, _org: (),
    ) -> None:
        """Replay the log; every leaf is verified against ``root``.

        ``partners`` names those who have exchanged bundles with an organisation: they are told when
        its keys or its standing change.
        """
        self._engine = engine
        self._writer = writer
        self._logs = logs
        self._reader = reader
        self._recorder = recorder
        self._partners = partners
        self._lock = threading.RLock()
        self._state = replay([], root)
        self._checked = float("-inf")
        self._roots: dict[int, bytes] = {}
        self._charters: dict[bytes, Charter] = {}
        self.refresh()

    @property
    def root(self) -> RootFile:
        """The root file in force."""
        return self._state.root

    def state(self) -> DirectoryState:
        """Return the state, at most half a second behind the log."""
        if self._is_old():
            with self._lock:
                if self._is_old():  # else another thread has looked while this one waited
                    self.refresh()
        return self._state

    def _is_old(self) -> bool:
        return time.monotonic() - self._checked > REFRESH_SECONDS

    def refresh(self) -> DirectoryState:
        """Replay leaves that were appended since, by whichever process."""
        with self._lock:
            head = self._reader.head(LogName.DIRECTORY)
            size = head.size if head else 0
            if size > self._state.size:
                missing = self._reader.entries(
                    LogName.DIRECTORY, self._state.size, size - self._state.size
                )
                self._state = self._state.extend(missing)
            self._checked = time.monotonic()
            return self._state

    def is_active(self, org: OrgId) -> bool:
        """Return whether ``org`` is an active member now."""
        found = self.state().find_organisation(org)
        return found is not None and found.status is Status.ACTIVE

    def judge(self, points: Sequence[DirectoryPoint], *, now: int) -> Judged:
        """Return the directory by which a bundle that used ``points`` is judged.

        Raises:
            Refused: ``directory_other`` for another hub's log or a root that ours never had;
                ``directory_ahead`` for a size that ours has not reached.
        """
        point = points[0]
        state = self.state()
        if point.size > state.size:
            state = self.refresh()
        if point.size > state.size or point.size == 0:
            raise Refused(
                "directory_ahead",
                f"Our directory has {state.size} leaves.",
                observed=f"{point.size} leaves",
                next_step="Fetch the directory again.",
            )
        if (
            point.origin != self.root.log_origin(LogName.DIRECTORY)
            or self._root_at(point.size) != point.root
        ):
            raise Refused(
                "directory_other",
                "The bundle was made with a directory that is not ours.",
                observed=point.origin,
                next_step="Fetch the directory again and compare the root file.",
            )
        return Judged(state=state, size=state.size, now=now, sealed_at=point.size)

    def _root_at(self, size: int) -> bytes:
        known = self._roots.get(size)
        if known is None:
            known = self._roots[size] = self._reader.root(LogName.DIRECTORY, size)
        return known

    def charter(self) -> Charter:
        """Return the charter in force.

        Raises:
            Unavailable: ``charter_missing``: nothing can be accepted before one is published.
        """
        state = self.state()
        try:
            point = state.charter_in_force().point
        except NotFound as error:
            raise Unavailable(
                "charter_missing",
                "No charter has been published yet, so nothing is allowed.",
                retry_after=60,
                next_step="The operator publishes one: accord hub charter publish.",
            ) from error
        known = self._charters.get(point.sha256)
        if known is None:
            raw = self.document("charter", point.version)
            known = self._charters[point.sha256] = state.verify_charter(raw)
        return known

    def charters(self) -> tuple[PlacedCharter, ...]:
        """Return the places in the log of all charters that were published, oldest first."""
        return self.state().charters

    def charter_at(self, version: int) -> Charter:
        """Return a charter that was published, verified as of its place in the log.

        Raises:
            NotFound: ``charter_unknown``.
        """
        state = self.state()
        for placed in state.charters:
            if placed.point.version == version:
                raw = self.document("charter", version)
                return state.verify_charter(raw, size=placed.index + 1)
        raise NotFound(
            "charter_unknown",
            "No charter of this version was published here.",
            observed=str(version),
            next_step="See the versions with: accord hub charter list.",
        )

    def document(self, kind: str, version: int | None = None) -> bytes:
        """Return a published document, the newest when no version is told.

        Raises:
            NotFound: ``document_missing``.
        """
        query = select(DocumentRow.content).where(DocumentRow.kind == kind)
        if version is not None:
            query = query.where(DocumentRow.version == version)
        with self._engine.connect() as connection:
            found = connection.scalar(query.order_by(DocumentRow.version.desc()).limit(1))
        if found is None:
            raise NotFound("document_missing", f"No {kind} has been published.")
        return found

    def append_statement(
        self,
        statement: bytes,
        *,
        now: int,
        beside: Callable[[Connection], None] | None = None,
    ) -> int:
        """Append a statement that all who must have signed; return its leaf's number.

        Args:
            statement: the signed bytes.
            now: present unix second.
            beside: what else belongs to this act, in the same transaction.

        Raises:
            AccordError: as ``DirectoryState.extend``; nothing is appended.
        """
        signed = parse_statement(statement)

        def tell(connection: Connection) -> None:
            if beside is not None:
                beside(connection)
            self._tell(connection, signed.statement, now)

        return self._append(
            statement,
            Event(
                what=EventClass.DIRECTORY_STATEMENT,
                org=signed.statement.org,
                subject=signed.statement.op.value,
                detail=f"sha256={signed.digest.hex()}",
                concerns=(signed.statement.org,),
            ),
            now=now,
            beside=tell,
        )

    def _tell(self, connection: Connection, statement: Statement, now: int) -> None:
        """Put ``key-changed`` into the feeds of those concerned; of a recovery all are told."""
        org = statement.org
        if statement.op is Op.ENROL:
            return
        told = (
            {one.org for one in self._state.organisations() if one.status is Status.ACTIVE}
            if statement.op is Op.RECOVER
            else set(self._partners(connection, org))
        )
        add_notices(connection, sorted(told - {org}), Item.KEY_CHANGED, subject=org, now=now)

    def publish_charter(self, raw: bytes, *, now: int) -> CharterPoint:
        """Publish a charter that the registrars signed.

        Raises:
            VerificationFailed: ``charter_order``, ``threshold_missed``, ``signature_wrong``.
            Malformed: a rule cannot be read; the line is named.
            Refused: ``registrars_too_few``.
        """
        charter = verify_charter(
            raw, registrars=self.root.registrar_keys, threshold=self.root.threshold
        )
        if charter.registrars is not None and charter.registrars > len(self.root.registrars):
            raise Refused(
                "registrars_too_few",
                "The charter asks for more registrars than the root file names.",
                observed=f"{charter.registrars} of {len(self.root.registrars)}",
                next_step="Lower 'registrars' in the charter, or sign a root file with more.",
            )
        point = charter_point(charter)
        event = Event(
            what=EventClass.CHARTER_PUBLISHED,
            subject=str(point.version),
            detail=f"sha256={point.sha256.hex()}",
        )
        self._append(
            format_point(point),
            event,
            now=now,
            beside=lambda connection: _keep(connection, "charter", point.version, raw, now),
        )
        return point

    def install_root(self, raw: bytes, *, now: int) -> int | None:
        """Log the root file in force, once; return its leaf's number or ``None`` if it stands."""
        root = self.root
        with self._engine.connect() as connection:
            stands = connection.scalar(
                select(func.count())
                .select_from(DocumentRow)
                .where(DocumentRow.kind == "root", DocumentRow.version == root.version)
            )
        if stands:
            return None
        point = RootPoint(version=root.version, sha256=root.sha256, size=len(root.payload))
        event = Event(
            what=EventClass.ROOT_INSTALLED,
            subject=str(root.version),
            detail=f"sha256={root.sha256.hex()}",
        )
        return self._append(
            format_point(point),
            event,
            now=now,
            beside=lambda connection: _keep(connection, "root", root.version, raw, now),
        )

    def _append(
        self,
        entry: bytes,
        event: Event,
        *,
        now: int,
        beside: Callable[[Connection], None] | None = None,
    ) -> int:
        def act(connection: Connection) -> int:
            size = self._logs.size(LogName.DIRECTORY)
            state = self._state
            if size != state.size:
                raise Unavailable(
                    "directory_moved", "The directory has just changed.", retry_after=1
                )
            state.apply(entry, size, now)
            if beside is not None:
                beside(connection)
            self._recorder.record(connection, event, now=now)
            return self._logs.append(LogName.DIRECTORY, entry)

        with self._lock:
            self.refresh()
            number = self._writer.run(act)
            self.refresh()
            return number


def _keep(connection: Connection, kind: str, version: int, raw: bytes, now: int) -> None:
    connection.execute(insert(DocumentRow).values(kind=kind, version=version, content=raw, at=now))
