"""Which command each field becomes."""

from __future__ import annotations

from typing import Any

import pytest

from anka_agent.plan.options import changes_anything, modify_commands
from anka_crds.api.instance import AnkaInstanceSpec

TABLE: list[tuple[dict[str, Any], list[str]]] = [
    ({}, []),
    ({"resources": {"vcpu": 4}}, ["cpu 4"]),
    ({"resources": {"memoryMib": 8192}}, ["ram 8192M"]),
    ({"resources": {"vcpu": 2, "memoryMib": 2048}}, ["cpu 2", "ram 2048M"]),
    ({"disk": {"size": "256G"}}, ["disk -s 256G"]),
    ({"network": {"mode": "bridge"}}, ["network -t bridge"]),
    ({"network": {"local": "forceOn"}}, ["network --local"]),
    ({"network": {"local": "forceOff"}}, ["network --no-local"]),
    ({"network": {"vlan": "42"}}, ["set network-card --vlan 42"]),
    ({"network": {"macAddress": "AA:BB:CC:00:11:22"}}, ["network --mac AA:BB:CC:00:11:22"]),
    ({"portForwarding": []}, ["delete port-forwarding --all"]),
    (
        {"portForwarding": [{"name": "web", "guestPort": 80}]},
        ["delete port-forwarding --all", "add port-forwarding --guest-port 80 --host-port 0 web"],
    ),
    (
        {"portForwarding": [{"name": "w", "guestPort": 80, "hostPort": 8080, "hostIp": "127.0.0.1"}]},
        ["delete port-forwarding --all", "add port-forwarding --guest-port 80 --host-port 8080 --host-ip 127.0.0.1 w"],
    ),
    (
        {"portForwarding": [{"name": "dns", "guestPort": 53, "protocol": "udp"}]},
        ["delete port-forwarding --all", "add port-forwarding --guest-port 53 --host-port 0 --protocol udp dns"],
    ),
    ({"hardware": {"videoController": "pg"}}, ["display -c pg"]),
    ({"hardware": {"hvapic": "forceOn"}}, ["set custom-variable hw.hvapic 1"]),
    ({"hardware": {"hvapic": "forceOff"}}, ["set custom-variable hw.hvapic 0"]),
    ({"hardware": {"csrActiveConfig": "forceOn"}}, ["set custom-variable sys.csr-active-config 0"]),
    (
        {"hardware": {"serial": "C02", "uuid": "1-2"}},
        ["set custom-variable hw.serial C02", "set custom-variable hw.uuid 1-2"],
    ),
    ({"displayName": "x", "priority": 5, "metadata": {"a": "b"}}, []),
]


@pytest.mark.parametrize(("fields", "commands"), TABLE)
def test_commands(fields: dict[str, Any], commands: list[str]) -> None:
    spec = AnkaInstanceSpec.model_validate({"template": "t", **fields})
    assert [" ".join(command) for command in modify_commands(spec, "VM")] == [f"modify VM {rest}" for rest in commands]
    assert changes_anything(spec) is bool(commands)
