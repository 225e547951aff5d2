"""The `jq` filters of the bash users: by the real `jq` where there is one, else by the same in Python."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from clients.failing import Broken


@dataclass(frozen=True)
class Filter:
    """`same`: what the filter's text does, in Python; it gets the JSON and the named arguments."""

    text: str
    same: Callable[..., list[Any]]


def by_jq(chosen: Filter, raw: str, **arguments: str) -> str:
    """`jq -r --arg name value … filter`. Raises Broken with jq's complaint."""
    flags = [word for name, value in arguments.items() for word in ("--arg", name, value)]
    done = subprocess.run(
        ["jq", "-r", *flags, chosen.text], input=raw, capture_output=True, text=True, timeout=30, check=False
    )
    if done.returncode != 0:
        raise Broken(f"jq: {done.stderr.strip()}")
    return done.stdout.rstrip("\n")


def by_python(chosen: Filter, raw: str, **arguments: str) -> str:
    try:
        found = chosen.same(json.loads(raw), **arguments)
    except (TypeError, KeyError, AttributeError, ValueError) as error:
        raise Broken(f"jq: error: {error}") from None
    return "\n".join(_raw(value) for value in found)


def run(chosen: Filter, raw: str, **arguments: str) -> str:
    return (by_jq if shutil.which("jq") else by_python)(chosen, raw, **arguments)


def _raw(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


STATUS = Filter(".status", lambda answer: [answer.get("status")])
MESSAGE = Filter(".message", lambda answer: [answer.get("message")])
VERSION = Filter(".body.version", lambda answer: [answer["body"].get("version")])
REGISTRY = Filter(".body.registry_address", lambda answer: [answer["body"].get("registry_address")])
NODE_ID = Filter(
    ".body[] | select(.node_name == $name) | .node_id",
    lambda answer, name: [node.get("node_id") for node in answer["body"] if node.get("node_name") == name],
)
NODE_STATE = Filter(
    ".body[] | select(.node_name == $name) | .state",
    lambda answer, name: [node.get("state") for node in answer["body"] if node.get("node_name") == name],
)
FIRST_ID = Filter(".body[0]", lambda answer: answer["body"][:1] or [None])
INSTANCE_STATE = Filter(".body.instance_state", lambda answer: [answer["body"].get("instance_state")])
SSH_PORT = Filter(
    ".body.vminfo.port_forwarding[] | select(.guest_port == 22) | .host_port",
    lambda answer: [
        rule.get("host_port") for rule in answer["body"]["vminfo"]["port_forwarding"] if rule.get("guest_port") == 22
    ],
)
HOST_IP = Filter(".body.vminfo.host_ip", lambda answer: [answer["body"]["vminfo"].get("host_ip")])
REQUEST_ID = Filter(".body.request_id", lambda answer: [answer["body"].get("request_id")])
DISTRIBUTED = Filter(
    ".body.distribute_status[$node].status",
    lambda answer, node: [(answer["body"]["distribute_status"].get(node) or {}).get("status")],
)
SESSION = Filter(".data", lambda answer: [answer.get("data")])
