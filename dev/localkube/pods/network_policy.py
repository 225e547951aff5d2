"""What NetworkPolicies allow, as networking.k8s.io/v1 defines it. Pure. ValueError for what is not supported."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any

Json = Mapping[str, Any]
NAME_LABEL = "kubernetes.io/metadata.name"


@dataclass(frozen=True)
class PolicyPod:
    """What NetworkPolicies see of a pod; it listens on ``ports``."""

    name: str
    namespace: str
    address: str
    labels: Mapping[str, str] = field(default_factory=dict, hash=False)
    ports: tuple[int, ...] = ()


def ingress(policies: Sequence[Json], pod: PolicyPod, others: Sequence[PolicyPod]) -> set[tuple[str, int]] | None:
    """Address of each other pod, and the TCP port of ``pod`` that it reaches; None when no policy selects ``pod``."""
    return _reach(policies, pod, others, "Ingress", "from", lambda _: pod)


def egress(policies: Sequence[Json], pod: PolicyPod, others: Sequence[PolicyPod]) -> set[tuple[str, int]] | None:
    """Address and TCP port of other pods that ``pod`` may connect to; None when no policy selects ``pod``."""
    return _reach(policies, pod, others, "Egress", "to", lambda other: other)


def _reach(
    policies: Sequence[Json],
    pod: PolicyPod,
    others: Sequence[PolicyPod],
    direction: str,
    peers: str,
    target: Callable[[PolicyPod], PolicyPod],
) -> set[tuple[str, int]] | None:
    """`peers`: where a rule of this direction has them. `target`: whose port it is, between `pod` and another."""
    rules = _rules(policies, pod, direction)
    if rules is None:
        return None
    return {
        (other.address, port)
        for rule in rules
        for other in others
        if _allows(rule.get(peers), other, pod.namespace)
        for port in _ports(rule, target(other))
    }


def _rules(policies: Sequence[Json], pod: PolicyPod, direction: str) -> list[Json] | None:
    selecting = [
        policy["spec"]
        for policy in policies
        if policy["metadata"]["namespace"] == pod.namespace and selects(policy["spec"]["podSelector"], pod.labels)
    ]
    if unknown := {kind for spec in selecting for kind in spec["policyTypes"]} - {"Ingress", "Egress"}:
        raise ValueError(f"policies for {', '.join(sorted(unknown))} are not known here")
    specs = [spec for spec in selecting if direction in spec["policyTypes"]]
    return [rule for spec in specs for rule in spec.get(direction.lower(), [])] if specs else None


def _allows(peers: Sequence[Json] | None, pod: PolicyPod, namespace: str) -> bool:
    return not peers or any(_matches_peer(peer, pod, namespace) for peer in peers)


def _ports(rule: Json, target: PolicyPod) -> Sequence[int]:
    items = rule.get("ports")
    return [_port(item) for item in items if item.get("protocol") != "UDP"] if items else target.ports


def selects(selector: Json, labels: Mapping[str, str]) -> bool:
    """Whether a label selector matches these labels; an empty one matches all."""
    if unknown := set(selector) - {"matchLabels", "matchExpressions"}:
        raise ValueError(f"a selector with {', '.join(sorted(unknown))} is not known here")
    wanted = selector.get("matchLabels") or {}
    return all(labels.get(key) == value for key, value in wanted.items()) and all(
        _matches(item, labels.get(item["key"])) for item in selector.get("matchExpressions") or []
    )


def _matches(expression: Json, value: str | None) -> bool:
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


def _matches_peer(peer: Json, pod: PolicyPod, namespace: str) -> bool:
    """Without a namespaceSelector a peer is in the policy's own ``namespace``."""
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
