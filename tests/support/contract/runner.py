"""Runs contract cases over HTTP against a cloud of real processes."""

from __future__ import annotations

import json
import time
from typing import Any

import httpx

from anka_dev.cloud import LocalCloud
from support.contract.case import Ask, Case, Push, Step, filled, named_shapes, part, steps
from support.contract.shape import problems

PATIENCE_SECONDS = 60.0
CURL = {"User-Agent": "curl/8.14.1", "Accept": "*/*"}
FORM = "application/x-www-form-urlencoded"
OVER = ("Terminating", "Terminated")


class Runner:
    """`values`: what placeholders stand for at the start of each case."""

    def __init__(self, cloud: LocalCloud, values: dict[str, str]) -> None:
        self._cloud = cloud
        self._values = values
        self._http = httpx.Client(base_url=cloud.url, timeout=30)

    def close(self) -> None:
        self._http.close()

    def run(self, case: Case) -> None:
        """AssertionError says all that is wrong with the answer."""
        values = dict(self._values)
        try:
            for step in steps(case.before):
                self._do(step, values)
            answer = self._answer(case, values)
            for name, place in case.keep.items():
                values[name] = part(answer.get("body"), place)
            for step in steps(case.then):
                self._do(step, values)
        finally:
            for step in steps(case.after):
                self._do(step, values)
            self._clear()

    def _answer(self, case: Case, values: dict[str, str]) -> dict[str, Any]:
        ask, expected = filled(case.ask, values), filled(case.answer, values)
        response = self._send(ask)
        said = f"{ask.method} {ask.path}: HTTP {response.status_code}: {response.text[:4000]}"
        assert response.status_code == expected.http, said
        if expected.plain:
            assert response.headers["content-type"].startswith("text/plain"), response.headers
            return {}
        assert response.headers["content-type"] == "application/json", response.headers
        answer = response.json()
        wrong = list(problems(expected.shape, answer, named_shapes()))
        assert not wrong, "\n".join([*wrong, said])
        assert isinstance(answer, dict)
        return answer

    def _do(self, step: Step, values: dict[str, str]) -> None:
        step = filled(step, values)
        if step.apply is not None:
            self._cloud.kubectl.run("apply", "-f-", stdin=json.dumps(step.apply))
        elif step.patch is not None:
            change = json.dumps({"status": step.patch.status})
            self._cloud.kubectl.run("patch", step.patch.of, "--type=merge", "--subresource=status", f"--patch={change}")
        elif step.push is not None:
            values["pushed"] = self._push(step.push)
        elif step.ask is not None:
            body = self._until(step.ask, step.until)
            for name, place in step.keep.items():
                values[name] = part(body, place)

    def _push(self, push: Push) -> str:
        registry = self._cloud.registry
        assert registry is not None
        id_ = registry.add_template(push.name, push.tags, size=1_000_000)
        ask = Ask(method="GET", path="/api/v1/registry/vm")
        self._until(ask, {"$some": {"id": {"$is": id_}, "$open": True}})
        return id_

    def _until(self, ask: Ask, shape: Any) -> Any:
        """The body of the first answer that has this shape; without a shape, the first answer must be OK."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            answer = self._send(ask).json()
            if shape is None or answer["status"] == "OK":
                assert answer["status"] == "OK", f"{ask.method} {ask.path}: {answer}"
                wrong = [] if shape is None else list(problems(shape, answer.get("body"), named_shapes()))
                if not wrong:
                    return answer.get("body")
            else:
                wrong = [answer["message"]]
            assert time.monotonic() < deadline, "\n".join([f"{ask.method} {ask.path} still says:", *wrong, str(answer)])
            time.sleep(0.05)

    def _send(self, ask: Ask) -> httpx.Response:
        headers = {**CURL, **({"Content-Type": FORM} if ask.body is not None else {}), **ask.headers}
        sent = {name: value for name, value in headers.items() if value is not None}
        return self._http.request(ask.method, ask.path, headers=sent, content=ask.body)

    def _clear(self) -> None:
        """End what the case has started, and remove its groups: the next one finds room."""
        for element in self._until(Ask(method="GET", path="/api/v1/vm"), None):
            if element["vm"]["instance_state"] not in OVER:
                self._until(
                    Ask(method="DELETE", path="/api/v1/vm", body=json.dumps({"id": element["instance_id"]})), None
                )
        for group in self._until(Ask(method="GET", path="/api/v1/group"), None):
            self._until(Ask(method="DELETE", path=f"/api/v1/group?id={group['id']}"), None)
