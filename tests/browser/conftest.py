"""A real browser and a real server on loopback."""

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, Error, Playwright, sync_playwright
from waitress.server import create_server


def _launch(playwright: Playwright) -> Browser:
    # Without the sandbox only because continuous integration runs as root.
    options = {"args": ["--no-sandbox"]}
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if Path(playwright.chromium.executable_path).exists():
        return playwright.chromium.launch(**options)
    return playwright.chromium.launch(executable_path=found, **options)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, from playwright or from the system; tests skip where there is none."""
    with sync_playwright() as playwright:
        try:
            launched = _launch(playwright)
        except Error:
            pytest.skip("no Chromium on this machine")
        yield launched
        launched.close()


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
