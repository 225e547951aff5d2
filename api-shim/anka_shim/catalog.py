"""Templates, versions, nodes and groups by the ids and names in a request. Pure: the lookups are handed in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol, TypeVar

from anka_crds.api.conditions import ConditionType, TemplateReason
from anka_crds.api.group import NodeGroup
from anka_crds.api.meta import Condition, KubeObject
from anka_crds.api.node import AnkaNode
from anka_crds.api.template import AnkaTemplate
from anka_crds.rules.condition_list import find
from anka_shim.failure import NOT_IN_REGISTRY, Failure, no_such_tag, quote

T = TypeVar("T")


class Catalog(Protocol):
    """What the cloud has. Ids are object names; names are those that users chose."""

    def template(self, id_: str) -> AnkaTemplate | None: ...
    def templates_named(self, name: str) -> Sequence[AnkaTemplate]: ...
    def node(self, id_: str) -> AnkaNode | None: ...
    def nodes_named(self, name: str) -> Sequence[AnkaNode]: ...
    def group(self, id_: str) -> NodeGroup | None: ...
    def groups_named(self, name: str) -> Sequence[NodeGroup]: ...


class NotMirrored(Failure):
    """The AnkaTemplates have no such template or version. The registry may: it is asked before a client is told.
    `word`: the template's id or name."""

    def __init__(self, message: str, word: str) -> None:
        super().__init__(message)
        self.word = word


@dataclass(frozen=True)
class FreshCatalog:
    """`catalog` with one template as the registry has it now. `ids`: of all templates in the registry."""

    catalog: Catalog
    fresh: AnkaTemplate
    ids: frozenset[str]

    def template(self, id_: str) -> AnkaTemplate | None:
        return self.fresh if id_ == self.fresh.metadata.name else self.catalog.template(id_)

    def templates_named(self, name: str) -> Sequence[AnkaTemplate]:
        others = self.catalog.templates_named(name)
        found = [
            one for one in others if one.metadata.name in self.ids and one.metadata.name != self.fresh.metadata.name
        ]
        names = self.fresh.status.name, self.fresh.spec.display_name
        return [*found, self.fresh] if name in names else found

    def node(self, id_: str) -> AnkaNode | None:
        return self.catalog.node(id_)

    def nodes_named(self, name: str) -> Sequence[AnkaNode]:
        return self.catalog.nodes_named(name)

    def group(self, id_: str) -> NodeGroup | None:
        return self.catalog.group(id_)

    def groups_named(self, name: str) -> Sequence[NodeGroup]:
        return self.catalog.groups_named(name)


WITHOUT_VERSIONS = Condition(
    type=ConditionType.READY,
    status="False",
    reason=TemplateReason.NO_VERSIONS,
    message="",
    last_transition_time=datetime.fromtimestamp(0, UTC),
)
"""On a template of which the registry was read, and has no version."""


def find_template(word: str, catalog: Catalog, parameter: str) -> AnkaTemplate:
    """By id, else by an unambiguous name. Raises Failure, with the text that clients match."""
    found = catalog.template(word) or catalog.template(word.lower())
    if found is None:
        named = catalog.templates_named(word)
        if len(named) > 1:
            raise Failure(f"{parameter}: {len(named)} templates are called {quote(word)}: give the UUID of one")
        found = named[0] if named else None
    if (
        found is None
        or found.metadata.deletion_timestamp is not None
        or _reason(found) == TemplateReason.NOT_IN_REGISTRY
    ):
        raise NotMirrored(NOT_IN_REGISTRY, word)
    return found


def check_version(tag: str | None, number: int | None, template: AnkaTemplate) -> None:
    """Raises Failure when the template has no such tag or version, with the text that clients match."""
    versions, id_ = template.status.versions, template.metadata.name
    if not versions and _reason(template) != TemplateReason.NO_VERSIONS:
        # The operator has not read its versions from the registry yet: the scheduler decides.
        return
    if tag is not None and all(version.tag != tag for version in versions):
        raise NotMirrored(no_such_tag(tag), id_)
    if number is not None and all(version.number != number for version in versions):
        raise NotMirrored(f"No such version {number}", id_)
    if not versions:
        raise NotMirrored(f"the registry has no version of template {template.status.name or id_}", id_)


def _reason(template: AnkaTemplate) -> str | None:
    ready = find(template.status.conditions, ConditionType.READY)
    return None if ready is None else ready.reason


def choose_version(tag: str | None, number: int | None) -> int | None:
    """The number of the version. 0 is the first, unless a tag is given: then it is the empty value of
    a client that always sends both. Raises Failure when both are given."""
    if tag is None or number is None:
        return number
    if number == 0:
        return None
    raise Failure("tag and version exclude each other: give one of them")


def find_group(word: str, catalog: Catalog, parameter: str) -> NodeGroup:
    """By id, else by an unambiguous name. Raises a Failure that names the parameter."""
    return catalog.group(word) or _only(catalog.groups_named(word), word, "group", parameter)


def find_node(word: str, catalog: Catalog, parameter: str) -> AnkaNode:
    """By id, else by an unambiguous name. Raises a Failure that names the parameter."""
    return catalog.node(word) or _only(catalog.nodes_named(word), word, "node", parameter)


def _only(named: Sequence[T], word: str, what: str, parameter: str) -> T:
    if len(named) != 1:
        few = f"no such {what}" if not named else f"{len(named)} {what}s have this name, give the id of one"
        raise Failure(f"{parameter}: {few} (given: {quote(word)})")
    return named[0]


def group_id(word: str, catalog: Catalog) -> str:
    """The id of the group that an object names by id or name; the word itself if it means no one group."""
    return _id(word, catalog.group(word), catalog.groups_named(word))


def template_id(word: str, catalog: Catalog) -> str:
    """The same for a template."""
    return _id(word, catalog.template(word), catalog.templates_named(word))


def target_group(word: str, catalog: Catalog) -> str:
    """The id of the group that a request is about, by id or name; the word itself if there is none. Raises Failure for
    a name that several have."""
    return _target_id(word, catalog.group(word), catalog.groups_named(word), "groups")


def target_node(word: str, catalog: Catalog) -> str:
    """The same for a node."""
    return _target_id(word, catalog.node(word), catalog.nodes_named(word), "nodes")


def target_template(word: str, catalog: Catalog) -> str:
    """The same for a template."""
    return _target_id(word, catalog.template(word), catalog.templates_named(word), "templates")


def _id(word: str, known: KubeObject | None, named: Sequence[KubeObject]) -> str:
    return named[0].metadata.name if known is None and len(named) == 1 else word


def _target_id(word: str, known: KubeObject | None, named: Sequence[KubeObject], what: str) -> str:
    if known is None and len(named) > 1:
        raise Failure(f"{len(named)} {what} are called {quote(word)}: give the id of one")
    return _id(word, known, named)
