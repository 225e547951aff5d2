"""Groups and their fallbacks: where a request for a group may go, in order."""

from collections.abc import Iterable, Mapping

from anka_crds.api.group import NodeGroup
from anka_crds.rules.references import NameCatalog


def list_fallbacks(groups: Iterable[NodeGroup], names: NameCatalog) -> dict[str, str | None]:
    """Every NodeGroup and its fallback, by id. A fallback that does not exist stays as it is written."""
    words = {group.metadata.name: group.spec.fallback_group for group in groups}
    return {name: None if word is None else names.resolve(word) or word for name, word in words.items()}


def fallback_chain(group: str, fallbacks: Mapping[str, str | None]) -> tuple[str, ...]:
    """The group, its fallback, the fallback's fallback, …; ends before a group that is missing or already in it."""
    chain: list[str] = []
    current: str | None = group
    while current is not None and current in fallbacks and current not in chain:
        chain.append(current)
        current = fallbacks[current]
    return tuple(chain)


def find_cycle(group: str, fallbacks: Mapping[str, str | None]) -> tuple[str, ...]:
    """The groups from `group` on, up to and including the first one that repeats; empty when the chain ends."""
    chain = [group]
    current = fallbacks.get(group)
    while current is not None:
        if current in chain:
            return (*chain, current)
        chain.append(current)
        current = fallbacks.get(current)
    return ()
