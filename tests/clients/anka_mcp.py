"""The MCP server anka-mcp (TypeScript, fetch): ports go out as strings, and must come back as numbers."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any

from clients.failing import Reported
from clients.pace import Pace
from clients.typescript import items, maybe, parse, prop, same, text, truthy
from clients.wire import Wire

POLL_SECONDS = 3.0
PENDING = ("Scheduling", "Pulling", "Deploying")


@dataclass(frozen=True)
class Ready:
    id: str
    host: str
    port: int


@dataclass(frozen=True)
class Pending:
    """The caller must ask again."""

    id: str
    state: str


class AnkaMcp:
    """`authorization`: ANKA_CONTROLLER_AUTH, a whole header, sent as it is."""

    def __init__(self, url: str, pace: Pace, authorization: str = "") -> None:
        self.pace = pace
        self.authorization = authorization
        self.wire = Wire(url, timeout=None)

    # Tools

    def list_templates(self) -> dict[str, list[str]]:
        """Name to tags: a request for each template."""
        found = {}
        for row in items(self._call("GET", "/api/v1/registry/vm"), "templates"):
            one = self._call("GET", f"/api/v1/registry/vm?id={text(prop(row, 'id'))}")
            versions = items(prop(one, "versions"), "versions")
            found[text(prop(row, "name"))] = [text(prop(version, "tag")) for version in versions]
        return found

    def start_vm(self, template: str, name: str, script: str, tag: str | None = None) -> str:
        body = {
            "vmid": template,
            "count": 1,
            **({"tag": tag} if tag else {}),
            "name": name,
            "external_id": name,
            "port_forwarding_override": [{"name": "ssh", "guest_port": "22"}],
            "startup_script": base64.b64encode(script.encode()).decode(),
            "startup_script_condition": 1,
        }
        ids = items(self._call("POST", "/api/v1/vm", body), "ids")
        if not ids:
            raise Reported("the controller started no VM")
        return text(ids[0])

    def wait_for(self, id_: str) -> Ready | Pending:
        """Ready; Pending at once while it is pulled. Raises Reported when it never will be."""
        while True:
            vm = self._call("GET", f"/api/v1/vm?id={id_}")
            state = prop(vm, "instance_state")
            ready = self._ready(id_, vm)
            if ready is not None:
                return ready
            if same(state, "Pulling"):
                return Pending(id_, "Pulling")
            if state not in PENDING and not same(state, "Started"):
                raise Reported(f"VM {id_} is {text(state)}: {text(maybe(vm, 'message'))}")
            self.pace.pause(POLL_SECONDS)

    def delete_vm(self, id_: str) -> None:
        self._call("DELETE", "/api/v1/vm", {"id": id_})

    def _ready(self, id_: str, vm: Any) -> Ready | None:
        info = prop(vm, "vminfo")
        if not (same(prop(vm, "instance_state"), "Started") and same(maybe(info, "status"), "running")):
            return None
        host, rules = maybe(info, "host_ip"), maybe(info, "port_forwarding")
        for rule in rules if isinstance(rules, list) else []:
            port = prop(rule, "host_port")
            if truthy(host) and same(prop(rule, "guest_port"), 22) and truthy(port):
                return Ready(id_, str(host), int(port))
        return None

    def _call(self, method: str, target: str, body: dict[str, Any] | None = None) -> Any:
        raw = None if body is None else json.dumps(body, separators=(",", ":")).encode()
        reply = self.wire.send(method, target, self._headers(raw), raw)
        answer = parse(reply.raw)
        if not 200 <= reply.code < 300 or not same(prop(answer, "status"), "OK"):
            raise Reported(text(prop(answer, "message")))
        return prop(answer, "body")

    def _headers(self, raw: bytes | None) -> list[tuple[str, str]]:
        content = [] if raw is None else [("content-type", "application/json")]
        login = [("authorization", self.authorization)] if self.authorization else []
        length = [] if raw is None else [("content-length", str(len(raw)))]
        return [
            ("host", self.wire.host),
            ("connection", "keep-alive"),
            *content,
            *login,
            ("accept", "*/*"),
            ("accept-language", "*"),
            ("sec-fetch-mode", "cors"),
            ("user-agent", "node"),
            ("accept-encoding", "gzip, deflate"),
            *length,
        ]
