"""The closed list of events (flows, "Audit events"): what each says, and how long it stays open.

Every verb of the hub records exactly one of them, in the transaction of its act. What is not in
this list cannot be recorded. docs/formats/audit-events.md is made from ``MEANINGS``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from accord.kernel.identifiers import OrgId


class Keeping(StrEnum):
    """How long the fields of an event stay readable; one setting each, in days.

    ``FOR_GOOD`` has none: nothing of it names a person or tells of content, and without it a desk's
    journal could be exchanged for another unseen once the time is over (docs/adr/0055).
    """

    EXCHANGE = "exchange"
    GOVERNANCE = "governance"
    ACCESS = "access"
    FOR_GOOD = "for good"


class EventClass(StrEnum):
    """What happened: ``subject.action``."""

    AUDIT_CHECKED = "audit.checked"
    AUDIT_EXPORTED = "audit.exported"
    AUDIT_PRUNED = "audit.pruned"
    AUDIT_SEARCHED = "audit.searched"
    BACKUP_MADE = "backup.made"
    BACKUP_RESTORED = "backup.restored"
    BREAK_GLASS_CLOSED = "break-glass.closed"
    BREAK_GLASS_OPENED = "break-glass.opened"
    BUNDLE_ACCEPTED = "bundle.accepted"
    BUNDLE_ACKNOWLEDGED = "bundle.acknowledged"
    BUNDLE_DELIVERED = "bundle.delivered"
    BUNDLE_DISPUTED = "bundle.disputed"
    BUNDLE_ERASED = "bundle.erased"
    BUNDLE_EXPIRED = "bundle.expired"
    BUNDLE_HELD = "bundle.held"
    BUNDLE_REFUSED = "bundle.refused"
    BUNDLE_RELEASED = "bundle.released"
    BUNDLE_VISIBILITY_LOST = "bundle.visibility-lost"
    CHARTER_APPROVED = "charter.approved"
    CHARTER_PUBLISHED = "charter.published"
    CONTACT_CHANGED = "contact.changed"
    CREDENTIAL_ADDED = "credential.added"
    CREDENTIAL_REMOVED = "credential.removed"
    CREDENTIAL_RESET = "credential.reset"
    DIRECTORY_STATEMENT = "directory.statement"
    ENROLMENT_APPROVED = "enrolment.approved"
    ENROLMENT_BEGUN = "enrolment.begun"
    ENROLMENT_PROVED = "enrolment.proved"
    ENROLMENT_REFUSED = "enrolment.refused"
    HOLD_LIFTED = "hold.lifted"
    HOLD_SET = "hold.set"
    INVITE_MADE = "invite.made"
    INVITE_WITHDRAWN = "invite.withdrawn"
    JOURNAL_ANCHORED = "journal.anchored"
    JOURNAL_RESTARTED = "journal.restarted"
    KEY_ROTATED = "key.rotated"
    KEY_USED = "key.used"
    LEDGER_VIEWED = "ledger.viewed"
    PEER_CHANGED = "peer.changed"
    PEER_PULLED = "peer.pulled"
    PEER_REFUSED = "peer.refused"
    PERSON_ADDED = "person.added"
    PERSON_CLOSED = "person.closed"
    PERSON_ERASED = "person.erased"
    PERSON_INVITED = "person.invited"
    PERSON_OPENED = "person.opened"
    QUOTA_CHANGED = "quota.changed"
    QUOTA_EXCEEDED = "quota.exceeded"
    REQUEST_ANSWERED = "request.answered"
    REQUEST_CLOSED = "request.closed"
    REQUEST_OVERDUE = "request.overdue"
    REQUEST_REMINDED = "request.reminded"
    RETRACTION_CONFIRMED = "retraction.confirmed"
    ROLE_CHANGED = "role.changed"
    ROOT_INSTALLED = "root.installed"
    SESSION_ENDED = "session.ended"
    SIGN_IN_FAILED = "sign-in.failed"
    SIGN_IN_OK = "sign-in.ok"
    SUMMARY_DECLARED = "summary.declared"
    SUMMARY_RELEASED = "summary.released"
    SUMMARY_VIEWED = "summary.viewed"
    TALLY_RECEIVED = "tally.received"


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What an event says in one sentence, and how long it stays readable."""

    keeping: Keeping
    says: str


def _exchange(says: str) -> Meaning:
    return Meaning(keeping=Keeping.EXCHANGE, says=says)


def _governance(says: str) -> Meaning:
    return Meaning(keeping=Keeping.GOVERNANCE, says=says)


def _access(says: str) -> Meaning:
    return Meaning(keeping=Keeping.ACCESS, says=says)


def _for_good(says: str) -> Meaning:
    return Meaning(keeping=Keeping.FOR_GOOD, says=says)


MEANINGS: Mapping[EventClass, Meaning] = {
    EventClass.AUDIT_CHECKED: _governance(
        "The hub compared its own rows with its logs, with what came of it."
    ),
    EventClass.AUDIT_EXPORTED: _access(
        "Someone took events of the audit trail out of the hub, with the filter that they set."
    ),
    EventClass.AUDIT_PRUNED: _governance(
        "Fields of events whose time had passed were erased; their commitments stay."
    ),
    EventClass.AUDIT_SEARCHED: _access(
        "Someone looked into the audit trail, with the filter that they set."
    ),
    EventClass.BACKUP_MADE: _governance("A backup of the hub was written."),
    EventClass.BACKUP_RESTORED: _governance("The hub was restored from a backup."),
    EventClass.BREAK_GLASS_CLOSED: _governance("An emergency right ended."),
    EventClass.BREAK_GLASS_OPENED: _governance(
        "A person took a right that they do not have, in an emergency and with a reason."
    ),
    EventClass.BUNDLE_ACCEPTED: _exchange(
        "A sealed bundle was stored; a retraction, request or answer is one too."
    ),
    EventClass.BUNDLE_ACKNOWLEDGED: _exchange(
        "A recipient's signed acknowledgement of bundles was stored."
    ),
    EventClass.BUNDLE_DELIVERED: _exchange(
        "A recipient took a bundle from the hub for the first time."
    ),
    EventClass.BUNDLE_DISPUTED: _exchange("A recipient disputed what a bundle says."),
    EventClass.BUNDLE_ERASED: _exchange(
        "The sealed bytes of a bundle were deleted at the end of its retention."
    ),
    EventClass.BUNDLE_EXPIRED: _exchange("The time that the sender had signed for passed."),
    EventClass.BUNDLE_HELD: _exchange("A bundle was kept aside undelivered, with the reason."),
    EventClass.BUNDLE_REFUSED: _exchange("A member's bundle was refused, with the code."),
    EventClass.BUNDLE_RELEASED: _exchange("A bundle that was kept aside went on to be delivered."),
    EventClass.BUNDLE_VISIBILITY_LOST: _exchange(
        "A recipient may no longer see a bundle; nothing that it has is hidden."
    ),
    EventClass.CHARTER_APPROVED: _governance(
        "A second person approved what the charter lets nobody do alone."
    ),
    EventClass.CHARTER_PUBLISHED: _governance("A version of the charter came into force."),
    EventClass.CONTACT_CHANGED: _governance("An organisation changed its duty contact."),
    EventClass.CREDENTIAL_ADDED: _governance(
        "A person added a passkey, a second factor or recovery codes."
    ),
    EventClass.CREDENTIAL_REMOVED: _governance(
        "A passkey, a second factor or recovery codes of a person were removed or used up."
    ),
    EventClass.CREDENTIAL_RESET: _governance("A person's password or way to sign in was set anew."),
    EventClass.DIRECTORY_STATEMENT: _governance(
        "A signed statement on an organisation and its keys was added to the directory."
    ),
    EventClass.ENROLMENT_APPROVED: _governance(
        "A registrar signed an enrolment or another statement that waits for more of them."
    ),
    EventClass.ENROLMENT_BEGUN: _governance(
        "An organisation sent new keys to enrol, rotate or recover with; they are not proved yet."
    ),
    EventClass.ENROLMENT_PROVED: _governance(
        "An organisation proved that it holds the keys that it wants to enrol or recover with."
    ),
    EventClass.ENROLMENT_REFUSED: _governance("An enrolment was refused or withdrawn."),
    EventClass.HOLD_LIFTED: _governance("A legal hold on events or bundles was lifted."),
    EventClass.HOLD_SET: _governance(
        "A legal hold was set: what it names is not erased while it stands."
    ),
    EventClass.INVITE_MADE: _governance("An organisation was invited to enrol."),
    EventClass.INVITE_WITHDRAWN: _governance("An invite was taken back before it was used."),
    EventClass.JOURNAL_ANCHORED: _for_good(
        "An organisation's desk sent the head of its journal: how many rows, their root, and which"
        " journal."
    ),
    EventClass.JOURNAL_RESTARTED: _for_good(
        "A desk's journal begins anew or goes on after a restore, or it says that another's ended:"
        " why, how many rows it keeps, and which journal ends with it."
    ),
    EventClass.KEY_ROTATED: _governance("The hub changed a key of its own."),
    EventClass.KEY_USED: _governance("A process opened the hub's log keys with their passphrase."),
    EventClass.LEDGER_VIEWED: _access(
        "Someone looked at a page on bundles, recalls or requests of their organisation."
    ),
    EventClass.PEER_CHANGED: _governance("What may cross to and from another hub was changed."),
    EventClass.PEER_PULLED: _exchange("Bundles were pulled from another hub."),
    EventClass.PEER_REFUSED: _exchange("Something that came from another hub was refused."),
    EventClass.PERSON_ADDED: _governance("An account of a person was made."),
    EventClass.PERSON_CLOSED: _governance("An account was closed; its sessions ended."),
    EventClass.PERSON_ERASED: _governance(
        "A person's name was erased from the events and the accounts; which name is not told."
    ),
    EventClass.PERSON_INVITED: _governance("An organisation invited a person of its own."),
    EventClass.PERSON_OPENED: _governance("A closed account was opened again."),
    EventClass.QUOTA_CHANGED: _governance("How much a member may send was changed."),
    EventClass.QUOTA_EXCEEDED: _exchange("A member sent more than it may in the time."),
    EventClass.REQUEST_ANSWERED: _exchange(
        "A request to another organisation was acknowledged, answered or declined."
    ),
    EventClass.REQUEST_CLOSED: _exchange("A request to another organisation was closed."),
    EventClass.REQUEST_OVERDUE: _exchange("The deadline of a request passed without an answer."),
    EventClass.REQUEST_REMINDED: _exchange("A reminder of an open request was sent."),
    EventClass.RETRACTION_CONFIRMED: _exchange("Every recipient has confirmed a recall."),
    EventClass.ROLE_CHANGED: _governance("What a person may do was changed."),
    EventClass.ROOT_INSTALLED: _governance("A version of the hub's root file came into force."),
    EventClass.SESSION_ENDED: _access("A person signed out, or their sessions were ended."),
    EventClass.SIGN_IN_FAILED: _access("An attempt to sign in failed."),
    EventClass.SIGN_IN_OK: _access("A person signed in."),
    EventClass.SUMMARY_DECLARED: _governance("The tables of a summary were laid down."),
    EventClass.SUMMARY_RELEASED: _governance("The tables of a closed period were released."),
    EventClass.SUMMARY_VIEWED: _access("Someone looked at a summary or took it out as a file."),
    EventClass.TALLY_RECEIVED: _exchange("An organisation's signed tally of a month was stored."),
}
"""Every event with its sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened.

    Attributes:
        what: the class of the event.
        org: the organisation that acted, or ``""`` for the hub itself.
        person: who acted within it, apart from the organisation so that it can be erased.
        about: the person of that organisation to whom it was done; erased like ``person``. A
            person's name stands in no other field.
        subject: what it was done to, for example a bundle's id.
        basis: the reason or rule on which it rests.
        outcome: ``ok`` or the stable code of the refusal.
        detail: closed facts, for example the directory size that was used. Whoever names a bundle
            as ``subject`` says here whose it is, ``sender=<organisation>``: ids are unique for each
            sender only.
        concerns: organisations that get a number of their own for this event, beside ``org``.
    """

    what: EventClass
    org: OrgId | str = ""
    person: str = ""
    about: str = ""
    subject: str = ""
    basis: str = ""
    outcome: str = "ok"
    detail: str = ""
    concerns: Sequence[OrgId] = ()
