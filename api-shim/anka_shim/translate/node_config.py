"""`POST /api/v1/node/config`: the request as a merge patch of AnkaNode.spec (seed document, "Node config")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from anka_crds.api.node import AnkaNodeSpec
from anka_shim.translate import values
from anka_shim.translate.values import Json

PARAMETERS: Mapping[str, tuple[str, Any]] = {
    "max_vm_count": ("maxVmCount", values.number),
    "name": ("displayName", values.text),
    "host": ("host", values.text),
    "capacity_mode": ("capacityMode", values.text),
    "vcpu_override": ("vcpuOverride", values.number),
    "ram_override": ("ramOverrideGib", values.number),
    "disable_central_logging": ("disableCentralLogging", values.boolean),
    "drain_mode": ("drainMode", values.boolean),
}
"""Parameter of the old API -> field of AnkaNode.spec, and how it is read."""


def read(data: Json) -> dict[str, Any]:
    """Only what is given changes; 0 is a number like others: no VMs at all, or no override. Raises Failure."""
    spec: dict[str, Any] = {}
    for name, (field, reader) in PARAMETERS.items():
        value = reader(data, name)
        if value is not None:
            spec[field] = value
    try:
        AnkaNodeSpec.model_validate(spec)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        names = {field: name for name, (field, _) in PARAMETERS.items()}
        raise values.wrong(names[str(first["loc"][0])], first["msg"], first["input"]) from None
    return spec
