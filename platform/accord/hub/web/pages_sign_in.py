"""Pages of signing in beyond the password: passkey, second factor, recovery code, fresh proof."""

from collections.abc import Callable, Mapping
from urllib.parse import urlencode

from flask import Blueprint, render_template, request
from werkzeug.wrappers import Response

from accord.hub.people import Begun
from accord.hub.web.pages import PeoplePages, held_token, visit
from accord.kernel.errors import AccordError
from accord.protocol import paths
from accord.webbase.csrf import csrf_token
from accord.webbase.routes import Who, declare
from accord.webbase.sign_in import Entrance, go_on, local_path, tried


def enter(pages: PeoplePages, login: str, password: str) -> Entrance:
    """Begin a session by name and password.

    Raises:
        AuthenticationNeeded: ``sign_in_wrong``, for every reason alike.
    """
    people = pages.services.people
    begun = people.sign_in.password(login, password, visit(), now=pages.services.clock())
    return pages.entrance(begun)


def sign_in_words(pages: PeoplePages) -> Mapping[str, object]:
    """Return what the sign-in page needs beside its form."""
    return {
        "passwords": pages.services.people.policy.passwords,
        "passkeys_here": pages.passkeys_here,
        "pages_origin": pages.party.origin,
        "options": _options(pages, None),
    }


def sign_in_routes(pages: PeoplePages) -> Blueprint:
    """Return the pages."""
    routes = Blueprint("signing_in", __name__)
    signing_in, clock = pages.services.people.sign_in, pages.services.clock

    def second(error: AccordError | None) -> str:
        return _proof_page(pages, "hub/second.html", error)

    @routes.post(paths.SIGN_IN_PASSKEY)
    @declare("session:begin", who=Who.ANYONE)
    def passkey() -> Response:
        """Sign in with a passkey alone."""
        return tried(
            lambda: _done(
                pages, lambda: signing_in.passkey(pages.answer(), visit(), token=None, now=clock())
            ),
            lambda error: render_template(
                "hub/sign_in.html", error=error, login="", **sign_in_words(pages)
            ),
            here=paths.SIGN_IN,
        )

    @routes.get(paths.SECOND)
    @declare("session:factor", who=Who.ENTERING)
    def show_second() -> str:
        """Ask for the second factor."""
        return second(None)

    @routes.post(paths.SECOND_CODE)
    @declare("session:factor", who=Who.ENTERING)
    def second_code() -> Response:
        """Take the code of an authenticator app."""
        code = request.form.get("code", "")
        return _tried(
            pages, lambda: signing_in.totp(held_token(), code, visit(), now=clock()), second
        )

    @routes.post(paths.SECOND_RECOVERY)
    @declare("session:factor", who=Who.ENTERING)
    def second_recovery() -> Response:
        """Take a recovery code, with the reason."""
        code, reason = request.form.get("recovery", ""), request.form.get("reason", "")
        return _tried(
            pages,
            lambda: signing_in.recovery(held_token(), code, reason, visit(), now=clock()),
            second,
        )

    @routes.post(paths.SECOND_PASSKEY)
    @declare("session:factor", who=Who.ENTERING)
    def second_passkey() -> Response:
        """Take a passkey as the second factor."""
        return _tried(pages, lambda: _own_passkey(pages), second)

    return routes


def confirm_routes(pages: PeoplePages) -> Blueprint:
    """Return the page of a fresh proof."""
    routes = Blueprint("confirming", __name__)
    signing_in, clock = pages.services.people.sign_in, pages.services.clock

    def confirm(error: AccordError | None) -> str:
        return _proof_page(pages, "hub/confirm.html", error)

    @routes.get(paths.CONFIRM)
    @declare("session:confirm", who=Who.PERSON)
    def show_confirm() -> str:
        """Ask the person to prove again who they are."""
        return confirm(None)

    @routes.post(paths.CONFIRM)
    @declare("session:confirm", who=Who.PERSON)
    def confirm_typed() -> Response:
        """Take a code, or the password of a person who has no second factor."""
        code, password = request.form.get("code"), request.form.get("password", "")

        def act() -> Begun:
            if code is not None:
                return signing_in.totp(held_token(), code, visit(), now=clock())
            return signing_in.again(held_token(), password, visit(), now=clock())

        return _tried(pages, act, confirm)

    @routes.post(paths.CONFIRM_PASSKEY)
    @declare("session:confirm", who=Who.PERSON)
    def confirm_passkey() -> Response:
        """Take a passkey as the fresh proof."""
        return _tried(pages, lambda: _own_passkey(pages), confirm)

    return routes


def _own_passkey(pages: PeoplePages) -> Begun:
    return pages.services.people.sign_in.passkey(
        pages.answer(), visit(), token=held_token(), now=pages.services.clock()
    )


def _tried(
    pages: PeoplePages, begin: Callable[[], Begun], page: Callable[[AccordError | None], str]
) -> Response:
    return tried(lambda: _done(pages, begin), page, here=paths.HOME)


def _done(pages: PeoplePages, begin: Callable[[], Begun]) -> Response:
    return go_on(pages.entrance(begin()))


def _options(pages: PeoplePages, token: str | None) -> str:
    return pages.services.people.sign_in.passkey_options(
        csrf_token(), pages.party, token=token, now=pages.services.clock()
    )


def _proof_page(pages: PeoplePages, template: str, error: AccordError | None) -> str:
    token = held_token()
    return render_template(
        template,
        error=error,
        ways=pages.services.people.sign_in.ways(token, now=pages.services.clock()),
        options=_options(pages, token),
        passkeys_here=pages.passkeys_here,
        pages_origin=pages.party.origin,
        query=_query(),
    )


def _query() -> str:
    """Return the query that carries the wanted page through the steps."""
    return "?" + urlencode({"next": local_path(request.args.get("next", ""))})
