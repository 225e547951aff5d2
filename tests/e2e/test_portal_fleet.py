"""Fleet, queue, Macs, groups, utilisation and joining in a real browser, of a cloud that runs."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, expect

from anka_dev.cloud import LocalCloud
from support.cloud import FAST_MAC, TAG
from support.portal_browser import PATIENCE_MS, PortalPage, chromium, portal_page

__all__ = ["chromium"]

pytestmark = pytest.mark.e2e

MARKUP = "<img src=x onerror=alert(1)>"
FLAGS = ("--max-vm-count=2", "--heartbeat=2", "--lease-duration=8")
SLOTS = 4
VIEWS = ("fleet", "queue", "nodes", "nodes/mac-01", "groups", "utilisation", "join")


@dataclass
class Fleet:
    """Two Macs of two slots each; `broken`: a template whose image the registry has lost."""

    cloud: LocalCloud
    template: str
    broken: str

    def start(self, count: int = 1, **more: Any) -> list[str]:
        answer = self.cloud.rest("POST", "/api/v1/vm", {"vmid": self.template, "count": count} | more)
        assert answer["status"] == "OK", answer
        return [str(id_) for id_ in answer["body"]]

    def node(self, name: str) -> dict[str, Any]:
        (found,) = self.cloud.rest("GET", f"/api/v1/node?id={name}")["body"]
        assert isinstance(found, dict)
        return found

    def phases(self) -> dict[str, str]:
        rows = self.cloud.rest("GET", "/api/v1/vm")["body"]
        return {row["instance_id"]: row["vm"]["instance_state"] for row in rows}

    def until(self, is_true: Callable[[], Any]) -> Any:
        deadline = time.monotonic() + PATIENCE_MS / 1000
        while not (found := is_true()):
            assert time.monotonic() < deadline, self.phases()
            time.sleep(0.05)
        return found

    def clear(self) -> None:
        for id_, phase in self.phases().items():
            if phase != "Terminated":
                self.cloud.rest("DELETE", "/api/v1/vm", {"id": id_})
        for name in ("mac-01", "mac-02"):
            self.cloud.rest("POST", "/api/v1/node/config", {"node_id": name, "drain_mode": False, "max_vm_count": 2})
        self.until(lambda: set(self.phases().values()) <= {"Terminated"} and not self.cloud.vm_names())


@pytest.fixture(scope="module")
def running(make_cloud: Callable[[], LocalCloud]) -> Fleet:
    cloud = make_cloud()
    registry = cloud.registry
    assert registry is not None
    broken = registry.add_template("broken", [TAG], size=1_000_000)
    for image in (registry.directory / broken).rglob("*.ank"):
        image.unlink()
    cloud.start_operator("--registry-seconds=1")
    cloud.start_shim("--terminated-seconds=1")
    for name in ("mac-01", "mac-02"):
        cloud.add_mac(name, *FLAGS, **FAST_MAC)
    cloud.wait_ready()
    return Fleet(cloud, registry.templates[0], broken)


@pytest.fixture
def fleet(running: Fleet) -> Iterator[Fleet]:
    yield running
    running.clear()


@pytest.fixture
def tab(fleet: Fleet, chromium: Browser) -> Iterator[PortalPage]:
    """Whatever a test does: nothing is asked of others, and the browser has nothing to complain about."""
    with portal_page(chromium, fleet.cloud.url) as page:
        yield page
        assert page.complaints == []
        assert page.strangers == []


def figure(tab: PortalPage, key: str) -> Locator:
    return tab.page.locator(f"[data-figure='{key}'] .figure-value")


def in_dialog(tab: PortalPage, name: str) -> Locator:
    return tab.page.locator("dialog[open]").get_by_role("button", name=name, exact=True)


def test_the_map_shows_each_slot_and_drains_what_is_chosen(fleet: Fleet, tab: PortalPage) -> None:
    tab.open("#/fleet")
    expect(figure(tab, "active")).to_contain_text("2 of 2")
    expect(figure(tab, "free")).to_have_text(str(SLOTS))
    fleet.start(SLOTS + 1, name=MARKUP)
    expect(figure(tab, "running")).to_have_text(str(SLOTS))
    expect(figure(tab, "free")).to_have_text("0")
    expect(figure(tab, "waiting")).to_have_text("1")
    mac = tab.page.locator(".mac[data-id='mac-02']")
    expect(mac.locator(".slot-vm[data-phase='Started']")).to_have_count(2)
    expect(mac.locator(".slot-vm").first).to_have_attribute("title", re.compile(re.escape(MARKUP)))

    # By keyboard alone: to the first Mac, to the next one, choose it, go to the buttons.
    tab.page.locator("[data-tile='mac-01']").focus()
    tab.page.keyboard.press("ArrowRight")
    expect(tab.page.locator("[data-tile='mac-02']")).to_be_focused()
    tab.page.keyboard.press("x")
    expect(mac.get_by_role("checkbox")).to_be_checked()
    drain = tab.page.get_by_role("toolbar").get_by_role("button", name="Drain", exact=True)
    drain.focus()
    tab.page.keyboard.press("Enter")
    expect(tab.page.locator(".task")).to_contain_text("2 VMs left, the longest since")
    expect(mac).to_contain_text("Drain")
    fleet.until(lambda: fleet.node("mac-02")["state"] == "Drain Mode")
    tab.page.get_by_role("toolbar").get_by_role("button", name="Resume", exact=True).click()
    expect(mac).to_contain_text("Active")
    fleet.until(lambda: fleet.node("mac-02")["state"] == "Active")

    tab.page.locator("[data-tile='mac-01']").focus()
    tab.page.keyboard.press("o")
    expect(tab.page.get_by_role("complementary", name="Mac mac-01")).to_contain_text("Handed out to VMs")
    tab.page.keyboard.press("Escape")
    expect(tab.page.get_by_role("complementary", name="Mac mac-01")).to_have_count(0)


def test_the_queue_says_why_where_and_since_when(fleet: Fleet, tab: PortalPage) -> None:
    fleet.start(SLOTS)
    fleet.until(lambda: list(fleet.phases().values()).count("Started") == SLOTS)
    (later,) = fleet.start(name="later", priority=900)
    (urgent,) = fleet.start(name="urgent", priority=5, external_id="https://ci.example/job/7")
    never = {"template": f"none {MARKUP}"}
    manifest = {"apiVersion": "anka.veertu.com/v1alpha1", "kind": "AnkaInstance", "metadata": {"name": "never"}}
    fleet.cloud.kubectl.run("create", "-f", "-", stdin=json.dumps(manifest | {"spec": never}))

    tab.open("#/queue")
    rows = tab.page.locator("[data-table='queue'] tbody tr[data-id]")
    expect(rows).to_have_count(2)
    expect(rows.nth(0)).to_have_attribute("data-id", urgent)
    expect(rows.nth(0)).to_contain_text("0/2 nodes fit: 2 full")
    expect(rows.nth(1)).to_have_attribute("data-id", later)
    block = tab.page.locator("[data-never]")
    expect(block).to_contain_text("TemplateNotFound")
    expect(block).to_contain_text(MARKUP)
    expect(figure(tab, "oldest")).to_contain_text("s")

    # By keyboard: the row, its answer, and away with it.
    rows.nth(0).focus()
    tab.page.keyboard.press("Enter")
    answer = tab.page.get_by_role("complementary", name="Why urgent waits")
    expect(answer.locator(".reasons")).to_contain_text("full (2): mac-01, mac-02")
    expect(answer).to_contain_text("https://ci.example/job/7")
    answer.get_by_role("button", name="Cancel…", exact=True).click()
    expect(tab.page.locator("dialog[open]")).to_contain_text("https://ci.example/job/7")
    in_dialog(tab, "Cancel it").click()
    expect(rows).to_have_count(1)
    fleet.until(lambda: fleet.phases().get(urgent, "Terminated") == "Terminated")
    block.get_by_role("button", name="Cancel…", exact=True).click()
    in_dialog(tab, "Cancel it").click()
    expect(block).to_have_count(0)


def test_a_sick_mac_is_found_on_the_map_and_its_page_says_why(fleet: Fleet, tab: PortalPage) -> None:
    tab.open("#/fleet?sort=failures")
    (failed,) = fleet.start(vmid=fleet.broken, node_id="mac-02")
    first = tab.page.locator(".mac").first
    expect(first).to_have_attribute("data-id", "mac-02")
    expect(first.locator("[data-failures]")).to_have_attribute("data-failures", "1")
    first.get_by_role("link", name=re.compile("^mac-02")).click()
    line = tab.page.locator(f"[data-panel='history'] tr[data-id='{failed}']")
    expect(line).to_contain_text("Error")
    expect(line).to_contain_text("PullFailed")

    tab.button("Configure…").click()
    most = tab.page.get_by_label("Most VMs at a time")
    most.fill("1")
    in_dialog(tab, "Save").click()
    expect(tab.page.locator(".node-page")).to_contain_text("of 1 in use")
    assert fleet.node("mac-02")["capacity"] == 1
    tab.button("Configure…").click()
    most.fill("2")
    in_dialog(tab, "Save").click()
    expect(tab.page.locator(".node-page")).to_contain_text("of 2 in use")
    # What would make no sense says so instead.
    delete = tab.page.locator(".mac-page-head").get_by_role("button", name="Delete…")
    expect(delete).to_have_attribute("aria-disabled", "true")
    tab.page.locator("summary", has_text="YAML").click()
    expect(tab.page.locator(".yaml")).to_contain_text("kind: AnkaNode")


def test_groups_are_made_filled_and_deleted(fleet: Fleet, tab: PortalPage) -> None:
    tab.open("#/groups")
    for name, fallback in (("spare", None), (f"ios {MARKUP}", "spare")):
        tab.button("Create a group…").click()
        tab.page.get_by_role("textbox", name="Name", exact=True).fill(name)
        if fallback:
            tab.page.locator("dialog[open] select[name=fallback]").select_option(label=fallback)
        in_dialog(tab, "Create").click()
        expect(tab.page.locator("[data-table='groups']")).to_contain_text(name)
    row = tab.page.locator("[data-table='groups'] tr[data-id]", has_text="ios")
    expect(row).to_contain_text("spare")
    row.get_by_role("link", name=f"ios {MARKUP}").click()
    tab.button("Add Macs…").click()
    tab.page.locator("dialog[open]").get_by_label(re.compile("^mac-01")).check()
    in_dialog(tab, "Add 1 Mac").click()
    drawer = tab.page.get_by_role("complementary", name=f"Group ios {MARKUP}")
    expect(drawer.get_by_role("link", name="mac-01")).to_be_visible()
    assert [group["name"] for group in fleet.node("mac-01")["groups"]] == [f"ios {MARKUP}"]
    drawer.get_by_role("button", name="Delete…").click()
    expect(in_dialog(tab, "Delete")).to_have_attribute("aria-disabled", "true")
    tab.page.locator("dialog[open] input").fill(f"ios {MARKUP}")
    in_dialog(tab, "Delete").click()
    expect(tab.page.locator("[data-table='groups'] tr[data-id]")).to_have_count(1)
    fleet.until(lambda: fleet.node("mac-01")["groups"] == [])


def test_the_last_hour_and_a_mac_that_joins(fleet: Fleet, tab: PortalPage) -> None:
    fleet.start(2)
    fleet.until(lambda: list(fleet.phases().values()).count("Started") == 2)
    view = tab.open("#/utilisation")
    expect(view.locator("[data-panel='starts']")).to_contain_text("macos-15")
    with tab.page.expect_download() as download:
        tab.button("Download as CSV").click()
    assert download.value.path().read_text().startswith("time,running,waiting,")

    tab.go("#/join")
    tab.page.get_by_label("Name of the Mac").fill("mac-03")
    tab.button("Make the lines").click()
    # This deployment lets the shim make no tokens: then it says how somebody else makes one.
    expect(tab.page.locator("[data-join='by-hand']")).to_contain_text("kubectl create token mac-03")
    joined = tab.page.locator("[data-waits='mac-03']")
    expect(joined).to_have_attribute("data-joined", "false")
    fleet.cloud.add_mac("mac-03", "--drain-mode", *FLAGS, **FAST_MAC)
    expect(joined).to_have_attribute("data-joined", "true")
    expect(joined).to_contain_text("Drain Mode")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_view_is_accessible_and_fits(fleet: Fleet, chromium: Browser, scheme: str) -> None:
    fleet.start(SLOTS + 1)
    fleet.until(lambda: list(fleet.phases().values()).count("Started") == SLOTS)
    for width in (1440, 390):
        with portal_page(
            chromium, fleet.cloud.url, color_scheme=scheme, viewport={"width": width, "height": 900}
        ) as tab:
            tab.open("#/fleet")
            for view in VIEWS:
                tab.go(f"#/{view}")
                assert tab.axe() == [], (view, width)
                excess = tab.page.evaluate("document.documentElement.scrollWidth - innerWidth")
                assert excess <= 0, (view, width)
            assert tab.complaints == []
