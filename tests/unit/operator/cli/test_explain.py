"""`anka-operator explain`: the manifest it reads, and what it prints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from anka_crds.api import AnkaInstance
from anka_kube.endpoint import Endpoint
from anka_operator.cli import explain
from anka_operator.cli import main as command
from anka_scheduler.score import Placement
from support.objects import TEMPLATE, instance, node, template
from support.operator_rig import Rig
from support.operator_rig import rig as make_rig

MANIFEST = """
apiVersion: anka.veertu.com/v1alpha1
kind: AnkaInstance
metadata: {name: wanted}
spec: {template: macos-15, usbDevice: phone}
"""


def refused(capsys: pytest.CaptureFixture[str], path: Path) -> str:
    with pytest.raises(SystemExit) as ended:
        command.main(["explain", "-f", str(path)])
    assert ended.value.code == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err.replace(str(path), "FILE").replace("anka-operator explain: ", "")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("kind: Pod", "FILE has kind 'Pod': only an AnkaInstance can be explained\n"),
        ("", "FILE must contain exactly one object, an AnkaInstance: it has 0 documents\n"),
        (f"{MANIFEST}---{MANIFEST}", "FILE must contain exactly one object, an AnkaInstance: it has 2 documents\n"),
        ("- a", "FILE must contain exactly one object, an AnkaInstance: it has 1 documents\n"),
        ("a: [", "FILE is not YAML: while parsing a flow node "),
        ("kind: AnkaInstance", "FILE: spec: Field required\n"),
        ("kind: AnkaInstance\nspec: {}", "FILE: spec.template: Field required\n"),
        (
            "kind: AnkaInstance\nspec: {template: t, priority: 0}",
            "FILE: spec.priority: Input should be greater than or equal to 1\n",
        ),
        (
            "kind: AnkaInstance\nspec: {template: t, gruop: ios, resources: {cpu: 1}, portForwarding: "
            "[{name: a, guestPort: 1, x: 2}]}",
            "FILE: spec.gruop: there is no such field\nFILE: spec.resources.cpu: there is no such field\n"
            "FILE: spec.portForwarding.x: there is no such field\n",
        ),
        (b"\xff\xfe\x00", "FILE can't be read: it is not UTF-8\n"),
    ],
)
def test_bad_manifests(capsys: pytest.CaptureFixture[str], tmp_path: Path, text: str | bytes, wanted: str) -> None:
    path = tmp_path / "instance.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    assert refused(capsys, path).startswith(wanted)


def test_no_file_and_no_cluster(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert refused(capsys, tmp_path / "nope") == "FILE can't be read: No such file or directory\n"
    path = tmp_path / "instance.yaml"
    path.write_text(MANIFEST)
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    assert "none" in refused(capsys, path)


async def answer(rig: Rig, **spec: Any) -> list[str]:
    wanted = instance("wanted", **{"template": "macos-15", **spec})
    return explain.format_explanation(await explain.explain_in_cluster(Endpoint(rig.api.url), wanted, Placement.SPREAD))


async def test_answers() -> None:
    phones = {"usbDevices": [{"locationId": "7", "group": "phone"}], "cpuCount": 8, "ramGib": 16}
    async with make_rig() as rig:
        await rig.put(
            template(),
            node("mac-1", slots=1, holds=("v2",)),
            node("mac-22", capacityMode="resource", status=phones),
            instance("runs", status={"nodeName": "mac-1", "phase": "Started"}),
        )
        assert await answer(rig, usbDevice="phone") == [
            "It would go to mac-22, with USB device 7, which pulls the template first.",
            "",
            "NODE    TAKEN                             ANSWER",
            "mac-22  0/2 VMs, 0/16 vCPUs, 0/14336 MiB  fits, pulls the template",
            "mac-1   1/1 VMs                           lacks usb phone",
        ]
        await rig.put(*(instance(f"urgent-{number}", priority=1) for number in range(3)))
        assert await answer(rig) == [
            "It would wait: 0/2 nodes fit: 2 full. Ahead of it in the queue: 3, with nodes for 2 of them.",
            "",
            "NODE    TAKEN                                ANSWER",
            "mac-1   1/1 VMs                              is full",
            "mac-22  2/2 VMs, 8/16 vCPUs, 8192/14336 MiB  is full",
        ]
        await rig.put(instance("urgent-0", priority=1, node="mac-1"), node("mac-3", slots=3))
        assert (await answer(rig))[0] == (
            "It would go to mac-3, which pulls the template first. "
            "Ahead of it in the queue: 3, with nodes for 2 of them."
        )
        await rig.put(instance("urgent-0", priority=1), node("mac-3", slots=0))
        assert await answer(rig, template="nonesuch") == [
            "It would wait: No template nonesuch in the registry. "
            "Ahead of it in the queue: 3, with nodes for 2 of them."
        ]
        assert [seen.verb for seen in rig.writes()] == []


async def test_nodes_that_are_kept_free() -> None:
    """For one that comes first and is too large for what is free; the operator has told it how many."""
    sized: dict[str, Any] = {"arch": "amd64", "capacityMode": "resource", "vcpuOverride": 8, "ramOverrideGib": 64}
    large, small = {"vcpu": 8, "memoryMib": 1024}, {"vcpu": 1, "memoryMib": 1024}

    def waits(reserved: int | None) -> AnkaInstance:
        return instance("large", priority=1, resources=large, status={"phase": "Scheduling", "keptFree": reserved})

    async with make_rig() as rig:
        await rig.put(
            template(arch=""),
            node("mac-1", holds=("v2",), **sized),
            node("mac-2", holds=("v2",), **sized),
            *(
                instance(name, resources=small, status={"nodeName": mac, "phase": "Started"})
                for name, mac in (("a", "mac-1"), ("b", "mac-2"), ("c", "mac-2"))
            ),
            waits(None),
        )
        assert (await answer(rig, resources=small))[0].startswith("It would go to mac-1.")
        await rig.put(waits(1))
        assert await answer(rig, resources=small) == [
            "It would go to mac-2. Ahead of it in the queue: 1, with nodes for 0 of them.",
            "",
            "NODE   TAKEN                             ANSWER",
            "mac-2  2 VMs, 2/8 vCPUs, 2048/65536 MiB  fits, has the template",
            "mac-1  1 VMs, 1/8 vCPUs, 1024/65536 MiB  is kept free for an instance that waits longer",
        ]
        # Who is more urgent may use it.
        assert (await answer(rig, resources=small, priority=0))[0] == "It would go to mac-1."
        await rig.put(waits(2))
        assert (await answer(rig, resources=small))[0].startswith(
            "It would wait: 0/2 nodes fit: 2 kept free for an instance that waits longer."
        )


async def test_one_that_waits_already_keeps_its_place() -> None:
    async with make_rig() as rig:
        first, second = instance("wanted", meta={"age": 9}), instance("younger")
        await rig.put(template(), node("mac-1", slots=1, holds=("v2",)), first, second)
        assert (await answer(rig, template=TEMPLATE))[0] == "It would go to mac-1."


def test_the_status_in_a_manifest_does_not_count(tmp_path: Path) -> None:
    path = tmp_path / "instance.yaml"
    path.write_text(f"{MANIFEST}status: {{phase: Started}}")
    assert explain.read_manifest(str(path)).status == AnkaInstance.from_api({"spec": {"template": "t"}}).status
