"""What NetworkPolicies allow, as networking.k8s.io/v1 defines it. Pure. What is not known here raises ValueError."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any

Json = Mapping[str, Any]
NAME_LABEL = "kubernetes.io/metadata.name"


@dataclass(frozen=True)
class Pod:
    """``ports`` are those it listens on."""

    name: str
    namespace: str
    address: str
    labels: Mapping[str, str] = field(default_factory=dict, hash=False)
    ports: tuple[int, ...] = ()


def ingress(policies: Sequence[Json], pod: Pod, others: Sequence[Pod]) -> set[tuple[str, int]] | None:
    """Who of the others reaches which port of it: address and port. None: no policy is about it, so everybody."""
    about = [
        policy["spec"]
        for policy in policies
        if policy["metadata"]["namespace"] == pod.namespace and selects(policy["spec"]["podSelector"], pod.labels)
    ]
    if unknown := {kind for spec in about for kind in spec["policyTypes"]} - {"Ingress"}:
        raise ValueError(f"policies for {', '.join(sorted(unknown))} are not known here")
    if not about:
        return None
    return {
        (other.address, port)
        for spec in about
        for rule in spec.get("ingress", [])
        for other in others
        if not rule.get("from") or any(_is(peer, other, pod.namespace) for peer in rule["from"])
        for port in ([_port(item) for item in rule["ports"]] if rule.get("ports") else pod.ports)
    }


def selects(selector: Json, labels: Mapping[str, str]) -> bool:
    """Whether a label selector is true of these labels; an empty one is of all."""
    if unknown := set(selector) - {"matchLabels", "matchExpressions"}:
        raise ValueError(f"a selector with {', '.join(sorted(unknown))} is not known here")
    wanted = selector.get("matchLabels") or {}
    return all(labels.get(key) == value for key, value in wanted.items()) and all(
        _holds(item, labels.get(item["key"])) for item in selector.get("matchExpressions") or []
    )


def _holds(expression: Json, value: str | None) -> bool:
    match expression["operator"]:
        case "In":
            return value in expression["values"]
        case "NotIn":
            return value not in expression["values"]
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
    raise ValueError(f"operator {expression['operator']} is not known here")


def _is(peer: Json, pod: Pod, namespace: str) -> bool:
    """Without a namespaceSelector a peer is of the policy's own ``namespace``."""
    if block := peer.get("ipBlock"):
        address = ip_address(pod.address)
        return address in ip_network(block["cidr"]) and not any(
            address in ip_network(less) for less in block.get("except", [])
        )
    if "namespaceSelector" in peer:
        there = selects(peer["namespaceSelector"], {NAME_LABEL: pod.namespace})
    else:
        there = pod.namespace == namespace
    return there and selects(peer.get("podSelector", {}), pod.labels)


def _port(item: Json) -> int:
    if item.get("protocol", "TCP") != "TCP" or "endPort" in item or not isinstance(item["port"], int):
        raise ValueError(f"port {item} is not known here")
    return item["port"]
