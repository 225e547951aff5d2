"""Permission groups, API keys, logs and events in a real browser, at a shim that is closed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from anka_dev.cloud import LocalCloud
from support.agents import until
from support.api_keys import ROOT, SEAL_KEY, TOKEN
from support.closed_stage import let_shim_know_who_asks
from support.cloud import TEMPLATE
from support.portal_browser import PATIENCE_MS, PortalPage, chromium, portal_page

__all__ = ["chromium"]

pytestmark = pytest.mark.e2e

GROUP = "people <b>&amp; machines"
KEY = "jenkins <i>"
REFUSED = "401"
"""Chromium writes to the console that the page's first question was refused: nobody had logged in yet."""


@pytest.fixture(scope="module")
def cloud(make_cloud: Callable[[], LocalCloud], tmp_path_factory: pytest.TempPathFactory) -> LocalCloud:
    """One Mac that sends its log to the registry, as the operator does with the event log."""
    folder = tmp_path_factory.mktemp("access")
    (folder / "root").write_text(TOKEN)
    (folder / "seal").write_text(SEAL_KEY)
    cloud = make_cloud()
    assert cloud.registry is not None
    let_shim_know_who_asks(cloud)
    cloud.start_operator(f"--registry-url={cloud.registry.url}", "--enable-event-log")
    cloud.start_shim(
        *(f"--registry-url={cloud.registry.url}", "--enable-auth", f"--root-token-file={folder / 'root'}"),
        *("--enable-authorization", "--enable-api-keys", f"--seal-key-file={folder / 'seal'}"),
    )
    cloud.root_token = TOKEN
    cloud.add_mac("mac-01", f"--registry-url={cloud.registry.url}")
    cloud.wait_ready()
    return cloud


@pytest.fixture
def tab(chromium: Browser, cloud: LocalCloud) -> Iterator[PortalPage]:
    """Logged in by the root token."""
    with portal_page(chromium, cloud.url) as tab:
        tab.page.goto(f"{cloud.url}/portal/#/about")
        token = tab.page.locator("input[name='root']")
        token.fill(TOKEN)
        token.press("Enter")
        expect(tab.page.locator("main[data-view='about']")).to_be_visible(timeout=PATIENCE_MS)
        yield tab
        assert [text for text in tab.complaints if REFUSED not in text] == []
        assert tab.strangers == []


def ask(cloud: LocalCloud, path: str) -> Any:
    return httpx.get(f"{cloud.url}{path}", headers=ROOT, timeout=60).json()["body"]


def choose(page: Page, label: str) -> None:
    page.get_by_role("checkbox", name=label).first.check()


def test_a_permission_group_and_a_key_that_has_it(tab: PortalPage, cloud: LocalCloud) -> None:
    page = tab.page
    tab.go("#/permission-groups")
    tab.button("New group").click()
    page.get_by_role("dialog").get_by_role("textbox").fill(GROUP)
    tab.button("Choose permissions").click()
    expect(page.locator(".crumbs")).to_contain_text(GROUP, timeout=PATIENCE_MS)
    tab.button("CI plugins").click()
    tab.button("Tick the marked ones").click()
    tab.button("Save permissions").click()
    until(lambda: ask(cloud, "/admin/api/v1/permission/group"), what="the group is saved")
    (group,) = ask(cloud, "/admin/api/v1/permission/group")
    assert group["name"] == GROUP
    assert {"start_vm", "registry_list"} <= set(group["permissions"])

    tab.go("#/api-keys")
    tab.button("New API key").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Id, which the program logs in with").fill(KEY)
    choose(page, GROUP)
    dialog.get_by_role("button", name="Create").click()
    expect(dialog).to_contain_text("It is shown once", timeout=PATIENCE_MS)
    secret = dialog.get_by_role("textbox").input_value()
    with page.expect_download() as download:
        dialog.get_by_role("button", name="Download PEM file").click()
    assert download.value.path().read_text().startswith("-----BEGIN RSA PRIVATE KEY-----")
    dialog.get_by_role("button", name="I have saved it").click()
    row = page.locator("main tbody tr[data-id]").filter(has_text=KEY)
    expect(row).to_contain_text(GROUP, timeout=PATIENCE_MS)
    assert len(secret) > 1000
    assert secret not in page.content()

    row.get_by_role("button", name=re.compile("^Delete")).click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.locator("main [data-look='empty']")).to_be_visible(timeout=PATIENCE_MS)
    assert ask(cloud, "/api/v1/apikey") == []


def test_logs_are_listed_and_followed(tab: PortalPage, cloud: LocalCloud) -> None:
    until(lambda: ask(cloud, "/api/v1/logs"), what="the Mac has sent its log")
    tab.go("#/logs")
    row = tab.page.locator("main tbody tr[data-id]").filter(has_text="Agent").first
    expect(row).to_contain_text("mac-01", timeout=PATIENCE_MS)
    with tab.page.expect_download() as download:
        row.get_by_role("link", name=re.compile("^Archive")).click()
    assert download.value.suggested_filename.endswith(".tar.gz")
    row.get_by_role("link", name=re.compile("^Follow")).click()
    lines = tab.page.locator("main tbody tr[data-id]")
    expect(lines.first).to_be_visible(timeout=PATIENCE_MS)
    newest = int(lines.first.get_attribute("data-id") or 0)
    answer = httpx.post(f"{cloud.url}/api/v1/vm", json={"vmid": TEMPLATE}, headers=ROOT, timeout=60).json()
    assert answer["status"] == "OK", answer
    until(lambda: int(lines.first.get_attribute("data-id") or 0) > newest, what="new lines come on top")


def test_events_say_what_happened_and_who_asked(tab: PortalPage, cloud: LocalCloud) -> None:
    answer = httpx.post(f"{cloud.url}/api/v1/vm", json={"vmid": TEMPLATE}, headers=ROOT, timeout=60).json()
    (id_,) = answer["body"]
    tab.go("#/events")
    row = tab.page.locator("main tbody tr[data-id]").filter(has_text=id_).filter(has_text="VM requested")
    expect(row).to_contain_text("root", timeout=PATIENCE_MS)


def test_devices_of_a_cloud_without_any(tab: PortalPage) -> None:
    for view in ("usb", "vlan", "mac-addresses"):
        tab.go(f"#/{view}")
        expect(tab.page.locator(f"main[data-view='{view}'] [data-look='empty']")).to_be_visible(timeout=PATIENCE_MS)
