"""What leaves the desk for other tools: which records may go, in which form, and who took them.

Invariants: nothing leaves without a marking, a purpose and a reason; the traffic light and the
sender's onward rule are obeyed; what was taken is written down before it is handed over, record by
record, so that a recall can name who has it. A new format is one folder and one line in
``registry``; formats do not know each other.
"""

from accord.desk.export.rules import Audience
from accord.desk.export.selection import Selected, Selection, select

__all__ = ["Audience", "Selected", "Selection", "select"]
