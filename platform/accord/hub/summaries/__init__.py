"""Safe summaries from the organisations' signed monthly tallies, never from bundles.

Only pre-declared tables over closed periods, under disclosure control (flows, "Summaries").
"""

from accord.hub.summaries.service import Summaries

__all__ = ["Summaries"]
