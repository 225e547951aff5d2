"""The GitHub actions `anka-actions` 2.0 (TypeScript, axios): JSON in a form's clothes, and Basic without a user.

The VM registers itself as a runner by its startup script: no SSH connection is opened.
"""

from __future__ import annotations

import base64
import json
from typing import Any

from clients.credential import NOTHING, Credential
from clients.failing import Reported
from clients.pace import Pace
from clients.typescript import items, maybe, parse, prop, same, text, truthy
from clients.wire import Wire

POLL_SECONDS = 5.0


class GithubActions:
    """`token`: the controller's root token."""

    def __init__(self, url: str, pace: Pace, token: str = "", credential: Credential = NOTHING) -> None:
        self.pace = pace
        self.token = token
        self.wire = Wire(url, timeout=None, tls=credential.tls)

    def up(self, template: str, script: str, external_id: str, **options: Any) -> str:
        """The action that starts a runner: the id of an instance whose script has ended well.

        Raises Reported with what the workflow's log shows, JsTypeError, Broken."""
        id_ = self.start(template, script, external_id, **options)
        while True:
            vm = self.show(id_)
            state = prop(vm, "instance_state")
            if not truthy(state):
                raise Reported(f"instance {id_} has no state")
            if same(state, "Started"):
                return id_
            if same(state, "Error"):
                raise Reported(self._trouble(id_, vm))
            if state in ("Terminating", "Terminated"):
                raise Reported(f"instance {id_} was terminated")
            self.pace.pause(POLL_SECONDS)

    def down(self, external_id: str) -> str:
        """The action that ends it: all that it knows is the external id."""
        for element in items(self._call("GET", "/api/v1/vm"), "response.body"):
            if same(prop(element, "external_id"), external_id):
                id_ = prop(element, "instance_id")
                if not truthy(id_):
                    raise Reported(f"VM with external id {external_id} has no instance id")
                self.terminate(str(id_))
                return str(id_)
        raise Reported(f"VM with external id {external_id} not found")

    def _trouble(self, id_: str, vm: Any) -> str:
        problem = f"instance {id_} failed: {text(maybe(vm, 'message'))}"
        stderr = maybe(vm, "startup_script", "stderr")
        return f"{problem}\n{stderr}" if truthy(stderr) else problem

    # Calls

    def start(self, template: str, script: str, external_id: str, **options: Any) -> str:
        body = {
            "count": 1,
            "vmid": template,
            **{name: value for name, value in options.items() if truthy(value)},
            "startup_script": base64.b64encode(script.encode()).decode(),
            "script_monitoring": True,
            "script_fail_handler": 1,
            "external_id": external_id,
        }
        # A string as body: axios takes it for a form.
        ids = self._call("POST", "/api/v1/vm", body, "application/x-www-form-urlencoded")
        if not items(ids, "response.body"):
            raise Reported("no instance was created")
        return str(ids[0])

    def show(self, id_: str) -> Any:
        return self._call("GET", f"/api/v1/vm?id={id_}")

    def terminate(self, id_: str) -> None:
        self._call("DELETE", "/api/v1/vm", {"id": id_}, "application/json")

    def _call(self, method: str, target: str, body: dict[str, Any] | None = None, content: str = "") -> Any:
        raw = None if body is None else json.dumps(body, separators=(",", ":")).encode()
        reply = self.wire.send(method, target, self._headers(raw, content), raw)
        if not 200 <= reply.code < 300:
            raise Reported(f"Request failed with status code {reply.code}")
        answer = parse(reply.raw)
        if not same(prop(answer, "status"), "OK"):
            raise Reported(text(prop(answer, "message")))
        return prop(answer, "body")

    def _headers(self, raw: bytes | None, content: str) -> list[tuple[str, str]]:
        found = [("Accept", "application/json, text/plain, */*")]
        if raw is not None:
            found.append(("Content-Type", content))
        found.append(("User-Agent", "axios/1.7.9"))
        if raw is not None:
            found.append(("Content-Length", str(len(raw))))
        found.append(("Accept-Encoding", "gzip, deflate"))
        found.append(("Host", self.wire.host))
        if self.token:
            found.append(("Authorization", f"Basic {base64.b64encode(f':{self.token}'.encode()).decode()}"))
        return [*found, ("Connection", "keep-alive")]
