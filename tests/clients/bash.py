"""Shell scripts with the real `curl` and `jq`, as aws-ec2-mac-amis has them: a Mac joins, gets its templates, leaves.

`curl -d` sends its Content-Type for forms. Nothing looks at HTTP codes; `null` is what jq prints for a missing field.
"""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path
from typing import Any

from clients import jq
from clients.credential import UserKey
from clients.failing import Broken, Reported
from clients.pace import Pace

OAEP = ("-pkeyopt", "rsa_padding_mode:oaep", "-pkeyopt", "rsa_oaep_md:sha256", "-pkeyopt", "rsa_mgf1_md:sha256")

DISTRIBUTION_SECONDS = 2.0
"""How long a new distribution may have no entry for the node: then it counts as failed."""


class Bash:
    def __init__(self, url: str, pace: Pace, node_name: str = "") -> None:
        self.url = url
        self.pace = pace
        self.node_name = node_name
        self.login: list[str] = []

    # The script

    def version(self) -> int:
        """`cut -d- -f1`, dots removed, taken as a number: 1.50.1-24e848a5 is 1501. Raises Broken."""
        version = jq.run(jq.VERSION, self.curl("GET", "/api/v1/status")).split("-")[0].replace(".", "")
        if not version.isdecimal():
            raise Broken(f"bash: [[: {version}: integer expression expected")
        return int(version)

    def registry(self) -> str:
        return jq.run(jq.REGISTRY, self.curl("GET", "/api/v1/status"))

    def log_in(self, key: UserKey) -> None:
        """`openssl` decrypts; the session is what jq prints, in lines, as base64. Kept as long as the script runs."""
        hand = self._run("-d", json.dumps({"id": key.id}), f"{self.url}/tap/v1/hand")
        decrypt = ("pkeyutl", "-decrypt", "-inkey", str(key.file), *OAEP)
        secret = subprocess.run(
            ["openssl", *decrypt], input=base64.b64decode(hand), capture_output=True, timeout=60, check=False
        )
        if secret.returncode != 0:
            raise Reported(secret.stderr.decode().strip())
        body = f'{{"id": "{key.id}", "secret": "{secret.stdout.decode()}"}}'
        session = jq.run(jq.SESSION, self._run("-d", body, f"{self.url}/tap/v1/shake"))
        self.login = ["-H", f"Authorization: Bearer {base64.b64encode(session.encode()).decode()}"]

    def needs_authentication(self) -> bool:
        return "Authentication Required" in self.curl("GET", "/api/v1/status")

    def registry_answers(self) -> bool:
        """Straight to the registry, at the address that the controller gives."""
        raw = self._run(f"{self.registry()}/registry/status")
        return jq.run(jq.STATUS, raw) == "OK"

    def log(self, text: str) -> None:
        """A line into the registry's central log."""
        entry = {"machine_name": self.node_name, "service": "AnkaAgent", "host": "127.0.0.1", "content": text}
        raw = self._run("-d", json.dumps(entry), f"{self.registry()}/log")
        if jq.run(jq.STATUS, raw) != "OK":
            raise Reported(f"log not sent: {raw}")

    def node_id(self) -> str:
        """Of the node with our name; empty when it has not joined yet."""
        return jq.run(jq.NODE_ID, self.curl("GET", "/api/v1/node"), name=self.node_name)

    def node_state(self) -> str:
        return jq.run(jq.NODE_STATE, self.curl("GET", "/api/v1/node"), name=self.node_name)

    def await_node(self) -> str:
        while not (id_ := self.node_id()):
            self.pace.pause(1)
        return id_

    def await_state(self, state: str) -> None:
        while self.node_state() != state:
            self.pace.pause(1)

    def drain(self, wanted: bool) -> None:
        self._ok("POST", "/api/v1/node/config", {"node_id": self.node_id(), "drain_mode": wanted})

    def leave(self) -> None:
        """When the machine is shut down."""
        self._ok("DELETE", "/api/v1/node", {"node_id": self.node_id()})

    def distribute(self, template: str) -> None:
        """Bring a template to this node, and wait for it. Raises Reported when the node does not take it."""
        node = self.node_id()
        raw = self._ok("POST", "/api/v1/registry/vm/distribute", {"template_id": template, "node_ids": [node]})
        request = jq.run(jq.REQUEST_ID, raw)
        target = f"/api/v1/registry/vm/distribute?id={request}"
        begun = self.pace.now()
        while (done := jq.run(jq.DISTRIBUTED, self.curl("GET", target), node=node)) != "true":
            if done == "null" and self.pace.now() - begun > DISTRIBUTION_SECONDS:
                raise Reported(f"failed to pull {template}")
            self.pace.pause(1)

    def package(self, name: str, to: Path) -> int:
        """Download the agent; its size."""
        self._run("-f", "-o", str(to), f"{self.url}/pkg/{name}")
        return to.stat().st_size

    # By hand, as in the documentation of the old controller

    def start(self, **parameters: Any) -> str:
        return jq.run(jq.FIRST_ID, self._ok("POST", "/api/v1/vm", parameters))

    def await_started(self, id_: str) -> tuple[str, int]:
        """SSH host and port."""
        while (state := self._state(id_)) != "Started":
            if state not in ("Scheduling", "Pulling"):
                raise Reported(f"instance {id_}: {state}")
            self.pace.pause(5)
        raw = self.curl("GET", f"/api/v1/vm?id={id_}")
        return jq.run(jq.HOST_IP, raw), int(jq.run(jq.SSH_PORT, raw))

    def terminate(self, id_: str) -> None:
        self._ok("DELETE", "/api/v1/vm", {"id": id_})

    def _state(self, id_: str) -> str:
        return jq.run(jq.INSTANCE_STATE, self.curl("GET", f"/api/v1/vm?id={id_}"))

    # curl

    def curl(self, method: str, target: str, body: dict[str, Any] | None = None) -> str:
        data = [] if body is None else ["-d", json.dumps(body)]
        return self._run("-X", method, *self.login, *data, self.url + target)

    def _ok(self, method: str, target: str, body: dict[str, Any]) -> str:
        raw = self.curl(method, target, body)
        if jq.run(jq.STATUS, raw) != "OK":
            raise Reported(jq.run(jq.MESSAGE, raw))
        return raw

    def _run(self, *words: str) -> str:
        done = subprocess.run(["curl", "-sS", *words], capture_output=True, text=True, timeout=60, check=False)
        if done.returncode != 0:
            raise Reported(done.stderr.strip())
        return done.stdout
