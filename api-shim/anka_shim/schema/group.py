"""/api/v1/group and /api/v1/node/group, as documented."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from anka_shim.schema.envelope import Answer, Failed, Succeeded


class Group(Answer):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "fallback_group_id": None,
                    "description": "best of my macs",
                    "id": "89a66167-62b1-42bb-5a0b-ff667906b8f5",
                    "name": "GreateNodes",
                }
            ]
        }
    )

    id: str
    name: str
    description: str = Field(description="Never null.")
    fallback_group_id: str | None = Field(description="Group that requests go to while this one is full.")


class CreateGroup(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "GreateNodes", "description": "best of my macs"}]}
    )

    name: str = Field(max_length=256, description="No other group may be called so.")
    description: str | None = Field(default=None, max_length=4096, description="For people.")
    fallback_group_id: str | None = Field(default=None, description="Id or name of the fallback group.")


class UpdateGroup(BaseModel):
    """Only what is given changes."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"name": "Creme-de-la-nodes", "description": "A selected group of my favorite computers"},
                {"fallback_group_id": None},
            ]
        }
    )

    id: str | None = Field(default=None, description="Id of the group, if not in the query.")
    name: str | None = Field(default=None, max_length=256, description="No other group may be called so.")
    description: str | None = Field(default=None, max_length=4096, description="null or an empty string: none.")
    fallback_group_id: str | None = Field(
        default=None, description="Id or name of the fallback group; null or an empty string: none."
    )


class NodesOfGroups(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "group_ids": ["e41d4b47-4c10-4264-5519-2d52af568bdd"],
                    "node_ids": ["64230242-321c-442a-bd96-d87edd0943a3"],
                }
            ]
        }
    )

    group_ids: list[str] = Field(min_length=1, description="Ids or names of groups.")
    node_ids: list[str] = Field(min_length=1, description="Ids of nodes; all of them, not only the first.")


class GroupOk(Succeeded):
    body: Group


class GroupListOk(Succeeded):
    body: list[Group]


OneGroup = GroupOk | Failed
GroupList = GroupListOk | Failed
