"""Where the load goes: the shim, or the apiserver directly with the same generator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from anka_crds.api.defaults import CI_NAMESPACE
from anka_dev.bench.bench import Bench
from anka_dev.bench.load import Plan, Result, run_load
from anka_dev.bench.usage import ProcessUsage
from anka_dev.cloud import LocalCloud

VM = "/api/v1/vm"
RAW = f"/apis/anka.veertu.com/v1alpha1/namespaces/{CI_NAMESPACE}/ankainstances"
SHIM, API_SERVER, ETCD = "shim-1", "kube-apiserver", "etcd"
_OK = '{"status":"OK"'


@dataclass
class Site:
    bench: Bench
    cloud: LocalCloud
    token: str

    def shim(self, plan: Plan, *, expects: str = _OK) -> tuple[Result, ProcessUsage]:
        """Load on the shim; what it cost every process meanwhile."""
        return self._measure(replace(plan, url=self.cloud.url, expects=expects))

    def raw(self, plan: Plan) -> tuple[Result, ProcessUsage]:
        """The same load on the apiserver."""
        cluster = self.bench.cluster
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json", **plan.headers}
        return self._measure(replace(plan, url=cluster.server, ca_file=str(cluster.ca_file), headers=headers))

    def _measure(self, plan: Plan) -> tuple[Result, ProcessUsage]:
        with self.bench.meter(self.cloud).measure() as usage:
            result = run_load(plan)
        return result, usage


def plan(path: str, **more: object) -> Plan:
    return replace(Plan(url="", path=path), **more)  # type: ignore[arg-type]


def cpu_ms_each(usages: Sequence[ProcessUsage], role: str, answers: int) -> float:
    """CPU milliseconds of one process for each answer. Includes start and end of the generator, without requests."""
    return sum(usage.cpu.get(role, 0.0) for usage in usages) / answers * 1e3
