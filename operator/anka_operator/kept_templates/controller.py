"""Writes to every AnkaNode which tags the rules of templates keep on it, so that agents need not watch templates."""

import math

from anka_crds.api import AnkaNode, AnkaTemplate, NodeGroup
from anka_crds.rules.references import NameCatalog, is_renaming
from anka_kube.store import EventType
from anka_operator.cluster.access import AnkaCluster
from anka_operator.control_loop import ObjectLoop
from anka_operator.kept_templates.desired import compute_status
from anka_operator.registry_view.view import RegistryView
from anka_runtime.clock import Clock


class TemplateRetention(ObjectLoop[AnkaNode]):
    def __init__(
        self, cluster: AnkaCluster, clock: Clock, view: RegistryView, *, registry_url: str | None = None
    ) -> None:
        super().__init__("keeping", cluster.stores.nodes, clock, window=0.25, tick=60.0)
        self._cluster = cluster
        self._view = view
        self._registry_url = registry_url
        self._with_rules: list[AnkaTemplate] = []
        self._names = NameCatalog(), NameCatalog()
        """Of groups and of nodes."""
        self._is_outdated = True
        """Whether rules or names have changed since they were gathered: most runs are for one node alone."""
        self.follow(cluster.stores.templates, self._on_template)
        self.follow(cluster.stores.groups, self._on_name)
        self.follow(cluster.stores.nodes, self._on_name)
        self.follow(view, self._on_registry)

    def wake(self) -> None:
        self._is_outdated = True
        super().wake()

    async def run_once(self) -> float | None:
        if self._is_outdated:
            self._is_outdated = False
            stores = self._cluster.stores
            self._with_rules = [template for template in self._view.templates() if template.spec.distribution]
            self._names = NameCatalog(stores.groups), NameCatalog(stores.nodes)
        return await super().run_once()

    async def reconcile(self, obj: AnkaNode) -> float:
        patch = compute_status(obj, self._with_rules, self._registry_url, *self._names)
        if patch is not None:
            await self._cluster.write.nodes.patch_status(obj, patch, guarded=False)
        return math.inf

    def _on_name(self, _: EventType, old: NodeGroup | AnkaNode | None, new: NodeGroup | AnkaNode | None) -> None:
        """A rule may name a group or a Mac as people do, and then mean other Macs than before."""
        if self._with_rules and is_renaming(old, new):
            self.wake()

    def _on_template(self, _: EventType, old: AnkaTemplate | None, new: AnkaTemplate | None) -> None:
        if self._rules_of(old) != self._rules_of(new):
            self.wake()

    def _rules_of(self, template: AnkaTemplate | None) -> object:
        """Its rules, and what they choose from; None if it has none."""
        return None if template is None or not template.spec.distribution else self._view.select_facts(template)

    def _on_registry(self, uuid: str | None) -> None:
        """With the first list, templates with rules may turn out not to be in the registry any more."""
        template = self._cluster.stores.templates.get(uuid) if uuid is not None else None
        if self._with_rules if uuid is None else template is not None and template.spec.distribution:
            self.wake()
