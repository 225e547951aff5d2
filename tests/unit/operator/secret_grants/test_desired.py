"""Which Secrets an instance's node may read, and when."""

from __future__ import annotations

from typing import Any

import pytest

from anka_crds.rules.secret_refs import names_secret
from anka_operator.secret_grants.desired import grant_for_instance
from support.objects import instance

SCRIPT: dict[str, Any] = {"startupScript": {"secretRef": {"name": "scripts", "key": "setup"}}}
PASSWORD: dict[str, Any] = {"vncPasswordSecretRef": {"name": "vnc", "key": "password"}}
BOTH: dict[str, Any] = {**SCRIPT, **PASSWORD}
ONE: dict[str, Any] = {"startupScript": {"secretRef": {"name": "vnc", "key": "script"}}, **PASSWORD}
PLAIN: dict[str, Any] = {"startupScript": {"content": "ZWNobw=="}, "vncPassword": "x"}
LATER, EARLIER = "2026-01-01T00:00:09Z", "2026-01-01T00:00:01Z"
HERE = {"nodeName": "mac-1"}


@pytest.mark.parametrize(
    ("spec", "status", "secrets"),
    [
        ({}, {**HERE, "phase": "Scheduling"}, ()),
        (PLAIN, {**HERE, "phase": "Scheduling"}, ()),
        (BOTH, {"phase": "Scheduling"}, ()),
        (SCRIPT, {**HERE, "phase": "Scheduling"}, ("scripts",)),
        (SCRIPT, {**HERE, "phase": "Pulling"}, ("scripts",)),
        (PASSWORD, {**HERE, "phase": "Scheduling"}, ("vnc",)),
        (BOTH, {**HERE, "phase": "Scheduling"}, ("scripts", "vnc")),
        (ONE, {**HERE, "phase": "Scheduling"}, ("vnc",)),
        *((BOTH, {**HERE, "phase": phase}, ()) for phase in ("Started", "Stopping", "Stopped", "Error", "Terminated")),
        (BOTH, {**HERE, "phase": "Terminating"}, ()),
        # Started once more: its password is needed once more, its script is not.
        ({**BOTH, "restartedAt": LATER}, {**HERE, "phase": "Started"}, ("vnc",)),
        ({**BOTH, "restartedAt": LATER}, {**HERE, "phase": "Stopped", "restartedAt": EARLIER}, ("vnc",)),
        ({**BOTH, "restartedAt": LATER}, {**HERE, "phase": "Started", "restartedAt": LATER}, ()),
        ({**SCRIPT, "restartedAt": LATER}, {**HERE, "phase": "Started"}, ()),
        ({**BOTH, "restartedAt": LATER}, {**HERE, "phase": "Error"}, ()),
        # After an image was saved its VM goes on.
        (BOTH, {**HERE, "phase": "Pushing"}, ("vnc",)),
    ],
)
def test_what_it_needs_now(spec: dict[str, Any], status: dict[str, Any], secrets: tuple[str, ...]) -> None:
    grant = grant_for_instance(instance(status=status, **spec))
    assert (grant.secrets if grant is not None else ()) == secrets


def test_an_instance_being_deleted_needs_nothing() -> None:
    going = instance(status={**HERE, "phase": "Scheduling"}, meta={"deletionTimestamp": LATER}, **BOTH)
    assert grant_for_instance(going) is None
    assert names_secret(going)


@pytest.mark.parametrize(("spec", "wanted"), [({}, False), (PLAIN, False), (SCRIPT, True), (PASSWORD, True)])
def test_names_secret(spec: dict[str, Any], wanted: bool) -> None:
    assert names_secret(instance(**spec)) is wanted


def test_the_objects_say_exactly_that() -> None:
    grant = grant_for_instance(instance(status={**HERE, "phase": "Scheduling"}, **BOTH))
    assert grant is not None
    role, binding = grant.build_role(), grant.build_binding("anka-nodes")
    assert role["rules"] == [
        {"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["scripts", "vnc"], "verbs": ["get"]}
    ]
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "node-mac-1", "namespace": "anka-nodes"}]
    assert binding["roleRef"]["name"] == role["metadata"]["name"] == binding["metadata"]["name"]
    for made in (role, binding):
        (owner,) = made["metadata"]["ownerReferences"]
        assert (owner["kind"], owner["name"], owner["uid"]) == ("AnkaInstance", "one", "uid-one")


def test_another_node_another_object_another_name() -> None:
    def name(uid: str = "uid-one", node: str = "mac-1", spec: dict[str, Any] = BOTH) -> str:
        status = {"nodeName": node, "phase": "Scheduling"}
        grant = grant_for_instance(instance(status=status, meta={"uid": uid}, **spec))
        assert grant is not None
        return grant.name

    assert name() == name()
    assert len({name(), name(uid="uid-2"), name(node="mac-2"), name(spec=SCRIPT)}) == 4
