"""Requests about nodes: to configure, update and delete them (docs/reference/legacy-api.md#node-config). Pure."""

from typing import Any

from pydantic import Field

from anka_crds.api.node import AnkaNodeSpec
from anka_shim.http.parameter_types import Flag, Integer, Text, Texts
from anka_shim.http.request import RequestModel, option, parameter, spec_values, validate_spec


class ConfigureNode(RequestModel, json_schema_extra={"required": ["node_id"]}):
    """Only what is given changes. 0 is a number like others: no VMs at all, or no override."""

    node_id: Text = option("Id of the node.")
    id: Text = option("Another spelling of node_id.")
    max_vm_count: Integer = parameter("maxVmCount", "Most VMs at a time, 0-256.")
    name: Text = parameter("displayName", "Name for people.")
    host: Text = parameter("host", "Address at which its VMs are reached.")
    capacity_mode: Text = parameter("capacityMode", "number (of VMs), or resource (vCPUs and RAM).")
    vcpu_override: Integer = parameter("vcpuOverride", "vCPUs to hand out by resource; 0: no override.")
    ram_override: Integer = parameter("ramOverrideGib", "RAM in GB to hand out by resource; 0: no override.")
    disable_central_logging: Flag = parameter("disableCentralLogging", "Keep logs on the Mac.")
    drain_mode: Flag = parameter("drainMode", "Running VMs finish, nothing new starts.")


class UpdateAgents(RequestModel):
    node_ids: Texts = Field(default_factory=list, description="Ids of nodes; all nodes if absent or empty.")


class DeleteNode(RequestModel, json_schema_extra={"required": ["node_id"]}):
    node_id: Text = option("Id of the node.")
    id: Text = option("Another spelling of node_id.")


def config_patch(request: ConfigureNode) -> dict[str, Any]:
    """A merge patch of AnkaNode.spec. Raises Failure."""
    spec = spec_values(request)
    validate_spec(ConfigureNode, AnkaNodeSpec, spec)
    return spec
