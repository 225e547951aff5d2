"""Questions to the scheduler. Pure."""

from typing import Any

from anka_shim.failure import Failure
from anka_shim.http.parameter_types import Capitals, Digits, Integer, Positive, Text, Vlan
from anka_shim.http.request import RequestModel, option
from anka_shim.vm.request import StartOptions, StartVm, read_start


class ExplainQuery(RequestModel):
    """An instance that waits, by its id; or what `POST /api/v1/vm` would be asked for, in its words, as far as the
    choice of a node depends on it."""

    id: Text = option("Id of an instance that waits.")
    vmid: Text = option("UUID or name of the template.")
    tag: Text = option("Tag; the latest if absent.")
    version: Integer = option("Version number instead of a tag.")
    node_id: Text = option("This node and no other.")
    group_id: Text = option("Node group, by id or name.")
    group: Text = option("Permission group.")
    priority: Positive = option("Its place in the queue.")
    usb_device: Digits = option("USB device to attach.")
    vcpu: Positive = option("CPU cores.")
    vram: Positive = option("RAM in MB.")
    mac_address: Capitals = option("MAC address.")
    vlan_tag: Vlan = option("VLAN id.")


def read_query(query: ExplainQuery) -> StartOptions:
    """Raises Failure as `POST /api/v1/vm` does."""
    if query.vmid is None:
        raise Failure("vmid: is required, the UUID of a template; or id, of an instance that waits")
    given: dict[str, Any] = query.model_dump(exclude_none=True, exclude={"id"})
    return read_start(StartVm.model_validate(given), max_count=1)
