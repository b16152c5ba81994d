"""Safe summaries from the organisations' signed monthly tallies, never from bundles.

Only pre-declared tables over closed periods, under disclosure control (flows, "Summaries").
"""

from accord.hub.summaries.activity import Activity
from accord.hub.summaries.cube import Table
from accord.hub.summaries.disclosure import Audience, Mark
from accord.hub.summaries.periods import check_quarter, months_of
from accord.hub.summaries.release import Figure, Release
from accord.hub.summaries.releases import Releases
from accord.hub.summaries.service import Summaries

__all__ = [
    "Activity",
    "Audience",
    "Figure",
    "Mark",
    "Release",
    "Releases",
    "Summaries",
    "Table",
    "check_quarter",
    "months_of",
]
