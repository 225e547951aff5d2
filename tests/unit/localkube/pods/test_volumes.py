from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from localkube.pods import spec
from localkube.pods.volumes import materialise

DATA = {("configMap", "ca"): {"ca.crt": "C", "other": "O"}, ("secret", "keys"): {"k": "s"}}


class Api:
    """Gives tokens, and remembers who asked for what."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def create_namespaced_service_account_token(self, name: str, namespace: str, body: Any) -> Any:
        self.asked.append((name, namespace, body))
        return SimpleNamespace(status=SimpleNamespace(token="T"))


def made(folder: Path, *volumes: dict[str, Any], api: Api | None = None) -> dict[str, str]:
    """Content by path."""
    pod = {
        "metadata": {"name": "p", "namespace": "n", "uid": "u"},
        "spec": {"serviceAccountName": "me", "volumes": list(volumes)},
    }
    places = materialise(pod, folder, api or Api(), spec.fields(pod, ""), lambda kind, name: DATA[kind, name])
    assert all(place.is_dir() for place in places.values())
    return {str(file.relative_to(folder)): file.read_text() for file in folder.rglob("*") if file.is_file()}


def test_the_service_account_as_the_apiserver_projects_it(tmp_path: Path) -> None:
    api = Api()
    sources = [
        {"serviceAccountToken": {"path": "token", "expirationSeconds": 3607}},
        {"configMap": {"name": "ca", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": {"fieldPath": "metadata.namespace"}}]}},
    ]
    found = made(tmp_path, {"name": "access", "projected": {"sources": sources}}, api=api)
    assert found == {"access/token": "T", "access/ca.crt": "C", "access/namespace": "n"}
    [(name, namespace, body)] = api.asked
    assert (name, namespace) == ("me", "n")
    assert body["spec"]["boundObjectRef"] == {"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "u"}
    assert body["spec"]["expirationSeconds"] == 3607


def test_whole_config_maps_secrets_and_empty_folders(tmp_path: Path) -> None:
    volumes = (
        {"name": "a", "configMap": {"name": "ca"}},
        {"name": "b", "secret": {"secretName": "keys", "items": [{"key": "k", "path": "deep/k"}]}},
        {"name": "c", "emptyDir": {}},
    )
    assert made(tmp_path, *volumes) == {"a/ca.crt": "C", "a/other": "O", "b/deep/k": "s"}
    assert (tmp_path / "c").is_dir()


@pytest.mark.parametrize(
    ("volume", "said"),
    [
        ({"name": "v", "hostPath": {"path": "/"}}, "volume v is of a kind that is not known here"),
        ({"name": "v", "projected": {"sources": [{"clusterTrustBundle": {}}]}}, "projected clusterTrustBundle"),
        ({"name": "v", "configMap": {"name": "ca", "items": [{"key": "x", "path": "x"}]}}, "configMap ca has no key x"),
        ({"name": "v", "downwardAPI": {"items": [{"path": "x"}]}}, "x: its field is not supported here"),
    ],
)
def test_what_is_not_known_is_named(tmp_path: Path, volume: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        made(tmp_path, volume)
