"""The TeamCity plugin 1.10: an older fork of the same library, with limits of its own.

Its instances are those whose `external_id`, inside `vm`, is the id of its cloud profile.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from clients.credential import NOTHING, Credential
from clients.failing import Reported
from clients.java import JSONException, JSONObject, NullPointerException
from clients.java_sdk import NAME_TEMPLATE, Instance, Sdk
from clients.pace import Pace

POLL_SECONDS = 4.0
SCHEDULING_SECONDS = 3600.0
PULLING_SECONDS = 6 * 3600.0
STARTING_SECONDS = 120.0
IP_SECONDS = 120.0


class TeamCity(Sdk):
    delays: Sequence[float] = (1, 2, 4, 8, 16, 32)

    def __init__(self, urls: Sequence[str], pace: Pace, profile: str, credential: Credential = NOTHING) -> None:
        super().__init__(urls, pace, credential)
        self.profile = profile

    def read(self, id_: str, vm: JSONObject) -> Instance:
        external = vm.get_string("external_id") if vm.has("external_id") else None
        return replace(super().read(id_, vm), external_id=external)

    def is_enterprise(self) -> bool:
        """Groups and priorities are only offered then."""
        return self.status().get_string("license") != "basic"

    def groups(self) -> dict[str, str]:
        """A group that cannot be read ends the list silently."""
        found = {}
        for group in self.call("GET", "/api/v1/group").get_array("body").objects():
            try:
                group.get_string("description")
                found[group.get_string("name")] = group.get_string("id")
            except JSONException:
                break
        return found

    def choices(self) -> list[str]:
        """What the profile's page offers."""
        return list(self.templates().values()) or ["<no templates>"]

    def mine(self) -> list[Instance]:
        return [found for found in self.instances() if found.external_id == self.profile]

    def provision(self, template: str, tag: str | None = None, **more: Any) -> tuple[str, str, int]:
        """Id, host and port. Raises Reported after having ended what it started."""
        body = {"vmid": template, "tag": tag, "name_template": NAME_TEMPLATE, "external_id": self.profile, **more}
        id_ = self.start({name: value for name, value in body.items() if value})
        # At once, and without a look at what it got: the new one must be listed already.
        self._must_be_listed(id_)
        try:
            return id_, *self._address(id_)
        except Reported:
            self.terminate(id_)
            raise

    def _must_be_listed(self, id_: str) -> Instance:
        found = next((found for found in self.mine() if found.id == id_), None)
        if found is None:
            raise NullPointerException(f"instance {id_} in the list")
        return found

    def _address(self, id_: str) -> tuple[str, int]:
        found = self._wait_while(id_, SCHEDULING_SECONDS, "Scheduling")
        if found.is_in("Pulling"):
            found = self._wait_while(id_, PULLING_SECONDS, "Pulling")
            found = self._wait_while(id_, STARTING_SECONDS, "Scheduling")
        if not found.is_in("Started"):
            raise Reported(f"instance {id_} is {found.state}: {found.message}")
        deadline = self.pace.now() + IP_SECONDS
        while not (found.info and found.info.ip and found.info.host_ip):
            self._check(id_, deadline, "its address")
            found = self._must_be_listed(id_)
        port = next((rule.host_port for rule in found.info.rules if rule.guest_port == 22), None)
        return (found.info.ip, 22) if port is None else (found.info.host_ip, port)

    def _wait_while(self, id_: str, limit: float, state: str) -> Instance:
        deadline = self.pace.now() + limit
        while (found := self._must_be_listed(id_)).is_in(state):
            self._check(id_, deadline, f"the end of {state}")
        return found

    def _check(self, id_: str, deadline: float, what: str) -> None:
        if self.pace.now() > deadline:
            raise Reported(f"instance {id_}: waited too long for {what}")
        self.pace.pause(POLL_SECONDS)
