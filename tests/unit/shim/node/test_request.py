from __future__ import annotations

from typing import Any

import pytest

from anka_shim.failure import Failure
from anka_shim.node.request import ConfigureNode, config_patch
from support.rest import read


@pytest.mark.parametrize(
    ("data", "spec"),
    [
        ({}, {}),
        ({"node_id": "mac-1", "unknown": [1]}, {}),
        ({"max_vm_count": 6, "name": "MacPro1"}, {"maxVmCount": 6, "displayName": "MacPro1"}),
        ({"max_vm_count": "0"}, {"maxVmCount": 0}),
        ({"host": "mac.test", "capacity_mode": "resource"}, {"host": "mac.test", "capacityMode": "resource"}),
        ({"vcpu_override": "12", "ram_override": 0}, {"vcpuOverride": 12, "ramOverrideGib": 0}),
        ({"drain_mode": False, "disable_central_logging": "true"}, {"drainMode": False, "disableCentralLogging": True}),
        ({"name": "", "host": None, "capacity_mode": "", "drain_mode": None, "max_vm_count": ""}, {}),
    ],
)
def test_what_is_meant(data: dict[str, Any], spec: dict[str, Any]) -> None:
    assert config_patch(read(ConfigureNode, data)) == spec


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({"max_vm_count": -1}, "max_vm_count: Input should be greater than or equal to 0 (given: -1)"),
        ({"max_vm_count": 257}, "max_vm_count: Input should be less than or equal to 256 (given: 257)"),
        ({"max_vm_count": "many"}, "max_vm_count: must be an integer (given: 'many')"),
        ({"capacity_mode": "cpu"}, "capacity_mode: Input should be 'number' or 'resource' (given: 'cpu')"),
        ({"drain_mode": "maybe"}, "drain_mode: must be true or false (given: 'maybe')"),
        ({"name": "x" * 257}, "name: String should have at most 256 characters"),
        ({"ram_override": -5}, "ram_override: Input should be greater than or equal to 0 (given: -5)"),
    ],
)
def test_what_is_refused(data: dict[str, Any], says: str) -> None:
    with pytest.raises(Failure) as caught:
        config_patch(read(ConfigureNode, data))
    assert caught.value.message.startswith(says)
