"""Every kind in every phase, as the apiserver has it after the real writers: for tests of our conditions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from anka_agent.anka.vm import Vm
from anka_agent.plan import instance_report as report
from anka_agent.plan import save_report
from anka_agent.plan.save import SaveFailure
from anka_agent.plan.situation import InstanceFailure
from anka_crds.api import (
    AnkaInstance,
    AnkaNode,
    AnkaTemplate,
    KubeObject,
    MACAddressPool,
    NodeGroup,
    Phase,
    SaveImage,
)
from anka_crds.api import TemplateDistribution as Distribution
from anka_crds.api.conditions import InstanceReason, SaveReason
from anka_crds.api.vm_info import ResolvedTemplate
from anka_crds.rules.condition_list import with_health
from anka_crds.rules.lifecycle import HEALTH
from anka_crds.rules.references import NameCatalog
from anka_kube import merge_patch
from anka_operator.distributions import desired as distribution
from anka_operator.groups import desired as group
from anka_operator.instances import desired as instance
from anka_operator.mac_pools import desired as mac_pool
from anka_operator.nodes import desired as node
from anka_operator.registry_view.desired import to_known
from anka_operator.saves import desired as save_image
from anka_operator.templates import desired as template
from anka_registry.models import RegistryTemplate
from anka_scheduler.catalog import ResolvedVersion
from anka_scheduler.decide import Binding
from anka_scheduler.ledger import Claim
from anka_scheduler.reasons import WaitReason
from support.objects import TEMPLATE
from support.objects import group as make_group

Json = dict[str, Any]
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
IN_PROGRESS, CURRENT, FAILED, TERMINATING = "InProgress", "Current", "Failed", "Terminating"

_VM = Vm(uuid="u1", name="mgmtManaged-x", status="running", ip="192.168.64.2", mac="AA:BB:CC:00:11:22")
_FULL = WaitReason(InstanceReason.UNSCHEDULABLE, "0/3 nodes fit: 3 full")
_MEANT = ResolvedTemplate(id=TEMPLATE, name="macos-15", tag="v2", version=1)
_KNOWN = RegistryTemplate.model_validate(
    {"id": TEMPLATE, "name": "macos-15", "versions": [{"number": 0, "tag": "v1"}, {"number": 1, "tag": "v2"}]}
)


@dataclass(frozen=True)
class Seen:
    name: str
    object: Json
    kstatus: str
    """The status that kstatus must report."""

    def __str__(self) -> str:
        return f"{self.object['kind']}: {self.name}"


Change = Callable[[Any], Json | None]
"""From an object to the patch of its status that a controller would write."""


class Life:
    """One object of a kind: created, then written to by controllers and people, one after the other."""

    def __init__(self, model: type[KubeObject], **spec: Any) -> None:
        self._model = model
        metadata = {"name": "one", "uid": "uid-one", "generation": 1, "creationTimestamp": "2026-01-01T00:00:00Z"}
        if model.DEFINITION.namespaced:
            metadata["namespace"] = "default"
        self.object: Json = {
            "apiVersion": "anka.veertu.com/v1alpha1",
            "kind": model.__name__,
            "metadata": metadata,
            "spec": spec,
            "status": dict(model.DEFINITION.status_default),
        }

    def wrote(self, change: Change) -> Life:
        """A controller wrote this, which is never nothing."""
        patch = change(self._model.from_api(self.object))
        assert patch
        self.object = merge_patch.apply(self.object, {"status": merge_patch.prepare(patch)})
        return self

    def edited(self, **spec: Any) -> Life:
        """A person changed the spec: the apiserver counts that."""
        generation = self.object["metadata"]["generation"] + 1
        self.object = merge_patch.apply(self.object, {"spec": spec, "metadata": {"generation": generation}})
        return self

    def deleted(self) -> Life:
        self.object = merge_patch.apply(self.object, {"metadata": {"deletionTimestamp": "2026-01-02T00:00:00Z"}})
        return self


def _bound(pull: bool) -> Change:
    binding = Binding("uid-one", ResolvedVersion(TEMPLATE, "macos-15", "v1", 3, "arm64"), Claim("mac-1"), pull)
    return lambda one: instance.bind_status(one, binding, now=NOW, registry=None)


def _pulling(one: AnkaInstance) -> Json:
    return report.to_pulling(one, 40, NOW)


def _started(one: AnkaInstance) -> Json:
    return report.to_started(one, _VM, host_ip="10.0.0.1", now=NOW, restarted_at=one.spec.restarted_at)


def _failed(one: AnkaInstance) -> Json:
    return report.to_failed(
        one, InstanceFailure(InstanceReason.SCRIPT_FAILED, "exit code 1"), _VM, host_ip="10.0.0.1", now=NOW
    )


def _looked(one: AnkaInstance) -> Json:
    return report.to_vm_update(one, _VM, host_ip="10.0.0.1", now=NOW)


def _lost(one: AnkaInstance) -> Json:
    return instance.node_loss_status(one, InstanceReason.NODE_LOST, "Node mac-1 is lost", now=NOW)


def _phase(phase: Phase) -> Change:
    """As all writers of phases do it: for those that no writer of today writes."""

    def write(one: AnkaInstance) -> Json:
        generation = one.metadata.generation
        conditions = with_health(
            one.status.conditions, HEALTH[phase], InstanceReason.FAILED, "", generation=generation, now=NOW
        )
        return {
            "phase": phase.value,
            "observedGeneration": generation,
            "conditions": [condition.to_api() for condition in conditions],
        }

    return write


def _instances() -> Iterator[tuple[str, Life, str]]:
    def one(**spec: Any) -> Life:
        return Life(AnkaInstance, template=TEMPLATE, **spec)

    def runs(**spec: Any) -> Life:
        return one(**spec).wrote(_bound(pull=False)).wrote(_started)

    restart = {"restartedAt": "2026-01-02T00:00:00Z"}
    yield "just created", one(), IN_PROGRESS
    yield "waits for a node", one().wrote(lambda i: instance.wait_status(i, _FULL, now=NOW)), IN_PROGRESS
    yield "bound", one().wrote(_bound(pull=False)), IN_PROGRESS
    yield "bound, pull needed", one().wrote(_bound(pull=True)), IN_PROGRESS
    yield "pulling", one().wrote(_bound(pull=True)).wrote(_pulling), IN_PROGRESS
    yield "started", runs(), CURRENT
    yield "started after a pull", one().wrote(_bound(pull=True)).wrote(_pulling).wrote(_started), CURRENT
    yield "changed, not seen yet", runs().edited(displayName="x"), IN_PROGRESS
    yield "changed and seen", runs().edited(displayName="x").wrote(_looked), CURRENT
    yield "restart asked for", runs().edited(**restart), IN_PROGRESS
    yield "restarted", runs().edited(**restart).wrote(_started), CURRENT
    yield "pushing", runs().wrote(lambda i: report.to_pushing(i, "Saving", NOW)), IN_PROGRESS
    yield "stopping", runs().wrote(_phase(Phase.STOPPING)), IN_PROGRESS
    yield "stopped", runs().wrote(lambda i: report.to_stopped(i, _VM, host_ip=None, now=NOW)), FAILED
    yield "failed", one().wrote(_bound(pull=False)).wrote(_failed), FAILED
    yield "failed, then changed", runs().wrote(_failed).edited(displayName="x"), IN_PROGRESS
    yield "failed, change seen", runs().wrote(_failed).edited(displayName="x").wrote(_looked), FAILED
    yield "too late", one(startDeadlineSeconds=1).wrote(lambda i: instance.deadline_status(i, now=NOW)), FAILED
    yield "node lost", runs().wrote(_lost), FAILED
    yield "node lost, goes elsewhere", runs(nodeLostPolicy="Reschedule").wrote(_lost), IN_PROGRESS
    yield "terminating, without trouble", runs().deleted(), TERMINATING
    yield "deleted while it waits", one().deleted(), TERMINATING
    stuck = runs().deleted().wrote(lambda i: report.to_terminating(i, "The VM cannot be removed yet", NOW))
    yield "terminating, with trouble", stuck, TERMINATING
    yield "terminated", runs().wrote(_phase(Phase.TERMINATED)), FAILED


def _judged(alive: bool | None = True, groups: tuple[str, ...] = ()) -> Change:
    return lambda one: node.compute_status(one, alive, NameCatalog(map(make_group, groups)), NOW)


def _reports(**status: Any) -> Change:
    return lambda _: status


def _nodes() -> Iterator[tuple[str, Life, str]]:
    def mac(*, alive: bool = True, **status: Any) -> Life:
        return Life(AnkaNode).wrote(_reports(agentVersion="1", cpuCount=8, **status)).wrote(_judged(alive))

    update: Json = {"agentVersion": "2"}
    failed: Json = {"agentUpdate": {"version": "2", "failed": True, "message": "no such package"}}
    yield "just created", Life(AnkaNode), IN_PROGRESS
    yield "no heartbeat yet", Life(AnkaNode).wrote(_reports(agentVersion="1")), IN_PROGRESS
    yield "active", mac(), CURRENT
    yield "offline", mac(alive=False), FAILED
    yield "back again", mac(alive=False).wrote(_judged()), CURRENT
    yield "licence expired", mac(ankaVersion={"licenseStatus": "expired"}), FAILED
    yield "configuration not seen yet", mac().edited(maxVmCount=4), IN_PROGRESS
    yield "configuration seen", mac().edited(maxVmCount=4).wrote(_judged()), CURRENT
    yield "drained", mac().edited(drainMode=True).wrote(_judged()), CURRENT
    yield "unknown group", mac().edited(groups=["ios"]).wrote(_judged()), CURRENT
    yield "other agent wanted", mac().edited(**update).wrote(_judged()), IN_PROGRESS
    yield "drained, other agent wanted", mac().edited(drainMode=True, **update).wrote(_judged()), IN_PROGRESS
    yield "updating", mac().edited(**update).wrote(_reports(updating=True)).wrote(_judged()), IN_PROGRESS
    updated = mac().edited(**update).wrote(_judged()).wrote(_reports(agentVersion="2"))
    yield "updated", updated.wrote(_judged()), CURRENT
    yield "update failed", mac().edited(**update).wrote(_reports(**failed)).wrote(_judged()), FAILED
    yield "deleted", mac().deleted(), TERMINATING


def _mirror(
    known: RegistryTemplate | None = _KNOWN, *, holds: str | None = None, registry_error: str | None = None,
    gone: bool = False, state: str = "Active",
) -> Change:  # fmt: skip
    held = [{"uuid": TEMPLATE, "name": "macos-15", "tag": holds}] if holds else []
    mac = AnkaNode.from_api({"metadata": {"name": "mac-1"}, "status": {"state": state, "templates": held}})
    return lambda one: template.compute_status(
        one,
        None if known is None else to_known(known),
        [mac] if holds else [],
        gone=gone,
        registry_error=registry_error,
        now=NOW,
        keepers=[mac],
    )


def _templates() -> Iterator[tuple[str, Life, str]]:
    def one(**spec: Any) -> Life:
        life = Life(AnkaTemplate, **spec)
        life.object["metadata"]["name"] = TEMPLATE
        return life

    keep: Json = {"distribution": [{"tag": "v2"}]}
    yield "just made", one(), IN_PROGRESS
    yield "mirrored", one().wrote(_mirror()), CURRENT
    yield "without versions", one().wrote(_mirror(RegistryTemplate(id=TEMPLATE, name="x"))), IN_PROGRESS
    yield (
        "registry away before it was seen",
        one().wrote(_mirror(None, registry_error="no route")),
        IN_PROGRESS,
    )
    away = one().wrote(_mirror()).edited(displayName="x").wrote(_mirror(None, registry_error="no route"))
    yield "registry away later", away, CURRENT
    yield "not in the registry", one().wrote(_mirror(None, gone=True)), FAILED
    yield "rule not seen yet", one().wrote(_mirror()).edited(**keep), IN_PROGRESS
    yield "rule seen, Mac pulls", one().wrote(_mirror()).edited(**keep).wrote(_mirror()), IN_PROGRESS
    yield "Mac holds an older tag", one(**keep).wrote(_mirror(holds="v1")), IN_PROGRESS
    yield "Mac holds it", one(**keep).wrote(_mirror()).wrote(_mirror(holds="v2")), CURRENT
    yield "the only Mac is offline", one(**keep).wrote(_mirror(state="Offline")), CURRENT
    yield "no such tag", one(distribution=[{"tag": "v9"}]).wrote(_mirror()), IN_PROGRESS
    yield "no such version", one(distribution=[{"version": 9}]).wrote(_mirror()), IN_PROGRESS
    yield "deleted", one().wrote(_mirror()).deleted(), TERMINATING


def _count(*states: str, others: tuple[str, ...] = ()) -> Change:
    macs = [AnkaNode.from_api({"metadata": {"name": f"mac-{n}"}, "status": {"state": s}}) for n, s in enumerate(states)]
    return lambda one: group.compute_status(one, macs, dict.fromkeys(others), NOW)


def _groups() -> Iterator[tuple[str, Life, str]]:
    yield "just created", Life(NodeGroup), IN_PROGRESS
    yield "empty", Life(NodeGroup).wrote(_count()), CURRENT
    yield "with Macs", Life(NodeGroup).wrote(_count("Active", "Offline")), CURRENT
    yield "all its Macs are offline", Life(NodeGroup).wrote(_count("Offline")), CURRENT
    yield "no such fallback", Life(NodeGroup, fallbackGroup="spare").wrote(_count()), FAILED
    appeared = Life(NodeGroup, fallbackGroup="spare").wrote(_count()).wrote(_count(others=("spare",)))
    yield "the fallback appeared", appeared, CURRENT
    yield "changed, not seen yet", Life(NodeGroup).wrote(_count()).edited(fallbackGroup="spare"), IN_PROGRESS
    yield "deleted", Life(NodeGroup).wrote(_count()).deleted(), TERMINATING


def _mac_pools() -> Iterator[tuple[str, Life, str]]:
    def pool() -> Life:
        return Life(MACAddressPool, ranges=[{"first": "02:00:00:00:00:01", "last": "02:00:00:00:00:03"}])

    def counted(*usage: int) -> Change:
        return lambda one: mac_pool.compute_status(one, mac_pool.AddressUsage(*usage), NOW)

    yield "just created", pool(), IN_PROGRESS
    yield "has addresses", pool().wrote(counted(1, 1, 1)), CURRENT
    yield "exhausted", pool().wrote(counted(0, 2, 1)), CURRENT
    yield "without any address", pool().wrote(counted(0, 0, 0)), FAILED
    yield "changed, not seen yet", pool().wrote(counted(1, 1, 1)).edited(reuseAfterSeconds=60), IN_PROGRESS
    yield "deleted", pool().wrote(counted(1, 1, 1)).deleted(), TERMINATING


def _progress(*reports: Json) -> Change:
    def build(one: Distribution) -> dict[str, AnkaNode]:
        rounds = {entry.node_name: entry.round for entry in one.status.nodes}
        return {
            name: AnkaNode.from_api(
                {
                    "metadata": {"name": name},
                    "status": {
                        "state": "Active",
                        "distributions": [{"name": "one", "uid": "uid-one", "round": rounds.get(name), **told}],
                    },
                }
            )
            for name, told in ((f"mac-{number}", told) for number, told in enumerate(reports, 1))
        }

    return lambda one: distribution.progress_status(one, build(one), lost_seconds=300, now=NOW)[0]


def _taken(*names: str) -> Change:
    return lambda one: distribution.start_status(one, _MEANT, names, registry=None, now=NOW)


def _distributions() -> Iterator[tuple[str, Life, str]]:
    def one(**spec: Any) -> Life:
        return Life(Distribution, template=TEMPLATE, **spec)

    def taken() -> Life:
        return one().wrote(_taken("mac-1", "mac-2"))

    done: Json = {"done": True}
    waiting = WaitReason(InstanceReason.TEMPLATE_NOT_READY, "no version yet")
    yield "just created", one(), IN_PROGRESS
    yield "waits", one().wrote(lambda d: distribution.wait_status(d, waiting, now=NOW)), IN_PROGRESS
    yield "no such template", one().wrote(lambda d: distribution.refusal_status(d, waiting, now=NOW)), FAILED
    yield "taken up", taken(), IN_PROGRESS
    yield "one Mac has it", taken().wrote(_progress(done, {"progressPercent": 7})), IN_PROGRESS
    yield "all have it", taken().wrote(_progress(done, done)), CURRENT
    yield "one Mac failed", taken().wrote(_progress(done, {**done, "message": "no route"})), FAILED
    yield "no Mac that it is for", one().wrote(_taken()), CURRENT
    cancelled = taken().edited(cancelled=True).wrote(lambda d: distribution.cancel_status(d, now=NOW))
    yield "cancelled", cancelled, FAILED
    changed = taken().wrote(_progress(done, done)).edited(ttlSecondsAfterFinished=3600)
    yield "changed when it is over", changed, IN_PROGRESS
    yield "seen that it was changed", one_more(changed).wrote(distribution.acknowledge), CURRENT
    fewer = one(nodes=["mac-1"]).wrote(_taken("mac-1")).wrote(_progress(done)).edited(nodes=["mac-1", "mac-2"])
    yield "for other Macs when it is over", fewer, IN_PROGRESS
    anew = one_more(fewer).wrote(lambda d: distribution.retarget_status(d, ["mac-1", "mac-2"], now=NOW))
    yield "taken up for other Macs", anew, IN_PROGRESS
    yield "other Macs have it", one_more(anew).wrote(_progress(done, done)), CURRENT
    yield "deleted", taken().deleted(), TERMINATING


def one_more(life: Life) -> Life:
    """A second life that goes on from here."""
    copy = Life.__new__(Life)
    copy.__dict__.update(life.__dict__)
    return copy


def _saves() -> Iterator[tuple[str, Life, str]]:
    def one() -> Life:
        return Life(SaveImage, instance="golden", tag="v3", targetTemplate=TEMPLATE)

    verdict = save_image.SaveTransition(save_image.SaveAction.WAIT, SaveReason.INSTANCE_STARTING, "Waits")
    status = {"phase": "Started", "nodeName": "mac-1", "vm": {"uuid": "u1", "name": "x", "status": "running"}}
    golden = AnkaInstance.from_api({"metadata": {"name": "golden"}, "spec": {"template": "t"}, "status": status})

    def taken() -> Life:
        return one().wrote(lambda s: save_image.start_status(s, golden, registry=None, now=NOW))

    bad = SaveFailure(SaveReason.PUSH_FAILED, "no route")
    yield "just created", one(), IN_PROGRESS
    yield "waits for its instance", one().wrote(lambda s: save_image.wait_status(s, verdict, now=NOW)), IN_PROGRESS
    yield "no such instance", one().wrote(lambda s: save_image.failure_status(s, verdict, now=NOW)), FAILED
    yield "at work", taken(), IN_PROGRESS
    pushed = taken().wrote(lambda s: save_report.to_pushed(s, NOW, None))
    yield "pushed", pushed, IN_PROGRESS
    yield "saved", pushed.wrote(lambda s: save_image.done_status(s, is_seen=True, now=NOW)), CURRENT
    yield "not saved", taken().wrote(lambda s: save_report.to_failed(s, bad, NOW, None)), FAILED
    yield "deleted", taken().deleted(), TERMINATING


def every() -> list[Seen]:
    """All kinds in all phases."""
    lives = (_instances(), _nodes(), _templates(), _groups(), _mac_pools(), _distributions(), _saves())
    return [Seen(name, life.object, kstatus) for kind in lives for name, life, kstatus in kind]
