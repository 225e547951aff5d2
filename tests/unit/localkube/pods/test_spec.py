from __future__ import annotations

from typing import Any

import pytest

from localkube.pods import spec

POD = {
    "metadata": {"name": "p", "namespace": "n", "uid": "u", "labels": {"app": "x"}},
    "spec": {"serviceAccountName": "me", "nodeName": "here"},
}
DATA = {("configMap", "settings"): {"level": "INFO"}, ("secret", "keys"): {"token": "t"}}


def data(kind: str, name: str) -> dict[str, str]:
    return DATA[kind, name]


def container(**parts: Any) -> dict[str, Any]:
    return {"name": "c", "image": "i", **parts}


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("--host=$(A)", "--host=1"),
        ("$(A)$(A)", "11"),
        ("$(B)", "$(B)"),
        ("$$(A)", "$(A)"),
        ("$A ${A}", "$A ${A}"),
    ],
)
def test_references(text: str, result: str) -> None:
    assert spec.expand(text, {"A": "1"}) == result


def test_environment_may_use_what_came_before() -> None:
    env = [
        {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
        {"name": "URL", "value": "http://$(IP)"},
        {"name": "EMPTY"},
        {"name": "APP", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['app']"}}},
        {"name": "LEVEL", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "level"}}},
        {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "token"}}},
        {"name": "NONE", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "other", "optional": True}}},
    ]
    assert spec.environment(container(env=env), spec.fields(POD, "127.1.2.3"), data) == {
        "IP": "127.1.2.3",
        "URL": "http://127.1.2.3",
        "EMPTY": "",
        "APP": "x",
        "LEVEL": "INFO",
        "TOKEN": "t",
    }


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ({"resourceFieldRef": {"resource": "limits.cpu"}}, r"environment variable KEY: .*resourceFieldRef"),
        ({"fieldRef": {"fieldPath": "metadata.labels['none']"}}, r"environment variable KEY: .*is not supported here"),
        (
            {"configMapKeyRef": {"name": "settings", "key": "none"}},
            r"environment variable KEY: settings has no key none",
        ),
    ],
)
def test_a_source_that_is_not_known_is_named(source: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        spec.environment(container(env=[{"name": "KEY", "valueFrom": source}]), spec.fields(POD, ""), data)


def test_command_and_arguments() -> None:
    given = container(command=["anka-shim"], args=["--host=$(POD_IP)"])
    assert spec.command(given, {"POD_IP": "127.1.2.3"}) == ["anka-shim", "--host=127.1.2.3"]
    with pytest.raises(ValueError, match="container c has no command"):
        spec.command(container(args=["x"]), {})


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("--dir=/etc/anka/keys", "--dir=/2/keys"),
        ("--dir=/etc/anka", "--dir=/2"),
        ("/etc/anka/pkg/a:/etc/anka/b", "/1/a:/2/b"),
        ("/etc/anka-other", "/etc/anka-other"),
        ("/srv/etc/anka", "/srv/etc/anka"),
    ],
)
def test_paths_are_where_they_are_mounted(text: str, result: str) -> None:
    mounts = [{"name": "two", "mountPath": "/etc/anka"}, {"name": "one", "mountPath": "/etc/anka/pkg"}]
    found = spec.mounts(container(volumeMounts=mounts))
    assert list(found) == ["/etc/anka/pkg", "/etc/anka"]
    places = {path: {"one": "/1", "two": "/2"}[name] for path, name in found.items()}
    assert spec.relocate(text, places) == result
    assert spec.relocate(text, {}) == text


def test_probes() -> None:
    given = container(
        ports=[{"name": "http", "containerPort": 8090}],
        readinessProbe={"httpGet": {"path": "/readyz", "port": "http"}, "periodSeconds": 5},
        livenessProbe={"tcpSocket": {"port": 1}},
    )
    assert spec.probe(given, "readinessProbe") == spec.HttpProbe(8090, "/readyz", period=5, timeout=1, failures=3)
    given["readinessProbe"]["httpGet"]["scheme"] = "HTTPS"
    probe = spec.probe(given, "readinessProbe")
    assert probe is not None
    assert probe.scheme == "https"
    assert spec.probe(given, "startupProbe") is None
    with pytest.raises(ValueError, match="livenessProbe is not an httpGet"):
        spec.probe(given, "livenessProbe")
    given["readinessProbe"]["httpGet"]["port"] = "https"
    with pytest.raises(ValueError, match="port https, which is not among its ports"):
        spec.probe(given, "readinessProbe")


@pytest.mark.parametrize("ready", [True, False])
def test_status_says_ready_in_all_places_or_in_none(ready: bool) -> None:
    made = spec.status(
        container(), phase="Running", ready=ready, restarts=2, state={"running": {}}, address="10.1.2.3",
        host="10.0.0.1", now="2026-01-01T00:00:00Z",
    )  # fmt: skip
    words = {item["type"]: item["status"] for item in made["conditions"]}
    assert words == {"Initialized": "True", "ContainersReady": str(ready), "Ready": str(ready)}
    assert made["containerStatuses"][0] | {"ready": ready, "restartCount": 2} == made["containerStatuses"][0]
    assert made["podIPs"] == [{"ip": "10.1.2.3"}]


def test_a_pod_that_has_done_its_work_says_so() -> None:
    """Helm waits for a test's pod by this."""
    made = spec.status(
        container(), phase="Succeeded", ready=False, restarts=0, state={"terminated": {"exitCode": 0}},
        address="10.1.2.3", host="10.0.0.1", now="2026-01-01T00:00:00Z",
    )  # fmt: skip
    assert {item.get("reason") for item in made["conditions"] if item["type"] != "Initialized"} == {"PodCompleted"}
