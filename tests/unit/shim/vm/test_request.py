from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from anka_crds.api.instance import AnkaInstanceSpec
from anka_crds.api.states import Phase
from anka_shim.failure import Failure
from anka_shim.http.request import spec_values
from anka_shim.vm.request import RestartOptions, StartVm, UpdateVm, read_start, restart_patch
from support.rest import read

T = "6b135004-0c89-43bb-b892-74796b8d266c"


def spec(**parameters: Any) -> dict[str, Any]:
    """Only what differs from the defaults, as it is sent to the API; without the template."""
    made = read_start(read(StartVm, {"vmid": T, **parameters}), max_count=100).spec
    sent = made.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)
    assert sent.pop("template") == T
    return sent


SCRIPT = "ZWNobyBoaQo="

MEANT: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {}),
    ({"tag": "v1"}, {"tag": "v1"}),
    ({"tag": ""}, {}),
    ({"version": 3}, {"version": 3}),
    ({"version": "3"}, {"version": 3}),
    ({"version": 0}, {"version": 0}),
    ({"version": 0, "tag": "v1"}, {"tag": "v1"}),
    ({"name": "n", "external_id": "https://ci/1"}, {"displayName": "n", "externalId": "https://ci/1"}),
    ({"name": "Zürich é"}, {"displayName": "Zürich é"}),
    ({"priority": 5}, {"priority": 5}),
    ({"priority": "5"}, {"priority": 5}),
    ({"priority": 0}, {}),
    ({"priority": 1000}, {}),
    ({"vcpu": 4, "vram": 8192}, {"resources": {"vcpu": 4, "memoryMib": 8192}}),
    ({"vcpu": "4", "vram": 0}, {"resources": {"vcpu": 4}}),
    ({"vcpu": 0, "vram": 0}, {}),
    ({"startup_script": SCRIPT}, {"startupScript": {"content": SCRIPT}}),
    ({"startup_script": "\r\n"}, {}),
    ({"startup_script": "ZWNo\nbyBoaQo="}, {"startupScript": {"content": SCRIPT}}),
    ({"startup_script": ""}, {}),
    (
        {
            "startup_script": SCRIPT,
            "startup_script_condition": 1,
            "script_monitoring": True,
            "script_timeout": 300,
            "script_fail_handler": 2,
        },
        {
            "startupScript": {
                "content": SCRIPT,
                "condition": "Booted",
                "monitoring": True,
                "timeoutSeconds": 300,
                "failHandler": "Delete",
            }
        },
    ),
    (
        {"startup_script": SCRIPT, "script_fail_handler": "1", "startup_script_condition": 0, "script_timeout": 0},
        {"startupScript": {"content": SCRIPT, "failHandler": "Keep"}},
    ),
    ({"script_monitoring": True, "script_timeout": 5, "script_fail_handler": 1}, {}),
    ({"name_template": "$template_name-$node_name-$ts"}, {"nameTemplate": "$template_name-$node_name-$ts"}),
    ({"group": "qa"}, {"permissionGroup": "qa"}),
    ({"usb_device": "336675856"}, {"usbDevice": "336675856"}),
    ({"usb_device": 336675856}, {"usbDevice": "336675856"}),
    (
        {"metadata": {"jenkins-job-id": "x", "n": 1, "b": False}},
        {"metadata": {"jenkins-job-id": "x", "n": 1, "b": False}},
    ),
    ({"metadata": {}}, {}),
    ({"mac_address": "00:1A:2B:3C:4D:5E"}, {"network": {"macAddress": "00:1A:2B:3C:4D:5E"}}),
    ({"mac_address": "00:1a:2b:3c:4d:5e"}, {"network": {"macAddress": "00:1A:2B:3C:4D:5E"}}),
    ({"vlan_tag": "17"}, {"network": {"vlan": "17"}}),
    ({"vlan_tag": 17}, {"network": {"vlan": "17"}}),
    ({"vlan_tag": ""}, {}),
    ({"network_local": "forceOn", "network_mode": "bridge"}, {"network": {"local": "forceOn", "mode": "bridge"}}),
    (
        {
            "video_controller": "pg",
            "hvapic": "forceOff",
            "csr_active_config": "forceOn",
            "hw_serial": "S",
            "hw_uuid": "U",
        },
        {
            "hardware": {
                "videoController": "pg",
                "hvapic": "forceOff",
                "csrActiveConfig": "forceOn",
                "serial": "S",
                "uuid": "U",
            }
        },
    ),
    (
        {
            "port_forwarding_override": [
                {"host_port": "8080", "name": "web", "guest_port": "80"},
                {"name": "vnc", "guest_port": 5900, "host_ip": "10.0.0.1"},
            ]
        },
        {
            "portForwarding": [
                {"name": "web", "guestPort": 80, "hostPort": 8080},
                {"name": "vnc", "guestPort": 5900, "hostIp": "10.0.0.1"},
            ]
        },
    ),
    ({"port_forwarding_override": []}, {}),
    ({"port_forwarding_override": None}, {}),
    (
        {"disk": {"size": "256G", "skip_container_resize": True}},
        {"disk": {"size": "256G", "skipContainerResize": True}},
    ),
    ({"disk": {"size": "256g"}}, {"disk": {"size": "256G"}}),
    ({"disk": {}}, {}),
    ({"vnc_password": "secret"}, {"vncPassword": "secret"}),
    ({"no_such_parameter": {"deep": []}, "apiVer": "v1"}, {}),
    (dict.fromkeys(StartVm.spec_paths.keys() - {"vmid"}), {}),
    (dict.fromkeys(StartVm.spec_paths.keys() - {"vmid"}, ""), {}),
]


@pytest.mark.parametrize(("parameters", "expected"), MEANT)
def test_what_is_meant(parameters: dict[str, Any], expected: dict[str, Any]) -> None:
    assert spec(**parameters) == expected


def test_node_and_group_stay_as_the_client_called_them() -> None:
    start = read_start(read(StartVm, {"vmid": T, "node_id": "Mac 1", "group_id": "iOS builds"}), max_count=1)
    assert (start.node, start.group) == ("Mac 1", "iOS builds")
    assert (start.spec.node, start.spec.group) == (None, None)


@pytest.mark.parametrize(("given", "count"), [({}, 1), ({"count": 0}, 1), ({"count": "3"}, 3), ({"count": 100}, 100)])
def test_count(given: dict[str, Any], count: int) -> None:
    assert read_start(read(StartVm, {"vmid": T, **given}), max_count=100).count == count


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"vmid": None}, "vmid: is required"),
    ({"vmid": ""}, "vmid: is required"),
    ({"vmid": ["x"]}, "vmid: must be a string"),
    ({"vmid": "x" * 300}, "vmid: "),
    ({"count": 101}, "count: must be from 1 to 100"),
    ({"count": -1}, "count: must not be negative"),
    ({"count": "many"}, "count: must be an integer"),
    ({"count": 1e30}, "count: must be from 1 to 100"),
    ({"tag": "v1", "version": 2}, "tag and version exclude each other"),
    ({"version": -1}, "version: "),
    ({"priority": 10001}, "priority: "),
    ({"priority": -5}, "priority: must not be negative"),
    ({"vcpu": 257}, "vcpu: "),
    ({"vcpu": 2.5}, "vcpu: must be an integer"),
    ({"vram": 5}, "vram: "),
    ({"startup_script": "echo hello world"}, "illegal base64 data at input byte 4"),
    ({"startup_script": "not base64!"}, "illegal base64 data at input byte 3"),
    ({"startup_script": SCRIPT.rstrip("=")}, "illegal base64 data at input byte 8"),
    ({"startup_script": "A"}, "illegal base64 data at input byte 0"),
    ({"startup_script": "é"}, "illegal base64 data at input byte 0"),
    ({"startup_script": SCRIPT, "startup_script_condition": 2}, "startup_script_condition: must be one of 0, 1"),
    ({"startup_script": SCRIPT, "script_fail_handler": 3}, "script_fail_handler: must be one of 0, 1, 2"),
    ({"startup_script": SCRIPT, "script_timeout": 90_000}, "script_timeout: "),
    ({"startup_script": SCRIPT, "script_monitoring": "often"}, "script_monitoring: must be true or false"),
    ({"name_template": "x" * 201}, "name_template: "),
    ({"metadata": "x"}, "metadata: must be an object"),
    ({"metadata": {"a": []}}, "metadata: value of 'a'"),
    ({"mac_address": "001A2B3C4D5E"}, "mac_address: must be six bytes in capital letters, with ':' between them"),
    ({"vlan_tag": "5000"}, "vlan_tag: must be a number from 1 to 4094"),
    ({"vlan_tag": "lan"}, "vlan_tag: must be an integer"),
    ({"video_controller": "vga"}, "video_controller: "),
    ({"hvapic": "on"}, "hvapic: "),
    ({"csr_active_config": "forceOff"}, "csr_active_config: "),
    ({"network_local": "yes"}, "network_local: "),
    ({"network_mode": "wifi"}, "network_mode: "),
    ({"hw_serial": "x" * 65}, "hw_serial: "),
    ({"port_forwarding_override": {}}, "port_forwarding_override: must be an array"),
    ({"port_forwarding_override": ["x"]}, "port_forwarding_override[0]: must be an object"),
    ({"port_forwarding_override": [{"name": "a"}]}, "port_forwarding_override[0].guest_port: is required"),
    ({"port_forwarding_override": [{"guest_port": 1}]}, "port_forwarding_override[0].name: is required"),
    ({"port_forwarding_override": [{"name": "a", "guest_port": 70000}]}, "port_forwarding_override[0].guest_port: "),
    (
        {"port_forwarding_override": [{"name": "a", "guest_port": 1}, {"name": "a", "guest_port": 2}]},
        "port_forwarding_override[1].name: is used twice (given: 'a')",
    ),
    (
        {"port_forwarding_override": [{"name": "a", "guest_port": 1, "protocol": "icmp"}]},
        "port_forwarding_override[0].protocol: ",
    ),
    (
        {"port_forwarding_override": [{"name": str(n), "guest_port": 1} for n in range(65)]},
        "port_forwarding_override: ",
    ),
    ({"disk": "256G"}, "disk: must be an object"),
    (
        {"disk": {"size": "256 GB"}},
        "disk.size: must be a whole number followed by T, G, M or K: 256G",
    ),
    ({"disk": {"skip_container_resize": True}}, "disk.size: is required"),
    ({"disk": {"size": "256GB"}}, "disk.size: "),
    ({"disk": {"size": "0G"}}, "disk.size: "),
    ({"external_id": "x" * 4097}, "external_id: "),
    ({"external_id": {"a": 1}}, "external_id: must be a string"),
    ({"name": "a\0b"}, "name: must not contain NUL"),
    ({"name": " "}, "name: must be one line"),
    ({"name": "a\nb"}, "name: must be one line"),
    ({"usb_device": "--all"}, "usb_device: must be one line without control characters, and must not begin with '-'"),
    ({"hw_serial": "-s"}, "hw_serial: must be one line"),
    ({"vnc_password": "a\x1bb"}, "vnc_password: must be one line"),
    ({"port_forwarding_override": [{"name": "--all", "guest_port": 1}]}, "port_forwarding_override[0]."),
    ({"mac_address": "x"}, "mac_address: must be six bytes in capital letters"),
]


@pytest.mark.parametrize(("parameters", "says"), REFUSED)
def test_one_clear_message_names_the_parameter(parameters: dict[str, Any], says: str) -> None:
    with pytest.raises(Failure) as caught:
        read_start(read(StartVm, {"vmid": T, **parameters}), max_count=100)
    assert caught.value.message.startswith(says)
    assert "\n" not in caught.value.message
    assert len(caught.value.message) < 300


PORT: dict[str, Any] = {"name": "a", "guest_port": 22, "host_port": 10022}


@pytest.mark.parametrize(
    ("first", "second", "says"),
    [
        ({}, {}, "port_forwarding_override[1].host_port: is used twice (given: 10022)"),
        ({}, {"host_port": "10022"}, "port_forwarding_override[1].host_port: is used twice (given: 10022)"),
        ({"host_ip": "10.0.0.1"}, {}, "port_forwarding_override[1].host_port: is used twice (given: 10022)"),
        ({"host_ip": "10.0.0.1"}, {"host_ip": "10.0.0.1"}, "port_forwarding_override[1].host_port: is used twice"),
        ({"protocol": "tcp"}, {}, "port_forwarding_override[1].host_port: is used twice (given: 10022)"),
        ({"host_ip": "10.0.0.1"}, {"host_ip": "10.0.0.2"}, None),
        ({"protocol": "udp"}, {}, None),
        ({"host_port": 0}, {"host_port": 0}, None),
        ({}, {"host_port": 10023}, None),
    ],
)
def test_two_rules_with_one_port_of_the_mac(first: dict[str, Any], second: dict[str, Any], says: str | None) -> None:
    rules = [{**PORT, **first}, {**PORT, "name": "b", **second}]
    if says is None:
        assert len(spec(port_forwarding_override=rules)["portForwarding"]) == 2
        return
    with pytest.raises(Failure) as caught:
        read(StartVm, {"vmid": T, "port_forwarding_override": rules})
    assert caught.value.message.startswith(says)


@pytest.mark.parametrize(("parameters", "says"), REFUSED)
def test_no_message_shows_how_it_was_found(parameters: dict[str, Any], says: str) -> None:
    """Neither a regular expression, nor a field of Kubernetes, nor the words of a library."""
    with pytest.raises(Failure) as caught:
        read_start(read(StartVm, {"vmid": T, **parameters}), max_count=100)
    message = caught.value.message.split(" (given: ")[0]
    assert not re.search(r"pattern|\^|\$'|\\|<class|Value error|portForwarding|hostPort|guestPort|macAddress", message)


@pytest.mark.parametrize("text", ["-x", "a\nb", " v1", "x" * 300])
def test_unknown_templates_and_tags_are_told_in_the_words_that_clients_know(text: str) -> None:
    """However they look: Jenkins starts the latest tag when it reads `No such tag <tag>`."""
    start = read_start(read(StartVm, {"vmid": T, "tag": text}), max_count=100)
    assert (start.spec.template, start.spec.tag) == (T, text)


def test_every_parameter_has_a_place_in_the_spec() -> None:
    """`count` is the only one without: it says how many."""
    assert StartVm.model_fields.keys() - StartVm.spec_paths.keys() == {"count"}
    for name, place in StartVm.spec_paths.items():
        model: Any = AnkaInstanceSpec
        for part in place.path.split("."):
            by_alias = {field.alias: field for field in model.model_fields.values()}
            assert part in by_alias, f"{name}: {place.path}"
            arguments = getattr(by_alias[part].annotation, "__args__", (by_alias[part].annotation,))
            model = arguments[0]


@pytest.mark.parametrize(
    ("data", "patch"),
    [
        ({}, {}),
        ({"name": "n"}, {"displayName": "n"}),
        ({"external_id": "e"}, {"externalId": "e"}),
        ({"name": "", "external_id": None, "metadata": {}}, {}),
        ({"metadata": {"jenkins-job-id": "x"}}, {"metadata": {"jenkins-job-id": "x"}}),
        ({"id": "i", "state": "Started"}, {}),
    ],
)
def test_what_an_update_changes(data: dict[str, Any], patch: dict[str, Any]) -> None:
    assert spec_values(read(UpdateVm, data)) == patch


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({"name": []}, "name: must be a string"),
        ({"name": "x" * 5000}, "name: must have at most 4096 characters"),
        ({"metadata": {"a": []}}, "metadata: value of 'a'"),
    ],
)
def test_what_an_update_refuses(data: dict[str, Any], says: str) -> None:
    with pytest.raises(Failure) as caught:
        read(UpdateVm, data)
    assert caught.value.message.startswith(says)


NOW = datetime(2026, 1, 1, 10, 0, 0, 5, tzinfo=UTC)


@pytest.mark.parametrize("state", Phase)
def test_only_a_vm_that_has_started_is_restarted(state: Phase) -> None:
    if state in (Phase.STARTED, Phase.STOPPED):
        # Two restarts in one second are two: the agent looks for a time that it has not seen.
        assert restart_patch(state, NOW, RestartOptions()) == {"restartedAt": "2026-01-01T10:00:00.000005Z"}
        return
    with pytest.raises(Failure) as caught:
        restart_patch(state, NOW, RestartOptions())
    assert caught.value.message == f"the VM can't be restarted: it is {state.value}, and must be Started or Stopped"


@pytest.mark.parametrize(
    ("data", "changes"),
    [
        ({"usb_device": 336675856}, {"usbDevice": "336675856"}),
        ({"usb_device": "iphone7", "vnc_password": ""}, {"usbDevice": "iphone7"}),
        ({"vnc_password": "secret"}, {"vncPassword": "secret", "vncPasswordSecretRef": None}),
        ({"tag": "v2", "usb_device": None}, {}),
    ],
)
def test_what_comes_with_a_restart(data: dict[str, object], changes: dict[str, object]) -> None:
    assert restart_patch(Phase.STARTED, NOW, read(RestartOptions, data)) == {
        "restartedAt": "2026-01-01T10:00:00.000005Z",
        **changes,
    }


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({"usb_device": ["x"]}, "usb_device: must be a string (given: ['x'])"),
        ({"usb_device": "x" * 257}, "usb_device: String should have at most 256 characters"),
        ({"vnc_password": "geheim" * 50}, "vnc_password: String should have at most 256 characters"),
        ({"vnc_password": {"geheim": 1}}, "vnc_password: must be a string"),
    ],
)
def test_what_a_restart_refuses(data: dict[str, object], says: str) -> None:
    with pytest.raises(Failure) as caught:
        restart_patch(Phase.STARTED, NOW, read(RestartOptions, data))
    assert caught.value.message.startswith(says)
    assert "geheim" not in caught.value.message
