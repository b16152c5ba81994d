"""The one way to make a Flask application here.

Every application gets the same limits, cookies, headers, error answers, log and templates; the
program adds its routes, then calls ``routes.install_gate`` and ``routes.check_routes``.
"""

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from jinja2 import ChoiceLoader, PackageLoader, StrictUndefined

from accord.kernel.errors import Malformed
from accord.webbase.actor import COOKIE_SECONDS
from accord.webbase.csrf import FIELD, csrf_token
from accord.webbase.headers import install_headers
from accord.webbase.problems import install_problems
from accord.webbase.requests_log import install_log
from accord.webbase.routes import Who, declare_endpoint
from accord.webbase.texts import install_texts

MAX_BODY = 1024 * 1024
"""Largest request body in bytes, unless the program or a route allows more."""

MAX_FORM_MEMORY = 64 * 1024
MAX_FORM_PARTS = 100
MIN_SECRET = 32
"""Least bytes of the key that signs session cookies."""

_STATIC = Path(__file__).parent / "static"


class _HashedSession(SecureCookieSessionInterface):
    """Session cookies with SHA-256 instead of the framework's SHA-1."""

    digest_method = staticmethod(hashlib.sha256)


def make_app(
    name: str,
    *,
    instance_id: str,
    secret_key: bytes,
    https: bool,
    hosts: Sequence[str],
    max_body: int = MAX_BODY,
    templates: Sequence[str] = (),
) -> Flask:
    """Return an application without routes of its own, but for the style sheet.

    Args:
        name: the program, for example ``hub``; part of the cookie's name.
        instance_id: tells several instances on one host apart; part of the cookie's name.
        secret_key: at least 32 random bytes that sign the session cookie.
        https: whether browsers reach it over https: then cookies are ``__Host-`` and Secure.
        hosts: host names (with port where it is not the scheme's own) that requests may name;
            everything else is refused, which stops DNS rebinding to a loopback page.
        max_body: largest body in bytes of any request.
        templates: packages with a ``templates`` folder that comes before this room's own.

    Raises:
        Malformed: ``secret_key_short`` or ``hosts_missing``.
    """
    if len(secret_key) < MIN_SECRET:
        raise Malformed("secret_key_short", f"The cookie key needs {MIN_SECRET} bytes or more.")
    if not hosts:
        raise Malformed("hosts_missing", "Name the hosts under which this program is reached.")
    app = Flask(name, static_folder=str(_STATIC), static_url_path="/static", template_folder=None)
    app.session_interface = _HashedSession()
    app.config.update(
        SECRET_KEY=secret_key,
        SESSION_COOKIE_NAME=f"{'__Host-' if https else ''}accord-{name}-{instance_id}",
        SESSION_COOKIE_SECURE=https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Strict",
        SESSION_COOKIE_PATH="/",
        PERMANENT_SESSION_LIFETIME=timedelta(seconds=COOKIE_SECONDS),
        MAX_CONTENT_LENGTH=max_body,
        MAX_FORM_MEMORY_SIZE=MAX_FORM_MEMORY,
        MAX_FORM_PARTS=MAX_FORM_PARTS,
        TRUSTED_HOSTS=list(hosts),
        PREFERRED_URL_SCHEME="https" if https else "http",
        SEND_FILE_MAX_AGE_DEFAULT=3600,
    )
    _install_templates(app, name, templates)
    install_problems(app)
    install_log(app)
    install_headers(app, https=https)
    declare_endpoint(app, "static", "static:read", who=Who.ANYONE)
    return app


def _install_templates(app: Flask, name: str, templates: Sequence[str]) -> None:
    app.jinja_options = {
        "loader": ChoiceLoader([PackageLoader(package) for package in (*templates, __package__)]),
        "undefined": StrictUndefined,
        "trim_blocks": True,
        "lstrip_blocks": True,
    }
    app.jinja_env.globals.update(
        csrf_token=csrf_token,
        csrf_field=FIELD,
        program=name,
        style_version=_version("accord.css"),
        actor=lambda: None,
        navigation=(),
        role_navigation={},
        account_page=None,
        script_version=_version("passkeys.js"),
    )
    install_texts(app.jinja_env)


def _version(name: str) -> str:
    """Return what changes in a file's address when the file does."""
    return hashlib.sha256((_STATIC / name).read_bytes()).hexdigest()[:12]
