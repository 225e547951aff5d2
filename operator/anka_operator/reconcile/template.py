"""AnkaTemplates as mirrors of the registry, and which Macs hold them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from anka_crds.api.meta import GROUP
from anka_crds.api.node import AnkaNode
from anka_crds.api.phase import NodeState
from anka_crds.api.template import AnkaTemplate, AnkaTemplateStatus, NodeHolding, TemplateVersion
from anka_crds.core.conditions import summarised
from anka_crds.core.distribution import keeps, version_of
from anka_crds.core.lifecycle import Health
from anka_crds.registry.models import RegistryTemplate, RegistryVersion
from anka_operator.reconcile.patch import Status, bounded, settled, whole

MIRRORED = f"{GROUP}/mirrored"
REGISTRY = "registry"

_LIMITS = {"versions": 512, "nodes": 4096}
"""maxItems of the CRD."""


def new(template: RegistryTemplate) -> dict[str, Any]:
    """The object for a template that appeared in the registry."""
    return {"metadata": {"name": template.id, "labels": {MIRRORED: REGISTRY}}, "spec": {}}


def is_mirror(template: AnkaTemplate) -> bool:
    return template.metadata.labels.get(MIRRORED) == REGISTRY


def may_go(template: AnkaTemplate) -> bool:
    """Whether the object is ours to remove once the registry has lost the template: nobody's wishes are in it."""
    return is_mirror(template) and not template.spec.distribution and template.metadata.deletion_timestamp is None


def holdings(template: str, nodes: Iterable[AnkaNode]) -> list[NodeHolding]:
    """Which Mac holds which tag, in a stable order."""
    found = [
        (node.metadata.name, held.tag or "")
        for node in nodes
        for held in node.status.templates
        if held.uuid == template
    ]
    return [NodeHolding(node_name=name, tag=tag or None) for name, tag in sorted(set(found))[: _LIMITS["nodes"]]]


def judged(
    template: AnkaTemplate,
    known: RegistryTemplate | None,
    nodes: Iterable[AnkaNode],
    *,
    listed_now: bool,
    trouble: str | None,
    now: datetime,
    keepers: Iterable[AnkaNode] = (),
) -> Status | None:
    """The patch that makes the status true; None when it is.

    `known`: what the registry says of it in detail, None when it was not asked or has not answered. `listed_now`:
    whether the registry's latest list had it. `trouble`: why the registry does not answer, if so. `keepers`: the Macs
    among which its rules choose.
    """
    status = template.status.model_copy(update={"nodes": holdings(template.metadata.name, nodes)})
    if known is not None:
        status = status.model_copy(update=_mirrored(known))
    health, reason, message = _verdict(status, listed_now, trouble)
    generation = template.metadata.generation
    conditions = summarised(
        settled(status.conditions), health, reason, message, generation=generation, now=now,
        but=_outstanding(template, status, keepers) if health is Health.READY else None,
    )  # fmt: skip
    wanted = status.model_copy(update={"conditions": conditions, "observed_generation": generation})
    return whole(wanted, template.status) or None


def _verdict(status: AnkaTemplateStatus, listed_now: bool, trouble: str | None) -> tuple[Health, str, str]:
    if not listed_now and trouble is None:
        return Health.FAILED, "NotInRegistry", "The registry does not have this template"
    if status.versions:
        # Also while the registry is down: what is known stays usable, Macs that hold it need no registry.
        return Health.READY, "Ready", "In the registry"
    if trouble is not None:
        return Health.PROGRESSING, "RegistryUnreachable", bounded(f"Its versions are not known yet: {trouble}", 1024)
    return Health.PROGRESSING, "NoVersions", "The registry shows no version of it yet"


def _outstanding(
    template: AnkaTemplate, status: AnkaTemplateStatus, keepers: Iterable[AnkaNode]
) -> tuple[Health, str, str] | None:
    """A rule of spec.distribution that is not fulfilled: the template can be used, but is not yet where it shall be.
    Macs that can't pull now don't count. Without names and numbers: not every Mac that has pulled it is worth a write.
    """
    able = [node for node in keepers if _can_pull(node)]
    for rule in template.spec.distribution:
        version = version_of(status.versions, rule.tag, rule.version)
        if version is None:
            what = f"tag {rule.tag}" if rule.tag is not None else f"version {rule.version}"
            return Health.PROGRESSING, "TagNotFound", f"The registry has no {what} yet that Macs could keep"
        held = {holding.node_name for holding in status.nodes if holding.tag == version.tag}
        if any(keeps(rule, node) and node.metadata.name not in held for node in able):
            return Health.PROGRESSING, "Distributing", f"Macs that keep {version.tag} don't all have it yet"
    return None


def _can_pull(node: AnkaNode) -> bool:
    gone = node.metadata.deletion_timestamp is not None
    return not gone and node.status.state not in (None, NodeState.OFFLINE, NodeState.INACTIVE)


def _mirrored(known: RegistryTemplate) -> dict[str, Any]:
    versions = [_version(version) for version in known.versions][-_LIMITS["versions"] :]
    return {
        "name": known.name,
        "arch": known.arch or None,
        "size_bytes": known.size,
        "last_pull": known.last_pull,
        "last_push": known.last_push,
        "latest_tag": versions[-1].tag if versions else None,
        "versions": versions,
    }


def _version(version: RegistryVersion) -> TemplateVersion:
    return TemplateVersion(
        number=version.number,
        tag=version.tag,
        description=bounded(version.description),
        config_file=version.config_file,
        nvram=version.nvram,
        images=version.images[:256],
        state_files=version.state_files[:64],
        state_file=version.state_file,
        size_bytes=version.size,
        arch=version.arch,
        last_pull=version.last_pull,
        last_push=version.last_push,
        creation_date=version.creation_date,
    )
