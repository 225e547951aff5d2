"""What people call Macs and groups: everywhere an id is taken, so is a name that only one object has. Pure."""

from collections.abc import Iterable

from anka_crds.api.group import NodeGroup
from anka_crds.api.node import AnkaNode


class NameCatalog:
    """Objects of one kind by id (metadata.name) and by the name that people gave them (spec.displayName). An id goes
    before all names."""

    def __init__(self, objects: Iterable[NodeGroup | AnkaNode] = ()) -> None:
        self._ids: set[str] = set()
        self._named: dict[str, list[str]] = {}
        for one in objects:
            self._ids.add(one.metadata.name)
            if one.spec.display_name:
                self._named.setdefault(one.spec.display_name, []).append(one.metadata.name)

    def find(self, word: str) -> list[str]:
        """Ids of the objects that the word may mean."""
        return [word] if word in self._ids else sorted(self._named.get(word, ()))

    def resolve(self, word: str) -> str | None:
        """The id of the one object that the word means; None if there is none, or more than one."""
        found = self.find(word)
        return found[0] if len(found) == 1 else None

    def to_ids(self, words: Iterable[str]) -> frozenset[str]:
        """Words that mean no one object stay as they are: nothing else has such an id."""
        return frozenset(self.resolve(word) or word for word in words)


NO_NAMES = NameCatalog()


def is_renaming(old: NodeGroup | AnkaNode | None, new: NodeGroup | AnkaNode | None) -> bool:
    """Whether words may mean another object after this change: one that came (no `old`), left (no `new`) or got another
    name."""
    return old is None or new is None or old.spec.display_name != new.spec.display_name


def describe_missing(kind: str, word: str, catalog: NameCatalog) -> str:
    """Why a word that is not resolved means nothing."""
    found = catalog.find(word)
    if found:
        return f"{len(found)} {kind}s are called {word}: give the metadata.name of one: {', '.join(found)}"
    return f"There is no {kind} {word}"
