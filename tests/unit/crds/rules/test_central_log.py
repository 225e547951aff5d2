from __future__ import annotations

import pytest

from anka_crds.rules.central_log import AGENT, to_instance_id, to_service

NAME, UID = "c983c3bf-a0c0-43dc-54dc-2fd9f7d62fce", "0bf1a7e8-be95-43d9-a0c8-68c6aed0f2dd"


@pytest.mark.parametrize(
    ("namespace", "name", "service", "shown"),
    [
        ("anka-ci", NAME, f"instance-anka-ci_{NAME}_{UID}", NAME),
        ("other", NAME, f"instance-other_{NAME}_{UID}", UID),
        ("anka-ci", "golden", f"instance-{UID}", UID),
    ],
)
def test_a_service_names_its_instance(namespace: str, name: str, service: str, shown: str) -> None:
    assert to_service(namespace, name, UID) == service
    assert to_instance_id(service, "anka-ci") == shown


@pytest.mark.parametrize("service", [AGENT, "", "my-instance-8a1f"])
def test_other_logs_are_about_no_instance(service: str) -> None:
    assert to_instance_id(service, "anka-ci") is None
