"""The rights of an installed chart: which were used when, and taking one away."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import yaml
from kubernetes import client

from support.chart import ChartInstallation
from support.rights import Granted, Right, bound, covers, granted, refused
from support.rights_table import PEOPLE
from support.roles import Roles

Json = dict[str, Any]


class Windows:
    """When each test ran."""

    def __init__(self) -> None:
        self._spans: list[tuple[str, datetime, datetime]] = []

    @contextmanager
    def of(self, test: str) -> Iterator[None]:
        begun = datetime.now(UTC)
        try:
            yield
        finally:
            self._spans.append((test, begun, datetime.now(UTC)))

    def tests(self, event: Json) -> list[str]:
        """Those that were running when this was asked."""
        asked = datetime.fromisoformat(event["requestReceivedTimestamp"])
        return [test for test, begun, ended in self._spans if begun <= asked <= ended]


class Rights:
    """Of the release that is installed now."""

    def __init__(self, installation: ChartInstallation) -> None:
        self._installation = installation
        self._roles = Roles(installation.cloud.cluster.kubeconfig)
        self._reviews: Any = client.AuthorizationV1Api(self._roles.api)

    def granted(self) -> list[Granted]:
        """To operator, shim, agents and join tokens."""
        return list(granted(self._objects()))

    def of_people(self) -> list[Granted]:
        """What our roles for people give, as if each were bound to a user of its name."""
        roles = [item for item in self._objects() if item["metadata"]["name"] in PEOPLE]
        return list(granted([*roles, *map(bound, PEOPLE)]))

    def _objects(self) -> list[Json]:
        return [item for item in yaml.safe_load_all(self._installation.helm.manifest()) if item]

    def refused(self) -> list[str]:
        """What operator, shim and agents were refused by RBAC until now. Not Secrets: an agent has the right to one
        before it can know that it needs it (tests/integration/test_secret_rights.py), but a busy apiserver's RBAC may
        hear of that right a moment after the agent."""
        return [
            f"{event['user']['username']}: {event['verb']} {event['requestURI']}"
            for event in self._installation.audit_events()
            if refused(event) and event["objectRef"]["resource"] != "secrets"
        ]

    def used(self, windows: Windows) -> dict[Right, dict[str, Json]]:
        """For each granted right the first request in each test that needed it."""
        found: dict[Right, dict[str, Json]] = {one.right: {} for one in self.granted()}
        for event in self._installation.audit_events():
            if refused(event):
                continue
            for right, seen in found.items():
                if covers(right, event):
                    for test in windows.tests(event):
                        seen.setdefault(test, event)
        return found

    @contextmanager
    def without(self, one: Granted) -> Iterator[None]:
        """While the block runs, this right is in no role. It is asked before whether that has come into force, and
        after it whether the right is back, by a request that needs it."""
        with self._roles.without(one):
            self._until(one.right, allowed=False)
            yield
        self._until(one.right, allowed=True)

    def allows(self, right: Right, user: str = "") -> bool:
        """Whether the API would do this for whoever has the right, or for ``user``."""
        if not user:
            # Of a group of ServiceAccounts any.
            user = right.who.replace("system:serviceaccounts:", "system:serviceaccount:")
            user += ":any" if user != right.who else ""
        resource, _, subresource = right.resource.partition("/")
        asked = {
            "user": user,
            "groups": ["system:authenticated", *_groups(user)],
            "resourceAttributes": {
                "group": right.group, "resource": resource, "subresource": subresource, "verb": right.verb,
                # Everywhere means in a namespace that no role is about.
                "namespace": right.namespace or "kube-public", "name": right.name or "any",
            },
        }  # fmt: skip
        return bool(self._reviews.create_subject_access_review({"spec": asked}).status.allowed)

    def _until(self, right: Right, *, allowed: bool) -> None:
        """The authorizer reads roles from a cache of its own, some milliseconds old."""
        deadline = time.monotonic() + 60
        while self.allows(right) is not allowed:
            assert time.monotonic() < deadline, f"{right}: {'not ' if allowed else ''}allowed"
            time.sleep(0.01)


def _groups(user: str) -> list[str]:
    if not user.startswith("system:serviceaccount:"):
        return []
    return ["system:serviceaccounts", f"system:serviceaccounts:{user.split(':')[2]}"]
