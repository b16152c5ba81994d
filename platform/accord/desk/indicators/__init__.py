"""Opened indicators at this desk: take a verified bundle in, look values up, apply recalls.

Invariants: only what was verified and opened comes in; a search is written down before it is
answered and never leaves the machine; end states stay apart and a retracted or expired record is
shown as such, never as a plain hit. The room knows no network.
"""

from accord.desk.indicators.imports import describe, import_opened, import_other, store
from accord.desk.indicators.questions import How, Manner, Match
from accord.desk.indicators.search import EndState, Hit, SearchReport, SearchResult, search
from accord.desk.indicators.sent import (
    SentBefore,
    Sought,
    already_sent,
    anything_sent,
    sealed_in,
    sent_again,
)

__all__ = [
    "EndState",
    "Hit",
    "How",
    "Manner",
    "Match",
    "SearchReport",
    "SearchResult",
    "SentBefore",
    "Sought",
    "already_sent",
    "anything_sent",
    "describe",
    "import_opened",
    "import_other",
    "sealed_in",
    "search",
    "sent_again",
    "store",
]
