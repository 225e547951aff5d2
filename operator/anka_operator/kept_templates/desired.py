"""Which tags the rules of all templates keep on one Mac: AnkaNode.status.keptTemplates."""

from collections.abc import Iterable

from anka_crds.api.limits import KEPT_BYTES, MAX_REQUIRED_TEMPLATES
from anka_crds.api.node import AnkaNode, RequiredTemplate
from anka_crds.api.template import AnkaTemplate
from anka_crds.rules.distribution import find_version, selects
from anka_crds.rules.fitting import take_fitting
from anka_crds.rules.references import NO_NAMES, NameCatalog
from anka_operator.status_patch import StatusPatch, to_list


def list_kept(
    node: AnkaNode,
    templates: Iterable[AnkaTemplate],
    registry: str | None,
    groups: NameCatalog = NO_NAMES,
    nodes: NameCatalog = NO_NAMES,
) -> list[RequiredTemplate]:
    """All of them, in a stable order, without duplicates. A tag that the registry does not have is left out: it cannot
    be pulled."""
    found = {
        (template.metadata.name, version.tag): version.content_id
        for template in templates
        if template.metadata.deletion_timestamp is None
        for rule in template.spec.distribution
        if selects(rule, node, groups, nodes)
        if (version := find_version(template.status.versions, rule.tag, rule.version)) is not None
    }
    return [
        RequiredTemplate(template=template, tag=tag, registry=registry, content_id=found[template, tag])
        for template, tag in sorted(found)
    ]


def compute_status(
    node: AnkaNode,
    templates: Iterable[AnkaTemplate],
    registry: str | None,
    groups: NameCatalog = NO_NAMES,
    nodes: NameCatalog = NO_NAMES,
) -> StatusPatch | None:
    """The patch that corrects keptTemplates and unkept; None if they are correct. `groups`, `nodes`: all that there
    are."""
    wanted = list_kept(node, templates, registry, groups, nodes)
    shown = take_fitting(wanted, MAX_REQUIRED_TEMPLATES, KEPT_BYTES)
    unkept = len(wanted) - len(shown) or None
    kept = {} if shown == node.status.kept_templates else {"keptTemplates": to_list(shown)}
    return {**kept, **({} if unkept == node.status.unkept else {"unkept": unkept})} or None
