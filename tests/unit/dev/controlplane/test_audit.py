import yaml

from anka_dev.controlplane import audit


def test_only_our_objects_and_leases_each_request_once() -> None:
    policy = yaml.safe_load(audit.policy())
    assert policy["omitStages"] == ["RequestReceived"]
    first, last = policy["rules"]
    assert first["level"] == "Metadata"
    assert {entry["group"]: entry.get("resources") for entry in first["resources"]} == {
        "anka.veertu.com": None,
        "coordination.k8s.io": ["leases"],
    }
    assert last == {"level": "None"}


def test_all_that_some_ask_for() -> None:
    first, *rest = yaml.safe_load(audit.policy(["anka-system", "anka-nodes"]))["rules"]
    groups = ["system:serviceaccounts:anka-system", "system:serviceaccounts:anka-nodes"]
    assert first == {"level": "Metadata", "userGroups": groups}
    assert rest == yaml.safe_load(audit.policy())["rules"]
