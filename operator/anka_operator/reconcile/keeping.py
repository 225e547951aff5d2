"""Which tags the rules of all templates want on one Mac: AnkaNode.status.keptTemplates."""

from __future__ import annotations

from collections.abc import Iterable

from anka_crds.api.node import AnkaNode, KeptTemplate
from anka_crds.api.template import AnkaTemplate
from anka_crds.core.distribution import keeps, version_of
from anka_operator.reconcile.patch import Status, listed

MAX_KEPT = 256
"""maxItems of the CRD."""


def kept(node: AnkaNode, templates: Iterable[AnkaTemplate], registry: str | None) -> list[KeptTemplate]:
    """In a stable order, each once. A tag that the registry does not have (yet) is left out: nothing can be pulled."""
    found = {
        (template.metadata.name, version.tag)
        for template in templates
        if template.metadata.deletion_timestamp is None
        for rule in template.spec.distribution
        if keeps(rule, node)
        if (version := version_of(template.status.versions, rule.tag, rule.version)) is not None
    }
    return [KeptTemplate(template=template, tag=tag, registry=registry) for template, tag in sorted(found)[:MAX_KEPT]]


def judged(node: AnkaNode, templates: Iterable[AnkaTemplate], registry: str | None) -> Status | None:
    """The patch that makes keptTemplates true; None when it is."""
    wanted = kept(node, templates, registry)
    return None if wanted == node.status.kept_templates else {"keptTemplates": listed(wanted)}
