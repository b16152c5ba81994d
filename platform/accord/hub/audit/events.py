"""The closed list of events (flows, "Audit events") and what each says."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from accord.kernel.identifiers import OrgId


class EventClass(StrEnum):
    """What happened: ``subject.action``."""

    BUNDLE_ACCEPTED = "bundle.accepted"
    BUNDLE_REFUSED = "bundle.refused"
    BUNDLE_DELIVERED = "bundle.delivered"
    BUNDLE_ACKNOWLEDGED = "bundle.acknowledged"
    BUNDLE_EXPIRED = "bundle.expired"
    DIRECTORY_STATEMENT = "directory.statement"
    INVITE_MADE = "invite.made"
    ENROLMENT_PROVED = "enrolment.proved"
    CHARTER_PUBLISHED = "charter.published"
    ROOT_INSTALLED = "root.installed"
    TALLY_RECEIVED = "tally.received"
    SUMMARY_RELEASED = "summary.released"
    SUMMARY_VIEWED = "summary.viewed"
    SIGN_IN_OK = "sign-in.ok"
    SIGN_IN_FAILED = "sign-in.failed"
    PERSON_ADDED = "person.added"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened.

    Attributes:
        what: the class of the event.
        org: the organisation that acted, or ``""`` for the hub itself.
        person: who acted within it, apart from the organisation so that it can be erased.
        subject: what it was done to, for example a bundle's id.
        basis: the reason or rule on which it rests.
        outcome: ``ok`` or the stable code of the refusal.
        detail: closed facts, for example the directory size that was used.
        concerns: organisations that get a number of their own for this event.
    """

    what: EventClass
    org: OrgId | str = ""
    person: str = ""
    subject: str = ""
    basis: str = ""
    outcome: str = "ok"
    detail: str = ""
    concerns: Sequence[OrgId] = ()
