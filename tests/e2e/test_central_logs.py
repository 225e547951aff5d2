"""Operator and shim send their logs to the registry too, and REST returns them; nothing secret is in them."""

from __future__ import annotations

import socket
import urllib.request

import pytest

from anka_dev.cloud import LocalCloud
from support.agents import until

pytestmark = pytest.mark.e2e

PASSWORD = "correct-horse-battery"


def read(cloud: LocalCloud, service: str) -> str:
    """The whole log, by the path that the list of logs gives."""
    rows = cloud.rest("GET", f"/api/v1/logs?node_id={socket.gethostname()}")["body"]
    files = [row["file"] for row in rows if row["service"] == service]
    if not files:
        return ""
    with urllib.request.urlopen(cloud.urls[0] + files[0], timeout=60) as answer:
        return str(answer.read().decode())


def test_what_operator_and_shim_log_is_at_the_registry(cloud: LocalCloud) -> None:
    assert cloud.registry is not None
    body = {"vmid": cloud.registry.templates[0], "vnc_password": PASSWORD, "startup_script": "ZWNobyBtb24tc2VjcmV0"}
    (started,) = cloud.rest("POST", "/api/v1/vm", body)["body"]
    until(lambda: '"path": "/api/v1/vm"' in read(cloud, "anka_shim"), 60, what="the shim's line about the POST")
    until(lambda: '"message": "at work"' in read(cloud, "anka_operator"), 60, what="the operator's line")
    cloud.rest("DELETE", "/api/v1/vm", {"id": started})
    everything = read(cloud, "anka_shim") + read(cloud, "anka_operator")
    assert PASSWORD not in everything
    assert "ZWNobyBtb24tc2VjcmV0" not in everything
    assert "Bearer ey" not in everything
