"""Opening the desk of a home for one command, and who is at the keyboard."""

import gc
import getpass
from collections.abc import Iterator
from contextlib import contextmanager

from accord.clock import system_clock
from accord.desk.app import Desk, open_desk
from accord.desk.config import read_config
from accord.desk.keyring import Keyring
from accord.terminal import Terminal

_COLLECT_AFTER = 50_000
"""Objects made before the youngest are looked through for cycles (Python's own: 700)."""


@contextmanager
def opened_desk(
    terminal: Terminal, passphrase: bytes | None = None, *, keyring: Keyring | None = None
) -> Iterator[Desk]:
    """Give the unlocked desk in ``--home`` and close it at the end.

    Args:
        terminal: says which home.
        passphrase: for a command that opens the desk again; else it is asked for.
        keyring: when its keys are unlocked already, beside their passphrase.

    Raises:
        NotFound: ``desk_missing``.
        AuthenticationNeeded: no passphrase, or a wrong one.
    """
    read_config(terminal.home)
    passphrase = passphrase or terminal.passphrase("Passphrase of the desk")
    # A bundle's 50,000 records are no cycles; looking for some again and again took a tenth of
    # the time of a submit. What was loaded until here stays anyway.
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER, 20, 20)
    with open_desk(terminal.home, passphrase, clock=system_clock, keyring=keyring) as desk:
        yield desk


def person_here() -> str:
    """Return the name of the account that runs the command, for the journal."""
    try:
        return getpass.getuser()[:80]
    except (OSError, KeyError):
        return "unknown"
