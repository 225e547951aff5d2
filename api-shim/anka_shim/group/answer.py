"""A NodeGroup as the old API shows it (docs/reference/legacy-api.md#group). Pure."""

from pydantic import Field

from anka_crds.api.group import NodeGroup
from anka_shim.catalog import Catalog, group_id
from anka_shim.http.answer import Answer, make_ok


class GroupAnswer(Answer):
    id: str
    name: str
    description: str = Field(description="Never null.")
    fallback_group_id: str | None = Field(description="Group that requests go to while this one is full.")


GroupOk = make_ok("GroupOk", GroupAnswer)
GroupListOk = make_ok("GroupListOk", list[GroupAnswer])


def group_answer(id_: str, group: NodeGroup | None, ids: Catalog | None = None) -> GroupAnswer:
    """A node may name a group that does not exist (yet): it is shown by its id. The description is never null: Jenkins
    would lose all groups. `ids`: for a group that names its fallback as people do."""
    fallback = group.spec.fallback_group if group else None
    return GroupAnswer.model_construct(
        id=id_,
        name=(group.spec.display_name if group else None) or id_,
        description=group.spec.description if group else "",
        fallback_group_id=fallback if ids is None or fallback is None else group_id(fallback, ids),
    )
