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
