import yaml

from localkube.controlplane.audit import Audit


def test_only_the_groups_and_leases_each_request_once() -> None:
    policy = yaml.safe_load(Audit(groups=["example.com"]).policy())
    assert policy["omitStages"] == ["RequestReceived"]
    first, last = policy["rules"]
    assert first["level"] == "Metadata"
    assert {entry["group"]: entry.get("resources") for entry in first["resources"]} == {
        "example.com": None,
        "coordination.k8s.io": ["leases"],
    }
    assert last == {"level": "None"}


def test_all_requests_of_service_accounts() -> None:
    first, *rest = yaml.safe_load(Audit(["example.com"], namespaces=["one", "two"]).policy())["rules"]
    assert first == {"level": "Metadata", "userGroups": ["system:serviceaccounts:one", "system:serviceaccounts:two"]}
    assert rest == yaml.safe_load(Audit(["example.com"]).policy())["rules"]
