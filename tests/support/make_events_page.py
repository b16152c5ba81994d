"""Write docs/formats/audit-events.md from the closed lists: ``python -m tests.support.make_events_page``."""

from pathlib import Path

from accord.desk.storage.journal import ACTS, Act
from accord.hub.audit.events import MEANINGS, EventClass

PAGE = Path(__file__).resolve().parents[2] / "docs" / "formats" / "audit-events.md"

HEAD = """# Audit events

The closed lists of what is recorded, made from the source. An event of the hub has the fields `time`, `what` (a class of this page), `org` (who acted;
empty for the hub itself), `person`, `subject` (to what), `basis` (reason or rule), `outcome` (`ok` or a [code](../errors.md)), `detail`, and for each
organisation that it concerns `member.N` = `<organisation> <its gap-free number>`. How they are committed to the log: [log](log.md#6-erasable-leaves-of-the-audit-log).

An event whose `subject` is a bundle says in `detail` whose it is, `sender=<organisation>`, as ids are unique for each sender only. Of a refusal that is who sent it in.
Events of before hubs told this have none: an acceptance is of a bundle of who acted; a desk counts a delivery that it took once, for one bundle of that id, and one that others
took as of its own bundle, as a delivery concerns nobody but recipient and sender.

Each verb of the hub records exactly one event, in the transaction of its act: without the event there is no act. *Kept*: how long the
fields stay readable (settings of the hub; what is kept *for good* no setting erases); the commitment in the log stays for good.

## Hub

| event | kept as | says |
| --- | --- | --- |
"""

DESK = """
## Desk

Kept in the desk's vault, written before the act is answered.

| act | says |
| --- | --- |
"""


def page() -> str:
    """Return the whole page."""
    hub = (
        f"| `{one.value}` | {MEANINGS[one].keeping.value} | {MEANINGS[one].says} |\n"
        for one in sorted(EventClass)
    )
    desk = (f"| `{one.value}` | {ACTS[one]} |\n" for one in sorted(Act))
    return HEAD + "".join(hub) + DESK + "".join(desk)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
