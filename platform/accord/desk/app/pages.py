"""Wiring of a desk's pages."""

import dataclasses
import functools
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask

from accord.desk.app import Desk
from accord.desk.app.evidence import maker_at
from accord.desk.app.keys import directory_here, rotate
from accord.desk.evidence.service import MadeEvidence, Wanted, make_evidence
from accord.desk.exchange.drafts import Drafts
from accord.desk.exchange.own_keys import own_keys
from accord.desk.exchange.rounds import last_checked
from accord.desk.feeds.misp import MispFeed
from accord.desk.feeds.objects import bring_up
from accord.desk.feeds.taxii import Taxii
from accord.desk.keyring import KeyFile, stamp
from accord.desk.keyring.people import Account, People
from accord.desk.keyring.tools import Tools
from accord.desk.screening.runs import Runs
from accord.desk.web import PageServices, page_routes
from accord.desk.web.again import PasswordAgain
from accord.desk.web.bodies import install_limits
from accord.desk.web.digest import DIGEST, digest_routes
from accord.desk.web.drafts import DRAFTS, Waiting, draft_routes
from accord.desk.web.evidence import EvidenceMaking, evidence_routes
from accord.desk.web.feeds import FeedServices, feed_routes
from accord.desk.web.keys import KEYS, KeyCare, Looked, key_routes
from accord.desk.web.pages import INBOX, SEARCH, SENT, bundle_page_of
from accord.desk.web.recalls import RECALLS, recall_routes
from accord.desk.web.requests import CONTACTS, REQUESTS, Letters, request_routes
from accord.desk.web.screening import SCREENING, request_class, screening_routes
from accord.desk.web.sent import sent_routes
from accord.desk.web.tools import TOOLS, Connecting, tool_routes
from accord.desk.web.watches import WATCHES, watch_routes
from accord.kernel.directory.state import DirectoryState
from accord.kernel.errors import Unavailable
from accord.webbase.actor import Actor, install_actor
from accord.webbase.factory import make_app
from accord.webbase.routes import check_routes, install_gate
from accord.webbase.sessions import MemorySessions
from accord.webbase.sign_in import Entrance, install_sign_in
from accord.webbase.throttle import SignInThrottle


def make_pages(
    desk: Desk,
    *,
    secret_key: bytes,
    instance: str,
    port: int,
    key_file: KeyFile | None = None,
) -> Flask:
    """Return the desk's pages as one application, for loopback only.

    Args:
        desk: the unlocked desk.
        secret_key: signs the session cookies.
        instance: tells desks on one computer apart, in the cookie's name.
        port: the port that was bound; requests must name it, which stops DNS rebinding.
        key_file: the keys with their passphrase; without it a change of keys is refused.
    """
    app = make_app(
        "desk",
        instance_id=instance,
        secret_key=secret_key,
        https=False,
        hosts=[f"localhost:{port}", f"127.0.0.1:{port}"],
        templates=["accord.desk.web"],
    )
    people = People(desk.vault)
    org = desk.config.org or "not enrolled"

    def actor_of(account: Account) -> Actor:
        return Actor(id=account.id, name=account.login, org=org, roles=frozenset({"investigator"}))

    def load(account_id: str) -> Actor | None:
        account = people.find(account_id)
        return None if account is None else actor_of(account)

    sessions = MemorySessions(load=load, clock=desk.clock)

    def enter(login: str, password: str) -> Entrance:
        actor = actor_of(people.check(login, password))
        return Entrance(token=sessions.begin(actor.id), actor=actor)

    install_actor(app, find=sessions.find, end=sessions.end)
    throttle = SignInThrottle()
    install_sign_in(app, enter=enter, clock=desk.clock, throttle=throttle)
    services = PageServices(
        vault=desk.vault,
        org=desk.config.org,
        clock=desk.clock,
        signature_state=desk.signature_state,
        checked=lambda: last_checked(desk.vault),
    )
    app.register_blueprint(page_routes(services))
    app.register_blueprint(watch_routes(services))
    app.register_blueprint(recall_routes(services))
    app.register_blueprint(sent_routes(services))
    app.register_blueprint(digest_routes(services, desk.config.home))
    runs = Runs(desk.vault, desk.config.home, desk.clock)
    desk.endings.append(runs.close)
    app.request_class = request_class(runs)
    app.register_blueprint(screening_routes(services, runs))
    again = PasswordAgain(confirm=people.check, throttle=throttle, clock=desk.clock)
    _feeds(app, desk, again)
    own, lock = dataclasses.replace(desk), threading.Lock()
    _second_desk(app, own, lock, services)
    _keys(app, own, lock, key_file, again)
    app.jinja_env.globals["navigation"] = (
        (INBOX, "Inbox"),
        (SENT, "Sent"),
        (SEARCH, "Search"),
        (WATCHES, "Watches"),
        (SCREENING, "Screening"),
        (RECALLS, "Recalls"),
        (REQUESTS, "Requests"),
        (DRAFTS, "Drafts"),
        (CONTACTS, "Contacts"),
        (DIGEST, "Digest"),
        (TOOLS, "Tools"),
        (KEYS, "Keys"),
    )
    install_limits(app)
    install_gate(app)
    check_routes(app, signed_requests=False)
    return app


def _feeds(app: Flask, desk: Desk, again: PasswordAgain) -> None:
    """Register what tools read, and the page on which they are connected."""
    org = desk.config.org or "not enrolled"
    taxii, tools = Taxii(desk.vault, title=f"Accord desk of {org}"), Tools(desk.vault)
    misp = MispFeed(desk.vault, org)
    app.register_blueprint(
        feed_routes(FeedServices(taxii=taxii, misp=misp, tools=tools, clock=desk.clock))
    )
    app.register_blueprint(
        tool_routes(
            Connecting(
                tools=tools,
                taxii=taxii,
                clock=desk.clock,
                again=again,
                bring_up=lambda: bring_up(desk.vault, now=desk.clock()),
                checked=lambda: last_checked(desk.vault),
            )
        )
    )


def _second_desk(app: Flask, own: Desk, lock: threading.Lock, services: PageServices) -> None:
    """Register the pages that need a directory: one of their own, one reader at a time.

    The regular work beside them keeps its own, so that neither changes what the other reads.
    """

    @contextmanager
    def drafts() -> Iterator[Drafts]:
        with lock:
            yield own.drafts

    def directory() -> DirectoryState:
        with lock:
            try:
                return own.mirror.recent()
            except Unavailable:
                return own.mirror.state

    def evidence(wanted: Wanted, person: str, reason: str) -> MadeEvidence:
        # Read anew: the mirror beside this one may have taken in more, and both must agree.
        fresh = dataclasses.replace(own)
        return make_evidence(own.vault, wanted, maker_at(fresh, person, reason))

    def checked() -> int | None:
        return last_checked(own.vault)

    letters = Letters(
        vault=own.vault,
        org=own.config.org,
        clock=own.clock,
        verbs=drafts,
        directory=directory,
        checked=checked,
    )
    waiting = Waiting(vault=own.vault, org=own.config.org, verbs=drafts, checked=checked)
    app.register_blueprint(request_routes(letters))
    app.register_blueprint(draft_routes(waiting))
    making = EvidenceMaking(
        vault=own.vault, make=evidence, page=functools.partial(bundle_page_of, services)
    )
    app.register_blueprint(evidence_routes(making))


def _keys(
    app: Flask,
    own: Desk,
    lock: threading.Lock,
    key_file: KeyFile | None,
    again: PasswordAgain,
) -> None:
    """Register the page of the desk's own keys; it reads the directory of the pages.

    A change follows one of its own until it stands, while the other pages go on reading theirs.
    """
    config = own.config
    changed = key_file or KeyFile(path=config.keys_file, passphrase=b"")  # that opens nothing

    def look() -> Looked:
        with lock:
            state, fresh = directory_here(own, ask=False)
        return Looked(
            keys=own_keys(own.vault, own.keyring, config.org, state=state, now=own.clock()),
            fresh=fresh,
            reopening=stamp(config.keys_file) != own.keyring.read_from,
            recovery_files=config.recovery_files,
        )

    care = KeyCare(
        config=config,
        look=look,
        rotate=lambda person: rotate(dataclasses.replace(own), changed, person=person),
        again=again,
        checked=lambda: last_checked(own.vault),
    )
    app.register_blueprint(key_routes(care))
