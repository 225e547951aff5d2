"""Taking one right out of the role that gives it, for a while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kubernetes import client, config

from support.rights import Granted, lacking

Json = dict[str, Any]


class Roles:
    """Of a cluster, as its administrator. An authorizer knows of a change some milliseconds later."""

    def __init__(self, kubeconfig: Path) -> None:
        self.api: Any = config.new_client_from_config(config_file=str(kubeconfig))  # type: ignore[no-untyped-call]
        self._rbac: Any = client.RbacAuthorizationV1Api(self.api)

    @contextmanager
    def without(self, one: Granted) -> Iterator[None]:
        """While the block runs, this right is not in its role; the role's others are."""
        rules = self._read(one)
        self._write(one, lacking(rules, one))
        try:
            yield
        finally:
            self._write(one, rules)

    def _read(self, one: Granted) -> list[Json]:
        if one.kind == "Role":
            role = self._rbac.read_namespaced_role(one.role, one.right.namespace)
        else:
            role = self._rbac.read_cluster_role(one.role)
        rules: list[Json] = self.api.sanitize_for_serialization(role.rules)
        return rules

    def _write(self, one: Granted, rules: list[Json]) -> None:
        body = {"rules": rules}
        if one.kind == "Role":
            self._rbac.patch_namespaced_role(one.role, one.right.namespace, body)
        else:
            self._rbac.patch_cluster_role(one.role, body)
