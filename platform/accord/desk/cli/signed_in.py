"""A person who proves at the keyboard who they are: the account of the desk's pages."""

import sys
from pathlib import Path

import click

from accord.config import read_passphrase_file
from accord.desk.app import Desk
from accord.desk.keyring.people import People
from accord.kernel.errors import AuthenticationNeeded

AS_HELP = "Your account at this desk's pages; your password is asked for."
PASSWORD_HELP = "File with that password, readable by you alone."  # noqa: S105 - words
PASSWORD_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


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
