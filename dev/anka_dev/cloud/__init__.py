"""A whole build cloud on one machine: cluster, registry, operator, shim, Macs. Used by demo, tests and benchmarks."""

from anka_dev.cloud.local import LocalCloud
from anka_dev.cloud.macs import CloudMac
from anka_dev.cloud.service import Service

__all__ = ["CloudMac", "LocalCloud", "Service"]
