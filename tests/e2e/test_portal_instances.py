"""Instances, templates and saved images in the portal, as a person clicks: real apiserver, operator, agents."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Locator, expect

from anka_dev.cloud import LocalCloud
from support.agents import until
from support.cloud import FAST_MAC, TAG, TEMPLATE
from support.portal_browser import PATIENCE_MS, PortalPage, chromium, portal_page

__all__ = ["chromium"]

pytestmark = [pytest.mark.e2e, pytest.mark.scenario]

MARKUP = "<img src=x onerror=alert(1)>"
JOB = "https://ci.example/job/7"
FLAGS = ("--max-vm-count=4", "--heartbeat=2", "--lease-duration=8")

expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="module")
def busy_cloud(make_cloud: Callable[[], LocalCloud]) -> LocalCloud:
    """Two Macs, two templates: one with three tags."""
    cloud = make_cloud()
    registry = cloud.registry
    assert registry is not None
    registry.add_template("tools", ["one", "two", "three"], size=1_000_000)
    cloud.start_operator("--registry-seconds=1")
    cloud.start_shim("--terminated-seconds=1")
    for name in ("mac-01", "mac-02"):
        cloud.add_mac(name, *FLAGS, **FAST_MAC)
    cloud.wait_ready()
    return cloud


@pytest.fixture(scope="module")
def portal(busy_cloud: LocalCloud, chromium: Browser) -> Iterator[PortalPage]:
    with portal_page(chromium, busy_cloud.url) as page:
        yield page


@pytest.fixture(autouse=True)
def nothing_to_complain_about(portal: PortalPage) -> Iterator[None]:
    """No test leaves an error of a script, of the Content-Security-Policy, or a request that goes elsewhere."""
    yield
    assert portal.complaints == []
    assert portal.strangers == []


def vms(cloud: LocalCloud) -> list[dict[str, Any]]:
    """Those that have not ended."""
    rows: list[dict[str, Any]] = cloud.rest("GET", "/api/v1/vm")["body"]
    return [row["vm"] for row in rows if row["vm"]["instance_state"] not in ("Terminating", "Terminated")]


def rows(view: Locator) -> Locator:
    return view.locator("tbody tr[data-id]")


def chips(within: Locator, word: str) -> Locator:
    """States: a shape for the eye, and the word."""
    return within.locator(".chip", has_text=re.compile(f"{word}$"))


def summary(within: Any, text: str) -> Locator:
    found: Locator = within.locator("summary", has_text=text)
    return found


def run_shell(command: str, url: str) -> None:
    """A line that the portal shows, as a person pastes it."""
    environment = {"PATH": os.environ["PATH"], "ANKA": url}
    done = subprocess.run(["sh", "-c", command], env=environment, capture_output=True, text=True, timeout=60)
    assert '"status": "OK"' in done.stdout or '"status":"OK"' in done.stdout, (command, done)


def held_names(cloud: LocalCloud, node: str) -> set[str]:
    """Templates that a Mac reports."""
    (found,) = cloud.rest("GET", f"/api/v1/node?id={node}")["body"]
    return {held["name"] for held in found["templates"] or ()}


def test_a_person_creates_instances(busy_cloud: LocalCloud, portal: PortalPage, tmp_path: Path) -> None:
    script = tmp_path / "setup.sh"
    script.write_text(f"echo 'out {MARKUP}'\necho 'err é' >&2\n")
    view = portal.open("#/instances")
    expect(view.locator("[data-look='empty']")).to_contain_text("No instances.")
    portal.page.keyboard.press("c")
    dialog = portal.page.get_by_role("dialog", name="Create instances")
    dialog.get_by_role("button", name="Start 1 instance").click()
    expect(dialog.get_by_role("alert")).to_have_text("Some fields need a look.")
    expect(dialog.get_by_text("Choose a template.")).to_be_visible()
    dialog.get_by_label("Template (required)").select_option(label=f"{TEMPLATE} (arm64)")
    expect(dialog.get_by_label("Tag", exact=True)).to_contain_text(f"latest (now {TAG})")
    dialog.get_by_label("Tag", exact=True).select_option(TAG)
    dialog.get_by_label("Count").fill("2")
    dialog.get_by_label("Priority").fill("10")
    dialog.get_by_label("Name", exact=True).fill(f"nightly {MARKUP}")
    dialog.get_by_label("External ID").fill(JOB)
    dialog.get_by_label("Metadata").fill(f"team={MARKUP}\nretries=3")
    summary(dialog, "Startup script").click()
    dialog.get_by_label("From a file").set_input_files(script)
    dialog.get_by_label("Wait for it").check()
    summary(dialog, "Resources and ports").click()
    dialog.get_by_label("Port rules").fill("ssh 22")
    dialog.get_by_role("button", name="Where would it go?").click()
    where = dialog.get_by_role("region", name="Where it would go")
    expect(where).to_contain_text(re.compile("It would start on mac-0[12]"))
    expect(where.get_by_text("could take it")).to_have_count(2)
    dialog.get_by_role("button", name="Start 2 instances").click()
    expect(dialog).to_have_count(0)
    expect(rows(view)).to_have_count(2)
    expect(chips(rows(view), "Started")).to_have_count(2)
    expect(rows(view).get_by_role("link", name=f"nightly {MARKUP}")).to_have_count(2)
    vm = vms(busy_cloud)[0]
    assert (vm["external_id"], vm["metadata"]) == (JOB, {"team": MARKUP, "retries": 3})
    assert vm["startup_script"]["return_code"] == 0


def test_the_yaml_and_the_curl_of_the_dialog_work_as_they_are(busy_cloud: LocalCloud, portal: PortalPage) -> None:
    view = portal.open("#/instances")
    before = {vm["instance_id"] for vm in vms(busy_cloud)}
    portal.button("Create instances").click()
    dialog = portal.page.get_by_role("dialog", name="Create instances")
    dialog.get_by_label("Template (required)").select_option(label=f"{TEMPLATE} (arm64)")
    dialog.get_by_label("Name", exact=True).fill("it's: 'quoted' \"twice\" # and é")
    dialog.get_by_label("Metadata").fill("note=a: b # c\nfast=true")
    summary(dialog, "As YAML").click()
    manifest = dialog.get_by_role("region", name="the YAML", exact=True).inner_text()
    command = dialog.get_by_role("region", name="the curl command", exact=True).inner_text()
    dialog.get_by_role("button", name="Cancel").click()
    busy_cloud.kubectl.run("create", "-f", "-", stdin=manifest)
    run_shell(command, busy_cloud.url)
    expect(rows(view)).to_have_count(len(before) + 2)
    made = [vm for vm in vms(busy_cloud) if vm["instance_id"] not in before]
    assert [vm["name"] for vm in made] == ["it's: 'quoted' \"twice\" # and é"] * 2
    assert [vm["metadata"] for vm in made] == [{"note": "a: b # c", "fast": True}] * 2


def test_columns_of_metadata_and_links(busy_cloud: LocalCloud, portal: PortalPage) -> None:
    view = portal.open("#/instances")
    summary(view, "Columns").click()
    view.get_by_label("(metadata)team").check()
    expect(view.get_by_role("columnheader", name="(metadata)team")).to_be_visible()
    expect(rows(view).get_by_text(MARKUP, exact=True)).to_have_count(2)
    assert "cols=" in portal.page.url
    expect(rows(view).get_by_role("link", name=JOB).first).to_have_attribute("href", JOB)
    target = vms(busy_cloud)[0]["instance_id"]
    busy_cloud.rest("PUT", f"/api/v1/vm?id={target}", {"external_id": "javascript:alert(1)"})
    row = view.locator(f"tr[data-id='{target}']")
    expect(row.get_by_text("javascript:alert(1)")).to_be_visible()
    expect(row.get_by_role("link", name="javascript:alert(1)")).to_have_count(0)
    portal.page.get_by_placeholder(re.compile("Search")).fill("TEAM=")
    expect(rows(view)).to_have_count(2)
    assert "q=TEAM" in portal.page.url


def test_the_page_of_an_instance(busy_cloud: LocalCloud, portal: PortalPage) -> None:
    vm = next(vm for vm in vms(busy_cloud) if vm.get("startup_script"))
    view = portal.open(f"#/instances/{vm['instance_id']}")
    expect(view.get_by_role("region", name="Timeline")).to_contain_text("This start")
    expect(view.get_by_role("img", name=re.compile("This start: Wait for a Mac .* Boot"))).to_be_visible()
    script = view.get_by_role("region", name="Startup script")
    expect(script).to_contain_text("exit code 0")
    expect(script.get_by_label("Standard output")).to_have_text(f"out {MARKUP}\n")
    expect(script.get_by_label("Standard error")).to_have_text("err é\n")
    port = next(rule["host_port"] for rule in vm["vminfo"]["port_forwarding"] if rule["guest_port"] == 22)
    expect(view.get_by_text(f"ssh -p {port} anka@{vm['vminfo']['host_ip']}")).to_be_visible()
    expect(view.get_by_role("region", name="Conditions", exact=True)).to_contain_text("Scheduled")
    view.get_by_role("link", name="YAML").click()
    expect(view.get_by_role("region", name="the YAML", exact=True)).to_contain_text(f"name: {vm['instance_id']}")
    view.get_by_role("link", name="Events").click()
    expect(view.get_by_text(re.compile("Kubernetes has no events|Reason"))).to_be_visible()


def check_axe(portal: PortalPage, where: str) -> None:
    found = portal.axe()
    assert not found, (where, found)


DIALOGS = {
    "Create instances": "#/instances",
    "Distribute to Macs": "#/templates",
    "Save image": "#/instances/{}",
    "Terminate": "#/instances/{}",
}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_dialogs_and_pages_have_nothing_that_axe_finds(
    busy_cloud: LocalCloud, portal: PortalPage, theme: Literal["light", "dark"]
) -> None:
    vm = next(vm for vm in vms(busy_cloud) if vm.get("startup_script"))
    portal.page.emulate_media(color_scheme=theme)
    for name, hash_ in DIALOGS.items():
        portal.open(hash_.format(vm["instance_id"]))
        check_axe(portal, hash_)
        portal.button(name).click()
        dialog = portal.page.get_by_role("dialog")
        for part in dialog.locator("summary").all():
            part.click()
        check_axe(portal, name)
        portal.page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)


def test_the_keyboard_alone_leads_to_a_page_and_ends_an_instance(busy_cloud: LocalCloud, portal: PortalPage) -> None:
    press = portal.page.keyboard.press
    vm = next(vm for vm in vms(busy_cloud) if not vm.get("startup_script"))
    view = portal.open(f"#/instances?q={vm['instance_id']}")
    expect(rows(view)).to_have_count(1)
    press("j")
    expect(rows(view)).to_be_focused()
    press("x")
    expect(rows(view)).to_have_attribute("aria-selected", "true")
    press("Enter")
    expect(portal.page).to_have_url(re.compile(f"#/instances/{vm['instance_id']}"))
    portal.button("Terminate").focus()
    press("Enter")
    dialog = portal.page.get_by_role("dialog", name="Terminate 1 instance?")
    dialog.get_by_role("button", name="Terminate").focus()
    press("Enter")
    expect(portal.page.locator("main")).to_contain_text("has ended: this is what was last seen")
    assert vm["instance_id"] not in {one["instance_id"] for one in vms(busy_cloud)}


@pytest.mark.parametrize(
    "hash_", ["instances", "instances/{}", "templates", "templates/{}", "matrix", "distributions", "saves"]
)
def test_the_same_with_kubectl_and_curl_is_what_people_can_paste(
    busy_cloud: LocalCloud, portal: PortalPage, hash_: str
) -> None:
    """Lines that change nothing; the others are tried by what the page itself does."""
    vm = vms(busy_cloud)[0]
    view = portal.open(f"#/{hash_.format(vm['vmid'] if 'templates' in hash_ else vm['instance_id'])}")
    summary(view, "The same with kubectl or curl").click()
    lines = view.locator(".same > .code-lines code").all_inner_texts()
    assert any(line.startswith("kubectl ") for line in lines)
    assert any(line.startswith("curl ") for line in lines)
    for line in lines:
        if line.startswith("curl ") and "-X" not in line:
            run_shell(line, busy_cloud.url)
        elif line.startswith("kubectl ") and " delete " not in line:
            busy_cloud.kubectl.run(*shlex.split(line)[1:])


def test_restart(busy_cloud: LocalCloud, portal: PortalPage) -> None:
    vm = next(vm for vm in vms(busy_cloud) if vm.get("startup_script"))
    portal.open(f"#/instances/{vm['instance_id']}")
    portal.button("Restart").click()
    dialog = portal.page.get_by_role("dialog", name="Restart 1 instance?")
    expect(dialog).to_contain_text("nobody had to log in for it")
    dialog.get_by_role("button", name="Restart").click()
    expect(portal.page.get_by_text("restarting", exact=True)).to_be_visible()
    before = vm["vminfo"]["start_date"]

    def is_restarted() -> bool:
        now = busy_cloud.rest("GET", f"/api/v1/vm?id={vm['instance_id']}")["body"]
        return bool(now["instance_state"] == "Started" and now["vminfo"]["start_date"] != before)

    until(is_restarted)


def test_an_image_is_saved_as_a_tag(busy_cloud: LocalCloud, portal: PortalPage) -> None:
    vm = next(vm for vm in vms(busy_cloud) if not vm.get("startup_script"))
    view = portal.open(f"#/instances/{vm['instance_id']}")
    expect(chips(view, "Started").first).to_be_visible()
    portal.button("Save image").click()
    dialog = portal.page.get_by_role("dialog", name="Save image")
    dialog.get_by_label("Tag (required)").fill("with-tools")
    dialog.get_by_label("Description").fill(f"made here {MARKUP}")
    summary(dialog, "Script to run before").click()
    dialog.get_by_label("Script", exact=True).fill("echo installed")
    dialog.get_by_role("button", name="Save image").click()
    expect(portal.page).to_have_url(re.compile("#/saves"))
    view = portal.view()
    row = rows(view).first
    expect(row).to_contain_text("with-tools")
    expect(chips(row, "Done")).to_be_visible()
    expect(row).to_contain_text("exit code 0")
    row.get_by_text("with-tools").click()
    expect(view.get_by_label("Save-image job").get_by_label("Standard output")).to_have_text("installed\n")
    view = portal.go(f"#/templates/{vm['vmid']}")
    expect(view.locator("[data-tag='with-tools']")).to_contain_text(f"made here {MARKUP}")


def test_a_template_is_distributed_and_seen_on_macs(busy_cloud: LocalCloud, portal: PortalPage) -> None:
    view = portal.open("#/matrix")
    line = view.get_by_role("row", name=re.compile("three"))
    expect(line.get_by_role("cell", name="mac-02 lacks it")).to_be_attached()
    line.get_by_role("button", name="Distribute three").click()
    dialog = portal.page.get_by_role("dialog", name="Distribute a template")
    expect(dialog).to_contain_text("Macs: 2 Macs chosen")
    dialog.get_by_label("mac-01").uncheck()
    dialog.get_by_role("button", name="Distribute", exact=True).click()
    expect(portal.page).to_have_url(re.compile("#/distributions"))
    card = portal.view().get_by_role("article", name="Distribution of tools")
    expect(card).to_contain_text("1 of 1 Mac done")
    expect(chips(card, "Done")).to_be_visible()
    view = portal.go("#/matrix")
    line = view.get_by_role("row", name=re.compile("three"))
    expect(line.get_by_role("cell", name="mac-02 has it")).to_be_attached()
    expect(line).to_contain_text("1/2")


def test_revert_says_what_goes_and_delete_takes_it_from_macs(busy_cloud: LocalCloud, portal: PortalPage) -> None:
    view = portal.open("#/templates")
    view.get_by_role("link", name="tools").click()
    drawer = view.get_by_role("complementary", name="Template")
    drawer.get_by_role("button", name="Revert two").click()
    dialog = portal.page.get_by_role("dialog", name="Revert tools?")
    expect(dialog).to_contain_text("two, three")
    expect(dialog.get_by_role("button", name="Revert")).to_have_attribute("aria-description", "Type 2 first.")
    dialog.get_by_role("textbox").fill("2")
    dialog.get_by_role("button", name="Revert").click()
    expect(portal.page.get_by_text("reverted", exact=True)).to_be_visible()
    expect(drawer.locator("[data-tag]")).to_have_count(1)
    drawer.get_by_role("button", name="Delete", exact=True).click()
    dialog = portal.page.get_by_role("dialog", name="Delete 1 template?")
    expect(dialog).to_contain_text("nothing runs on it")
    dialog.get_by_label("Remove from nodes").check()
    dialog.get_by_role("textbox").fill("1")
    dialog.get_by_role("button", name="Delete", exact=True).click()
    expect(portal.page.get_by_text("deleted; 1 Mac asked to remove it")).to_be_visible()
    expect(rows(view)).to_have_count(1)
    until(lambda: "tools" not in held_names(busy_cloud, "mac-02"))


def test_many_are_terminated_by_their_number(busy_cloud: LocalCloud, portal: PortalPage) -> None:
    view = portal.open("#/instances?phase=Started")
    amount = len(vms(busy_cloud))
    expect(rows(view)).to_have_count(amount)
    view.get_by_label("Select all").check()
    view.get_by_role("button", name="Terminate").click()
    dialog = portal.page.get_by_role("dialog", name=f"Terminate {amount} instances?")
    confirm = dialog.get_by_role("button", name="Terminate")
    expect(confirm).to_have_attribute("aria-disabled", "true")
    dialog.get_by_role("textbox").fill(str(amount))
    confirm.click()
    latest = portal.page.locator(".task").first
    expect(latest.get_by_text("terminating", exact=True)).to_have_count(amount)
    expect(view.locator("[data-look='empty']")).to_contain_text("No instance matches these filters.")
    until(lambda: busy_cloud.vm_names() == [])


def test_what_can_never_run_says_so(busy_cloud: LocalCloud, portal: PortalPage) -> None:
    manifest = {
        "apiVersion": "anka.veertu.com/v1alpha1",
        "kind": "AnkaInstance",
        "metadata": {"name": "lost", "namespace": "anka-ci"},
        "spec": {"template": "nowhere", "displayName": f"lost {MARKUP}"},
    }
    busy_cloud.kubectl.run("create", "-f", "-", stdin=json.dumps(manifest))
    view = portal.open("#/instances")
    row = rows(view).filter(has_text=f"lost {MARKUP}")
    expect(chips(row, "Can never run")).to_be_visible()
    row.get_by_role("link").first.click()
    expect(portal.page.get_by_role("alert")).to_contain_text("This instance can never run")
    portal.button("Terminate").click()
    portal.page.get_by_role("dialog").get_by_role("button", name="Terminate").click()
    expect(portal.page.locator("main")).to_contain_text("has ended: this is what was last seen")
