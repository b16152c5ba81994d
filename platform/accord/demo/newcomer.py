"""A person of the demo uses the one-off code that they were given, as a browser without script."""

import re
import secrets

import httpx2

from accord.kernel.errors import Unavailable
from accord.protocol.paths import JOIN

PASSWORD_BYTES = 15

_TOKEN = re.compile(r'name="csrf_token" value="([A-Za-z0-9_-]+)"')


def join(hub_url: str, login: str, code: str) -> str:
    """Make the account at the hub's page; return the password that was chosen.

    Raises:
        Unavailable: ``demo_step_failed``.
    """
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    with httpx2.Client(base_url=hub_url, trust_env=False) as client:
        form = _TOKEN.search(client.get(JOIN).text)
        fields = {
            "csrf_token": form[1] if form else "",
            "code": code,
            "login": login,
            "password": password,
        }
        answer = client.post(JOIN, data=fields)
    if answer.status_code != httpx2.codes.SEE_OTHER:
        raise Unavailable(
            "demo_step_failed", "The account was not made.", observed=str(answer.status_code)
        )
    return password
