"""The configuration of one simulated Mac: its hardware, licence, registries and delays."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:  # `typing` costs a tenth of the start-up of `anka`
    from typing import Any

VERSION = "3.8.1"
BUILD = "203"
GIB = 1 << 30
ARCH_NUMBER = {"amd64": 1, "arm64": 2}
# Apple allows two running macOS guests on Apple silicon.
ARM_RUNNING_LIMIT = 2

DEFAULTS: dict[str, Any] = {
    "name": "mac",
    "version": VERSION,
    "build": BUILD,
    "arch": "arm64",
    "macos": "15.1",
    "cpu_cores": 8,
    "ram_bytes": 16 * GIB,
    "disk_bytes": 500 * GIB,
    "host_ip": "127.0.0.1",
    "first_port": 10000,
    "max_running": None,
    "own_root": True,
    "linger_seconds": 30,
    "license": {
        "license_type": "com.veertu.anka.entplus",
        "status": "valid",
        "product": "Anka Build Enterpriseplus",
        "expires": "17-aug-2027",
    },
    "usb": [],
    "vlans": [],
    "registries": [],
    "settings": {},
    "delays": {
        "command": 0.0,
        "clone": 0.0,
        "start": [0.0, 0.0],
        "network": 0.0,
        "stop": 0.0,
        "delete": 0.0,
        "pull_bytes_per_second": 0,
        "seed": 1,
    },
}


def merge(overrides: dict[str, Any], base: dict[str, Any] = DEFAULTS) -> dict[str, Any]:
    """`base` with `overrides` laid over it, dictionaries key by key; neither is changed."""
    result = {key: merge({}, value) if isinstance(value, dict) else value for key, value in base.items()}
    for key, value in overrides.items():
        old = result.get(key)
        result[key] = merge(value, old) if isinstance(value, dict) and isinstance(old, dict) else value
    return result


def running_limit(config: dict[str, Any]) -> int | None:
    """How many VMs may run at once; None means as many as fit."""
    limit = config["max_running"]
    if limit is not None:
        return int(limit)
    return ARM_RUNNING_LIMIT if config["arch"] == "arm64" else None


def start_delay(config: dict[str, Any], key: str) -> float:
    """Seconds that starting takes, drawn uniformly from the configured range; the same for the same seed and key."""
    from binascii import crc32

    span = config["delays"]["start"]
    low, high = (span, span) if isinstance(span, (int, float)) else (span[0], span[1])
    share = crc32(f"{config['delays']['seed']}:{key}".encode()) / 0xFFFFFFFF
    return float(low + (high - low) * share)
