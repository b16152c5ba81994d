"""A real browser and a real server on loopback; every page is watched while it is open."""

import gzip
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Error, Page, Playwright, sync_playwright
from tests.support.hub_people import Someone
from waitress import wasyncore
from waitress.server import create_server

MAX_WEIGHT = 60_000
"""Bytes of one page with all it loads, each compressed."""

FITS = """() => document.documentElement.scrollWidth <= window.innerWidth
  && [...document.querySelectorAll("main table")].every(table => table.closest(".scroll")
    || table.getBoundingClientRect().right <= table.closest("main").getBoundingClientRect().right + 1)
"""
"""Whether nothing is wider than the window, and no table than the page's own column."""

Visit = Callable[..., Page]

_REFUSED = re.compile(r"Failed to load resource: .* status of (400|401|403|404|405|409|413) ")
# Without the sandbox only because continuous integration runs as root. No name is resolved.
_ARGS = [
    "--no-sandbox",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
    "--disable-background-networking",
]
# Where the focus is, and whether an eye can tell: an outline or a shadow of 2 px or more.
_FOCUS = """() => {
  const at = document.activeElement, style = getComputedStyle(at), box = at.getBoundingClientRect();
  return {
    name: (at.labels?.[0] ?? at).textContent.trim() || at.getAttribute("aria-label") || "",
    tag: at.tagName, seen: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
    inside: box.width > 1 && box.height > 1 && box.right > 0 && box.left < innerWidth,
    first: at === document.body,
  };
}"""


def _launch(playwright: Playwright) -> Browser:
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    try:
        return playwright.chromium.launch(executable_path=found, args=_ARGS)
    except Error:
        if found is None:
            raise
        return playwright.chromium.launch(args=_ARGS)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, from the system or from playwright; tests skip where there is none."""
    with sync_playwright() as playwright:
        try:
            launched = _launch(playwright)
        except Error:
            pytest.skip("no Chromium on this machine: install it, or run playwright install")
        yield launched
        launched.close()


class Watch:
    """Opens pages in fresh contexts and notes what they say, break and load."""

    def __init__(self, browser: Browser) -> None:
        """Start with nothing open."""
        self._browser = browser
        self._contexts: list[BrowserContext] = []
        self._homes: set[str] = set()
        self._said: list[str] = []
        self._asked: list[str] = []

    def open(self, base: str, **options: Any) -> Page:
        """Return a new page of the server at ``base``."""
        context = self._browser.new_context(base_url=base, **options)
        context.on("console", lambda message: self._said.append(message.text))
        context.on("weberror", lambda error: self._said.append(str(error.error)))
        context.on("request", lambda request: self._asked.append(request.url))
        self._contexts.append(context)
        self._homes.add(urlsplit(base).netloc)
        return context.new_page()

    def close(self) -> list[str]:
        """Close all; return what a page said in the console, and requests to anywhere else."""
        for context in self._contexts:
            context.close()
        said = [line for line in self._said if not _REFUSED.match(line)]
        return said + [url for url in self._asked if urlsplit(url).netloc not in self._homes]


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """Open pages; afterwards nothing may have been said, broken or sent elsewhere."""
    watch = Watch(browser)
    yield watch.open
    assert watch.close() == []


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """Serve ``app`` on a free loopback port and give its address."""
    sockets: dict[int, Any] = {}
    server = create_server(app, map=sockets, host="127.0.0.1", port=0, threads=4)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.effective_port}"
    finally:
        # In the server's own thread: a browser keeps connections open that nobody needs any more.
        server.trigger.pull_trigger(lambda: wasyncore.close_all(sockets))
        thread.join(5)
        server.task_dispatcher.shutdown()


def sign_in(page: Page, name: str, password: str) -> None:
    """Fill and send the form."""
    page.goto("/sign-in")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_load_state()


def enter(page: Page, person: Someone) -> None:
    """Sign in with all that the person needs."""
    sign_in(page, person.login, person.password)
    if person.secret is not None:
        page.get_by_label("Code of your authenticator app").fill(person.code())
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.wait_for_load_state()


def problems(page: Page, *rules: str) -> list[str]:
    """Return what axe finds, each with its first place.

    Args:
        page: an open page.
        rules: only these; by default all of WCAG 2.1 AA and good practice.
    """
    if not page.evaluate("'axe' in window"):
        page.evaluate(Axe().axe_script)
    options: dict[str, Any] = {"resultTypes": ["violations"], "preload": False, "iframes": False}
    if rules:
        options["runOnly"] = list(rules)
    found = page.evaluate("options => axe.run(document, options)", options)["violations"]
    return [f"{entry['id']}: {entry['nodes'][0]['html'][:200]}" for entry in found]


def dark_problems(page: Page) -> list[str]:
    """Return what cannot be read well in the dark scheme."""
    page.emulate_media(color_scheme="dark")
    found = problems(page, "color-contrast", "link-in-text-block")
    page.emulate_media(color_scheme="light")
    return found


def narrow_problems(page: Page) -> list[str]:
    """Return what is wrong at 320 px; the page itself must not scroll sideways."""
    size = page.viewport_size or {"width": 1280, "height": 800}
    page.set_viewport_size({"width": 320, "height": 800})
    found = problems(page, "color-contrast", "scrollable-region-focusable", "target-size")
    if not page.evaluate(FITS):
        found.append("wider than the window")
    page.set_viewport_size(size)
    return found


def examine(page: Page, what: str) -> None:
    """Check one page as it stands, with all its details open."""
    for summary in page.locator("details > summary").all():
        summary.click()
    assert problems(page) == [], what
    assert dark_problems(page) == [], f"{what} in the dark"
    assert narrow_problems(page) == [], f"{what} at 320 px"


def tab_stops(page: Page, *, most: int = 60) -> list[str]:
    """Press Tab through the page; each stop must show its focus. Returns their names in order."""
    names: list[str] = []
    for _ in range(most):
        page.keyboard.press("Tab")
        at = page.evaluate(_FOCUS)
        if at["first"]:
            return names
        assert at["seen"], f"no visible focus on {at}"
        assert at["inside"], f"focus outside the window on {at}"
        names.append(" ".join(at["name"].split()))
    return names


def weight(page: Page, path: str) -> int:
    """Return the bytes of a page with all it loads, each compressed as a server would send it."""
    page.goto(path)
    parts = page.eval_on_selector_all(
        "link[href], script[src], img[src]", "found => found.map(at => at.href || at.src)"
    )
    assert parts
    return sum(len(gzip.compress(page.request.get(url).body(), 6)) for url in (page.url, *parts))
