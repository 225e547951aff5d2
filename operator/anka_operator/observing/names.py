"""Values of labels, of which there are never many: each one is a series in Prometheus for ever."""

from __future__ import annotations

from anka_crds.api import AnkaInstance, AnkaTemplate
from anka_crds.kube.store import Store

OTHER = "other"
"""In the place of all that are too many, or that nobody knows."""
MOST = 200


class Few:
    """The first `most` values keep their names."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._seen: set[str] = set()

    def of(self, value: str) -> str:
        if value not in self._seen:
            if len(self._seen) >= self._most:
                return OTHER
            self._seen.add(value)
        return value


class TemplateNames:
    """Names of templates in the registry. What people misspell in spec.template never becomes a label."""

    def __init__(self, templates: Store[AnkaTemplate], most: int = MOST) -> None:
        self._templates = templates
        self._few = Few(most)

    def of(self, instance: AnkaInstance) -> str:
        return self.name(asked(instance))

    def name(self, template: str) -> str:
        """By UUID, or by what people may write instead: its name in the registry."""
        found = self._templates.get(template)
        if found is None:
            found = next((one for one in self._templates if one.status.name == template), None)
        if found is None:
            return OTHER
        return self._few.of(found.spec.display_name or found.status.name or found.metadata.name)


def asked(instance: AnkaInstance) -> str:
    """UUID of its template once that is known, what was asked for before."""
    resolved = instance.status.template
    return resolved.id if resolved is not None else instance.spec.template
