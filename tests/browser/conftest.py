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
from waitress.server import create_server

MAX_WEIGHT = 60_000
"""Bytes of one page with all it loads, each compressed."""

FITS = "document.documentElement.scrollWidth <= window.innerWidth"

Visit = Callable[..., Page]

_REFUSED = re.compile(r"Failed to load resource: .* status of (400|401|403|404|405|413) ")
# Without the sandbox only because continuous integration runs as root. No name is resolved.
_ARGS = [
    "--no-sandbox",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
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


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """Open pages in fresh contexts; afterwards nothing may have been said, broken or sent away."""
    opened: list[tuple[BrowserContext, str]] = []
    said: list[str] = []
    asked: list[str] = []

    def open_page(base: str, **options: Any) -> Page:
        context = browser.new_context(base_url=base, **options)
        context.on("console", lambda message: said.append(message.text))
        context.on("weberror", lambda error: said.append(str(error.error)))
        context.on("request", lambda request: asked.append(request.url))
        opened.append((context, urlsplit(base).netloc))
        return context.new_page()

    yield open_page
    homes = {home for _, home in opened}
    for context, _ in opened:
        context.close()
    assert [line for line in said if not _REFUSED.match(line)] == []
    assert [url for url in asked if urlsplit(url).netloc not in homes] == []


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """Serve ``app`` on a free loopback port and give its address."""
    server = create_server(app, host="127.0.0.1", port=0, threads=4)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.effective_port}"
    finally:
        server.close()
        thread.join(5)
        server.task_dispatcher.shutdown()


def sign_in(page: Page, name: str, password: str) -> None:
    """Fill and send the form."""
    page.goto("/sign-in")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_load_state()


def problems(page: Page) -> list[str]:
    """Return what axe finds (WCAG 2.1 AA and good practice), each with its first place."""
    found = Axe().run(page).response["violations"]
    return [f"{entry['id']}: {entry['nodes'][0]['html'][:200]}" for entry in found]


def contrast(page: Page) -> list[str]:
    """Return texts of too little contrast in the dark scheme."""
    page.emulate_media(color_scheme="dark")
    options = {"runOnly": ["color-contrast", "link-in-text-block"]}
    found = Axe().run(page, options=options).response["violations"]
    page.emulate_media(color_scheme="light")
    return [f"{node['html'][:200]}" for entry in found for node in entry["nodes"]]


def examine(page: Page, what: str) -> None:
    """Check one page as it stands: axe, dark contrast, and no scrolling sideways at 320 px."""
    for summary in page.locator("details > summary").all():
        summary.click()
    assert problems(page) == [], what
    assert contrast(page) == [], what
    size = page.viewport_size
    page.set_viewport_size({"width": 320, "height": 800})
    assert page.evaluate(FITS), what
    assert problems(page) == [], f"{what} at 320 px"
    page.set_viewport_size(size or {"width": 1280, "height": 800})


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
    loaded: dict[str, int] = {}

    def pass_on(route: Any) -> None:
        answer = route.fetch()
        loaded[urlsplit(route.request.url).path] = len(gzip.compress(answer.body(), 6))
        route.fulfill(response=answer)

    fresh = page.context.new_page()
    # A page with a route does not use the browser's cache: all that is loaded counts.
    fresh.route("**/*", pass_on)
    fresh.goto(path)
    fresh.wait_for_load_state("networkidle")
    fresh.close()
    assert {path, "/static/accord.css"} <= loaded.keys()
    return sum(loaded.values())
