"""The policies of join tokens name what is written elsewhere, too."""

from __future__ import annotations

import re

import yaml

from anka_agent.identity.tokens import OWN_REQUEST
from anka_crds.api.defaults import CAPACITY_MODE, JOINING_NAMESPACE, MAX_VM_COUNT
from anka_dev.repository import BASE

TEXT = (BASE / "joining.yaml").read_text()
POLICIES = [item for item in yaml.safe_load_all(TEXT) if item["kind"] == "ValidatingAdmissionPolicy"]


def test_a_join_token_has_the_default_capacity() -> None:
    [policy] = [item for item in POLICIES if item["metadata"]["name"] == "anka-joiner-node"]
    [rule] = [one["expression"] for one in policy["spec"]["validations"] if "maxVmCount" in one["expression"]]
    assert f'object.spec.?capacityMode.orValue("{CAPACITY_MODE}") == "{CAPACITY_MODE}"' in rule
    assert f"object.spec.?maxVmCount.orValue({MAX_VM_COUNT}) <= {MAX_VM_COUNT}" in rule


def test_join_tokens_are_of_one_namespace() -> None:
    """Each policy about them recognizes them by it, and asks for rights there."""
    about = [item for item in POLICIES if "join" in str(item["spec"]["matchConditions"])]
    assert len(about) == 7
    for policy in about:
        assert f"system:serviceaccount:{JOINING_NAMESPACE}:" in str(policy["spec"]), policy["metadata"]["name"]
    assert set(re.findall(r'namespace\("([^"]+)"\)', TEXT)) == {JOINING_NAMESPACE}


def test_what_is_evaluated_for_each_mac_is_about_join_tokens_alone() -> None:
    """What passes over requests with a label must be joined by what refuses that label to join tokens."""
    costly = {item["metadata"]["name"] for item in POLICIES if "paramKind" in item["spec"]}
    assert len(costly) == 2
    for binding in yaml.safe_load_all(TEXT):
        if binding["kind"] == "ValidatingAdmissionPolicyBinding" and binding["metadata"]["name"] in costly:
            assert binding["spec"]["matchResources"]["objectSelector"] == {
                "matchExpressions": [{"key": OWN_REQUEST, "operator": "DoesNotExist"}]
            }
    [refusal] = [
        one
        for item in POLICIES
        if "paramKind" not in item["spec"] and "serviceaccounts/token" in str(item["spec"]["matchConstraints"])
        for one in item["spec"]["validations"]
        if OWN_REQUEST in one["expression"]
    ]
    assert "joiner" in refusal["expression"]
