"""The audit trail for those who may read it: search, export, erasure, keeping, self-audit.

Who looks is written down before they see anything, and that entry is in the trail itself. What
opens to whom is the table of ``hub.audit.openings``; the room adds who the reader is.
"""

from accord.hub.trail.erasure import Erasure, Erasures, apply_erasures, load_erasures
from accord.hub.trail.filters import Wanted, parse_wanted
from accord.hub.trail.journals import Journals
from accord.hub.trail.own import OwnEvents
from accord.hub.trail.selfaudit import SelfAudit, SelfAuditReport
from accord.hub.trail.service import Trail, TrailPage, TrailRow

__all__ = [
    "Erasure",
    "Erasures",
    "Journals",
    "OwnEvents",
    "SelfAudit",
    "SelfAuditReport",
    "Trail",
    "TrailPage",
    "TrailRow",
    "Wanted",
    "apply_erasures",
    "load_erasures",
    "parse_wanted",
]
