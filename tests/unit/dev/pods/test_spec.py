from typing import Any

import pytest

from anka_dev.pods import spec

FIELDS = {"status.podIP": "127.1.2.3"}


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
    ]
    assert spec.environment(container(env=env), FIELDS) == {"IP": "127.1.2.3", "URL": "http://127.1.2.3", "EMPTY": ""}


def test_a_source_that_is_not_known_is_named() -> None:
    env = [{"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]
    with pytest.raises(ValueError, match=r"environment variable KEY: .*secretKeyRef"):
        spec.environment(container(env=env), FIELDS)


def test_command_and_arguments() -> None:
    given = container(command=["anka-shim"], args=["--host=$(POD_IP)"])
    assert spec.command(given, {"POD_IP": "127.1.2.3"}) == ["anka-shim", "--host=127.1.2.3"]
    with pytest.raises(ValueError, match="container c has no command"):
        spec.command(container(args=["x"]), {})


def test_the_token_is_where_the_api_mounts_it() -> None:
    mounts = [{"name": "tmp", "mountPath": "/tmp"}, {"name": "kube-api-access-x", "mountPath": spec.TOKEN_FOLDER}]
    assert spec.token_volume(container(volumeMounts=mounts)) == "kube-api-access-x"
    assert spec.token_volume(container(volumeMounts=mounts[:1])) is None


def test_probes() -> None:
    given = container(
        ports=[{"name": "http", "containerPort": 8090}],
        readinessProbe={"httpGet": {"path": "/readyz", "port": "http"}, "periodSeconds": 5},
        livenessProbe={"tcpSocket": {"port": 1}},
    )
    assert spec.probe(given, "readinessProbe") == spec.Probe(8090, "/readyz", period=5, timeout=1, failures=3)
    assert spec.probe(given, "startupProbe") is None
    with pytest.raises(ValueError, match="livenessProbe is not an httpGet"):
        spec.probe(given, "livenessProbe")
    given["readinessProbe"]["httpGet"]["port"] = "https"
    with pytest.raises(ValueError, match="port https, which is not among its ports"):
        spec.probe(given, "readinessProbe")


def test_status_says_ready_in_all_places_or_in_none() -> None:
    for ready in (True, False):
        made = spec.status(
            container(), phase="Running", ready=ready, restarts=2, state={"running": {}}, address="10.1.2.3",
            host="10.0.0.1", now="2026-01-01T00:00:00Z", reason="ContainersNotReady",
        )  # fmt: skip
        words = {item["type"]: item["status"] for item in made["conditions"]}
        assert words == {"Initialized": "True", "ContainersReady": str(ready), "Ready": str(ready)}
        assert made["containerStatuses"][0] | {"ready": ready, "restartCount": 2} == made["containerStatuses"][0]
        assert made["podIPs"] == [{"ip": "10.1.2.3"}]
