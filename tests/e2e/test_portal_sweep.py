"""Every view of the portal with the invented rows of `anka-dev portal serve`, in which each text has markup: shown as
text, reachable by keyboard, without complaints of axe in both themes, and never wider than the window."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from anka_dev.portal.fixtures import MARKUP
from localkube.free_ports import free_port
from support.agents import until
from support.portal_browser import PortalPage, chromium, portal_page

__all__ = ["chromium"]

pytestmark = pytest.mark.e2e

VIEWS = (
    "#/fleet",
    "#/queue",
    "#/nodes",
    "#/nodes/{node}",
    "#/groups",
    "#/utilisation",
    "#/join",
    "#/usb",
    "#/vlan",
    "#/mac-addresses",
    "#/instances",
    "#/instances/{instance}",
    "#/templates",
    "#/matrix",
    "#/distributions",
    "#/saves",
    "#/access",
    "#/permission-groups/jenkins?tab=resources",
    "#/permission-groups",
    "#/permission-groups/jenkins",
    "#/api-keys",
    "#/logs",
    "#/logs/view?node_id=node-001",
    "#/events",
    "#/about",
)
"""Neighbours have different paths: that is how `visit` knows that the next one is there."""
WIDTHS = (1440, 1024, 390)
SHOWS_MARKUP = (
    "#/fleet",
    "#/queue",
    "#/nodes",
    "#/usb",
    "#/instances",
    "#/templates",
    "#/permission-groups",
    "#/events",
)

ALIEN = "document.querySelectorAll('main img, main script, main iframe, [onerror], [onload]').length"
TOO_WIDE = "document.documentElement.scrollWidth - innerWidth"
TABBABLE = """() => {
  window.reached = new Set();
  document.addEventListener("focusin", event => window.reached.add(event.target.getAttribute("data-tab")));
  return [...document.querySelectorAll(
    "main a[href], main button, main input, main select, main textarea, main summary, main [tabindex='0']")]
  .filter(one => one.tabIndex >= 0 && !one.disabled && !one.closest("fieldset:disabled") && one.checkVisibility()
    && (one.type !== "radio" || one.checked))
  .map((one, i) => { one.setAttribute("data-tab", i); return one.outerHTML.slice(0, 160); });
}"""
LEAVE = "document.querySelector('main > h1').setAttribute('data-left', '')"
REACHED = "[...window.reached].filter(Boolean).map(Number)"
MOST_STOPS = 60
"""Of a long view its first: a long list is walked by its own keys."""
MOST_PRESSES = 600
"""A list adds rows as it is walked, before what stands below it."""


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "anka_dev", "portal", "serve", "--port", str(port), "--rate", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert str(port) in process.stdout.readline()
        until(lambda: is_listening(port), what="the server listens")
        yield f"http://127.0.0.1:{port}"
        process.terminate()


@pytest.fixture(scope="module")
def ids(chromium: Browser, server: str) -> dict[str, str]:
    """A Mac and an instance to look at."""
    with portal_page(chromium, server) as tab:
        tab.open("#/nodes").locator("tbody tr[data-id]").first.wait_for()
        node = tab.page.locator("main tbody tr[data-id]").nth(1).get_attribute("data-id")
        tab.go("#/instances?phase=Started").locator("tbody tr[data-id]").first.wait_for()
        instance = tab.page.locator("main tbody tr[data-id]").first.get_attribute("data-id")
    assert node
    assert instance
    return {"node": node, "instance": instance}


def visit(tab: PortalPage, view: str, ids: dict[str, str]) -> None:
    """Returns once it is drawn: its heading is not the one that stood there before."""
    tab.page.evaluate(LEAVE)
    tab.go(view.format(**ids))
    tab.page.locator("main > h1:not([data-left])").wait_for(state="attached")
    tab.view()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(chromium: Browser, server: str, ids: dict[str, str], theme: str) -> None:
    found = {}
    with portal_page(chromium, server, color_scheme=theme, reduced_motion="reduce") as tab:
        tab.open("#/about")
        for view in VIEWS:
            visit(tab, view, ids)
            if violations := tab.axe():
                found[view] = violations
    assert found == {}


def test_every_text_is_text_and_nothing_leaves_the_origin(chromium: Browser, server: str, ids: dict[str, str]) -> None:
    with portal_page(chromium, server) as tab:
        tab.page.on("dialog", lambda dialog: tab.complaints.append(dialog.message))
        tab.open("#/about")
        alien, silent = {}, []
        for view in VIEWS:
            visit(tab, view, ids)
            if number := tab.page.evaluate(ALIEN):
                alien[view] = number
            if view in SHOWS_MARKUP and MARKUP not in tab.page.locator("main").inner_text():
                silent.append(view)
        assert alien == {}
        assert silent == [], "these show none of the invented markup: the test would prove nothing"
        assert tab.complaints == []
        assert tab.strangers == []


@pytest.mark.parametrize("width", WIDTHS)
def test_no_view_is_wider_than_the_window(chromium: Browser, server: str, ids: dict[str, str], width: int) -> None:
    wide = {}
    with portal_page(chromium, server, viewport={"width": width, "height": 900}) as tab:
        tab.open("#/about")
        for view in VIEWS:
            visit(tab, view, ids)
            if (pixels := tab.page.evaluate(TOO_WIDE)) > 0:
                wide[view] = pixels
    assert wide == {}


def test_everything_is_reached_by_keyboard(chromium: Browser, server: str, ids: dict[str, str]) -> None:
    lost = {}
    with portal_page(chromium, server) as tab:
        tab.open("#/about")
        for view in VIEWS:
            visit(tab, view, ids)
            stops = tab.page.evaluate(TABBABLE)[:MOST_STOPS]
            tab.page.locator("#main").focus()
            reached: set[int] = set()
            for press in range(1, MOST_PRESSES + 1):
                tab.page.keyboard.press("Tab")
                if press % 15 == 0 and (reached := set(tab.page.evaluate(REACHED))).issuperset(range(len(stops))):
                    break
            if missing := [html for place, html in enumerate(stops) if place not in reached]:
                lost[view] = missing[:5]
    assert lost == {}
