"""The audit trail: a closed list of events, each logged in the transaction of its act.

The log holds 34-byte commitments; the fields and their nonces stand beside it and can be erased one
by one without breaking the chain. An event belongs to the organisation that acted and to those that
it concerns, and each of them gets its own gap-free number for it.
"""

from accord.hub.audit.events import Event, EventClass
from accord.hub.audit.openings import Reader, opened_for
from accord.hub.audit.queries import read_event
from accord.hub.audit.service import Recorder

__all__ = ["Event", "EventClass", "Reader", "Recorder", "opened_for", "read_event"]
