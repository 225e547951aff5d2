"""The JSON forms in which the registry answers, from what its catalog holds. Pure."""

from __future__ import annotations

from typing import Any


def row(template: dict[str, Any]) -> dict[str, Any]:
    """One element of the v2 list."""
    return {"id": template["id"], "name": template["name"], "size": template["size"], "arch": template["arch"]}


def version(held: dict[str, Any], arch: str) -> dict[str, Any]:
    """One element of `versions`; times are epoch seconds."""
    images = [layer["name"] for layer in held["layers"]]
    stem = images[-1].removesuffix(".ank")
    state = f"{stem}-state.ank" if held.get("suspended") else ""
    return {
        "number": held["number"],
        "tag": held["tag"],
        "config_file": f"{stem}.yaml",
        "nvram": f"{stem}.nvram",
        "images": images,
        "state_files": [state] if state else [],
        "state_file": state,
        "description": held["description"],
        "size": held["size"],
        "arch": arch,
        "last_pull": held["last_pull"],
        "last_push": held["last_push"],
        "creation_date": held["creation_date"],
    }


def template(held: dict[str, Any]) -> dict[str, Any]:
    """The answer for one template: versions in the order they were pushed."""
    return {
        **row(held),
        "versions": [version(item, held["arch"]) for item in held["versions"]],
        "last_pull": held["last_pull"],
        "last_push": held["last_push"],
    }


def info(held: dict[str, Any], chosen: dict[str, Any]) -> dict[str, Any]:
    """The VM's configuration, as `anka describe` gives it."""
    config = chosen["config"]
    network = config.get("network", {})
    return {
        "name": held["name"],
        "uuid": held["id"],
        "version": 3,
        "cpu": {"cores": config.get("cpu_cores", 4)},
        "ram": f"{config.get('ram_bytes', 4 << 30) >> 20}M",
        "hard_drives": [
            {"controller": "virtio-blk", "file": chosen["layers"][-1]["name"], "size": config.get("hard_drive", 0)}
        ],
        "network_cards": [
            {
                "mode": network.get("mode", "shared"),
                "controller": network.get("controller", "virtio-net"),
                "port_forwarding_rules": [
                    {
                        "guest_port": rule["guest_port"],
                        "host_port": rule["host_port"],
                        "rule_name": rule["name"],
                        "protocol": rule["protocol"],
                        "host_ip": rule["host_ip"],
                    }
                    for rule in config.get("rules", [])
                ],
            }
        ],
        "display": config.get("display", {}),
    }
