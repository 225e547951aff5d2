"""USB devices, with configuration and licence."""

from __future__ import annotations

from collections.abc import Callable

from anka_sim.mac.harness import Mac


def test_config_usb_and_licence_changes(make_mac: Callable[..., Mac]) -> None:
    mac = make_mac(usb=[{"name": "iphone", "id": "5"}, {"name": "ipad", "id": "6"}])
    mac.anka("create", "a")
    mac.anka("create", "b")
    assert mac.anka("-j", "attach", "a", "5").code == 0
    refused = mac.anka("-j", "start", "-d", "iphone", "b")
    assert refused.envelope["message"] == "usb device iphone is claimed by a"
    assert mac.anka("-j", "usb", "list").body[0] == {"name": "iphone", "id": "5", "vm": "a"}
    assert mac.anka("-j", "detach", "a", "iphone").code == 0
    assert mac.anka("-j", "usb", "claim", "6", "-n", "tablet").code == 0
    assert mac.anka("-j", "usb", "list").body[1] == {"name": "tablet", "id": "6", "claimed": True}
    assert mac.anka("-j", "config", "vnc_password", "secret").code == 0
    assert mac.anka("config", "vnc_password").stdout == b"secret\n"
    mac.anka("license", "remove")
    assert mac.anka("-j", "start", "a").envelope["message"].startswith("license is none")
    mac.anka("license", "activate", "-f", "KEY")
    assert mac.anka("-j", "license", "show").body["status"] == "valid"
