"""The Jenkins plugin 3.2: everything goes through the list, each 5 s; one image may be saved at the end.

Source of its rules: what is known of the plugin's code; its bodies are ISO-8859-1, seen on the wire.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

from clients.failing import Reported
from clients.java import NullPointerException
from clients.java_sdk import NAME_TEMPLATE, ClientException, Instance, Sdk

POLL_SECONDS = 5.0
LIST_CACHE_SECONDS = 7.0
MISSES = 10
IP_TRIES, IP_PAUSE_SECONDS = 6, 10.0
SAVE_POLL_SECONDS = 20.0


@dataclass(frozen=True)
class Label:
    """What a Jenkins administrator configured for a label."""

    template: str
    tag: str | None = None
    group: str | None = None
    priority: int = 0
    vcpu: int = 0
    vram: int = 0
    ssh_port: int = 22
    startup_script: str | None = None
    scheduling_timeout: float = 1800.0

    def body(self, node_url: str) -> dict[str, Any]:
        """Of the POST; `node_url` is Jenkins' own name for the node."""
        chosen = {
            "vmid": self.template,
            "tag": self.tag,
            "name_template": NAME_TEMPLATE,
            "startup_script": base64.b64encode(self.startup_script.encode()).decode() if self.startup_script else None,
            "group_id": self.group,
            "priority": self.priority,
            "external_id": node_url,
            "vcpu": self.vcpu,
            "vram": self.vram,
        }
        return {name: value for name, value in chosen.items() if value}


class Jenkins(Sdk):
    _cached: dict[str, Instance] | None = None
    _cached_at = 0.0

    def provision(self, label: Label, node_url: str) -> tuple[str, str, int]:
        """Id, SSH host and SSH port of a VM that is ready. Raises Reported after having ended what it started."""
        if not self.is_online():
            raise Reported("controller is not online")
        id_ = self.start(label.body(node_url))
        try:
            info = self._wait(id_, label)
            return id_, *self._ssh_address(id_, info, label)
        except Reported:
            self.terminate(id_)
            raise

    def _wait(self, id_: str, label: Label) -> Instance:
        begun, misses = self.pace.now(), 0
        while True:
            found = self._listed().get(id_)
            if found is None:
                misses += 1
                if misses >= MISSES:
                    raise Reported(f"instance {id_} does not exist")
            elif found.is_in("Started") and found.info and found.info.host_ip:
                return found
            elif found.state in ("Terminating", "Terminated") or found.is_in("Error"):
                raise Reported(f"instance {id_} is {found.state}: {found.message}")
            elif found.is_in("Scheduling") and self.pace.now() - begun > label.scheduling_timeout:
                raise Reported(f"instance {id_} was not scheduled in time")
            self.pace.pause(POLL_SECONDS)

    def _ssh_address(self, id_: str, found: Instance, label: Label) -> tuple[str, int]:
        for attempt in range(IP_TRIES):
            info = found.info
            if info is not None:
                for rule in info.rules:
                    if rule.guest_port == label.ssh_port and info.host_ip:
                        return info.host_ip, rule.host_port
                if info.ip:
                    return info.ip, label.ssh_port
            if attempt < IP_TRIES - 1:
                self.pace.pause(IP_PAUSE_SECONDS)
                found = self.show(id_)
        raise Reported(f"instance {id_} has no address")

    def _listed(self) -> dict[str, Instance]:
        """The list, no older than its cache may be: many nodes ask, one request goes out."""
        if self._cached is None or self.pace.waited - self._cached_at >= LIST_CACHE_SECONDS:
            self._cached = {found.id: found for found in self.instances()}
            self._cached_at = self.pace.waited
        return self._cached

    def await_gone(self, id_: str) -> list[str]:
        """The states that it is listed with until it is listed no more."""
        seen: list[str] = []
        while True:
            state = next((found.state for found in self.instances() if found.id == id_), None)
            if state is None:
                return seen
            if seen[-1:] != [state]:
                seen.append(state)
            self.pace.pause(POLL_SECONDS)

    def note_job(self, id_: str, job: str) -> None:
        self.update(id_, metadata={"jenkins-job-id": job})

    def save_is_supported(self) -> bool:
        """Any 4xx means no; null instead of an array is a NullPointerException."""
        try:
            answer = self.call("GET", "/api/v1/image")
        except ClientException:
            return False
        if answer.is_null("body"):
            raise NullPointerException("list of save requests")
        answer.get_array("body")
        return True

    def save(self, id_: str, template: str, tag: str, *, script: str | None = None) -> str:
        """Save the running VM as a tag; the id of the request."""
        body = {
            "id": id_,
            "target_vm_id": template,
            "tag": tag,
            "description": "",
            "suspend": False,
            **({"script": base64.b64encode(script.encode()).decode()} if script else {}),
        }
        return self.call("POST", "/api/v1/image", body).get_object("body").get_string("request_id")

    def await_saved(self, request: str) -> None:
        while True:
            status = self.call("GET", f"/api/v1/image?id={request}").get_object("body").get_string("status").lower()
            if status == "done":
                return
            if status == "error":
                raise Reported(f"image request {request} failed")
            self.pace.pause(SAVE_POLL_SECONDS)

    def revert(self, template: str) -> None:
        """Remove the newest tag."""
        self.call("DELETE", f"/api/v1/registry/revert?id={template}")
