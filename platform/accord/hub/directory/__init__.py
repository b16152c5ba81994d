"""The hub's directory: invites, enrolments, the replayed state, the charter in force.

The hub publishes what the registrars signed; it can neither make nor change an organisation's
keys, and every desk replays the log for itself.
"""

from accord.hub.directory.enrolments import Enrolments
from accord.hub.directory.grants import require_grant
from accord.hub.directory.service import Directory, Judged
from accord.hub.directory.statements import Statements, Taken
from accord.hub.directory.waiting import Enrolment

__all__ = ["Directory", "Enrolment", "Enrolments", "Judged", "Statements", "Taken", "require_grant"]
