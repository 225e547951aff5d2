"""People who have a role of Kubernetes or of ours, and what they ask of the API: each verb as a real request."""

from __future__ import annotations

import json
import ssl
from types import TracebackType
from typing import Any, Self

import httpx

from anka_crds.resources import (
    API_KEYS,
    DISTRIBUTIONS,
    GROUPS,
    INSTANCES,
    MAC_POOLS,
    NODES,
    PERMISSION_GROUPS,
    SAVES,
    TEMPLATES,
)
from anka_kube.resource import Resource
from localkube.controlplane import KubernetesCluster

Json = dict[str, Any]
Kind = Resource[Any]

NAMESPACE = "default"
THERE = "there"
"""The name of the one object of each kind that is there."""
SPECS: dict[str, tuple[Kind, Json]] = {
    kind.plural: (kind, spec)
    for kind, spec in (
        (INSTANCES, {"template": "t"}),
        (NODES, {"maxVmCount": 2}),
        (TEMPLATES, {}),
        (GROUPS, {"description": "x"}),
        (SAVES, {"instance": "x", "tag": "v2", "newTemplateName": "new"}),
        (DISTRIBUTIONS, {"template": "t"}),
        (MAC_POOLS, {"ranges": [{"first": "02:00:00:00:00:01", "last": "02:00:00:00:00:FF"}]}),
        (API_KEYS, {"id": "x", "publicKey": "AAAA", "expiresAt": "2030-01-01T00:00:00Z"}),
        (PERMISSION_GROUPS, {"displayName": "x"}),
    )
}
"""Our kinds by plural, each with a valid spec."""

REVIEWS: dict[str, tuple[str, Json]] = {
    "tokenreviews": ("/apis/authentication.k8s.io/v1/tokenreviews", {"token": "of nobody"}),
    "subjectaccessreviews": (
        "/apis/authorization.k8s.io/v1/subjectaccessreviews",
        {"user": "nobody", "nonResourceAttributes": {"path": "/livez", "verb": "get"}},
    ),
}
"""Kinds that can only be created, and are stored nowhere: the path, and a valid spec."""

PUSH: Json = {"instance": "x", "tag": "v2", "targetTemplate": "t"}

ACCOUNT = """
apiVersion: v1
kind: ServiceAccount
metadata: {name: NAME, namespace: default}
"""
BINDING = """
---
apiVersion: rbac.authorization.k8s.io/v1
kind: KIND
metadata: {name: NAME-ROLE, namespace: default}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: ROLE}
subjects: [{kind: ServiceAccount, name: NAME, namespace: default}]
"""


def make_objects(cluster: KubernetesCluster) -> None:
    """One of each kind."""
    manifests = "\n---\n".join(json.dumps(_manifest(plural, THERE)) for plural in SPECS)
    cluster.kubectl.run("create", "--filename=-", stdin=manifests)


def _manifest(plural: str, name: str, namespace: str = NAMESPACE) -> Json:
    kind, spec = SPECS[plural]
    metadata = {"name": name, **({"namespace": namespace} if kind.namespaced else {})}
    return {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": metadata, "spec": spec}


class Person:
    """Has one cluster role, and those in `also`; everywhere, or in NAMESPACE alone. Changes nothing: all that is
    written is a dry run."""

    def __init__(
        self, cluster: KubernetesCluster, role: str, *, everywhere: bool = True, also: tuple[str, ...] = ()
    ) -> None:
        name, kind = (f"person-{role}", "ClusterRoleBinding") if everywhere else (f"local-{role}", "RoleBinding")
        bindings = [BINDING.replace("ROLE", one).replace("KIND", kind) for one in (role, *also)]
        cluster.kubectl.run("apply", "--filename=-", stdin="".join([ACCOUNT, *bindings]).replace("NAME", name))
        token = cluster.kubectl.run("create", "token", name, f"--namespace={NAMESPACE}").strip()
        self.role = role
        self._seen: dict[str, Json] = {
            plural: json.loads(cluster.kubectl.run("get", plural, THERE, f"--namespace={NAMESPACE}", "--output=json"))
            for plural in SPECS
        }
        self._http = httpx.Client(
            base_url=cluster.server,
            verify=ssl.create_default_context(cafile=str(cluster.ca_file)),
            headers={"Authorization": f"Bearer {token}"},
            timeout=60,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def refused(self, verb: str, plural: str, subresource: str | None = None, namespace: str = NAMESPACE) -> str | None:
        """Why the API refuses this; None when it did it. AssertionError with any other answer."""
        code, text = self._ask(verb, plural, subresource, namespace)
        if code < 300:
            return None
        assert code == 403, f"{self.role}: {verb} {plural}: {code} {text}"
        return str(json.loads(text)["message"])

    def asks(self, method: str, path: str, body: Json | None = None, **headers: str) -> int:
        """The code of the answer."""
        return self._send(method, path, body, **headers)[0]

    def _ask(self, verb: str, plural: str, subresource: str | None, namespace: str) -> tuple[int, str]:
        if plural in REVIEWS:
            path, spec = REVIEWS[plural]
            return self._send("POST", path, {"spec": spec})
        kind = SPECS[plural][0]
        every = kind.path(namespace if kind.namespaced else None)
        one = kind.path(namespace if kind.namespaced else None, THERE, subresource)
        match verb:
            case "get":
                return self._send("GET", one)
            case "list":
                return self._send("GET", every)
            case "watch":
                # The answer's head tells; its body would go on.
                with self._http.stream("GET", every, params={"watch": "1"}) as answer:
                    return answer.status_code, "" if answer.is_success else answer.read().decode()
            case "create":
                return self._send("POST", every, _manifest(plural, "another", namespace))
            case "push":
                return self._send(
                    "POST", SAVES.path(namespace), {**_manifest("saveimages", "push", namespace), "spec": PUSH}
                )
            case "update":
                return self._send("PUT", one, self._seen[plural])
            case "patch":
                # Only controllers write a status; labels are free.
                body = {"status": {"observedGeneration": 7}} if subresource else {"metadata": {"labels": {"a": "b"}}}
                return self._send("PATCH", one, body)
            case "delete":
                return self._send("DELETE", one)
            case "deletecollection":
                return self._send("DELETE", every)
        raise ValueError(f"no request is known that takes the verb {verb}")

    def _send(self, method: str, path: str, body: Json | None = None, **headers: str) -> tuple[int, str]:
        content_type = "application/merge-patch+json" if method == "PATCH" else "application/json"
        answer = self._http.request(
            method, path, content=json.dumps(body) if body is not None else None,
            params={} if method == "GET" else {"dryRun": "All"}, headers={"Content-Type": content_type, **headers},
        )  # fmt: skip
        return answer.status_code, answer.text
