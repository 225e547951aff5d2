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
from support.cuttable_link import CuttableLink
from support.portal_browser import PATIENCE_MS, PortalPage, chromium, portal_page
from support.shim_pair import metric, until_known
from support.shim_process import ShimProcess, shim_process

__all__ = ["chromium"]

pytestmark = pytest.mark.e2e

BASE = Path(__file__).resolve().parents[2] / "charts" / "base"
TEMPLATE = "c0ffee00-2222-411e-9505-128190e9854e"
API = {"apiVersion": "anka.veertu.com/v1alpha1"}
COUNT = 60
LOST = "WebSocket connection to"
"""What Chromium itself writes to the console when a server goes away: the only complaint that is allowed."""


def instance(number: int) -> dict[str, object]:
    name = f"5e11{number:04d}-2222-411e-9505-128190e9854e"
    spec = {"template": TEMPLATE, "displayName": f"shell-{number:03d}"}
    return {**API, "kind": "AnkaInstance", "metadata": {"name": name, "namespace": "anka-ci"}, "spec": spec}


def put(cluster: KubernetesCluster, *items: dict[str, object]) -> None:
    many = {"apiVersion": "v1", "kind": "List", "items": items}
    cluster.kubectl.run("apply", "-f-", stdin=json.dumps(many))


@pytest.fixture(scope="module")
def cluster(served_kinds: KubernetesCluster) -> KubernetesCluster:
    apply(served_kinds, BASE / "namespaces.yaml")
    apply(served_kinds, BASE / "rbac-shim.yaml")
    put(served_kinds, {**API, "kind": "AnkaTemplate", "metadata": {"name": TEMPLATE}, "spec": {}})
    put(served_kinds, *(instance(number) for number in range(COUNT)))
    return served_kinds


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

        assert [text for text in tab.complaints if LOST not in text] == []
        assert tab.strangers == []
