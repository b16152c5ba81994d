"""Work in the background of a serving hub: witness rounds, and what comes again and again.

Jobs call the same verbs as the faces; what they did is in the log. A failing job says so and is
tried again; it never stops the service, except when a witness has seen more than we hold.
"""

from accord.hub.jobs.leases import JobTable
from accord.hub.jobs.loop import Jobs

__all__ = ["JobTable", "Jobs"]
