"""mgmtcl (Python, 2018) with the real `requests`: the HTTP code first, then the words of the message."""

from __future__ import annotations

from typing import Any

import requests

from clients.failing import Reported
from clients.pace import Pace

NOT_FOUND = "Not found"
NOT_IN_REGISTRY = "VM not in the registry"
POLL_SECONDS = 1.0


class Mgmtcl:
    def __init__(self, url: str, pace: Pace) -> None:
        self.url = url
        self.pace = pace

    # Commands

    def start(self, template: str, **options: Any) -> list[str]:
        answer = self._answer(requests.post(self.url + "/api/v1/vm", json={"vmid": template, **options}, timeout=60))
        if answer["status"] == "OK":
            return [str(id_) for id_ in answer["body"]]
        if answer["message"] == NOT_IN_REGISTRY:
            raise Reported(f"There is no template {template}")
        raise Reported(str(answer["message"]))

    def rows(self) -> list[tuple[str, str, str, str]]:
        """Of `mgmtcl list`: instance, template, state, VNC. KeyError for what is missing."""
        listed = self._body(requests.get(self.url + "/api/v1/vm", timeout=60))
        return [
            (
                item["instance_id"],
                item["vm"]["vmid"],
                item["vm"]["instance_state"],
                item["vm"]["vminfo"]["vnc_connection_string"] if "vminfo" in item["vm"] else "",
            )
            for item in listed
        ]

    def show(self, id_: str) -> Any:
        """None for an instance that there isn't."""
        return self._found(requests.get(self.url + "/api/v1/vm", params={"id": id_}, timeout=60))

    def node(self, id_: str) -> Any:
        """An array of one; None for a node that there isn't."""
        return self._found(requests.get(self.url + "/api/v1/node", params={"id": id_}, timeout=60))

    def template(self, id_: str) -> Any:
        return self._found(requests.get(self.url + "/api/v1/registry/vm", params={"id": id_}, timeout=60))

    def nodes(self) -> list[str]:
        return [node["node_id"] for node in self._body(requests.get(self.url + "/api/v1/node", timeout=60))]

    def templates(self) -> list[str]:
        return [row["id"] for row in self._body(requests.get(self.url + "/api/v1/registry/vm", timeout=60))]

    def delete(self, id_: str) -> bool:
        """False for an instance that there isn't."""
        answer = self._answer(requests.delete(self.url + "/api/v1/vm", json={"id": id_}, timeout=60))
        if answer["status"] == "OK":
            return True
        if answer["message"] == NOT_FOUND:
            return False
        raise Reported(str(answer["message"]))

    def await_state(self, id_: str, state: str) -> dict[str, Any]:
        while True:
            found: dict[str, Any] | None = self.show(id_)
            if found is None:
                raise Reported(f"{id_}: {NOT_FOUND}")
            if found["instance_state"] == state:
                return found
            if found["instance_state"] == "Error":
                raise Reported(f"{id_}: {found['message']}")
            self.pace.pause(POLL_SECONDS)

    # Answers

    def _answer(self, response: requests.Response) -> dict[str, Any]:
        """Raises requests.HTTPError for codes of 400 and more: its branches for what is not found are never reached."""
        response.raise_for_status()
        answer: dict[str, Any] = response.json()
        return answer

    def _body(self, response: requests.Response) -> Any:
        answer = self._answer(response)
        if answer["status"] != "OK":
            raise Reported(str(answer["message"]))
        return answer["body"]

    def _found(self, response: requests.Response) -> Any:
        answer = self._answer(response)
        if answer["status"] != "OK" and answer["message"] == NOT_FOUND:
            return None
        if answer["status"] != "OK":
            raise Reported(str(answer["message"]))
        return answer["body"]
