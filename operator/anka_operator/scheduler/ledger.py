"""Who takes what room where: places, vCPUs, RAM and USB devices of the nodes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from anka_crds.api.instance import AnkaInstance
from anka_crds.core.lifecycle import holds_slot
from anka_operator.scheduler.size import DEFAULT_SIZE, Size, TemplateSizes, size_of


class Claim(NamedTuple):
    """What one instance takes of one node."""

    node: str
    size: Size = DEFAULT_SIZE
    usb: str | None = None
    """Location of the USB device that it has."""


def claim_of(instance: AnkaInstance, sizes: TemplateSizes) -> Claim | None:
    """What a bound instance takes; None: nothing, or nothing any more."""
    status = instance.status
    if status.node_name is None or not holds_slot(status.phase, status.vm.status if status.vm else None):
        return None
    return Claim(status.node_name, size_of(instance, sizes), status.usb_device or instance.spec.usb_device)


class Use:
    """What is taken of one node."""

    __slots__ = ("memory_mib", "usb", "vcpus", "vms")

    def __init__(self) -> None:
        self.vms = 0
        self.vcpus = 0
        self.memory_mib = 0
        self.usb: dict[str, int] = {}
        """Location -> how many have it: two where people or an older version started them by hand."""

    def copy(self) -> Use:
        """As it is now, whatever happens later."""
        other = Use()
        other.vms, other.vcpus, other.memory_mib = self.vms, self.vcpus, self.memory_mib
        other.usb = dict(self.usb)
        return other


NOTHING = Use()
"""Of a node that nobody is on. Never changed."""


class Ledger:
    """Claims by instance, and their sums by node. The same instance is never counted twice."""

    def __init__(self) -> None:
        self._claims: dict[str, Claim] = {}
        self._uses: dict[str, Use] = {}

    def put(self, uid: str, claim: Claim | None) -> None:
        """This instance takes that, and nothing else; None: it takes nothing."""
        before = self._claims.get(uid)
        if before == claim:
            return
        if before is not None:
            del self._claims[uid]
            self._remove(before)
        if claim is not None:
            self._claims[uid] = claim
            self._add(claim)

    def _add(self, claim: Claim) -> None:
        use = self._uses.get(claim.node)
        if use is None:
            use = self._uses[claim.node] = Use()
        use.vms += 1
        use.vcpus += claim.size.vcpus
        use.memory_mib += claim.size.memory_mib
        if claim.usb is not None:
            use.usb[claim.usb] = use.usb.get(claim.usb, 0) + 1

    def _remove(self, claim: Claim) -> None:
        use = self._uses[claim.node]
        use.vms -= 1
        if not use.vms:
            del self._uses[claim.node]
            return
        use.vcpus -= claim.size.vcpus
        use.memory_mib -= claim.size.memory_mib
        if claim.usb is not None:
            use.usb[claim.usb] -= 1
            if not use.usb[claim.usb]:
                del use.usb[claim.usb]

    def use(self, node: str) -> Use:
        return self._uses.get(node, NOTHING)

    def used(self, node: str) -> int:
        """Number of instances there."""
        return self.use(node).vms

    def claim(self, uid: str) -> Claim | None:
        return self._claims.get(uid)

    def items(self) -> Iterable[tuple[str, Claim]]:
        return self._claims.items()

    def __len__(self) -> int:
        return len(self._claims)
