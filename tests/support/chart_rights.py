"""The rights of an installed chart: which were used when, and taking one away."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import yaml
from kubernetes import client, config

from support.agents import until
from support.chart import Charted
from support.rights import Granted, Right, covers, granted, refused

Json = dict[str, Any]
ANY_MAC = "system:serviceaccount:anka-nodes:node-mac-01"


class Windows:
    """When each test ran."""

    def __init__(self) -> None:
        self._spans: dict[str, tuple[datetime, datetime]] = {}

    @contextmanager
    def of(self, test: str) -> Iterator[None]:
        begun = datetime.now(UTC)
        try:
            yield
        finally:
            self._spans[test] = begun, datetime.now(UTC)

    def tests(self, event: Json) -> list[str]:
        """Those that were running when this was asked."""
        asked = datetime.fromisoformat(event["requestReceivedTimestamp"])
        return [test for test, (begun, ended) in self._spans.items() if begun <= asked <= ended]


class Rights:
    """Of the release that is installed now."""

    def __init__(self, charted: Charted) -> None:
        self._charted = charted
        api: Any = config.new_client_from_config(config_file=str(charted.cloud.cluster.kubeconfig))  # type: ignore[no-untyped-call]
        self._roles: Any = client.RbacAuthorizationV1Api(api)
        self._reviews: Any = client.AuthorizationV1Api(api)

    def granted(self) -> list[Granted]:
        return list(granted(filter(None, yaml.safe_load_all(self._charted.helm.manifest()))))

    def refused(self) -> list[str]:
        """What operator, shim and agents were refused by RBAC until now."""
        return [
            f"{event['user']['username']}: {event['verb']} {event['requestURI']}"
            for event in self._charted.asked()
            if refused(event)
        ]

    def used(self, windows: Windows) -> dict[Right, dict[str, Json]]:
        """For each granted right the first request in each test that needed it."""
        found: dict[Right, dict[str, Json]] = {one.right: {} for one in self.granted()}
        for event in self._charted.asked():
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
        role = self._read(one)
        lacking = copy.deepcopy(role)
        rule = lacking["rules"][one.rule]
        rest = [verb for verb in rule["verbs"] if verb != one.right.verb]
        others = [resource for resource in rule["resources"] if resource != one.right.resource]
        # The rule's other resources keep the verb, and this one its other verbs.
        lacking["rules"][one.rule : one.rule + 1] = [
            made
            for made in ({**rule, "resources": others}, {**rule, "resources": [one.right.resource], "verbs": rest})
            if made["resources"] and made["verbs"]
        ]
        self._write(one, lacking["rules"])
        try:
            until(lambda: not self.allows(one.right), what=f"{one.right} is taken")
            yield
        finally:
            self._write(one, role["rules"])
            until(lambda: self.allows(one.right), what=f"{one.right} is back")

    def allows(self, right: Right) -> bool:
        """Whether the API would do this for whoever has the right."""
        user = (
            "system:serviceaccount:anka-nodes:node-mac-01"
            if right.who.startswith("system:serviceaccounts:")
            else right.who
        )
        namespace = user.split(":")[2]
        resource, _, subresource = right.resource.partition("/")
        asked = {
            "user": user,
            "groups": ["system:authenticated", "system:serviceaccounts", f"system:serviceaccounts:{namespace}"],
            "resourceAttributes": {
                "group": right.group, "resource": resource, "subresource": subresource, "verb": right.verb,
                # Everywhere means in a namespace that no role is about.
                "namespace": right.namespace or "kube-public", "name": "any",
            },
        }  # fmt: skip
        return bool(self._reviews.create_subject_access_review({"spec": asked}).status.allowed)

    def _read(self, one: Granted) -> Json:
        named = [f"--namespace={one.right.namespace}"] if one.kind == "Role" else []
        found: Json = json.loads(self._charted.cloud.kubectl.run("get", one.kind, one.role, "--output=json", *named))
        return found

    def _write(self, one: Granted, rules: list[Json]) -> None:
        body = {"rules": rules}
        if one.kind == "Role":
            self._roles.patch_namespaced_role(one.role, one.right.namespace, body)
        else:
            self._roles.patch_cluster_role(one.role, body)
