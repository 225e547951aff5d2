"""Which templates are read after the registry's list: those that it shows as changed, and the others in turn. Pure."""

import itertools
from collections.abc import Iterable, Mapping

from anka_registry.models import RegistryTemplate

SWEEP_SECONDS = 30.0
"""Every template is read at least this often: a push that leaves the size of a template does not show in the list."""
VERSIONS_PER_READ = 250
DETAILS_PER_SECOND = 10
"""So often a few templates are read; many, as often as SWEEP_SECONDS needs."""


def choose_due(
    ids: Iterable[str],
    tried_at: Mapping[str, int],
    templates: Mapping[str, RegistryTemplate],
    changed: Iterable[str],
    *,
    list_seconds: float,
) -> list[str]:
    """`ids`: of all in the list. `tried_at`: when a read of each last began, as a number that grows. `templates`: what
    was read. `changed`: those that the list shows as changed; they come first. `list_seconds`: time between two
    lists."""
    oldest = sorted(ids, key=lambda uuid: tried_at.get(uuid, 0))
    effort = list(itertools.accumulate(_effort(templates.get(uuid)) for uuid in oldest))
    if not effort:
        return []
    period = min(SWEEP_SECONDS, effort[-1] / DETAILS_PER_SECOND)
    most = effort[-1] * min(1.0, list_seconds / period)
    number = sum(so_far <= most for so_far in effort) or 1
    return list(dict.fromkeys((*changed, *oldest[:number])))


def _effort(template: RegistryTemplate | None) -> float:
    """How often an ordinary template could be read meanwhile: parsing thousands of versions takes a while."""
    return 1.0 if template is None else max(1.0, len(template.versions) / VERSIONS_PER_READ)
