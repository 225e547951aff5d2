"""The portal in a real browser, at two replicas behind a proxy without affinity: a tab goes on where it was when
its replica is killed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect

from localkube.controlplane import KubernetesCluster, apply
from localkube.free_ports import free_port
from support.api_keys import ROOT, SEAL_KEY, TOKEN
from support.cuttable_link import CuttableLink
from support.kinds import nothing_left
from support.portal_browser import PATIENCE_MS, PortalPage, chromium, portal_page
from support.shim_pair import metric, until_known
from support.shim_process import ShimProcess, shim_process

__all__ = ["chromium"]

pytestmark = pytest.mark.e2e

BASE = Path(__file__).resolve().parents[2] / "charts" / "base"
TEMPLATE = "c0ffee00-2222-411e-9505-128190e9854e"
API = {"apiVersion": "anka.veertu.com/v1alpha1"}
COUNT = 60
KEY = "ada"
KEY_BINDING: dict[str, object] = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "ClusterRoleBinding",
    "metadata": {"name": "anka-shim-api-keys"},
    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "anka-api-keys"},
    "subjects": [{"kind": "ServiceAccount", "name": "anka-shim", "namespace": "anka-system"}],
}
LOST = ("WebSocket connection to", "Failed to load resource: net::ERR_")
"""What Chromium itself writes to the console when a server goes away: the only complaint that is allowed."""


def instance(number: int) -> dict[str, object]:
    name = f"5e11{number:04d}-2222-411e-9505-128190e9854e"
    spec = {"template": TEMPLATE, "displayName": f"shell-{number:03d}"}
    return {**API, "kind": "AnkaInstance", "metadata": {"name": name, "namespace": "anka-ci"}, "spec": spec}


def put(cluster: KubernetesCluster, *items: dict[str, object]) -> None:
    many = {"apiVersion": "v1", "kind": "List", "items": items}
    cluster.kubectl.run("apply", "-f-", stdin=json.dumps(many))


@pytest.fixture(scope="module")
def cluster(served_kinds: KubernetesCluster) -> Iterator[KubernetesCluster]:
    with nothing_left(served_kinds):
        apply(served_kinds, BASE / "namespaces.yaml")
        apply(served_kinds, BASE / "rbac-shim.yaml")
        put(served_kinds, {**API, "kind": "AnkaTemplate", "metadata": {"name": TEMPLATE}, "spec": {}})
        put(served_kinds, *(instance(number) for number in range(COUNT)))
        yield served_kinds


@pytest.fixture
def replicas(cluster: KubernetesCluster, tmp_path: Path) -> Iterator[list[ShimProcess]]:
    kubeconfig = cluster.kubeconfig_for("anka-shim", "anka-system", tmp_path / "kubeconfig")
    ports = [free_port() for _ in range(2)]
    peers = f"--peers={','.join(f'127.0.0.1:{port}' for port in ports)}"
    with ExitStack() as stack:
        shims = [stack.enter_context(shim_process(kubeconfig, peers, "--peer-seconds=2", port=port)) for port in ports]
        for shim in shims:
            shim.wait_ready()
            until_known(shim, 1)
        yield shims


@pytest.fixture
def url(replicas: list[ShimProcess]) -> Iterator[str]:
    link = CuttableLink(*(urlsplit(shim.url).port or 0 for shim in replicas))
    yield f"http://127.0.0.1:{link.port}"
    link.close()


@pytest.fixture
def guarded(cluster: KubernetesCluster, tmp_path: Path) -> Iterator[ShimProcess]:
    """A shim that wants a login."""
    apply(cluster, BASE / "rbac-api-keys.yaml")
    put(cluster, KEY_BINDING)
    kubeconfig = cluster.kubeconfig_for("anka-shim", "anka-system", tmp_path / "kubeconfig")
    for name, content in (("root", TOKEN), ("seal", SEAL_KEY)):
        (tmp_path / name).write_text(content)
    flags = (
        "--enable-auth", f"--root-token-file={tmp_path / 'root'}", "--enable-api-keys",
        f"--seal-key-file={tmp_path / 'seal'}",
    )  # fmt: skip
    with shim_process(kubeconfig, *flags) as shim:
        shim.wait_ready()
        yield shim
        shim.call("DELETE", "/api/v1/apikey", json={"id": KEY}, headers=ROOT)


def place(tab: PortalPage) -> dict[str, object]:
    """Where a person is."""
    found: dict[str, object] = tab.page.evaluate(
        """() => ({
            hash: location.hash,
            focus: document.activeElement?.getAttribute("data-id"),
            top: document.querySelector(".table-scroll").scrollTop,
            selected: [...document.querySelectorAll("tr[aria-selected=true]")].map((row) => row.dataset.id),
            loaded: performance.timeOrigin,
        })"""
    )
    return found


def test_a_tab_goes_on_where_it_was_when_its_replica_is_killed(
    chromium: Browser, url: str, replicas: list[ShimProcess], cluster: KubernetesCluster
) -> None:
    with portal_page(chromium, url, viewport={"width": 1200, "height": 600}) as tab:
        tab.open("#/instances?q=shell&sort=name")
        live = tab.page.locator("[data-live]")
        expect(live).to_have_attribute("data-live", "live", timeout=PATIENCE_MS)
        expect(tab.page.locator(".table-count").first).to_have_text(f"{COUNT} rows", timeout=PATIENCE_MS)
        for _ in range(30):
            tab.page.keyboard.press("j")
        row = tab.page.locator(f"tr[data-id='{instance(29)['metadata']['name']}']")  # type: ignore[index]
        expect(row).to_be_focused(timeout=PATIENCE_MS)
        tab.page.keyboard.press("x")
        expect(row).to_have_attribute("aria-selected", "true", timeout=PATIENCE_MS)
        before = place(tab)
        assert before["top"]

        [serving] = [shim for shim in replicas if metric(shim, "anka_shim_portal_tabs")]
        [other] = [shim for shim in replicas if shim is not serving]
        serving.process.kill()
        serving.wait_end()
        # What happens from now on only the other can tell.
        put(cluster, instance(COUNT))
        expect(tab.page.locator(".table-count").first).to_contain_text(f"{COUNT + 1} rows", timeout=PATIENCE_MS)
        expect(live).to_have_attribute("data-live", "live", timeout=PATIENCE_MS)
        assert metric(other, "anka_shim_portal_tabs") == 1
        assert place(tab) == before

        assert [text for text in tab.complaints if not text.startswith(LOST)] == []
        assert tab.strangers == []


def test_people_log_in_by_root_token_and_by_api_key_and_out(chromium: Browser, guarded: ShimProcess) -> None:
    made = guarded.body("POST", "/api/v1/apikey", json={"id": KEY, "ttl": 3600, "groups": []}, headers=ROOT)
    sent: list[str] = []
    with portal_page(chromium, guarded.url) as tab:
        page = tab.page
        page.on("request", lambda request: sent.append(f"{request.url} {request.post_data or ''}"))
        page.goto(f"{guarded.url}/portal/#/about")
        token = page.locator("input[name='root']")
        token.fill("not it")
        token.press("Enter")
        expect(page.get_by_role("alert")).to_be_visible(timeout=PATIENCE_MS)
        token.fill(TOKEN)
        token.press("Enter")
        expect(page.locator("main[data-view='about']")).to_be_visible(timeout=PATIENCE_MS)
        expect(page.locator(".account summary")).to_have_text("root", timeout=PATIENCE_MS)
        assert page.evaluate("document.cookie") == "", "scripts cannot read the session"
        page.reload()
        expect(page.locator("[data-live]")).to_have_attribute("data-live", "live", timeout=PATIENCE_MS)
        page.locator(".account summary").click()
        tab.button("Log out").click()
        expect(page.get_by_role("alert")).to_have_text("You have logged out.", timeout=PATIENCE_MS)

        # The shim without Kubernetes tokens offers none.
        expect(page.get_by_role("tab", name="API key")).to_be_visible(timeout=PATIENCE_MS)
        expect(page.get_by_role("tab", name="Kubernetes token")).to_have_count(0, timeout=PATIENCE_MS)
        page.get_by_role("tab", name="API key").click()
        page.locator("input[name='id']").fill(KEY)
        page.locator("textarea[name='key']").fill(made)
        page.get_by_role("button", name="Log in", exact=True).click()
        expect(page.locator("main[data-view='about']")).to_be_visible(timeout=PATIENCE_MS)
        expect(page.locator(".account summary")).to_have_text(KEY, timeout=PATIENCE_MS)
        expect(page.locator("[data-live]")).to_have_attribute("data-live", "live", timeout=PATIENCE_MS)
        assert not [line for line in sent if made[40:100] in line], "the private key stays in the browser"

        # The key is deleted: its session ends in the tab that is open.
        guarded.call("DELETE", "/api/v1/apikey", json={"id": KEY}, headers=ROOT)
        expect(page.locator("main[data-view='login']")).to_be_visible(timeout=PATIENCE_MS)
        assert [text for text in tab.complaints if not text.startswith(LOST) and "401" not in text] == []
        assert tab.strangers == []
