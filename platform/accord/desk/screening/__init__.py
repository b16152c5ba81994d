"""Match a file of our own rows against what others have shared with us and still stands.

Invariants: nothing leaves this computer; the run is written down, with its reason, before the file
is read; every cell is judged by the same rules as everywhere else, however many processes share
the work; a row that cannot be judged is told with its reason; a report is whole or not there.
"""

from accord.desk.screening.service import Screened, ScreenOptions, screen

__all__ = ["ScreenOptions", "Screened", "screen"]
