"""Whose a VM is, on a Mac where people choose names that contain those of others' VMs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest

from support.agents import NAMESPACE, Bench, Object, until

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def bench(make_bench: Callable[..., Bench]) -> Bench:
    return make_bench("agent-owner")


@pytest.fixture(autouse=True)
def clean(bench: Bench) -> Iterator[None]:
    yield
    bench.clear()


def start(bench: Bench, name: str, name_template: str | None = None) -> Object:
    bench.create(name, **cast(Any, {"nameTemplate": name_template} if name_template else {}))
    vm: Object = bench.wait_phase(name, "Started")["status"]["vm"]
    return vm


def test_name_templates_with_anothers_name(bench: Bench) -> None:
    victim = start(bench, "victim")
    texts = ("0-{token}", "{token}", "{token}-$ts", "$ts-{token}", "{name}", "x-{name}-$ts-{token}")
    wanted = {"victim": victim["uuid"]}
    for number, text in enumerate(texts):
        name_template = text.format(token=victim["name"][-19:], name=victim["name"])
        wanted[f"other-{number}"] = start(bench, f"other-{number}", name_template)["uuid"]
    assert len(set(wanted.values())) == len(wanted)
    for _ in range(2):
        bench.looked()
        assert {name: bench.get(name)["status"]["vm"]["uuid"] for name in wanted} == wanted
        bench.kill()
        bench.restart()
    bench.delete("victim")
    left = {uuid for name, uuid in wanted.items() if name != "victim"}
    assert {vm["uuid"] for vm in bench.vms() if vm["status"] == "running"} == left


def test_a_new_template_with_anothers_name(bench: Bench) -> None:
    victim, other = start(bench, "victim"), start(bench, "other")
    name = f"{victim['name']}-{victim['name'][-19:]}"
    bench.fault("registry push", "hang", when="before", times=1, seconds=6.0)
    manifest = {
        "apiVersion": "anka.veertu.com/v1alpha1",
        "kind": "SaveImage",
        "metadata": {"name": "attack", "namespace": NAMESPACE},
        "spec": {"instance": "other", "tag": "t", "newTemplateName": name, "suspend": False},
    }
    bench.kubectl.run("create", "--filename=-", stdin=json.dumps(manifest))
    patch = f'{{"status":{{"nodeName":"{bench.mac.name}","vmUuid":"{other["uuid"]}"}}}}'
    bench.kubectl.run("patch", "saveimage", "attack", "--type=merge", "--subresource=status", f"--patch={patch}")
    until(lambda: name in {vm["name"] for vm in bench.mac.run("list")}, what="the VM has the template's name")
    bench.kill()
    bench.restart()
    bench.looked()
    assert bench.get("victim")["status"]["vm"]["uuid"] == victim["uuid"]
    bench.delete("victim")
    assert victim["uuid"] not in {vm["uuid"] for vm in bench.mac.run("list")}
    pushed = ("get", "saveimage", "attack", "--output=jsonpath={.status.pushedAt}")
    until(lambda: bench.kubectl.run(*pushed), what="the push")
    done = '{"status":{"phase":"Done"}}'  # as the operator says, once it has seen it in the registry
    bench.kubectl.run("patch", "saveimage", "attack", "--type=merge", "--subresource=status", f"--patch={done}")
    assert bench.get("other")["status"]["vm"]["uuid"] == other["uuid"]
    bench.delete("other")
    assert bench.vms() == []


def test_a_lost_state_directory_costs_no_vm_that_runs(bench: Bench) -> None:
    vm = start(bench, "kept")
    uid = bench.get("kept")["metadata"]["uid"]
    bench.kill()
    record = bench.mac.directory / "agent" / "instances" / uid / "vm.json"
    record.unlink()
    bench.restart()
    until(record.exists, what="the VM is recorded again")
    bench.looked()
    assert [(one["uuid"], one["status"]) for one in bench.vms()] == [(vm["uuid"], "running")]
