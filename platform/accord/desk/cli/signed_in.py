"""A person who proves at the keyboard who they are: the account of the desk's pages."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import click

from accord.config import read_passphrase_file
from accord.desk.app import Desk
from accord.desk.keyring.people import People
from accord.kernel.errors import AuthenticationNeeded, Refused

AS_HELP = "Your account at this desk's pages; your password is asked for."
PASSWORD_HELP = "File with that password, readable by you alone."  # noqa: S105 - words
WHEN = "Needed where a second person approves first."
PASSWORD_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


Signer: TypeAlias = tuple[str | None, Path | None]
"""An account and the file of its password, as options say them."""


def signer_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add ``--as`` and ``--password-file``, for what may have to wait for a second person."""
    of_file = click.option("--password-file", type=PASSWORD_FILE, help=PASSWORD_HELP)
    return click.option("--as", "login", help=f"{AS_HELP} {WHEN}")(of_file(command))


def maker_of(desk: Desk, login: str | None, password_file: Path | None) -> str:
    """Return who lays something aside, signed in.

    Raises:
        Refused: ``approval_needed`` without an account.
        AuthenticationNeeded: as ``signed_in``.
    """
    if login is None:
        raise Refused(
            "approval_needed",
            "A second person of your organisation approves first; nothing has left this computer.",
            next_step="Say who you are with --as; then a colleague runs accord approve.",
        )
    return signed_in(desk, login, password_file)


def signed_in(desk: Desk, login: str, password_file: Path | None) -> str:
    """Return the account name once its password fits.

    Raises:
        AuthenticationNeeded: ``sign_in_wrong``; ``passphrase_missing`` without a keyboard.
    """
    if password_file is not None:
        password = read_passphrase_file(password_file).decode("utf-8", "replace")
    elif sys.stdin.isatty():
        password = click.prompt(f"Password of {login}", hide_input=True, err=True)
    else:
        raise AuthenticationNeeded(
            "passphrase_missing",
            "A password is needed and there is no keyboard.",
            next_step="Give --password-file with a file that only you can read.",
        )
    return People(desk.vault).check(login, password).login
