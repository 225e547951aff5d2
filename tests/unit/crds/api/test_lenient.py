"""Objects of the apiserver that break our limits, types or words."""

from typing import Any

import pytest
from pydantic import ValidationError

from anka_crds.api import AnkaInstance, AnkaTemplate


def instance(spec: dict[str, Any] | None = None, status: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"metadata": {"name": "i"}, "spec": {"template": "t", **(spec or {})}, "status": status or {}}


RULES = [{"name": f"{number}", "guestPort": 1} for number in range(65)]
LIMITS: list[tuple[dict[str, Any], Any]] = [
    ({"tag": "x" * 257}, lambda spec: spec.tag == "x" * 257),
    ({"template": ""}, lambda spec: spec.template == ""),
    ({"priority": 20_000}, lambda spec: spec.priority == 20_000),
    ({"priority": 0}, lambda spec: spec.priority == 0),
    ({"network": {"macAddress": "00-1b"}}, lambda spec: spec.network.mac_address == "00-1b"),
    (
        {"portForwarding": [{"name": "a", "guestPort": 70_000}]},
        lambda spec: spec.port_forwarding[0].guest_port == 70_000,
    ),
    (
        {"portForwarding": [{"name": f"{n}", "guestPort": 1} for n in range(65)]},
        lambda spec: len(spec.port_forwarding) == 65,
    ),
    ({"metadata": {f"{n}": n for n in range(65)}}, lambda spec: len(spec.metadata) == 65),
    ({"startupScript": {"content": "no base64!"}}, lambda spec: spec.startup_script.content == "no base64!"),
]


@pytest.mark.parametrize(("spec", "kept"), LIMITS, ids=lambda case: str(case)[:40] if isinstance(case, dict) else "")
def test_a_broken_limit_is_kept_as_it_is(spec: dict[str, Any], kept: Any) -> None:
    data = instance(spec)
    parsed = AnkaInstance.from_api(data)
    assert kept(parsed.spec)
    assert type(parsed) is AnkaInstance
    assert AnkaInstance.from_api(parsed.to_api()) == parsed
    # What we make ourselves is held to the limits.
    with pytest.raises(ValidationError):
        AnkaInstance.model_validate(data)


STRICT: list[tuple[dict[str, Any], str]] = [
    (instance(status={"phase": "Paused"}), "status.phase"),
    (instance({"nodeLostPolicy": "Wait"}), "spec.nodeLostPolicy"),
    (instance({"priority": "high"}), "spec.priority"),
    (instance({"network": "bridge"}), "spec.network"),
    ({"metadata": {"name": "i"}, "spec": {}}, "spec.template"),
    ({"metadata": {"name": "i"}}, "spec"),
    (instance({"priority": 0}, {"phase": "Paused"}), "status.phase"),
]


@pytest.mark.parametrize(("data", "where"), STRICT, ids=lambda case: case if isinstance(case, str) else "")
def test_what_cannot_be_understood_is_not_guessed(data: dict[str, Any], where: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        AnkaInstance.from_api(data)
    (only,) = refusal.value.errors()
    assert ".".join(str(part) for part in only["loc"]) == where


def test_limits_inside_lists_of_other_kinds() -> None:
    parsed = AnkaTemplate.from_api({"spec": {"distribution": [{"tag": "x" * 300}]}})
    assert parsed.spec.distribution[0].tag == "x" * 300
