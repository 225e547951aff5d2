"""The operator process against a real apiserver, under its own service account: who runs where, and why not."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from pathlib import Path

import pytest

from anka_crds.api import NodeState, Phase
from anka_crds.api.meta import FINALIZER
from anka_crds.resources import INSTANCES, NODES, TEMPLATES
from anka_crds.rules.condition_list import find
from anka_crds.rules.naming import is_uuid
from anka_dev.cloud import LocalCloud
from anka_dev.cloud.service import Service
from support.conditions import condition, is_true
from support.operators import NAMESPACE, SECONDS, TEMPLATE, Fleet

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("operator")]


async def test_bind_says_all_that_the_agent_needs(fleet: Fleet) -> None:
    await fleet.node("mac-1", holds=("v1",))
    await fleet.instance("one", template="macos-15")
    instance = await fleet.bound("one")
    status = instance.status
    assert (status.node_name, status.phase, status.arch) == ("mac-1", Phase.SCHEDULING, "arm64")
    assert status.template is not None
    assert (status.template.id, status.template.name, status.template.tag, status.template.version) == (
        TEMPLATE, "macos-15", "v1", 0,
    )  # fmt: skip
    assert status.request_id is not None
    assert is_uuid(status.request_id)
    assert status.observed_generation == instance.metadata.generation
    assert is_true(status.conditions, "Scheduled")
    assert is_true(status.conditions, "Reconciling")
    assert FINALIZER in instance.metadata.finalizers


async def test_pulling_when_the_node_lacks_the_tag(fleet: Fleet) -> None:
    await fleet.node("mac-1")
    await fleet.instance("one")
    assert (await fleet.bound("one")).status.phase is Phase.PULLING


async def test_three_nodes_share_the_work_within_their_capacity(fleet: Fleet) -> None:
    for number in (1, 2, 3):
        await fleet.node(f"mac-{number}", slots=2, holds=("v1",))
    for number in (1, 2, 3):
        await fleet.see(NODES, f"mac-{number}", lambda node: node.status.state is NodeState.ACTIVE)
    for number in range(3):
        await fleet.instance(f"first-{number}")
    bound = await fleet.all_bound(3)
    assert Counter(one.status.node_name for one in bound) == {"mac-1": 1, "mac-2": 1, "mac-3": 1}
    for number in range(4):
        await fleet.instance(f"second-{number}")
    waiting = await fleet.instances.wait_for(
        lambda store: [
            one
            for one in store
            if (why := find(one.status.conditions, "Scheduled")) and why.message == "0/3 nodes fit: 3 full"
        ],
        SECONDS,
    )
    assert len(waiting) == 1
    ready = condition(waiting[0], "Ready")
    assert (ready.status, ready.reason, ready.message) == ("False", "Unschedulable", "0/3 nodes fit: 3 full")
    await fleet.placed(mac_1=2, mac_2=2, mac_3=2, waiting=1)


async def test_a_freed_place_goes_to_the_most_urgent(fleet: Fleet) -> None:
    await fleet.node("mac-1", slots=1, holds=("v1",))
    await fleet.instance("running")
    await fleet.bound("running")
    await fleet.instance("patient")
    await fleet.instance("urgent", priority=1)
    await fleet.client.delete(INSTANCES, "running", NAMESPACE)
    await fleet.release("running")
    await fleet.bound("urgent")
    assert (await fleet.client.get(INSTANCES, "patient", NAMESPACE)).status.node_name is None


async def test_what_cannot_run_does_not_block(fleet: Fleet) -> None:
    await fleet.node("mac-1", holds=("v1",))
    await fleet.instance("no-template", template="nonesuch", priority=1)
    await fleet.instance("no-tag", tag="v9", priority=1)
    await fleet.instance("no-node", node="mac-9", priority=1)
    await fleet.instance("fine")
    await fleet.bound("fine")
    for name, reason, words in (
        ("no-template", "TemplateNotFound", "No template nonesuch in the registry"),
        ("no-tag", "TagNotFound", "Template macos-15 has no tag v9: it has v1"),
        ("no-node", "NodeNotFound", "There is no node mac-9"),
    ):
        told = await fleet.told(name, "Scheduled", reason, words)
        assert condition(told, "Scheduled").status == "False"


async def test_a_template_that_appears_later(fleet: Fleet) -> None:
    await fleet.node("mac-1")
    await fleet.instance("early", template="macos-16")
    await fleet.template("11111111-1111-1111-1111-111111111111", "macos-16", ("a", "b"))
    instance = await fleet.bound("early")
    assert instance.status.template is not None
    assert instance.status.template.tag == "b"


async def test_draining_takes_nothing_new(fleet: Fleet) -> None:
    await fleet.node("mac-1", drainMode=True)
    await fleet.see(NODES, "mac-1", lambda node: node.status.state is NodeState.DRAIN)
    await fleet.instance("one")
    await fleet.told("one", "Scheduled", "Unschedulable", "0/1 node fit: 1 draining")
    await fleet.client.patch(NODES, "mac-1", {"spec": {"drainMode": False}})
    await fleet.bound("one")


async def test_an_instance_without_the_finalizer_gets_it_before_it_is_bound(fleet: Fleet) -> None:
    """As in a cluster without the admission policy: the policy only acts on creation."""
    await fleet.instance("bare")
    await fleet.release("bare")
    await fleet.node("mac-1")
    assert FINALIZER in (await fleet.bound("bare")).metadata.finalizers


async def test_room_by_resource(fleet: Fleet) -> None:
    """On an Intel Mac as many VMs as their sizes allow, however many maxVmCount says."""
    await fleet.node("mac-1", slots=1, arch="amd64", capacityMode="resource", vcpuOverride=8, ramOverrideGib=8)
    template = "22222222-2222-2222-2222-222222222222"
    await fleet.template(template, "any")
    await fleet.client.patch(
        TEMPLATES, template, {"status": {"versions": [{"number": 0, "tag": "v1"}]}}, subresource="status"
    )
    for number in range(3):
        await fleet.instance(f"small-{number}", template="any", resources={"vcpu": 2, "memoryMib": 2048})
        await fleet.bound(f"small-{number}")
    for name, resources, words in (
        ("cpu", {"vcpu": 3, "memoryMib": 512}, "0/1 node fit: 1 lacks vCPUs"),
        ("ram", {"vcpu": 1, "memoryMib": 4096}, "0/1 node fit: 1 lacks memory"),
        ("huge", {"vcpu": 9}, "0/1 node fit: 1 too small even when empty"),
    ):
        await fleet.instance(name, template="any", resources=resources)
        await fleet.told(name, "Scheduled", "Unschedulable", words)


async def test_devices_are_bound_by_location_and_never_twice(fleet: Fleet) -> None:
    await fleet.node("mac-1", slots=5, holds=("v1",))
    devices = [{"locationId": number, "group": "phone"} for number in ("20", "10")]
    await fleet.client.patch(NODES, "mac-1", {"status": {"usbDevices": devices}}, subresource="status")
    await fleet.instance("one", usbDevice="phone")
    assert (await fleet.bound("one")).status.usb_device == "10"
    await fleet.instance("exact", usbDevice="10")
    await fleet.instance("two", usbDevice="phone")
    assert (await fleet.bound("two")).status.usb_device == "20"
    await fleet.told("exact", "Scheduled", "Unschedulable", "0/1 node fit: 1 has usb 10 in use")
    await fleet.client.delete(INSTANCES, "one", NAMESPACE)
    await fleet.release("one")
    assert (await fleet.bound("exact")).status.usb_device == "10"


async def test_explain_command(fleet: Fleet, operator_cloud: LocalCloud, tmp_path: Path) -> None:
    """The same answer as the operator's, from a person's shell."""
    await fleet.group("ios", fallbackGroup="spare")
    await fleet.group("spare")
    await fleet.node("mac-01", slots=1, holds=("v1",), groups=["ios"])
    await fleet.node("mac-02", groups=["ios"], drainMode=True)
    await fleet.node("mac-03", groups=["spare"])
    await fleet.node("mac-04")
    for name in ("mac-01", "mac-02", "mac-03", "mac-04"):
        await fleet.see(
            NODES,
            name,
            lambda node: node.status.state is (NodeState.DRAIN if node.spec.drain_mode else NodeState.ACTIVE),
        )
    await fleet.instance("running", group="ios")
    assert (await fleet.bound("running")).status.node_name == "mac-01"
    manifest = tmp_path / "instance.yaml"

    async def explained(spec: str) -> tuple[int | None, list[str]]:
        manifest.write_text(f"apiVersion: anka.veertu.com/v1alpha1\nkind: AnkaInstance\nspec: {spec}\n")
        kubeconfig = f"--kubeconfig={operator_cloud.cluster.kubeconfig}"
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "anka_operator", "explain", "-f", str(manifest), kubeconfig,
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        output, _ = await process.communicate()
        return process.returncode, output.decode().splitlines()

    assert await explained("{template: macos-15, group: ios}") == (
        0,
        [
            "It would go to mac-03, which pulls the template first.",
            "",
            "NODE    TAKEN    ANSWER",
            "mac-03  0/2 VMs  fits as fallback 1, pulls the template",
            "mac-01  1/1 VMs  is full",
            "mac-02  0/2 VMs  is draining",
            "mac-04  0/2 VMs  is not in group ios",
        ],
    )
    code, lines = await explained("{template: macos-15, usbDevice: iphone7}")
    assert (code, lines[0]) == (1, "It would wait: 0/4 nodes fit: 4 lack usb iphone7.")


async def test_the_operator_is_well(fleet: Fleet, operator: Service) -> None:
    await asyncio.to_thread(operator.wait_ready)
    assert await asyncio.to_thread(operator.readiness) == (
        True,
        "[ok] loop\n[ok] watches\n[ok] stopping\n[ok] api\n[ok] caches\n",
    )
