"""Changes of a VM's record: what they make of it, and what they refuse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from anka_sim.mac import changes, records
from anka_sim.mac.errors import SimulatedAnkaError

VM = {**records.new("u", "vm", 0.0, disk=100), "labels": {"team": "ios"}}
SSH = VM["rules"][0]
WEB = {"name": "web", "protocol": "tcp", "guest_port": 80, "host_port": 8080, "host_ip": ""}


@pytest.mark.parametrize(
    ("change", "field", "value"),
    [
        (changes.cpu(4, 8), "cpu_cores", 4),
        (changes.disk(200), "hard_drive", 200),
        (changes.disk(None), "hard_drive", 100),
        (changes.put_rule("web", 80, 8080, "any"), "rules", [SSH, WEB]),
        (changes.put_rule("ssh", None, 2222, None), "rules", [{**SSH, "host_port": 2222}]),
        (changes.put_rule("ssh", None, None, None, new_name="sshd"), "rules", [{**SSH, "name": "sshd"}]),
        (changes.remove_rule("22", by="guest_port"), "rules", []),
        (changes.entry("labels", "team", "mac"), "labels", {"team": "mac"}),
        (changes.entry("labels", "team", None), "labels", {}),
        (changes.mount("/tmp/share", "", remove=False), "mounts", [{"path": "/tmp/share", "name": "share"}]),
    ],
)
def test_a_change_is_a_new_record(change: Callable[[dict[str, Any]], dict[str, Any]], field: str, value: Any) -> None:
    assert change(VM) == {**VM, field: value}


@pytest.mark.parametrize(
    ("refused", "message"),
    [
        (lambda: changes.cpu(9, 8), "cpu: 9 is not between 1 and 8"),
        (lambda: changes.disk(99)(VM), "disk: cannot shrink from 100 to 99"),
        (lambda: changes.mac_address("16:7d"), "'16:7d' is not a MAC address"),
        (lambda: changes.vlan(5000, []), "VLAN 5000 is not between 0 and 4094"),
        (lambda: changes.vlan(7, [8]), "VLAN 7 is not configured on the host"),
        (lambda: changes.network({"vlan": 7})(VM), "a VLAN needs bridge mode, the VM has shared"),
        (lambda: changes.put_rule("web", None, 80, None)(VM), "rule web needs a guest port"),
        (lambda: changes.put_rule("web", 70_000, None, None)(VM), "guest port 70000 is not between 1 and 65535"),
        (lambda: changes.add_rule("ssh", 23, None, None)(VM), "rule ssh already exists"),
        (lambda: changes.remove_rule("web")(VM), "port forwarding rule web: not found"),
        (lambda: changes.entry("labels", "none", None)(VM), "none: not found"),
    ],
)
def test_refusals_say_why(refused: Callable[[], object], message: str) -> None:
    with pytest.raises(SimulatedAnkaError) as error:
        refused()
    assert message in error.value.message
