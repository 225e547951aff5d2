"""Joining: the checks come first, the settings last, and what a person must mend is one line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from anka_agent.identity.tokens import ACCOUNT_UID
from anka_agent.membership import join as module
from anka_agent.membership.errors import MembershipError
from anka_agent.membership.files import Files
from anka_agent.membership.join import NameTaken, ensure_nobody_reports, exchange, join
from anka_agent.membership.settings import JoinSettings
from anka_crds.api import AnkaNode
from anka_kube.client import KubeClient
from anka_kube.endpoint import Endpoint
from anka_kube.errors import AlreadyExists, Forbidden, ServerError, Unauthorized, Unparsable
from anka_kube.resource import Resource
from support.fake_anka import FakeAnka
from support.jwt import service_account_token

NODE = AnkaNode.from_api({"metadata": {"name": "mac-1"}, "spec": {"groups": ["ios"]}})


class Joiner(KubeClient):
    """What a join token can do; `cut`: the request with this number fails after it was done."""

    def __init__(self, server: str = "https://api") -> None:
        super().__init__(Endpoint(server))
        self.there: dict[str, dict[str, Any]] = {}
        self.asked: list[str] = []
        self.refuse = ""
        self.token: Any = "first"

    async def create(self, resource: Resource[Any], obj: Any, namespace: str | None = None, **_: Any) -> Any:
        self.asked.append(resource.kind)
        if self.refuse == resource.kind:
            raise ServerError(500, "InternalError", "scripted")
        key = f"{resource.kind}/{obj['metadata']['name']}"
        if key in self.there:
            raise AlreadyExists(409, "AlreadyExists", key)
        self.there[key] = {**obj, "metadata": {**obj["metadata"], "uid": f"uid of {key}"}}
        return resource.parse(self.there[key])

    async def get(self, resource: Resource[Any], name: str, namespace: str | None = None, **_: Any) -> Any:
        return resource.parse(self.there[f"{resource.kind}/{name}"])

    async def create_subresource(
        self,
        resource: Resource[Any],
        name: str,
        subresource: str,
        body: Mapping[str, Any],
        namespace: str | None = None,
        *,
        deadline: float = 15.0,
    ) -> dict[str, Any]:
        self.asked.append("token")
        if self.refuse == "token":
            raise ServerError(500, "InternalError", "scripted")
        assert (namespace, name) == ("anka-nodes", "node-mac-1")
        assert body["metadata"]["annotations"] == {ACCOUNT_UID: "uid of ServiceAccount/node-mac-1"}
        assert body["spec"] == {"expirationSeconds": 600}
        return {"status": {"token": self.token}}


@pytest.fixture
def remembered(tmp_path: Path) -> Path:
    return tmp_path / "joining.json"


async def test_the_node_then_its_account_then_a_token(remembered: Path) -> None:
    joiner = Joiner()
    assert await exchange(joiner, NODE, "anka-nodes", remembered) == "first"
    assert joiner.asked == ["AnkaNode", "ServiceAccount", "token"]
    assert joiner.there["AnkaNode/mac-1"]["spec"]["groups"] == ["ios"]
    (owner,) = joiner.there["ServiceAccount/node-mac-1"]["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"], owner["uid"]) == ("AnkaNode", "mac-1", "uid of AnkaNode/mac-1")


@pytest.mark.parametrize("step", ["ServiceAccount", "token"])
async def test_it_goes_on_where_it_was_cut_off(step: str, remembered: Path) -> None:
    joiner = Joiner()
    joiner.refuse = step
    with pytest.raises(ServerError):
        await exchange(joiner, NODE, "anka-nodes", remembered)
    joiner.refuse = ""
    joiner.asked.clear()
    assert await exchange(joiner, NODE, "anka-nodes", remembered) == "first"
    assert (
        joiner.asked == ["AnkaNode", "ServiceAccount", "token"][["AnkaNode", "ServiceAccount", "token"].index(step) :]
    )


@pytest.mark.parametrize("taken", ["AnkaNode/mac-1", "ServiceAccount/node-mac-1"])
async def test_nobodys_identity_is_taken_over(taken: str, remembered: Path) -> None:
    joiner = Joiner()
    joiner.there[taken] = {}
    with pytest.raises(NameTaken, match="already"):
        await exchange(joiner, NODE, "anka-nodes", remembered)
    assert "token" not in joiner.asked


async def test_what_is_remembered_of_another_cloud_counts_for_nothing(remembered: Path) -> None:
    first = Joiner()
    first.refuse = "token"
    with pytest.raises(ServerError):
        await exchange(first, NODE, "anka-nodes", remembered)
    other = Joiner("https://other")
    assert await exchange(other, NODE, "anka-nodes", remembered) == "first"
    assert other.asked[0] == "AnkaNode"


async def test_an_answer_without_a_token(remembered: Path) -> None:
    joiner = Joiner()
    joiner.token = None
    with pytest.raises(Unparsable, match="the answer has no token"):
        await exchange(joiner, NODE, "anka-nodes", remembered)


@pytest.mark.parametrize(("status", "told"), [({}, False), ({"agentVersion": "1"}, True)])
async def test_who_got_a_token_in_between_is_noticed(status: dict[str, Any], told: bool) -> None:
    client = Joiner()
    client.there["AnkaNode/mac-1"] = {"metadata": {"name": "mac-1"}, "spec": {}, "status": status}
    with pytest.raises(MembershipError, match="another machine has got a token for mac-1") if told else nullcontext():
        await ensure_nobody_reports(client, "mac-1")


JOIN_TOKEN = service_account_token("mac-1", issued=None, life=None, namespace="anka-joining")
NODE_TOKEN = service_account_token("node-mac-1", issued=None, life=None)


class Service:
    """Stands for launchd."""

    def __init__(self) -> None:
        self.installed: list[tuple[Path, str]] = []

    def install(self, state_dir: Path, *, user: str = "") -> None:
        self.installed.append((state_dir, user))


class Desk:
    def __init__(self, state: Path, anka: FakeAnka) -> None:
        self.state, self.anka, self.service = state, anka, Service()
        self.files = Files(state)
        self.said: list[str] = []
        self.requests: list[tuple[str, int]] = []
        self.compared: list[str] = []
        self.error: Exception | None = None

    async def exchange(self, joiner: object, node: object, namespace: str, remembered: Path) -> str:
        assert remembered.parent.is_dir()
        if self.error is not None:
            raise self.error
        return NODE_TOKEN

    async def ensure_nobody_reports(self, client: object, name: str) -> None:
        self.compared.append(name)

    async def request_token(self, client: object, namespace: str, account: str, seconds: int) -> str:
        self.requests.append((f"{namespace}/{account}", seconds))
        return "the last token"

    async def join(self, *, service: bool = True, **flags: Any) -> None:
        given: dict[str, Any] = {
            "url": "https://127.0.0.1:1", "token": JOIN_TOKEN, "node_name": "mac-1", "state_dir": self.state,
            "anka": str(self.anka.path), "insecure_skip_tls_verify": True, "max_vm_count": 3, **flags,
        }  # fmt: skip
        launchd: Any = self.service if service else None
        await join(JoinSettings(_cli_parse_args=False, **given), launchd, self.said.append)


@pytest.fixture
def desk(tmp_path: Path, fake_anka: FakeAnka, monkeypatch: pytest.MonkeyPatch) -> Desk:
    desk = Desk(tmp_path / "state", fake_anka)
    fake_anka.table({"version": {"version": "3.8.1"}, "license show": {"status": "valid"}})
    monkeypatch.setattr(module, "exchange", desk.exchange)
    monkeypatch.setattr(module, "ensure_nobody_reports", desk.ensure_nobody_reports)
    monkeypatch.setattr(module, "request_token", desk.request_token)
    return desk


async def test_what_is_written_down(desk: Desk) -> None:
    await desk.join()
    kept = json.loads(desk.files.settings.read_text())
    assert kept == {
        "max_vm_count": 3, "anka": str(desk.anka.path), "node_name": "mac-1", "lease_namespace": "anka-nodes",
        "kubeconfig": str(desk.files.kubeconfig), "token_file": str(desk.files.token),
    }  # fmt: skip
    assert desk.files.token.read_text() == "the last token"
    assert "insecure-skip-tls-verify: true" in desk.files.kubeconfig.read_text()
    assert desk.requests == [("anka-nodes/node-mac-1", 604_800)]
    assert desk.compared == ["mac-1"]
    assert desk.service.installed == [(desk.state, "")]
    assert desk.said == [
        "Testing anka 3.8.1...: Ok", "Joining https://127.0.0.1:1 as mac-1: Ok",
        f"Settings in {desk.files.settings}", "Anka Cloud Cluster join success",
    ]  # fmt: skip


async def test_without_a_service_it_says_how_to_start_the_agent(desk: Desk) -> None:
    await desk.join(service=False)
    assert desk.service.installed == []
    assert desk.said[-1].endswith(f"-m anka_agent launch --state-dir={desk.state}")


async def test_an_invalid_licence_is_a_warning(desk: Desk) -> None:
    desk.anka.table({"version": {"version": "3.8.1"}, "license show": {"status": "expired"}})
    await desk.join()
    assert desk.said[1].startswith("Warning: the Anka licence is expired")


async def test_a_mac_joins_once(desk: Desk) -> None:
    await desk.join()
    with pytest.raises(MembershipError, match=r"this Mac has joined already .* `anka-agent disjoin` first"):
        await desk.join()


JOINED = Forbidden(403, "Forbidden", "AnkaNode mac-1 has joined already: a join token has no say", action="create")


@pytest.mark.parametrize(
    ("flags", "error", "says"),
    [
        ({"anka": "/no/anka"}, None, "install Anka on this Mac"),
        ({"token": "x"}, None, "--token: not a ServiceAccount token"),
        ({}, NameTaken("there is an AnkaNode mac-1 already"), "choose another --node-id, or if that node is no more"),
        ({}, Unauthorized(401, "Unauthorized", "no", action="create"), "the join token is not accepted"),
        ({}, JOINED, "another machine has got a token for mac-1 and reports as it"),
    ],
)
async def test_what_a_person_must_mend(desk: Desk, flags: dict[str, Any], error: Exception | None, says: str) -> None:
    desk.error = error
    with pytest.raises(MembershipError, match=says):
        await desk.join(**flags)
    assert not desk.files.is_joined
    assert desk.service.installed == []
