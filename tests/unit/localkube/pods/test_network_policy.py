from __future__ import annotations

from typing import Any

import pytest

from localkube.pods.network_policy import PolicyPod, egress, ingress, selects

ME = PolicyPod("me", "mine", "10.0.0.1", {"app": "me"}, (80, 81))
NEIGHBOUR = PolicyPod("neighbour", "mine", "10.0.0.2", {"app": "other"})
STRANGER = PolicyPod("stranger", "theirs", "10.0.0.3", {"app": "other"})
OTHERS = (NEIGHBOUR, STRANGER)


def policy(*rules: dict[str, Any], namespace: str = "mine", types: tuple[str, ...] = ("Ingress",)) -> dict[str, Any]:
    spec = {"podSelector": {"matchLabels": {"app": "me"}}, "policyTypes": list(types), "ingress": list(rules)}
    return {"metadata": {"namespace": namespace}, "spec": spec}


@pytest.mark.parametrize(
    ("selector", "true"),
    [
        ({}, True),
        ({"matchLabels": {"a": "1"}}, True),
        ({"matchLabels": {"a": "1", "b": "2"}}, False),
        ({"matchExpressions": [{"key": "a", "operator": "In", "values": ["1", "2"]}]}, True),
        ({"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["1"]}]}, False),
        ({"matchExpressions": [{"key": "b", "operator": "NotIn", "values": ["1"]}]}, True),
        ({"matchExpressions": [{"key": "a", "operator": "Exists"}]}, True),
        ({"matchExpressions": [{"key": "a", "operator": "DoesNotExist"}]}, False),
    ],
)
def test_selectors(selector: dict[str, Any], true: bool) -> None:
    assert selects(selector, {"a": "1"}) is true


@pytest.mark.parametrize(
    ("rule", "who"),
    [
        ({}, {NEIGHBOUR, STRANGER}),
        ({"from": []}, {NEIGHBOUR, STRANGER}),
        ({"from": [{"podSelector": {}}]}, {NEIGHBOUR}),
        ({"from": [{"namespaceSelector": {}}]}, {NEIGHBOUR, STRANGER}),
        ({"from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "theirs"}}}]}, {STRANGER}),
        # Both in one peer: both must be true. In two: either.
        ({"from": [{"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "x"}}}]}, set()),
        ({"from": [{"namespaceSelector": {}}, {"podSelector": {"matchLabels": {"app": "x"}}}]}, {NEIGHBOUR, STRANGER}),
        ({"from": [{"ipBlock": {"cidr": "10.0.0.0/24", "except": ["10.0.0.2/32"]}}]}, {STRANGER}),
    ],
)
def test_peers(rule: dict[str, Any], who: set[PolicyPod]) -> None:
    assert ingress([policy(rule)], ME, OTHERS) == {(pod.address, port) for pod in who for port in ME.ports}


def test_ports_and_several_policies() -> None:
    one = policy({"ports": [{"port": 80}], "from": [{"podSelector": {}}]})
    two = policy({"ports": [{"port": 81, "protocol": "TCP"}], "from": [{"namespaceSelector": {}}]})
    assert ingress([one], ME, OTHERS) == {("10.0.0.2", 80)}
    assert ingress([one, two], ME, OTHERS) == {("10.0.0.2", 80), ("10.0.0.2", 81), ("10.0.0.3", 81)}
    assert ingress([policy()], ME, OTHERS) == set()


def test_whom_no_policy_is_about_everybody_reaches() -> None:
    assert ingress([policy()], NEIGHBOUR, OTHERS) is None
    assert ingress([policy(namespace="theirs")], ME, OTHERS) is None


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (policy(types=("Ingress", "Sideways")), "Sideways"),
        (policy({"ports": [{"port": "http"}]}), "port"),
        (policy({"ports": [{"port": 1, "endPort": 9}]}), "port"),
        (policy({"from": [{"podSelector": {"matchNames": []}}]}), "matchNames"),
        (policy({"from": [{"podSelector": {"matchExpressions": [{"key": "a", "operator": "Like"}]}}]}), "Like"),
    ],
)
def test_what_is_not_known_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=f"{said}.*not known here"):
        ingress([given], ME, OTHERS)


def outward(*rules: dict[str, Any]) -> dict[str, Any]:
    made = policy(types=("Egress",))
    return made | {"spec": made["spec"] | {"egress": list(rules)}}


def test_egress() -> None:
    """By the other's ports and the policy's own namespace; UDP is left out."""
    one = outward({"ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]})
    two = outward({"to": [{"podSelector": {}}]})
    listening = PolicyPod("listens", "mine", "10.0.0.4", {}, (7, 8))
    others = (*OTHERS, listening)
    assert egress([one], ME, others) == {(pod.address, 53) for pod in others}
    assert egress([two], ME, others) == {("10.0.0.4", 7), ("10.0.0.4", 8)}
    assert egress([outward()], ME, others) == set()


def test_each_direction_has_policies_of_its_own() -> None:
    both = policy({}, types=("Ingress", "Egress"))
    assert egress([policy({})], ME, OTHERS) is None
    assert ingress([outward({})], ME, OTHERS) is None
    assert ingress([both], ME, OTHERS) == {(pod.address, port) for pod in OTHERS for port in ME.ports}
    assert egress([both], ME, OTHERS) == set()
