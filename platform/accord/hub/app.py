"""The hub as one WSGI application: the only place where services, routes and gate are wired."""

from flask import Flask

from accord import __version__
from accord.hub.services import Services
from accord.hub.web.api_bundles import bundle_routes
from accord.hub.web.api_feed import feed_routes
from accord.hub.web.api_hub import enrolment_routes, hub_routes, operation_routes
from accord.hub.web.api_log import log_routes
from accord.hub.web.api_statements import statement_routes
from accord.hub.web.metrics import Metrics
from accord.hub.web.pages import check_password, home_routes, load_person
from accord.hub.web.pages_audit import audit_page_routes
from accord.hub.web.pages_charter import charter_page_routes
from accord.hub.web.pages_log import log_page_routes
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
from accord.webbase.throttle import SignInThrottle


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
    install_actor(app, load=lambda account: load_person(services, account), clock=services.clock)
    install_sign_in(
        app,
        check=lambda login, password: check_password(services, login, password),
        clock=services.clock,
        throttle=SignInThrottle(),
    )
    metrics = Metrics(app, services)
    install_gate(
        app,
        verify_signed=verify_signed(
            services.directory,
            MemoryNonceCache(since=services.clock() + NONCE_MARGIN),
            services.clock,
            authorities,
        ),
    )
    api = make_api(app, title="Accord hub", version=__version__)
    for routes in (
        hub_routes(services),
        enrolment_routes(services),
        bundle_routes(services),
        feed_routes(services),
        statement_routes(services),
        log_routes(services),
        operation_routes(metrics, services),
    ):
        api.register_blueprint(routes)
    for pages in (
        home_routes(),
        summary_routes(services),
        audit_page_routes(services),
        charter_page_routes(services),
        log_page_routes(services),
    ):
        app.register_blueprint(pages)
    app.jinja_env.globals["navigation"] = (
        (paths.SUMMARY, gettext("Summary")),
        (paths.AUDIT_PAGE, gettext("Audit")),
        (paths.CHARTER_PAGE, gettext("Charter")),
        (paths.LOG_PAGE, gettext("Logs")),
    )
    check_routes(app, signed_requests=True)
    return app
