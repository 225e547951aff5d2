"""The portal in a real browser: what a person does there, and what the browser complains about meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, Request, expect, sync_playwright

from anka_dev.portal.browser import find_browser
from support.skip_budget import AXE

PATIENCE_MS = 60_000
"""For what must happen, however slow the machine is."""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    path = find_browser()
    if path is None:
        pytest.skip("no browser here")
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        # Without a sandbox: tests run as root, and open nothing but our own pages.
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


class PortalPage:
    """One tab. `complaints`: of the console, Content-Security-Policy included, and errors of scripts. `strangers`:
    requests that go elsewhere than to the server of the page."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url.rstrip("/")
        self.complaints: list[str] = []
        self.strangers: list[str] = []
        page.on("console", lambda message: self._hear(message.type, message.text))
        page.on("pageerror", lambda error: self._hear("error", str(error)))
        page.on("request", self._watch)

    def open(self, hash_: str) -> Locator:
        """Returns the view, once something stands in it."""
        self.page.goto(f"{self.url}/portal/{hash_}")
        return self.view()

    def go(self, hash_: str) -> Locator:
        """As a link would, without loading the page anew."""
        self.page.evaluate("hash => { location.hash = hash }", hash_)
        return self.view()

    def view(self) -> Locator:
        view = self.page.locator("main[data-view]:not([data-view='login'])")
        view.locator(":scope > *:not(h1)").first.wait_for()
        view.locator("[data-look='loading']").first.wait_for(state="detached")
        return view

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def axe(self) -> list[dict[str, Any]]:
        """What axe finds wrong in the page as it is now. Without axe, which `npm ci` in dev/portal brings, it skips."""
        if not AXE.is_file():
            pytest.skip("axe is not installed: npm ci in dev/portal")
        self.page.evaluate(AXE.read_text())
        answer = self.page.evaluate("axe.run(document, {preload: false, resultTypes: ['violations']})")
        return [
            {"id": one["id"], "nodes": [node["html"][:200] for node in one["nodes"]]} for one in answer["violations"]
        ]

    def _hear(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.complaints.append(text)

    def _watch(self, request: Request) -> None:
        wanted, ours = urlsplit(request.url), urlsplit(self.url)
        if wanted.scheme in ("http", "https", "ws", "wss") and wanted.netloc != ours.netloc:
            self.strangers.append(request.url)


@contextmanager
def portal_page(browser: Browser, url: str, **options: Any) -> Iterator[PortalPage]:
    """`options`: of the browser's context, such as color_scheme and viewport."""
    context = browser.new_context(**({"viewport": {"width": 1440, "height": 900}} | options))
    context.set_default_timeout(PATIENCE_MS)
    try:
        yield PortalPage(context.new_page(), url)
    finally:
        context.close()
