"""A join token for an identity: in this order, and taken up again where it was cut off."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from anka_agent.identity.tokens import ACCOUNT_UID
from anka_agent.membership.exchange import NameTaken, exchange
from anka_crds.api import AnkaNode
from anka_crds.kube.client import KubeClient
from anka_crds.kube.config import Endpoint
from anka_crds.kube.errors import AlreadyExists, ServerError, Unparsable
from anka_crds.kube.resource import Resource

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
