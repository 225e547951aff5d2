"""Defaults that people see. The numbers stand here a second time on purpose: changing one is a change of the API."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic_settings import BaseSettings

from anka_agent.settings import AgentSettings
from anka_operator.settings import OperatorSettings
from anka_shim.settings import ShimSettings
from support.flags import default_of

CRDS = Path(__file__).parents[4] / "crds"

IN_CRDS: dict[str, dict[str, object]] = {
    "ankanodes": {
        "capacityMode": "number",
        "maxVmCount": 2,
        "reserveSpacePercent": 20,
        "vmPrefix": "mgmtManaged-",
    },
    "ankainstances": {
        "priority": 1000,
        "startupScript.timeoutSeconds": 90,
        "portForwarding.protocol": "tcp",
        "nodeLostPolicy": "Fail",
    },
    "saveimages": {"priority": 1000},
}

FLAGS: dict[type[BaseSettings], dict[str, object]] = {
    AgentSettings: {
        "capacity-mode": "number",
        "max-vm-count": 2,
        "reserve-space": 20,
        "vm-prefix": "mgmtManaged-",
        "heartbeat": 10,
        "lease-duration": 40,
        "lease-namespace": "anka-nodes",
        "network-timeout": 180,
    },
    OperatorSettings: {
        "heartbeat-seconds": 40,
        "node-lost-seconds": 300,
        "namespace": "anka-system",
        "node-namespace": "anka-nodes",
        "joining-namespace": "anka-joining",
        "leader-lease-seconds": 7,
        "leader-renew-seconds": 5,
        "leader-retry-seconds": 1,
    },
    ShimSettings: {"namespace": "anka-ci"},
}


def spec_field(plural: str, path: str) -> Mapping[str, Any]:
    schema = yaml.safe_load((CRDS / f"{plural}.yaml").read_text())["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    field: dict[str, Any] = schema["properties"]["spec"]
    for name in path.split("."):
        field = field.get("items", field)["properties"][name]
    return field


@pytest.mark.parametrize(
    ("plural", "path", "value"),
    [(plural, path, value) for plural, fields in IN_CRDS.items() for path, value in fields.items()],
)
def test_the_crd_has_the_default(plural: str, path: str, value: object) -> None:
    assert spec_field(plural, path)["default"] == value


@pytest.mark.parametrize(
    ("settings", "flag", "value"),
    [(settings, flag, value) for settings, flags in FLAGS.items() for flag, value in flags.items()],
)
def test_the_flag_has_the_default(settings: type[BaseSettings], flag: str, value: object) -> None:
    assert default_of(settings, flag) == value
