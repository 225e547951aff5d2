"""Who takes what room where."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anka_scheduler.host_port import HostPort
from anka_scheduler.ledger import Claim, Ledger, to_claim
from anka_scheduler.size import DEFAULT_SIZE, TemplateSizes, VmSize
from support.objects import instance

_claims = st.builds(
    Claim,
    st.sampled_from(["mac-1", "mac-2"]),
    st.builds(VmSize, st.integers(0, 4), st.integers(0, 4)),
    st.sampled_from([None, "1", "2"]),
    st.frozensets(st.sampled_from([HostPort("tcp", 80), HostPort("tcp", 81), HostPort("udp", 80)])),
)


@given(st.lists(st.tuples(st.sampled_from("abcde"), st.none() | _claims), max_size=60))
def test_the_sums_are_those_of_the_claims(moves: list[tuple[str, Claim | None]]) -> None:
    ledger, model = Ledger(), dict[str, Claim]()
    for uid, claim in moves:
        ledger.record(uid, claim)
        model.pop(uid, None)
        if claim is not None:
            model[uid] = claim
    for name in ("mac-1", "mac-2"):
        there = [claim for claim in model.values() if claim.node == name]
        use = ledger.usage(name)
        assert use.vms == ledger.count_instances(name) == len(there)
        assert use.vcpus == sum(claim.size.vcpus for claim in there)
        assert use.memory_mib == sum(claim.size.memory_mib for claim in there)
        assert set(use.usb) == {claim.usb for claim in there if claim.usb is not None}
        assert use.ports == Counter(port for claim in there for port in claim.ports)
    assert dict(ledger.items()) == model
    assert len(ledger) == len(model)
    assert all(ledger.claim(uid) == model.get(uid) for uid in "abcde")


VM = {"uuid": "u", "name": "n", "status": "running"}


@pytest.mark.parametrize(
    ("status", "spec", "wanted"),
    [
        ({}, {}, None),
        ({"nodeName": "a"}, {}, Claim("a", DEFAULT_SIZE)),
        ({"nodeName": "a", "phase": "Started"}, {"resources": {"vcpu": 2}}, Claim("a", VmSize(2, 4096))),
        ({"nodeName": "a", "phase": "Error"}, {}, None),
        ({"nodeName": "a", "phase": "Stopped", "vm": {**VM, "status": "stopped"}}, {}, None),
        ({"nodeName": "a", "phase": "Error", "vm": VM}, {}, Claim("a", DEFAULT_SIZE)),
        ({"nodeName": "a", "usbDevice": "7"}, {"usbDevice": "phone"}, Claim("a", DEFAULT_SIZE, "7")),
        # ContextValue before the scheduler knew of devices.
        ({"nodeName": "a"}, {"usbDevice": "7"}, Claim("a", DEFAULT_SIZE, "7")),
        # What the Mac shows is what is taken.
        (
            {"nodeName": "a", "vm": {**VM, "cpuCores": 6, "ram": "8G"}},
            {"resources": {"vcpu": 2, "memoryMib": 1024}},
            Claim("a", VmSize(6, 8192)),
        ),
        ({"nodeName": "a", "template": {"id": "t", "tag": "v1"}}, {}, Claim("a", VmSize(3, 3072))),
        (
            {"nodeName": "a", "template": {"id": "t", "tag": "v1"}},
            {"resources": {"memoryMib": 512}},
            Claim("a", VmSize(3, 512)),
        ),
    ],
)
def test_claim_of(status: dict[str, Any], spec: dict[str, Any], wanted: Claim | None) -> None:
    sizes = TemplateSizes()
    sizes.learn({("t", "v1"): VmSize(3, 3072)})
    assert to_claim(instance(status=status, **spec), sizes) == wanted
