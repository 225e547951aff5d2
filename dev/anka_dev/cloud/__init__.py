"""A whole build cloud on one machine: cluster, registry, operator, shim, Macs. Used by demo, tests and benchmarks."""

from anka_dev.cloud.local import LocalCloud
from anka_dev.cloud.macs import Mac
from anka_dev.cloud.service import Service

__all__ = ["LocalCloud", "Mac", "Service"]
