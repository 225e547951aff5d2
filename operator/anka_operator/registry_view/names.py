"""What words mean among the templates of the registry and of the cluster. Pure."""

from collections.abc import Container, Iterable, Iterator, Mapping

from anka_crds.api import AnkaTemplate
from anka_registry.models import RegistryListItem, RegistryTemplate


def index_names(
    objects: Iterable[AnkaTemplate],
    rows: Mapping[str, RegistryListItem],
    templates: Mapping[str, RegistryTemplate],
    due: Container[str],
) -> dict[str, set[str]]:
    """Ids and names of all templates, and the ids of those that each may mean.

    `rows`: the registry's list. `templates`: those that were read. `due`: those whose row has changed since.
    """
    index: dict[str, set[str]] = {}
    known = {obj.metadata.name: obj for obj in objects}
    for uuid in {*rows, *templates, *known}:
        for name in _list_names(uuid, known.get(uuid), rows.get(uuid), templates.get(uuid), is_due=uuid in due):
            index.setdefault(name, set()).add(uuid)
    return index


def _list_names(
    uuid: str,
    obj: AnkaTemplate | None,
    row: RegistryListItem | None,
    template: RegistryTemplate | None,
    *,
    is_due: bool,
) -> Iterator[str]:
    """Where it was read, that knows its name better than an older list or object."""
    yield uuid
    if obj is not None and obj.spec.display_name:
        yield obj.spec.display_name
    if template is not None:
        yield template.name
    elif obj is not None and obj.status.name:
        yield obj.status.name
    if row is not None and (template is None or is_due):
        yield row.name
