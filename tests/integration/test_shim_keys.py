"""API keys at two shims, real processes with the chart's rights against a real kube-apiserver."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from anka_dev.repository import BASE
from localkube.controlplane import KubernetesCluster, apply
from localkube.free_ports import free_port
from support.api_keys import ROOT, SEAL_KEY, TOKEN, bearer, decrypt
from support.rsa_keys import PUBLIC
from support.shim_pair import Pair, until_known
from support.shim_process import PATIENCE_SECONDS, ShimProcess, shim_process

pytestmark = pytest.mark.integration

PATH = "/api/v1/apikey"
STATUS = "/api/v1/status"
BINDING = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "ClusterRoleBinding",
    "metadata": {"name": "anka-shim-api-keys"},
    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "anka-api-keys"},
    "subjects": [{"kind": "ServiceAccount", "name": "anka-shim", "namespace": "anka-system"}],
}


@pytest.fixture(scope="module")
def shims(served_kinds: KubernetesCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[ShimProcess]]:
    folder = tmp_path_factory.mktemp("shim-keys")
    for name in ("namespaces.yaml", "rbac-shim.yaml", "rbac-api-keys.yaml"):
        apply(served_kinds, BASE / name)
    served_kinds.kubectl.run("apply", "-f-", stdin=json.dumps(BINDING))
    kubeconfig = served_kinds.kubeconfig_for("anka-shim", "anka-system", folder / "kubeconfig")
    for name, content in (("root", TOKEN), ("seal", SEAL_KEY), ("peer", "p" * 32)):
        (folder / name).write_text(content)
    ports = [free_port() for _ in range(2)]
    flags = (
        "--enable-auth", f"--root-token-file={folder / 'root'}", "--enable-api-keys",
        f"--seal-key-file={folder / 'seal'}", f"--peer-key-file={folder / 'peer'}", "--peer-seconds=2",
        f"--peers={','.join(f'127.0.0.1:{port}' for port in ports)}", "--api-key-sweep-seconds=1",
    )  # fmt: skip
    with ExitStack() as stack:
        found = [stack.enter_context(shim_process(kubeconfig, *flags, port=port)) for port in ports]
        for shim in found:
            shim.wait_ready()
            until_known(shim, 1)
        yield found
    for key in json.loads(served_kinds.kubectl.run("get", "apikeys", "-ojson"))["items"]:
        served_kinds.kubectl.run("delete", "apikey", key["metadata"]["name"])


def add(shim: ShimProcess, id_: str, **more: Any) -> None:
    new = {"id": id_, "ttl": 600, "groups": ["g"], "publicKey": PUBLIC, **more}
    assert shim.call("POST", PATH, json=new, headers=ROOT) == {"status": "OK", "message": ""}


def add_at_both(shims: list[ShimProcess], id_: str) -> None:
    pair = Pair(*shims)
    add(pair.writer, id_)
    pair.shows(lambda: bool(pair.reader.call("GET", f"{PATH}?id={id_}", headers=ROOT).get("body")))


def login(first: ShimProcess, second: ShimProcess, id_: str) -> dict[str, str]:
    hand = httpx.post(f"{first.url}/tap/v1/hand", json={"id": id_}, timeout=PATIENCE_SECONDS)
    proof = {"id": id_, "secret": decrypt(hand.content)}
    shake = httpx.post(f"{second.url}/tap/v1/shake", json=proof, timeout=PATIENCE_SECONDS)
    assert shake.status_code == 200, shake.text
    return bearer(shake.json()["data"])


def test_a_secret_is_good_once_at_whichever_replica(shims: list[ShimProcess]) -> None:
    add_at_both(shims, "once")
    pair = Pair(*shims)
    used: list[dict[str, str]] = []

    def other_refuses() -> bool:
        hand = httpx.post(f"{shims[0].url}/tap/v1/hand", json={"id": "once"}, timeout=PATIENCE_SECONDS)
        used.append({"id": "once", "secret": decrypt(hand.content)})
        codes = [
            httpx.post(f"{shim.url}/tap/v1/shake", json=used[-1], timeout=PATIENCE_SECONDS).status_code
            for shim in (*shims, shims[0])
        ]
        assert (codes[0], codes[2]) == (200, 401)
        return codes[1] == 401

    # As writes do, a login waits for the other replica, unless that counts as missed.
    pair.shows(other_refuses)


def code(shim: ShimProcess, session: dict[str, str]) -> int:
    return shim.get(STATUS, headers=session).status_code


def test_any_replica_does_any_step(shims: list[ShimProcess]) -> None:
    one, other = shims
    pair, reverse = Pair(one, other), Pair(other, one)
    add(one, "anywhere")
    pair.shows(lambda: "anywhere" in [key["id"] for key in other.body("GET", PATH, headers=ROOT)])
    session = login(one, other, "anywhere")
    assert [code(shim, session) for shim in shims] == [200, 200]
    changed = {"id": "anywhere", "groups": ["h"]}
    other.body("PUT", PATH, json=changed, headers=ROOT)
    reverse.shows(lambda: one.body("GET", f"{PATH}?id=anywhere", headers=ROOT)[0]["groups"] == ["h"])
    one.body("DELETE", PATH, json={"id": "anywhere"}, headers=ROOT)
    pair.shows(lambda: [code(shim, session) for shim in shims] == [401, 401])


def test_a_key_that_kubectl_deletes_soon_logs_nobody_in(
    shims: list[ShimProcess], served_kinds: KubernetesCluster
) -> None:
    add_at_both(shims, "by hand")
    session = login(shims[0], shims[1], "by hand")
    name = next(
        item["metadata"]["name"]
        for item in json.loads(served_kinds.kubectl.run("get", "ankak", "-ojson"))["items"]
        if item["spec"]["id"] == "by hand"
    )
    served_kinds.kubectl.run("delete", "ankak", name)
    # Long before the key would have ended by itself.
    for shim in shims:
        shim.until_true(lambda shim=shim: code(shim, session) == 401)  # type: ignore[misc]


def test_an_expired_key_logs_nobody_in_and_is_removed(
    shims: list[ShimProcess], served_kinds: KubernetesCluster
) -> None:
    add_at_both(shims, "short")
    session = login(shims[0], shims[1], "short")
    shims[0].body("PUT", PATH, json={"id": "short", "groups": ["g"], "ttl": 1}, headers=ROOT)
    shims[1].until_true(lambda: code(shims[1], session) == 401)
    shims[0].until_true(lambda: '"short"' not in served_kinds.kubectl.run("get", "apikeys", "-ojson"))


def test_two_replicas_make_one_key_of_an_id(shims: list[ShimProcess]) -> None:
    add_at_both(shims, "twice")
    new = {"id": "twice", "ttl": 60, "groups": [], "publicKey": PUBLIC}
    answer = shims[1].call("POST", PATH, json=new, headers=ROOT)
    assert answer["message"] == "id: there is an API key called so already (given: 'twice')"
