"""Tools that read this desk's feeds: settings to copy, the last request, a test, add and remove.

A token opens everything that may go to tools, to whoever holds it, for as long as it stands. So
adding one asks for the password again: an open session is not enough. The token is in the answer
to the form and nowhere else.
"""

from collections.abc import Callable
from dataclasses import dataclass

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response

from accord.clock import Clock
from accord.desk.feeds.clients import HIDDEN, clients_of
from accord.desk.feeds.taxii import Taxii
from accord.desk.keyring.tools import Tool, Tools
from accord.desk.web.again import PasswordAgain, unkept
from accord.kernel.errors import AccordError, Malformed, NotFound
from accord.webbase.actor import current_actor
from accord.webbase.routes import Who, declare
from accord.webbase.texts import gettext

TOOLS = "/tools"
_MAX_DIGITS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Connecting:
    """What this page works with.

    Attributes:
        tools: the same as the feeds note their requests in.
        again: asks for the password once more.
        bring_up: makes ready what tools read.
    """

    tools: Tools
    taxii: Taxii
    clock: Clock
    again: PasswordAgain
    bring_up: Callable[[], object]
    checked: Callable[[], int | None]


def tool_routes(connecting: Connecting) -> Blueprint:
    """Return the page over ``connecting``."""
    routes = Blueprint("tools", __name__)
    routes.context_processor(lambda: {"checked": connecting.checked()})

    @routes.get(TOOLS)
    @declare("tool:list", who=Who.PERSON)
    def tool_page() -> str:
        """List the tools; ``?tool=`` shows one's settings and whether it has asked ``since``."""
        name = request.args.get("tool")
        return _page(connecting, chosen=None if name is None else _find(connecting, name))

    @routes.post(TOOLS)
    @declare("tool:change", who=Who.PERSON)
    def change_tools() -> Response:
        """Add a tool, which shows its token, or remove one."""
        try:
            token = _change(connecting)
        except AccordError as error:
            return unkept(_page(connecting, error=error), error)
        if token is None:
            return redirect(TOOLS, 303)
        made = _find(connecting, request.form.get("name", ""))
        return unkept(_page(connecting, chosen=made, token=token))

    return routes


def _change(connecting: Connecting) -> str | None:
    """Do what the form says; return the token of a tool that was added.

    Raises:
        AuthenticationNeeded: ``sign_in_wrong``; nothing was added.
        Unavailable: ``too_many_attempts``.
        Malformed, Conflict, NotFound: as ``Tools`` raises; ``tool_act_unknown``.
    """
    act, name = request.form.get("act", ""), request.form.get("name", "").strip()
    now = connecting.clock()
    if act == "remove":
        connecting.tools.remove(name, person=current_actor().name, now=now)
        return None
    if act != "add":
        raise Malformed("tool_act_unknown", gettext("The form asks for nothing known."))
    token = connecting.tools.add(name, person=connecting.again.person(), now=now)
    connecting.bring_up()
    return token


def _find(connecting: Connecting, name: str) -> Tool:
    for one in connecting.tools.list():
        if one.name == name.strip():
            return one
    raise NotFound("tool_unknown", gettext("There is no tool of this name."), observed=name[:60])


def _since(now: int) -> int:
    """Return from when on a request counts in the test: the first time that the page was opened."""
    text = request.args.get("since", "")
    if not text:
        return now
    if not text.isascii() or not text.isdigit() or len(text) > _MAX_DIGITS:
        raise Malformed("page_unknown", gettext("There is no such page."), observed=text[:20])
    return int(text)


def _page(
    connecting: Connecting,
    *,
    chosen: Tool | None = None,
    token: str | None = None,
    error: AccordError | None = None,
) -> str:
    base, now = request.host_url.rstrip("/"), connecting.clock()
    since = _since(now)
    stranger = connecting.tools.stranger
    return render_template(
        "desk/tools.html",
        here=TOOLS,
        tools=connecting.tools.list(),
        chosen=chosen,
        token=token,
        clients=clients_of(connecting.taxii, base, name=chosen.name, token=token or HIDDEN)
        if chosen
        else (),
        since=since,
        came=chosen is not None and chosen.seen is not None and chosen.seen >= since,
        stranger=stranger if stranger is not None and stranger.at >= since else None,
        name=request.form.get("name", ""),
        error=error,
    )
