"""``accord tool``: connect a threat-intelligence tool to this desk's feeds."""

import datetime as dt

import click

from accord.desk.app import Desk
from accord.desk.cli.opened import opened_desk, person_here
from accord.desk.feeds.objects import bring_up
from accord.desk.feeds.taxii import ROOT, Taxii
from accord.desk.keyring.tools import Tool, Tools
from accord.terminal import Terminal, common_options


@click.group()
def tool() -> None:
    """Connect tools that read TAXII 2.1 or MISP feeds from this desk."""


@tool.command()
@click.argument("name")
@common_options
def add(terminal: Terminal, *, name: str) -> None:
    """Make a token for the tool NAME and print its settings. The token is shown once."""
    with opened_desk(terminal) as desk:
        token = Tools(desk.vault).add(name, person=person_here(), now=desk.clock())
        bring_up(desk.vault, now=desk.clock())
        settings = settings_of(desk, name, token)
    terminal.result(settings, _text(settings))


@tool.command(name="list")
@common_options
def list_tools(terminal: Terminal) -> None:
    """Show the tools and what each asked for last."""
    with opened_desk(terminal) as desk:
        found = Tools(desk.vault).list()
    terminal.result(
        {"tools": [_data(one) for one in found]},
        "\n".join(_line(one) for one in found) or "No tool is connected. Add one: accord tool add.",
    )


@tool.command()
@click.argument("name")
@common_options
def remove(terminal: Terminal, *, name: str) -> None:
    """Take the tool's token away, at once."""
    with opened_desk(terminal) as desk:
        Tools(desk.vault).remove(name, person=person_here(), now=desk.clock())
    terminal.result({"name": name, "removed": True}, f"{name} can read nothing any more.")


def settings_of(desk: Desk, name: str, token: str) -> dict[str, object]:
    """Return the exact settings for the tools that people use."""
    base = f"http://localhost:{desk.config.port}"
    collection = Taxii(desk.vault, title="").indicators
    root = f"{base}{ROOT}"
    return {
        "name": name,
        "token": token,
        "taxii": {
            "discovery": f"{base}/taxii2/",
            "base": root,
            "collection": collection,
            "user": name,
            "password": token,
        },
        "misp": {"url": f"{base}/misp/", "header": f"Authorization: {token}"},
    }


def _text(settings: dict[str, object]) -> str:
    taxii, misp = settings["taxii"], settings["misp"]
    if not isinstance(taxii, dict) or not isinstance(misp, dict):
        return ""
    return "\n".join(
        (
            f"Token of {settings['name']}, shown this once: {settings['token']}",
            "",
            "TAXII 2.1 (OpenCTI, Sentinel, Splunk, XSOAR)",
            f"  API root    {taxii['base']}",
            f"  collection  {taxii['collection']}",
            f"  user        {taxii['user']}",
            "  password    the token",
            "",
            "MISP (feed of type 'MISP Feed', source 'network')",
            f"  URL     {misp['url'].rstrip('/')}  (MISP puts /manifest.json behind it)",
            "  header  Authorization: the token",
            "",
            "accord tool list shows the tool's last request. The feeds are there while",
            "'accord desk serve' runs. More: docs/operate/connect-a-tool.md",
        )
    )


def _data(one: Tool) -> dict[str, object]:
    return {
        "name": one.name,
        "created": one.created,
        "seen": one.seen,
        "request": one.request,
        "status": one.status,
        "agent": one.agent,
    }


def _line(one: Tool) -> str:
    if one.seen is None:
        return f"{one.name}: has not asked yet"
    at = dt.datetime.fromtimestamp(one.seen, tz=dt.UTC)
    return f"{one.name}: {at:%Y-%m-%d %H:%M:%S} UTC, {one.request}, {one.status} ({one.agent})"
