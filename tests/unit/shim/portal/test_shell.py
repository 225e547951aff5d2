"""The frame in a real browser, with invented rows: what stays where it is, what the keyboard does, what each state of
the connection looks like."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Locator, expect

from support.cuttable_link import CuttableLink
from support.invented_portal import InventedPortal, invented_portal
from support.portal_browser import PATIENCE_MS, PortalPage, chromium, portal_page

__all__ = ["chromium"]

LIST = "#/instances?q=build&sort=name"
SMALL = {"width": 1200, "height": 600}
LOST = ("WebSocket connection to", "Failed to load resource: net::ERR_")
"""What Chromium itself says about a server that goes away."""

expect.set_options(timeout=PATIENCE_MS)


@contextmanager
def opened(browser: Browser, hash_: str, **options: Any) -> Iterator[tuple[InventedPortal, CuttableLink, PortalPage]]:
    """A page behind a wire that can be cut. At its end nothing was complained about."""
    with invented_portal(**options) as portal:
        link = CuttableLink(portal.port)
        try:
            with portal_page(browser, f"http://127.0.0.1:{link.port}", viewport=SMALL) as tab:
                tab.open(hash_)
                yield portal, link, tab
                assert [text for text in tab.complaints if not text.startswith(LOST)] == []
                assert tab.strangers == []
        finally:
            link.close()


def live(tab: PortalPage) -> Locator:
    return tab.page.locator("[data-live]")


def go_down(tab: PortalPage, rows: int) -> str:
    """The id of the row that the keyboard is on then."""
    tab.page.locator("tr[data-id]").first.wait_for()
    for _ in range(rows):
        tab.page.keyboard.press("j")
    expect(tab.page.locator(f"tr[aria-rowindex='{rows + 1}']")).to_be_focused()
    id_: str = tab.page.evaluate("document.activeElement.dataset.id")
    return id_


def scrolled(tab: PortalPage) -> float:
    top: float = tab.page.locator(".table-scroll").evaluate("(element) => element.scrollTop")
    return top


def top_of(row: Locator) -> float:
    """Where it is on the screen."""
    return round(float(row.evaluate("(element) => element.getBoundingClientRect().top")))


def test_focus_selection_and_scroll_survive_changes_and_a_reconnect(chromium: Browser) -> None:
    with opened(chromium, LIST) as (portal, link, tab):
        id_ = go_down(tab, 30)
        tab.page.keyboard.press("x")
        row = tab.page.locator(f"tr[data-id='{id_}']")
        expect(row).to_have_attribute("aria-selected", "true")
        assert scrolled(tab) > 0
        at = top_of(row)

        # The row itself changes, and ten come above it.
        [shown] = [one for one in portal.rows("instances") if one["id"] == id_]
        portal.change("instances", {**shown, "externalId": "somebody-else"})
        expect(row).to_contain_text("somebody-else")
        new = [{**shown, "id": f"new-{n}", "name": f"new-{n}", "displayName": f"00 build {n}"} for n in range(10)]
        portal.change("instances", *new)
        count = tab.page.locator(".table-count").first
        expect(count).to_contain_text(re.compile(r"1 of .* selected"))
        expect(row).to_have_attribute("aria-rowindex", "41")
        expect(row).to_be_focused()
        assert top_of(row) == at, "what somebody looks at stays where it is"

        link.cut()
        expect(live(tab)).to_have_attribute("data-live", "reconnecting")
        expect(tab.page.locator("[data-look='stale']").first).to_be_visible()
        link.mend()
        expect(live(tab)).to_have_attribute("data-live", "live")
        expect(tab.page.locator("[data-look='stale']")).to_have_count(0)
        expect(row).to_be_focused()
        expect(row).to_have_attribute("aria-selected", "true")
        assert top_of(row) == at
        assert tab.page.url.endswith(LIST)


def test_the_keyboard_finds_opens_and_leaves(chromium: Browser) -> None:
    with opened(chromium, "#/about") as (_, _, tab):
        keys = tab.page.keyboard
        keys.press("?")
        dialog = tab.page.get_by_role("dialog", name="Keys")
        expect(dialog).to_be_visible()
        keys.press("Escape")
        expect(dialog).to_have_count(0)
        keys.press("g")
        keys.press("i")
        expect(tab.page.locator("main[data-view='instances']")).to_be_visible()
        keys.press("/")
        search = tab.page.locator("[data-search]")
        expect(search).to_be_focused()
        keys.type("build-851")
        expect(tab.page.locator(".table-count").first).to_have_text("1 row")
        assert tab.page.url.endswith("#/instances?q=build-851")
        keys.press("Escape")
        expect(search).not_to_be_focused()
        keys.press("j")
        expect(tab.page.locator("tr[data-id]")).to_be_focused()
        keys.press("Enter")
        expect(tab.page.locator("main[data-view='instance']")).to_be_visible()
        tab.page.go_back()
        expect(tab.page.locator("[data-search]")).to_have_value("build-851")


def test_sort_and_columns_stand_in_the_address(chromium: Browser) -> None:
    with opened(chromium, "#/instances") as (_, _, tab):
        head = tab.page.get_by_role("columnheader", name=re.compile("^State"))
        head.get_by_role("button").click()
        expect(head).to_have_attribute("aria-sort", "ascending")
        head.get_by_role("button").click()
        expect(head).to_have_attribute("aria-sort", "descending")
        assert "sort=-" in tab.page.url
        tab.page.get_by_text("Columns", exact=True).click()
        tab.page.get_by_role("checkbox", name="State").uncheck()
        expect(head).to_have_count(0)
        tab.page.reload()
        tab.view()
        expect(tab.page.locator("tr[data-id]").first).to_be_visible()
        expect(head).to_have_count(0)


def test_few_rows_of_a_thousand_are_in_the_document(chromium: Browser) -> None:
    with opened(chromium, "#/instances") as (_, _, tab):
        grid = tab.page.get_by_role("grid")
        expect(grid).to_have_attribute("aria-rowcount", "1001")
        assert tab.page.locator("tr[data-id]").count() < 60
        tab.page.keyboard.press("End")
        expect(tab.page.locator("tr[aria-rowindex='1001']")).to_be_focused()
        assert tab.page.locator("tr[data-id]").count() < 60


def test_a_right_that_is_taken_away_greys_out_and_says_why(chromium: Browser) -> None:
    with opened(chromium, "#/instances") as (portal, _, tab):
        go_down(tab, 1)
        tab.page.keyboard.press("x")
        button = tab.page.locator(".table-actions").get_by_role("button", name=re.compile("Terminate"))
        expect(button).not_to_have_attribute("aria-disabled", "true")
        portal.say_hello(rights=["list_vms", "list_nodes"])
        expect(button).to_have_attribute("aria-disabled", "true")
        expect(button).to_have_attribute("title", re.compile("terminate_vm"))
        portal.say_hello(rights=["list_nodes"])
        denied = tab.page.locator("[data-look='denied']")
        expect(denied).to_contain_text("list_vms")
        expect(tab.page.locator("tr[data-id]")).to_have_count(0)


def test_lists_that_are_behind_say_so(chromium: Browser) -> None:
    with opened(chromium, "#/instances") as (portal, _, tab):
        expect(live(tab)).to_have_attribute("data-live", "live")
        portal.set_stale(instances=12.6)
        expect(live(tab)).to_have_attribute("data-live", "stale")
        expect(tab.page.locator("[data-look='stale']").first).to_contain_text("13 s ago")
        portal.set_stale()
        expect(live(tab)).to_have_attribute("data-live", "live")


def test_an_empty_list_looks_empty(chromium: Browser) -> None:
    with opened(chromium, "#/instances?q=nothing-is-called-so") as (_, _, tab):
        expect(tab.page.locator("[data-look='empty']")).to_be_visible()


def test_a_new_version_asks_quietly_and_never_reloads(chromium: Browser) -> None:
    with opened(chromium, "#/about") as (portal, _, tab):
        expect(live(tab)).to_have_attribute("data-live", "live")
        origin = tab.page.evaluate("performance.timeOrigin")
        portal.say_hello(version="0.2.0")
        note = tab.page.locator("[data-new-version]")
        expect(note).to_contain_text("0.2.0")
        assert tab.page.evaluate("performance.timeOrigin") == origin
        note.click()
        tab.page.wait_for_function("origin => performance.timeOrigin !== origin", arg=origin)


def test_the_end_of_a_session_leads_to_the_login_and_leaves_nothing(chromium: Browser) -> None:
    with opened(chromium, "#/instances") as (portal, _, tab):
        expect(tab.page.locator("tr[data-id]").first).to_be_visible()
        portal.send({"type": "end", "reason": "session", "message": "Your key was deleted."})
        expect(tab.page.get_by_role("alert")).to_have_text("Your key was deleted.")
        expect(tab.page.locator("tr[data-id]")).to_have_count(0)


def test_a_session_that_ends_while_the_connection_is_lost_leads_to_the_login(chromium: Browser) -> None:
    with invented_portal() as portal:
        link = CuttableLink(portal.port)
        with portal_page(chromium, f"http://127.0.0.1:{link.port}") as tab:
            tab.open("#/about")
            expect(live(tab)).to_have_attribute("data-live", "live")
            link.cut()
            expect(live(tab)).to_have_attribute("data-live", "reconnecting")
            portal.end_logins()
            link.mend()
            expect(tab.page.get_by_role("alert")).to_have_text("Your session has ended.")
        link.close()


def test_login_wrong_and_right_and_out_again(chromium: Browser) -> None:
    with invented_portal(logged_in=False) as portal, portal_page(chromium, portal.url) as tab:
        tab.page.goto(f"{portal.url}/portal/#/about")
        token = tab.page.locator("input[type=password]")
        token.fill("wrong")
        token.press("Enter")
        expect(tab.page.get_by_role("alert")).to_contain_text("Authentication required")
        token.fill("secret")
        token.press("Enter")
        expect(tab.page.locator("main[data-view='about']")).to_be_visible()
        tab.page.locator(".account summary").click()
        tab.button("Log out").click()
        expect(tab.page.get_by_role("alert")).to_have_text("You have logged out.")
        expect(tab.page.locator("[data-live]")).to_have_count(0)


def test_without_authentication_everybody_can_see_that(chromium: Browser) -> None:
    with opened(chromium, "#/about", authentication=False) as (_, _, tab):
        expect(tab.page.locator("[data-open-to-everyone]")).to_be_visible()
        expect(tab.page.locator(".account")).to_have_count(0)


def test_a_hidden_tab_lets_go_and_comes_back(chromium: Browser) -> None:
    with invented_portal() as portal, portal_page(chromium, portal.url) as tab:
        tab.page.clock.install()
        tab.open("#/about")
        expect(live(tab)).to_have_attribute("data-live", "live")
        hide = """hidden => {
            const state = hidden ? "hidden" : "visible";
            Object.defineProperty(document, "visibilityState", {get: () => state, configurable: true});
            document.dispatchEvent(new Event("visibilitychange"));
        }"""
        tab.page.evaluate(hide, True)
        tab.page.clock.fast_forward(31_000)
        expect(live(tab)).to_have_attribute("data-live", "off")
        tab.page.evaluate(hide, False)
        expect(live(tab)).to_have_attribute("data-live", "live")
        assert tab.complaints == []
