"""Status of an AnkaTemplate: what the registry says about it, and which Macs hold it."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from anka_crds.api.conditions import TemplateReason
from anka_crds.api.limits import LOCATIONS_BYTES, MAX_LOCATIONS
from anka_crds.api.meta import GROUP
from anka_crds.api.node import AnkaNode
from anka_crds.api.states import NodeState
from anka_crds.api.template import AnkaTemplate, AnkaTemplateStatus, TemplateLocation
from anka_crds.rules.distribution import find_version, selects
from anka_crds.rules.fitting import take_fitting
from anka_crds.rules.lifecycle import Health
from anka_crds.rules.references import NO_NAMES, NameCatalog
from anka_crds.rules.text import shorten
from anka_operator.registry_view.desired import GONE, KnownTemplate
from anka_operator.status_patch import StatusPatch, diff, to_list, with_own_health

MIRRORED = f"{GROUP}/mirrored"
REGISTRY = "registry"


def build_template(uuid: str) -> dict[str, Any]:
    """The object for a template that is new in the registry."""
    return {"metadata": {"name": uuid, "labels": {MIRRORED: REGISTRY}}, "spec": {}}


def is_mirror(template: AnkaTemplate) -> bool:
    return template.metadata.labels.get(MIRRORED) == REGISTRY


def is_removable(template: AnkaTemplate) -> bool:
    """Whether the operator may delete the object once the template has left the registry: it created the object, and
    its spec has no rules."""
    return is_mirror(template) and not template.spec.distribution and template.metadata.deletion_timestamp is None


def list_holdings(template: str, nodes: Iterable[AnkaNode]) -> list[TemplateLocation]:
    """Which Mac holds which tag, in a stable order."""
    pairs = {
        (node.metadata.name, local.tag or "")
        for node in nodes
        for local in node.status.templates
        if local.uuid == template
    }
    return [TemplateLocation(node_name=name, tag=tag or None) for name, tag in sorted(pairs)]


def compute_status(
    template: AnkaTemplate,
    known: KnownTemplate | None,
    nodes: Iterable[AnkaNode],
    *,
    gone: bool,
    registry_error: str | None,
    now: datetime,
    keepers: Iterable[AnkaNode] = (),
    groups: NameCatalog = NO_NAMES,
    read_request: str | None = None,
    is_refused: bool = False,
) -> StatusPatch | None:
    """The patch that corrects the status; None if it is correct.

    `known`: what the registry has of it; None if it was not read. `gone`: the registry does not have it.
    `registry_error`: why the registry does not answer; `is_refused`: for want of a credential. `keepers`: the Macs
    among which the rules of the template choose. `groups`: all NodeGroups.
    `read_request`: the request to read the registry that `known` and `gone` fulfil.
    """
    holdings = list_holdings(template.metadata.name, nodes)
    shown = take_fitting(holdings, MAX_LOCATIONS, LOCATIONS_BYTES, _measure)
    facts: dict[str, Any] = {"nodes": shown, "read_request": read_request}
    status = template.status.model_copy(update={**facts, **_mirror(known, gone)})
    versions = status.versions if known is None else known.versions
    health, reason, message = _assess(status, gone, registry_error, is_known=known is not None, is_refused=is_refused)
    if known is not None and len(known.mirrored) < len(known.versions):
        message += f"; its newest {len(known.mirrored)} of {len(known.versions)} versions are shown, all can be started"
    if len(shown) < len(holdings):
        message += f"; {len(shown)} of the {len(holdings)} tags that Macs hold are shown"
    whole = status.model_copy(update={"versions": versions, "nodes": holdings})
    unmet = _find_unfulfilled_rule(template, whole, list(keepers), groups) if health is Health.READY else None
    conditions = with_own_health(template, health, reason, message, now, unmet=unmet)
    observed = {"conditions": conditions, "observed_generation": template.metadata.generation}
    return _diff(template.status, status.model_copy(update=observed)) or None


def refusal_status(template: AnkaTemplate, why: str, *, now: datetime) -> StatusPatch:
    """The API refuses the status: the least that it can be told with."""
    message = shorten(f"The Kubernetes API refuses the status: {why}", 1024)
    conditions = with_own_health(template, Health.FAILED, TemplateReason.STATUS_REFUSED, message, now)
    return {"conditions": to_list(conditions), "observedGeneration": template.metadata.generation}


def _measure(holding: TemplateLocation) -> int:
    """Bytes of its JSON."""
    return len(holding.node_name) + len((holding.tag or "").encode()) + len('{"nodeName":"","tag":""},')


def _diff(current: AnkaTemplateStatus, wanted: AnkaTemplateStatus) -> StatusPatch:
    """Thousands of versions are dumped only if they have changed."""
    if current.versions == wanted.versions:
        current, wanted = (one.model_copy(update={"versions": []}) for one in (current, wanted))
    return diff(current, wanted)


def _assess(
    status: AnkaTemplateStatus, gone: bool, registry_error: str | None, *, is_known: bool, is_refused: bool
) -> tuple[Health, TemplateReason, str]:
    if gone:
        return Health.FAILED, TemplateReason.NOT_IN_REGISTRY, "The registry does not have this template"
    if status.versions:
        # Also while the registry is down: Macs that hold a version need no registry to start it.
        return Health.READY, TemplateReason.READY, "In the registry"
    if registry_error is not None and not is_known:
        message = shorten(f"Its versions are not known yet: {registry_error}", 1024)
        reason = TemplateReason.REGISTRY_UNAUTHORIZED if is_refused else TemplateReason.REGISTRY_UNREACHABLE
        return Health.PROGRESSING, reason, message
    message = (
        "The registry has no version of it: nothing can be started" if is_known else "Its versions are not read yet"
    )
    return Health.PROGRESSING, TemplateReason.NO_VERSIONS, message


def _find_unfulfilled_rule(
    template: AnkaTemplate, status: AnkaTemplateStatus, keepers: Sequence[AnkaNode], groups: NameCatalog
) -> tuple[Health, TemplateReason, str] | None:
    """A rule of spec.distribution that is not fulfilled: the template can be used, but is not on all Macs that should
    keep it. Macs that cannot pull now do not count. Without names and numbers: not every pull is worth a write."""
    nodes = NameCatalog(keepers if template.spec.distribution else ())
    pullers = [node for node in keepers if can_pull(node)]
    for rule in template.spec.distribution:
        version = find_version(status.versions, rule.tag, rule.version)
        if version is None:
            what = f"tag {rule.tag}" if rule.tag is not None else f"version {rule.version}"
            message = f"The registry has no {what} yet that Macs could keep"
            return Health.PROGRESSING, TemplateReason.TAG_NOT_FOUND, message
        holders = {holding.node_name for holding in status.nodes if holding.tag == version.tag}
        if any(selects(rule, node, groups, nodes) and node.metadata.name not in holders for node in pullers):
            message = f"Macs that keep {version.tag} don't all have it yet"
            return Health.PROGRESSING, TemplateReason.DISTRIBUTING, message
    return None


def can_pull(node: AnkaNode) -> bool:
    if node.metadata.deletion_timestamp is not None:
        return False
    return node.status.state not in (None, NodeState.OFFLINE, NodeState.INACTIVE)


def shows(template: AnkaTemplate, known: KnownTemplate | None, *, gone: bool) -> bool:
    """Whether the object says what the registry has."""
    return not _diff(template.status, template.status.model_copy(update=_mirror(known, gone)))


def _mirror(known: KnownTemplate | None, gone: bool) -> dict[str, Any]:
    if known is None:
        return GONE if gone else {}
    return known.mirrored_fields
