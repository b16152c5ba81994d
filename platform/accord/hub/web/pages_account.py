"""Pages of one's own account: sessions, passkeys, authenticator app, recovery codes, password."""

import io
from collections.abc import Callable
from dataclasses import replace

import segno
from flask import Blueprint, Response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from accord.hub.access import Action, require
from accord.hub.access import Actor as HubActor
from accord.hub.people import provisioning_uri
from accord.hub.web.pages import PeoplePages, held_token, hub_actor, settling_actor
from accord.kernel.errors import AccordError, NotFound
from accord.protocol import paths
from accord.webbase.actor import entering_actor, hold_session
from accord.webbase.csrf import csrf_token
from accord.webbase.routes import Who, declare
from accord.webbase.sign_in import tried

View = Callable[[AccordError | None], str]


def account_routes(pages: PeoplePages) -> Blueprint:
    """Return the overview and what changes on it."""
    routes = Blueprint("account", __name__)
    services, people = pages.services, pages.services.people

    @routes.get(paths.ACCOUNT)
    @declare(Action.ACCOUNT_VIEW, who=Who.PERSON)
    def show_account() -> str:
        """Show how the person can sign in, and where they are signed in."""
        return _account_page(pages, None)

    @routes.post(paths.OWN_SESSION_END)
    @declare(Action.ACCOUNT_SIGN_OUT, who=Who.PERSON)
    def end_session(number: int) -> AnyResponse:
        """End one of the own sessions."""
        return _changed(
            pages, lambda actor: people.signing_out.end_own(actor, number), to=paths.ACCOUNT
        )

    @routes.post(paths.OWN_PASSWORD)
    @declare(Action.ACCOUNT_CHANGE, who=Who.PERSON)
    def change_password() -> AnyResponse:
        """Set a new password; the person signs in again everywhere."""
        password, now = request.form.get("password", ""), services.clock()
        return _changed(
            pages,
            lambda actor: people.account.change_password(actor, password, now=now),
            to=paths.SIGN_IN,
        )

    @routes.post(paths.OWN_PASSKEY_REMOVE)
    @declare(Action.ACCOUNT_CHANGE, who=Who.PERSON)
    def remove_passkey(number: int) -> AnyResponse:
        """Remove a passkey."""
        now = services.clock()
        return _changed(
            pages,
            lambda actor: people.account.remove_passkey(actor, number, now=now),
            to=paths.ACCOUNT,
        )

    @routes.post(paths.OWN_TOTP_REMOVE)
    @declare(Action.ACCOUNT_CHANGE, who=Who.PERSON)
    def remove_totp() -> AnyResponse:
        """Remove the authenticator app."""
        now = services.clock()
        return _changed(
            pages, lambda actor: people.account.remove_totp(actor, now=now), to=paths.ACCOUNT
        )

    return routes


def passkey_routes(pages: PeoplePages) -> Blueprint:
    """Return the page that makes a passkey, also before anything else is seen."""
    routes = Blueprint("passkeys", __name__)
    services, account = pages.services, pages.services.people.account

    def passkey_page(error: AccordError | None) -> str:
        actor = require(settling_actor(services), Action.ACCOUNT_CHANGE)
        options = account.passkey_options(actor, csrf_token(), pages.party, now=services.clock())
        return render_template(
            "hub/passkey.html",
            error=error,
            options=options,
            passkeys_here=pages.passkeys_here,
            pages_origin=pages.party.origin,
        )

    @routes.get(paths.OWN_PASSKEYS)
    @declare(Action.ACCOUNT_CHANGE, who=Who.ENTERING)
    def show_passkey() -> AnyResponse:
        """Show the page that makes a passkey."""
        return _shown(passkey_page, here=paths.OWN_PASSKEYS)

    @routes.post(paths.OWN_PASSKEYS)
    @declare(Action.ACCOUNT_CHANGE, who=Who.ENTERING)
    def add_passkey() -> AnyResponse:
        """Keep the passkey that the browser made."""
        label = request.form.get("label", "")

        def act(actor: HubActor) -> str:
            return account.add_passkey(
                actor, pages.answer(), label, token=held_token(), now=services.clock()
            )

        return _grown(pages, act, passkey_page, here=paths.OWN_PASSKEYS)

    return routes


def totp_routes(pages: PeoplePages) -> Blueprint:
    """Return the page that sets up an authenticator app, also before anything else is seen."""
    routes = Blueprint("authenticator", __name__)
    services, account = pages.services, pages.services.people.account

    def totp_page(error: AccordError | None) -> str:
        actor = require(settling_actor(services), Action.ACCOUNT_CHANGE)
        return render_template("hub/totp.html", error=error, secret=account.pending_totp(actor))

    @routes.get(paths.OWN_TOTP)
    @declare(Action.ACCOUNT_CHANGE, who=Who.ENTERING)
    def show_totp() -> AnyResponse:
        """Show the page that sets up an authenticator app."""
        return _shown(totp_page, here=paths.OWN_TOTP)

    @routes.post(paths.OWN_TOTP_BEGIN)
    @declare(Action.ACCOUNT_CHANGE, who=Who.ENTERING)
    def begin_totp() -> AnyResponse:
        """Make the secret of an authenticator app."""

        def act() -> AnyResponse:
            actor = require(settling_actor(services), Action.ACCOUNT_CHANGE)
            account.begin_totp(actor, now=services.clock())
            return redirect(paths.OWN_TOTP, 303)

        return tried(act, totp_page, here=paths.OWN_TOTP)

    @routes.get(paths.OWN_TOTP_IMAGE)
    @declare(Action.ACCOUNT_CHANGE, who=Who.ENTERING)
    def totp_image() -> Response:
        """Draw the secret that waits for its first code as a square."""
        actor = require(settling_actor(services), Action.ACCOUNT_CHANGE)
        secret = account.pending_totp(actor)
        if secret is None:
            raise NotFound("totp_missing", "There is no authenticator app that waits for a code.")
        uri = provisioning_uri(secret, login=actor.person, hub=services.config.origin)
        drawn = io.BytesIO()
        segno.make(uri, error="m").save(drawn, kind="svg", scale=5, border=4, light="#ffffff")
        return Response(drawn.getvalue(), content_type="image/svg+xml")

    @routes.post(paths.OWN_TOTP)
    @declare(Action.ACCOUNT_CHANGE, who=Who.ENTERING)
    def confirm_totp() -> AnyResponse:
        """Take the first code."""
        code = request.form.get("code", "")

        def act(actor: HubActor) -> str:
            return account.confirm_totp(actor, code, token=held_token(), now=services.clock())

        return _grown(pages, act, totp_page, here=paths.OWN_TOTP)

    return routes


def recovery_routes(pages: PeoplePages) -> Blueprint:
    """Return the page of recovery codes."""
    routes = Blueprint("recovery", __name__)
    services, account = pages.services, pages.services.people.account

    @routes.get(paths.OWN_RECOVERY)
    @declare(Action.ACCOUNT_VIEW, who=Who.PERSON)
    def show_recovery() -> str:
        """Say what recovery codes are for."""
        left = account.means(require(hub_actor(services), Action.ACCOUNT_VIEW)).recovery_codes
        return render_template("hub/recovery.html", error=None, codes=(), left=left)

    @routes.post(paths.OWN_RECOVERY)
    @declare(Action.ACCOUNT_CHANGE, who=Who.PERSON)
    def make_recovery() -> AnyResponse:
        """Make ten codes and show them, once."""

        def act() -> AnyResponse:
            actor = require(hub_actor(services), Action.ACCOUNT_CHANGE)
            codes = account.make_recovery_codes(actor, now=services.clock())
            page = render_template("hub/recovery.html", error=None, codes=codes, left=len(codes))
            return Response(page)

        return tried(act, lambda error: _account_page(pages, error), here=paths.OWN_RECOVERY)

    return routes


def _account_page(pages: PeoplePages, error: AccordError | None) -> str:
    actor = require(hub_actor(pages.services), Action.ACCOUNT_VIEW)
    people = pages.services.people
    return render_template(
        "hub/account.html",
        here=paths.ACCOUNT,
        error=error,
        me=actor,
        means=people.account.means(actor),
        sessions=people.signing_out.own(actor),
        present=held_session(pages),
        passwords=people.policy.passwords,
    )


def held_session(pages: PeoplePages) -> int:
    """Return the number of the present session."""
    session = pages.services.people.sessions.find(held_token())
    return 0 if session is None else session.number


def _changed(pages: PeoplePages, act: Callable[[HubActor], object], *, to: str) -> AnyResponse:
    def change() -> AnyResponse:
        actor = hub_actor(pages.services)
        act(require(actor, Action.ACCOUNT_VIEW))
        return redirect(to, 303)

    return tried(change, lambda error: _account_page(pages, error), here=paths.ACCOUNT)


def _shown(page: View, *, here: str) -> AnyResponse:
    return tried(lambda: Response(page(None)), page, here=here)


def _grown(
    pages: PeoplePages, act: Callable[[HubActor], str], page: View, *, here: str
) -> AnyResponse:
    """Add a factor; a session that waited for it is another one from here on."""

    def grow() -> AnyResponse:
        before = entering_actor()
        token = act(require(settling_actor(pages.services), Action.ACCOUNT_CHANGE))
        if not before.waits_for:
            return redirect(paths.ACCOUNT, 303)
        hold_session(token, replace(before, waits_for=""))
        return redirect(paths.OWN_RECOVERY, 303)

    return tried(grow, page, here=here)
