"""Acceptance of sealed bundles.

Invariants: what is accepted was authenticated, well framed, signed by a key of its sender in force,
allowed by the charter and new for its sender; the sealed bytes, the feed items and the log entry
are one transaction. The same bytes sent again get the same answer. Nothing here can open a bundle.
"""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, Engine, select

from accord.hub.access import Action, Actor, require
from accord.hub.audit import Event, EventClass, Recorder
from accord.hub.bundles.correspondence import (
    closed_by,
    note_request,
    require_addressee,
    senders_of,
)
from accord.hub.bundles.quarantine import hold
from accord.hub.bundles.quotas import Quotas
from accord.hub.bundles.shelf import Earlier, Shelf, find_earlier
from accord.hub.bundles.tables import BundleRow, EntryRow, HeldRow
from accord.hub.directory import Directory, Judged
from accord.hub.feed import About, Feed, Item, add_items, told_of
from accord.hub.storage import BodyStore, Writer
from accord.hub.storage.bodies import INLINE_LIMIT
from accord.kernel.bundle.framing import SealedBundle, parse_bundle
from accord.kernel.bundle.model import Header
from accord.kernel.bundle.verification import verify_bundle
from accord.kernel.errors import AccordError, Conflict, Refused, Unavailable
from accord.kernel.identifiers import BundleId, OrgId
from accord.kernel.markings import BundleKind
from accord.kernel.policy.decide import Question, decide

_PLAIN = frozenset({BundleKind.INDICATORS, BundleKind.LIST})
"""Kinds that do nothing to another bundle, so that they can be written together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """The bundle is durable: entry ``index`` of the audit log; not yet a receipt.

    ``held`` says why it is held aside undelivered, if it is.
    """

    index: int
    new: bool
    held: str | None = None


class Bundles:
    """The verb on bundles: accept. Delivery: ``deliveries``."""

    def __init__(
        self,
        *,
        engine: Engine,
        writer: Writer,
        recorder: Recorder,
        bodies: BodyStore,
        directory: Directory,
        feed: Feed,
        quotas: Quotas,
        shelf: Shelf,
    ) -> None:
        """Work with the rooms that are handed down."""
        self._engine = engine
        self._shelf = shelf
        self._quotas = quotas
        self._writer = writer
        self._recorder = recorder
        self._bodies = bodies
        self._directory = directory
        self._feed = feed

    def accept(self, actor: Actor | None, bundle_id: BundleId, raw: bytes, *, now: int) -> Stored:
        """Check and store a bundle.

        In this order: (1) the actor may submit; (2) framing and limits; (3) name in the path,
        sender and signing key; (4) the directory that the sender used is ours and not ahead;
        (5) signatures and everything but the AEAD; (6) recipients are enrolled with these keys;
        (7) a retraction names everyone who got the original, an answer or a sighting goes to whom
        it answers; (8) the charter; (9) one transaction, in which the same bytes again get the
        same answer. They get it also when a check fails today that held when they were accepted.

        Raises:
            Malformed, VerificationFailed, Refused: with the code of the check; logged.
            Conflict: ``bundle_id_taken`` when other bytes have this id.
            Unavailable: ``quota_exceeded``; counted, not logged one by one.
        """
        actor = require(actor, Action.BUNDLE_SUBMIT)
        digest = hashlib.sha256(raw).digest()
        try:
            sealed = parse_bundle(raw)
            recall = sealed.header.kind is BundleKind.RETRACTION
            self._quotas.check(actor.org, len(raw), recall=recall, now=now)
            judged = self._check(actor, bundle_id, sealed, now)
        except Conflict:
            raise
        except Unavailable as error:
            return self._over_quota(actor.org, bundle_id, digest, error)
        except AccordError as error:
            known = self._known(actor.org, bundle_id, digest)
            if known is not None:
                return known
            self._record_refusal(actor, bundle_id, error, now)
            raise
        body_file = (
            self._bodies.put(sealed.body, now=now) if len(sealed.body) > INLINE_LIMIT else None
        )

        def act(connection: Connection) -> Stored:
            staged = self._shelf.find(actor.org, bundle_id)
            if staged is not None:
                return _again(bundle_id, digest, *staged)
            earlier = self._shelf.earlier(connection, actor.org, bundle_id)
            again = earlier and _same(connection, bundle_id, digest, earlier)
            if again is None and body_file is not None:
                self._bodies.require(body_file)
            return again or self._store(
                connection, sealed, digest=digest, body_file=body_file, judged=judged, now=now
            )

        self._shelf.expect(actor.org, bundle_id)
        try:
            stored = self._writer.run(act, staged=True)
        except Unavailable as error:
            return self._over_quota(actor.org, bundle_id, digest, error)
        # What does something to another bundle may concern others than its recipients.
        plain = sealed.header.kind in _PLAIN and sealed.header.replaces is None
        self._feed.notify([entry.org for entry in sealed.entries] if plain else None)
        return stored

    def _over_quota(
        self, org: OrgId, bundle_id: BundleId, digest: bytes, error: Unavailable
    ) -> Stored:
        """Give the old answer to the same bytes; else count the refusal and raise it."""
        if error.code == "quota_exceeded":
            known = self._known(org, bundle_id, digest)
            if known is not None:
                return known
            self._quotas.count_refusal(org)
        raise error

    def _known(self, org: OrgId, bundle_id: BundleId, digest: bytes) -> Stored | None:
        with self._engine.connect() as connection:
            earlier = find_earlier(connection, [(org, bundle_id)]).get((org, bundle_id))
            return earlier and _same(connection, bundle_id, digest, earlier)

    def _check(self, actor: Actor, bundle_id: BundleId, sealed: SealedBundle, now: int) -> Judged:
        header = sealed.header
        if header.id != bundle_id:
            raise Refused(
                "bundle_id_other", "The bundle has another id than the path.", observed=header.id
            )
        if header.org != actor.org:
            raise Refused("sender_other", "The bundle names another sender.", observed=header.org)
        judged = self._directory.judge(header.directory, now=now)
        verify_bundle(
            sealed, signer=lambda kid: judged.state.signer_at(kid, judged.size, at=now), now=now
        )
        recipients = [entry.org for entry in sealed.entries]
        for entry in sealed.entries:
            judged.require_recipient(entry.org, entry.kid)
        recalls = header.kind is BundleKind.RETRACTION
        if recalls:
            self._require_all_named(actor.org, header.refs, recipients, judged)
        replies_to = self._require_addressee(header, recipients)
        decide(
            self._directory.charter(),
            Question(
                sender=judged.party(actor.org),
                recipients=tuple(judged.party(org) for org in dict.fromkeys(recipients)),
                kind=header.kind,
                tlp=header.policy.tlp,
                purpose=header.policy.purpose,
                onward=header.policy.onward,
                lifetime=header.expires - header.created,
                replies_to=replies_to,
                recalls=recalls,
            ),
        ).require()
        return judged

    def _require_addressee(self, header: Header, recipients: Sequence[OrgId]) -> frozenset[OrgId]:
        """Check whom an answer goes to; return who sent what the bundle names."""
        if not header.refs and header.kind in _PLAIN:
            return frozenset()
        with self._engine.connect() as connection:
            require_addressee(connection, header, recipients)
            return senders_of(connection, header.org, header.refs)

    def _require_all_named(
        self,
        org: OrgId,
        refs: Sequence[BundleId],
        recipients: Sequence[OrgId],
        judged: Judged,
    ) -> None:
        if not refs:
            raise Refused("retraction_empty", "A retraction names the bundle that it takes back.")
        reached: set[str] = set()
        with self._engine.connect() as connection:
            for ref in refs:
                rows = connection.execute(
                    select(EntryRow.org)
                    .join(BundleRow, BundleRow.number == EntryRow.bundle)
                    .where(BundleRow.org == org, BundleRow.bundle_id == ref)
                ).all()
                if not rows:
                    raise Refused(
                        "retraction_unknown", "You sent no bundle of this id.", observed=ref
                    )
                reached.update(row.org for row in rows)
                missing = sorted(
                    {row.org for row in rows if judged.is_active(OrgId(row.org))} - set(recipients)
                )
                if missing:
                    raise Refused(
                        "retraction_incomplete",
                        "A retraction goes to every recipient of the original.",
                        observed=f"{len(missing)} missing, first {missing[0]}",
                    )
        # A recall passes the charter, so it must reach nobody who did not get the original.
        if set(recipients) - reached:
            raise Refused(
                "retraction_surplus",
                "A retraction goes only to those who got the original.",
                observed=f"{len(set(recipients) - reached)} too many",
            )

    def _store(
        self,
        connection: Connection,
        sealed: SealedBundle,
        *,
        digest: bytes,
        body_file: str | None,
        judged: Judged,
        now: int,
    ) -> Stored:
        header = sealed.header
        recipients = [entry.org for entry in sealed.entries]
        closed = closed_by(connection, header)
        held = self._quotas.take(
            connection,
            header.org,
            kind=header.kind,
            closing=closed is not None,
            size=len(sealed.raw),
            now=now,
        )
        index = self._recorder.record(
            connection,
            Event(
                what=EventClass.BUNDLE_ACCEPTED,
                org=header.org,
                subject=header.id,
                basis=header.policy.legal_basis.value,
                detail=f"sha256={digest.hex()} manifest={sealed.manifest_sha256.hex()}"
                f" directory={judged.size}"
                + (f" held={held}" if held else "")
                + f" sender={header.org}",
                concerns=(header.org, *recipients),
            ),
            now=now,
        )
        row = {
            "org": header.org,
            "bundle_id": header.id,
            "digest": digest,
            "manifest": sealed.manifest_sha256,
            "kind": header.kind.value,
            "accepted": now,
            "expires": header.expires,
            "audit_number": index,
            "directory_size": judged.size,
            "expired": None,
            "erased": None,
            "erased_number": None,
            "header": sealed.header_bytes,
            "dsse": sealed.dsse,
            "leaves": b"".join(entry.leaf for entry in sealed.entries),
            "body": None if body_file else sealed.body,
            "body_file": body_file,
            "body_length": len(sealed.body),
        }
        number = self._shelf.number(connection)
        about = About(number=number, bundle=header.id, sender=header.org, kind=header.kind.value)
        if held is None and header.kind in _PLAIN and header.replaces is None:
            self._shelf.put(row, sealed.entries, about, now=now)
            return Stored(index=index, new=True, held=held)
        with self._shelf.directly(connection, row, sealed.entries, about):
            if held is None:
                add_items(connection, recipients, Item.DELIVERED, about, now=now)
            else:
                hold(connection, number, header.org, held, now=now)
            for ref in header.refs if header.kind is BundleKind.RETRACTION else ():
                self._mark(connection, header.org, ref, Item.RETRACTED, by=header.id, now=now)
            # A notice of the sender about its own bundle disputes that; a sighting is sealed.
            for ref in header.refs if header.kind is BundleKind.NOTICE and not held else ():
                self._mark(
                    connection,
                    header.org,
                    ref,
                    Item.DISPUTED,
                    by=header.id,
                    now=now,
                    among=recipients,
                )
            if header.kind is BundleKind.REQUEST:
                note_request(connection, header, number, closed, now=now)
            if header.replaces is not None:
                self._mark(
                    connection, header.org, header.replaces, Item.SUPERSEDED, by=header.id, now=now
                )
        return Stored(index=index, new=True, held=held)

    def _mark(
        self,
        connection: Connection,
        org: OrgId,
        bundle_id: BundleId,
        item: Item,
        *,
        by: BundleId,
        now: int,
        among: Collection[OrgId] | None = None,
    ) -> None:
        """Tell everyone who got it (``among`` these) what its sender did; the bytes stay."""
        row = connection.execute(
            select(BundleRow.number, BundleRow.kind).where(
                BundleRow.org == org, BundleRow.bundle_id == bundle_id
            )
        ).one_or_none()
        if row is None:
            return
        about = About(number=row.number, bundle=bundle_id, sender=org, kind=row.kind)
        told = [one for one in told_of(connection, row.number) if among is None or one in among]
        add_items(connection, told, item, about, subject=by, now=now)

    def _record_refusal(
        self, actor: Actor, bundle_id: BundleId, error: AccordError, now: int
    ) -> None:
        event = Event(
            what=EventClass.BUNDLE_REFUSED,
            org=actor.org,
            subject=bundle_id,
            outcome=error.code,
            detail=f"sender={actor.org}",
            concerns=(actor.org,),
        )
        self._writer.run(lambda connection: self._recorder.record(connection, event, now=now))


def _same(connection: Connection, bundle_id: BundleId, digest: bytes, earlier: Earlier) -> Stored:
    """Return the old answer, and whether the bundle is still held aside.

    Raises:
        Conflict: ``bundle_id_taken``.
    """
    known = _again(bundle_id, digest, earlier.digest, earlier.audit_number)
    held = connection.scalar(
        select(HeldRow.reason).where(HeldRow.bundle == earlier.number, HeldRow.state != "released")
    )
    return replace(known, held=held)


def _again(bundle_id: BundleId, digest: bytes, stored: bytes, index: int) -> Stored:
    """Return the old answer to the same bytes.

    Raises:
        Conflict: ``bundle_id_taken``.
    """
    if stored != digest:
        raise Conflict(
            "bundle_id_taken",
            "You sent other bytes under this id before.",
            observed=bundle_id,
            next_step="Seal again with a new id.",
        )
    return Stored(index=index, new=False)
