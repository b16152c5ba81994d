"""``accord desk leave``: the wizard of an organisation that leaves its hub.

It says what cannot be taken back before it asks, looks for what should be done first, and signs
the statement. Nothing here is deleted: the vault and the keys stay for retention and for evidence.
"""

import click

from accord.clock import system_clock
from accord.desk.app import Desk, open_desk
from accord.desk.app.keys import changes_of
from accord.desk.cli.keys_shown import standing_data
from accord.desk.cli.opened import person_here
from accord.desk.keyring import KeyFile
from accord.desk.storage import Way
from accord.desk.storage.bundles import list_bundles
from accord.desk.storage.outbox import unfinished
from accord.kernel.errors import Refused
from accord.kernel.identifiers import org_name
from accord.terminal import Terminal, common_options

FOR_GOOD = (
    "What others received from you stays with them, and stays valid: it was signed in time.",
    "What you received stays in your vault, under the rules that its senders set.",
    "Your name is taken for ever; you cannot enrol under it again.",
    "Your entry and its contact stay readable in the directory's log for ever.",
    "Nobody can send to you any more, and you can send and confirm nothing.",
)
"""What a leaver cannot take back."""


@click.command()
@common_options
def leave(terminal: Terminal) -> None:
    """Leave the hub, for good: says what cannot be taken back, then asks."""
    passphrase = terminal.passphrase("Passphrase of the desk")
    with open_desk(terminal.home, passphrase, clock=system_clock) as desk:
        first = _first(desk)
        terminal.say(_page(desk, first))
        if terminal.dry_run:
            terminal.result(
                {"left": False, "org": desk.org, "first": first, "for_good": list(FOR_GOOD)},
                "Nothing was changed (--dry-run).",
            )
            return
        _ask(terminal, org_name(desk.org))
        key_file = KeyFile(path=desk.config.keys_file, passphrase=passphrase)
        desk.pull.pull(retention_days=desk.config.retention_days)
        desk.submissions.flush()
        found = changes_of(desk, key_file, person=person_here()).leave()
    terminal.result(
        {"left": True, "first": first, "for_good": list(FOR_GOOD), **standing_data(found)},
        f"{found.org} has left. Keep {terminal.home} as long as your retention rules say, then "
        "destroy it with its backups.",
    )


def _first(desk: Desk) -> list[str]:
    """Return what should be looked at before leaving, as sentences."""
    found = []
    waiting = len(unfinished(desk.vault))
    if waiting:
        found.append(f"{waiting} bundles have no receipt yet: accord pull.")
    if list_bundles(desk.vault, way=Way.SENT, limit=1):
        found.append(
            "You sent bundles. Retract what you no longer stand behind: after "
            "leaving you cannot: accord retract ID."
        )
    found.append("Send the tallies of closed months: accord tally.")
    found.append("Make a last backup of the keys: accord keys backup -o FILE.")
    return found


def _page(desk: Desk, first: list[str]) -> str:
    return "\n".join(
        [
            f"{desk.org} is about to leave its hub.",
            "",
            "Do this first:",
            *(f"  - {one}" for one in first),
            "",
            "This cannot be taken back:",
            *(f"  - {one}" for one in FOR_GOOD),
        ]
    )


def _ask(terminal: Terminal, name: str) -> None:
    if terminal.confirm(f"Leave for good as {name}?"):
        return
    raise Refused("not_confirmed", "Nothing was changed.", next_step="Answer yes when all is done.")
