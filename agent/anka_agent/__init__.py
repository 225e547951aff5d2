"""The agent: runs on a Mac host and keeps its VMs as the Kubernetes API wants them."""

from anka_runtime.version import package_version

VERSION = package_version()
"""The version of this build."""
