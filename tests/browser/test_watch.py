"""The watch itself: each fault that it is there for, planted, is seen."""

from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser
from tests.browser.conftest import (
    Watch,
    dark_problems,
    narrow_problems,
    problems,
    served,
    tab_stops,
)

from accord.webbase.headers import install_headers

PAGE = """<!doctype html><html lang="en"><head><title>Page</title><style>%s</style></head>
<body><main><h1>Page</h1>%s</main></body></html>"""
DARK = "@media (prefers-color-scheme: dark) { p { color: #444; background: #333 } }"


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    app = Flask(__name__)
    pages = {
        "good": (":focus { outline: 3px solid }", "<p>Read this.</p><a href='/good'>Again</a>"),
        "dark": (DARK, "<p>Read this.</p>"),
        "wide": ("", "<p style='width: 500px'>Read this.</p>"),
        "blind": (":focus { outline: none }", "<a href='/good'>Again</a>"),
        "nameless": ("", "<img src='/good'><input>"),
    }
    for name, (style, body) in pages.items():
        app.add_url_rule(f"/{name}", name, lambda text=PAGE % (style, body): text)
    with served(app) as url:
        yield url


@pytest.fixture(scope="module")
def strict_base() -> Iterator[str]:
    app = Flask(__name__)
    install_headers(app, https=False)
    bodies = {
        "plain": "<p>Read this.</p>",
        "styled": "<p style='color: red'>Read this.</p>",
        "scripted": "<script>document.title = 'x'</script>",
        "elsewhere": "<img alt='' src='http://127.0.0.1:9/pixel'>",
    }
    whole = PAGE.replace("<style>%s</style>", "")
    for name, body in bodies.items():
        app.add_url_rule(f"/{name}", name, lambda text=whole % body: text)
    with served(app) as url:
        yield url


def test_a_sound_page_has_no_fault(browser: Browser, base: str) -> None:
    watch = Watch(browser)
    page = watch.open(base)
    page.goto("/good")
    assert problems(page) == dark_problems(page) == narrow_problems(page) == []
    assert tab_stops(page) == ["Again"]
    assert [line for line in watch.close() if "favicon" not in line] == []


def test_faults_of_sight_and_reach_are_seen(browser: Browser, base: str) -> None:
    watch = Watch(browser)
    page = watch.open(base)
    page.goto("/dark")
    assert problems(page) == []
    assert dark_problems(page)[0].startswith("color-contrast")
    page.goto("/wide")
    assert narrow_problems(page) == ["wider than the window"]
    page.goto("/nameless")
    assert {line.split(":")[0] for line in problems(page)} >= {"image-alt", "label"}
    page.goto("/blind")
    with pytest.raises(AssertionError, match="no visible focus"):
        tab_stops(page)
    watch.close()


@pytest.mark.parametrize("name", ["styled", "scripted", "elsewhere"])
def test_what_the_policy_forbids_is_heard(browser: Browser, strict_base: str, name: str) -> None:
    watch = Watch(browser)
    watch.open(strict_base).goto(f"/{name}")
    assert any("Content Security Policy" in line for line in watch.close())


def test_a_request_elsewhere_is_seen_also_where_no_policy_stops_it(
    browser: Browser, base: str
) -> None:
    watch = Watch(browser)
    page = watch.open(base)
    page.goto("/good")
    page.evaluate("fetch('http://127.0.0.1:9/pixel', {mode: 'no-cors'}).catch(() => 0)")
    assert "http://127.0.0.1:9/pixel" in watch.close()
