"""`com.veertu.ankaMgmtSdk`: the Java library under the Jenkins and the TeamCity plugin.

HTTP codes of 400 and more end a call. Anything else that goes wrong (a dropped connection, an answer that is not
JSON) makes it send the same request again, POST included.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Any

from clients.credential import NOTHING, Credential
from clients.failing import Reported
from clients.java import JSONException, JSONObject, NullPointerException, encoded
from clients.java_login import make_login
from clients.pace import Pace
from clients.wire import NETWORK_ERRORS, Wire

USER_AGENT = "Apache-HttpClient/4.5.14 (Java/17.0.9)"
TIMEOUT_SECONDS = 30.0
NAME_TEMPLATE = "$template_name-$node_name-$ts"


class ClientException(Reported):
    """The server's HTTP code says that it makes no sense to go on."""


@dataclass(frozen=True)
class Rule:
    host_port: int
    guest_port: int


@dataclass(frozen=True)
class Info:
    uuid: str
    status: str
    name: str | None
    ip: str | None
    host_ip: str | None
    rules: tuple[Rule, ...]

    @classmethod
    def read(cls, info: JSONObject) -> Info:
        rules: tuple[Rule, ...] = ()
        if not info.is_null("port_forwarding"):
            listed = info.get_array("port_forwarding").objects()
            rules = tuple(Rule(rule.get_int("host_port"), rule.get_int("guest_port")) for rule in listed)
        return cls(
            uuid=info.get_string("uuid"),
            status=info.get_string("status"),
            name=info.opt_string("name"),
            ip=info.opt_string("ip"),
            host_ip=info.opt_string("host_ip"),
            rules=rules,
        )


@dataclass(frozen=True)
class Instance:
    id: str
    created: str
    state: str
    template: str
    info: Info | None
    message: str | None
    external_id: str | None = None

    @classmethod
    def read(cls, id_: str, vm: JSONObject) -> Instance:
        """`has`, not `isNull`: what is null inside `vm` is an exception, and costs the whole list."""
        return cls(
            id=id_,
            created=vm.get_string("cr_time"),
            state=vm.get_string("instance_state"),
            template=vm.get_string("vmid"),
            info=Info.read(vm.get_object("vminfo")) if vm.has("vminfo") else None,
            message=vm.get_string("message") if vm.has("message") else None,
        )

    def is_in(self, *states: str) -> bool:
        """By equalsIgnoreCase."""
        return self.state.lower() in {state.lower() for state in states}


class Sdk:
    """`delays`: seconds before each repetition of a request that got no usable answer."""

    delays: Sequence[float] = (0,) * 9

    def __init__(self, urls: Sequence[str], pace: Pace, credential: Credential = NOTHING) -> None:
        self.pace = pace
        self.wires = [Wire(url, timeout=TIMEOUT_SECONDS, tls=credential.tls) for url in urls]
        self.login = make_login(urls[0], credential, pace, TIMEOUT_SECONDS)
        self._turn = cycle(self.wires)

    # Transport

    def ask(self, method: str, target: str, body: dict[str, Any] | None = None) -> JSONObject | None:
        """The envelope; None, the client's null, for a code that is neither 200 nor an error. Raises
        ClientException; Reported when all repetitions failed."""
        trouble: Exception | None = None
        for delay in (None, *self.delays):
            if delay:
                self.pace.pause(delay)
            wire = next(self._turn)
            raw = None if body is None else encoded(body)
            try:
                login = [] if self.login is None else [("Authorization", self.login())]
                reply = wire.send(method, target, [*login, *_headers(wire.host, raw)], raw)
                if reply.code >= 400:
                    raise ClientException(f"HTTP {reply.code} for {method} {target}")
                return JSONObject.parse(reply.raw) if reply.code == 200 else None
            except (*NETWORK_ERRORS, JSONException) as error:
                trouble = error
        raise Reported(f"{method} {target}: {trouble}")

    def call(self, method: str, target: str, body: dict[str, Any] | None = None) -> JSONObject:
        """The envelope of an answer that is OK. Raises Reported with its message, NullPointerException for null."""
        answer = self.ask(method, target, body)
        if answer is None:
            raise NullPointerException(f"answer of {method} {target}")
        if answer.get_string("status") != "OK":
            raise Reported(answer.get_string("message"))
        return answer

    # Calls

    def status(self) -> JSONObject:
        answer = self.ask("GET", "/api/v1/status")
        if answer is None or answer.get_string("status") != "OK":
            raise NullPointerException("status")
        return answer.get_object("body")

    def is_online(self) -> bool:
        return (self.status().opt_string("status") or "").lower() == "running"

    def templates(self) -> dict[str, str]:
        """Id to name."""
        rows = self.call("GET", "/api/v1/registry/vm").get_array("body").objects()
        return {row.get_string("id"): row.get_string("name") for row in rows}

    def tags(self, template: str) -> list[str]:
        """In the order of pushes."""
        versions = self.call("GET", f"/api/v1/registry/vm?id={template}").get_object("body").get_array("versions")
        return [version.get_string("tag") for version in versions.objects()]

    def groups(self) -> dict[str, str]:
        """Name to id."""
        found = {}
        for group in self.call("GET", "/api/v1/group").get_array("body").objects():
            group.get_string("description")
            found[group.get_string("name")] = group.get_string("id")
        return found

    def capacity(self) -> int:
        """VMs that the active nodes take; half of what a node counts by resource."""
        total = 0
        for node in self.call("GET", "/api/v1/node").get_array("body").objects():
            if (node.opt_string("state") or "").lower() == "active":
                share = node.opt_int("capacity")
                total += share // 2 if node.opt_string("capacity_mode") == "resource" else share
        return total

    def start(self, body: dict[str, Any]) -> str:
        """Without the tag, if the tag is what is missing."""
        try:
            return self.call("POST", "/api/v1/vm", body).get_array("body").get_string(0)
        except Reported as error:
            if "tag" in body and str(error) == f"No such tag {body['tag']}":
                return self.start({name: value for name, value in body.items() if name != "tag"})
            raise

    def instances(self) -> list[Instance]:
        elements = self.call("GET", "/api/v1/vm").get_array("body").objects()
        return [self.read(element.get_string("instance_id"), element.get_object("vm")) for element in elements]

    def read(self, id_: str, vm: JSONObject) -> Instance:
        return Instance.read(id_, vm)

    def show(self, id_: str) -> Instance:
        return self.read(id_, self.call("GET", f"/api/v1/vm?id={id_}").get_object("body"))

    def update(self, id_: str, **changes: Any) -> None:
        self.call("PUT", f"/api/v1/vm?id={id_}", changes)

    def terminate(self, id_: str) -> None:
        answer = self.ask("DELETE", "/api/v1/vm", {"id": id_})
        if answer is None or answer.get_string("status") != "OK":
            raise Reported("Failed to terminate")


def _headers(host: str, body: bytes | None) -> list[tuple[str, str]]:
    entity = [] if body is None else [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    return [
        *entity,
        ("Host", host),
        ("Connection", "Keep-Alive"),
        ("User-Agent", USER_AGENT),
        ("Accept-Encoding", "gzip,deflate"),
    ]
