"""/api/v1/registry/vm/distribute and /api/v1/registry/vm/remove, as documented."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from anka_shim.schema.envelope import Answer, Failed, Succeeded


class Distribute(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"template_id": "eaef3af8-cb54-4c3e-baf9-839053472f15"},
                {
                    "template_id": "eaef3af8-cb54-4c3e-baf9-839053472f15",
                    "tag": "v1",
                    "node_ids": ["64230242-321c-442a-bd96-d87edd0943a3"],
                },
            ]
        }
    )

    template_id: str = Field(description="Id of the template; its name does as well, if only one has it.")
    tag: str | None = Field(default=None, description="The latest if neither tag nor version is given.")
    version: int | None = Field(default=None, ge=0, description="Number of the version instead of a tag.")
    node_ids: list[str] | None = Field(
        default=None, max_length=1024, description="Ids of nodes; all if neither node_ids nor group_id is given."
    )
    group_id: str | None = Field(default=None, description="Id or name of the group whose nodes are meant.")
    group: str | None = Field(default=None, max_length=256, description="Permission group.")


class Requested(Answer):
    model_config = ConfigDict(json_schema_extra={"examples": [{"request_id": "74efc824-2fcb-4e07-5e7d-7f9cc98e0ee5"}]})

    request_id: str


class RequestedOk(Succeeded):
    body: Requested


class Request(Answer):
    time_requested: str = Field(description="RFC 3339.")
    template_id: str
    request_id: str


class NodeStatus(Answer):
    progress: float = Field(ge=0, le=1, description="From 0 to 1.")
    status: bool = Field(description="Whether the Mac has it.")
    message: str | None = Field(
        default=None, description="Why the Mac failed, or what it waits for; left out when there is nothing to say."
    )


class Distribution(Answer):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "request": {
                        "time_requested": "2019-12-26T17:48:50Z",
                        "template_id": "eaef3af8-cb54-4c3e-baf9-839053472f15",
                        "request_id": "74efc824-2fcb-4e07-5e7d-7f9cc98e0ee5",
                    },
                    "distribute_status": {"64230242-321c-442a-bd96-d87edd0943a3": {"progress": 0.45, "status": False}},
                }
            ]
        }
    )

    request: Request
    distribute_status: dict[str, NodeStatus] = Field(description="By node_id.")


class DistributionOk(Succeeded):
    body: Distribution


class DistributionListOk(Succeeded):
    body: list[Distribution]


class RemoveFromNodes(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [{"node_ids": ["3c101836-9540-4733-9482-604d0c5fbe30"]}]})

    id: str | None = Field(default=None, description="Id of the template, if not in the query.")
    node_ids: list[str] | None = Field(
        default=None, max_length=1024, description="Ids of nodes; all that hold the template if absent."
    )


class Removal(Answer):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"requests_sent": 1, "node_ids": ["3c101836-9540-4733-9482-604d0c5fbe30"]}]}
    )

    requests_sent: int = Field(ge=0)
    node_ids: list[str] = Field(description="Nodes that were asked.")


class RemovalOk(Succeeded):
    body: Removal


RequestAnswer = RequestedOk | Failed
OneDistribution = DistributionOk | Failed
DistributionList = DistributionListOk | Failed
RemovalAnswer = RemovalOk | Failed
