"""What must be true of all that the chart makes, whatever its values: our own linter. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Object = dict[str, Any]

_FILE = re.compile(r"--([a-z-]+-file)=(\S+)")


@dataclass(frozen=True)
class Workload:
    """What has pods: a Deployment, or a Pod itself."""

    name: str
    replicas: int
    labels: Mapping[str, str]
    pod: Object
    long_lived: bool

    @property
    def containers(self) -> list[Object]:
        return [*self.pod.get("initContainers", []), *self.pod["containers"]]

    @property
    def ports(self) -> dict[str, int]:
        return {port["name"]: port["containerPort"] for one in self.containers for port in one.get("ports", [])}

    @property
    def scheme(self) -> str:
        """Of its port."""
        args = [argument for one in self.containers for argument in one.get("args", [])]
        return "https" if any(argument.startswith("--tls-cert-file=") for argument in args) else "http"


def lint(objects: Iterable[Object], namespace: str) -> list[str]:
    """One line for each fault; `namespace` is the release's."""
    found = list(objects)
    workloads = [_workload(one) for one in found if one["kind"] in ("Deployment", "Pod")]
    return [
        *_identities(found, namespace),
        *(line for one in workloads for line in _confined(one)),
        *(line for one in workloads for line in _lasting(one, found)),
        *(line for one in workloads for line in _files(one)),
        *_services(found, workloads),
        *_ways_in(found),
        *_accounts(found, workloads),
        *_policies(found, workloads),
    ]


def _workload(one: Object) -> Workload:
    name = f"{one['kind']} {one['metadata']['name']}"
    if one["kind"] == "Pod":
        return Workload(name, 1, one["metadata"]["labels"], one["spec"], False)
    template = one["spec"]["template"]
    return Workload(name, one["spec"]["replicas"], template["metadata"]["labels"], template["spec"], True)


def _of(objects: Iterable[Object], *kinds: str) -> list[Object]:
    return [one for one in objects if one["kind"] in kinds]


def _identities(objects: list[Object], namespace: str) -> Iterator[str]:
    seen: set[tuple[str, str, str]] = set()
    for one in objects:
        metadata = one["metadata"]
        key = (one["kind"], metadata.get("namespace", ""), metadata["name"])
        if key in seen:
            yield f"{key[0]} {key[2]} is there twice"
        seen.add(key)
        if one["kind"] in ("Deployment", "Pod", "Service") and metadata.get("namespace") != namespace:
            yield f"{key[0]} {key[2]} is not in the namespace of the release"
        if one["kind"] != "Namespace" and "app.kubernetes.io/instance" not in metadata.get("labels", {}):
            yield f"{key[0]} {key[2]} lacks the labels of the chart"


def _confined(one: Workload) -> Iterator[str]:
    context = one.pod.get("securityContext", {})
    if not context.get("runAsNonRoot") or not context.get("runAsUser"):
        yield f"{one.name} may run as root"
    if context.get("seccompProfile", {}).get("type") != "RuntimeDefault":
        yield f"{one.name} has no seccomp profile"
    if any(one.pod.get(key) for key in ("hostNetwork", "hostPID", "hostIPC")):
        yield f"{one.name} shares a namespace with its host"
    if any("hostPath" in volume for volume in one.pod.get("volumes", [])):
        yield f"{one.name} mounts a folder of its host"
    for container in one.containers:
        inner, resources = container.get("securityContext", {}), container.get("resources", {})
        if inner.get("privileged") or inner.get("allowPrivilegeEscalation") is not False:
            yield f"{one.name} may get more privileges"
        if inner.get("capabilities") != {"drop": ["ALL"]}:
            yield f"{one.name} keeps capabilities"
        if not inner.get("readOnlyRootFilesystem"):
            yield f"{one.name} may write to its root file system"
        if not resources.get("requests", {}).keys() >= {"cpu", "memory"} or "memory" not in resources.get("limits", {}):
            yield f"{one.name} lacks requests, or a limit of memory"
        _, _, tag = container["image"].rpartition("/")[2].partition(":")
        if "@sha256:" not in container["image"] and tag in ("", "latest"):
            yield f"{one.name} has an image without a fixed tag"


def _lasting(one: Workload, objects: list[Object]) -> Iterator[str]:
    """What a Deployment needs besides."""
    if not one.long_lived:
        return
    for container in one.pod["containers"]:
        for probe in ("livenessProbe", "readinessProbe"):
            asked = container.get(probe, {}).get("httpGet", {})
            if asked.get("port") not in one.ports:
                yield f"{one.name} has no {probe} on a port of its own"
            elif asked.get("scheme", "HTTP").lower() != one.scheme:
                yield f"{one.name} has a {probe} that does not speak as it does"
    for constraint in one.pod.get("topologySpreadConstraints", []):
        if not _selects(constraint["labelSelector"], one.labels):
            yield f"{one.name} spreads other pods than its own"
    budgets = [
        budget for budget in _of(objects, "PodDisruptionBudget") if _selects(budget["spec"]["selector"], one.labels)
    ]
    if budgets and one.replicas < 2:
        yield f"{one.name} has one pod that no drain may take: its PodDisruptionBudget stops every upgrade of a node"
    classes = {priority["metadata"]["name"] for priority in _of(objects, "PriorityClass")}
    if classes and one.pod.get("priorityClassName") not in classes:
        yield f"{one.name} does not use the PriorityClass that is made"


def _selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    wanted = selector.get("matchLabels", {}).items()
    among = selector.get("matchExpressions", [])
    return wanted <= labels.items() and all(labels.get(one["key"]) in one["values"] for one in among)


def _services(objects: list[Object], workloads: list[Workload]) -> Iterator[str]:
    for service in _of(objects, "Service"):
        name = f"Service {service['metadata']['name']}"
        behind = [one for one in workloads if service["spec"]["selector"].items() <= one.labels.items()]
        if len(behind) != 1:
            yield f"{name} selects {len(behind)} workloads"
            continue
        for port in service["spec"]["ports"]:
            target = port.get("targetPort", port["port"])
            if target not in behind[0].ports and target not in behind[0].ports.values():
                yield f"{name} targets port {target}, which its pods don't have"


def _ways_in(objects: list[Object]) -> Iterator[str]:
    services = {one["metadata"]["name"]: one["spec"]["ports"] for one in _of(objects, "Service")}
    backends = [
        (f"Ingress {one['metadata']['name']}", path["backend"]["service"]["name"], path["backend"]["service"]["port"])
        for one in _of(objects, "Ingress")
        for rule in one["spec"]["rules"]
        for path in rule["http"]["paths"]
    ] + [
        (f"HTTPRoute {one['metadata']['name']}", backend["name"], {"number": backend["port"]})
        for one in _of(objects, "HTTPRoute")
        for rule in one["spec"]["rules"]
        for backend in rule["backendRefs"]
    ]
    for name, service, port in backends:
        known = [wanted for one in services.get(service, []) for wanted in (one["name"], one["port"])]
        if port.get("name", port.get("number")) not in known:
            yield f"{name} leads to no port of a Service"
    for ingress in _of(objects, "Ingress"):
        for certificate in _of(objects, "Certificate"):
            hosts = {host: tls.get("secretName") for tls in ingress["spec"].get("tls", []) for host in tls["hosts"]}
            if not set(certificate["spec"]["dnsNames"]) <= hosts.keys():
                yield f"Certificate {certificate['metadata']['name']} is for a host without TLS"


def _accounts(objects: list[Object], workloads: list[Workload]) -> Iterator[str]:
    accounts = {one["metadata"]["name"] for one in _of(objects, "ServiceAccount")}
    roles = {(one["kind"], one["metadata"]["name"]) for one in _of(objects, "Role", "ClusterRole")}
    bound: set[str] = set()
    for binding in _of(objects, "RoleBinding", "ClusterRoleBinding"):
        if (binding["roleRef"]["kind"], binding["roleRef"]["name"]) not in roles:
            yield f"{binding['kind']} {binding['metadata']['name']} binds a role that is not there"
        bound |= {one["name"] for one in binding.get("subjects", []) if one["kind"] == "ServiceAccount"}
    for one in workloads:
        account = one.pod.get("serviceAccountName", "default")
        if account not in accounts and account != "default":
            yield f"{one.name} has a ServiceAccount that is not there"
        if one.pod.get("automountServiceAccountToken", True) is not (account in bound):
            yield f"{one.name} gets a token that it does not use, or lacks the one that it needs"


def _policies(objects: list[Object], workloads: list[Workload]) -> Iterator[str]:
    policies = _of(objects, "NetworkPolicy")
    for one in workloads:
        mine = [policy for policy in policies if _selects(policy["spec"]["podSelector"], one.labels)]
        if policies and one.long_lived and len(mine) != 1:
            yield f"{one.name} is selected by {len(mine)} NetworkPolicies"
        open_ports = {
            port["port"] for policy in mine for rule in policy["spec"].get("ingress", []) for port in rule["ports"]
        }
        if mine and one.long_lived and open_ports != set(one.ports.values()):
            yield f"{one.name} can't be reached at its port"
    yield from _monitors(objects, workloads)


def _monitors(objects: list[Object], workloads: list[Workload]) -> Iterator[str]:
    monitors = _of(objects, "PodMonitor")
    seen: list[str] = []
    for monitor in monitors:
        asked = [one for one in workloads if _selects(monitor["spec"]["selector"], one.labels)]
        seen += [one.name for one in asked]
        for endpoint in monitor["spec"]["podMetricsEndpoints"]:
            if any(endpoint["port"] not in one.ports for one in asked):
                yield "the PodMonitor asks a port that the pods don't have"
            if any(endpoint.get("scheme", "http") != one.scheme for one in asked):
                yield "the PodMonitor does not speak as the pods do"
    if monitors and sorted(seen) != sorted(one.name for one in workloads if one.long_lived):
        yield "the PodMonitor does not see the pods of all Deployments, and of nothing else"


def _files(one: Workload) -> Iterator[str]:
    """What flags name is there, and what is there is what flags name."""
    volumes = {volume["name"]: volume for volume in one.pod.get("volumes", [])}
    for container in one.containers:
        named = dict(_FILE.findall(" ".join(container.get("args", []))))
        mounted: dict[str, str] = {}
        for mount in container.get("volumeMounts", []):
            sources = volumes[mount["name"]].get("projected", {}).get("sources", [])
            for source in sources:
                for item in source["secret"]["items"]:
                    mounted[f"{mount['mountPath']}/{item['path']}"] = source["secret"]["name"]
        for path in named.values():
            if path.startswith("/etc/anka/access/") and path not in mounted:
                yield f"{one.name}: {path} is not mounted"
        for path in mounted.keys() - named.values():
            yield f"{one.name}: {path} is mounted, and no flag names it"
