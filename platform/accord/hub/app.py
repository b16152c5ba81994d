"""The hub as one WSGI application: the only place where services, routes and gate are wired."""

from flask import Flask

from accord import __version__
from accord.hub.access import Role
from accord.hub.people import RelyingParty
from accord.hub.services import Services
from accord.hub.web.api_bundles import bundle_routes
from accord.hub.web.api_events import event_routes
from accord.hub.web.api_feed import feed_routes
from accord.hub.web.api_hub import enrolment_routes, hub_routes, operation_routes
from accord.hub.web.api_log import log_routes
from accord.hub.web.api_statements import statement_routes
from accord.hub.web.metrics import Metrics
from accord.hub.web.pages import PeoplePages, home_routes, load_session
from accord.hub.web.pages_account import (
    account_routes,
    passkey_routes,
    recovery_routes,
    totp_routes,
)
from accord.hub.web.pages_audit import audit_page_routes
from accord.hub.web.pages_charter import charter_page_routes
from accord.hub.web.pages_join import join_routes
from accord.hub.web.pages_log import log_page_routes
from accord.hub.web.pages_people import notice_routes, people_routes
from accord.hub.web.pages_recalls import recall_routes
from accord.hub.web.pages_sign_in import confirm_routes, enter, sign_in_routes, sign_in_words
from accord.hub.web.pages_summary import summary_routes
from accord.hub.web.signed import verify_signed
from accord.protocol import paths
from accord.protocol.nonces import MemoryNonceCache
from accord.protocol.signatures import NONCE_MARGIN
from accord.webbase.actor import install_actor
from accord.webbase.api import make_api
from accord.webbase.factory import make_app
from accord.webbase.routes import check_routes, install_gate
from accord.webbase.sign_in import install_sign_in
from accord.webbase.texts import gettext


def make_hub(services: Services, *, secret_key: bytes, port: int) -> Flask:
    """Return the hub's application.

    Args:
        services: the rooms of this hub.
        secret_key: signs the session cookies.
        port: the port that was bound, for the names under which the hub is reached.
    """
    config = services.config
    authorities = config.known_authorities(port)
    app = make_app(
        "hub",
        instance_id=config.instance,
        secret_key=secret_key,
        https=config.https,
        hosts=sorted({authority.rpartition(":")[0] or authority for authority in authorities}),
        templates=["accord.hub.web"],
    )
    people = services.people
    party = RelyingParty(origin=config.pages_origin(port), name=f"Accord {config.origin}")
    pages = PeoplePages(services=services, party=party)
    install_actor(app, find=lambda token: load_session(services, token), end=people.signing_out.end)
    install_sign_in(
        app,
        enter=lambda login, password: enter(pages, login, password),
        clock=services.clock,
        throttle=people.passwords,
        page="hub/sign_in.html",
        more=lambda: sign_in_words(pages),
    )
    metrics = Metrics(app, services)
    install_gate(
        app,
        verify_signed=verify_signed(
            services.directory,
            # A process that shares with nobody forgets at its end what it has seen.
            services.nonces or MemoryNonceCache(since=services.clock() + NONCE_MARGIN),
            services.clock,
            authorities,
        ),
    )
    api = make_api(app, title="Accord hub", version=__version__)
    for routes in (
        hub_routes(services),
        enrolment_routes(services),
        bundle_routes(services),
        event_routes(services),
        feed_routes(services),
        statement_routes(services),
        log_routes(services),
        operation_routes(metrics, services),
    ):
        api.register_blueprint(routes)
    for views in (
        home_routes(),
        summary_routes(services),
        audit_page_routes(services),
        charter_page_routes(services),
        log_page_routes(services),
        recall_routes(services),
        sign_in_routes(pages),
        confirm_routes(pages),
        join_routes(pages),
        account_routes(pages),
        passkey_routes(pages),
        totp_routes(pages),
        recovery_routes(pages),
        people_routes(pages),
        notice_routes(pages),
    ):
        app.register_blueprint(views)
    app.jinja_env.globals["navigation"] = (
        (paths.SUMMARY, gettext("Summary")),
        (paths.CHARTER_PAGE, gettext("Charter")),
        (paths.RECALLS, gettext("Recalls")),
        (paths.LOG_PAGE, gettext("Logs")),
    )
    administration = ((paths.AUDIT_PAGE, gettext("Audit")), (paths.PEOPLE, gettext("People")))
    app.jinja_env.globals["role_navigation"] = {
        Role.ADMINISTRATOR.value: administration,
        Role.AUDITOR.value: administration,
    }
    app.jinja_env.globals["account_page"] = paths.ACCOUNT
    check_routes(app, signed_requests=True)
    return app
