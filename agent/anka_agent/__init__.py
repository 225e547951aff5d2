"""The agent: runs on a Mac host and keeps its VMs as the Kubernetes API wants them."""

from importlib.metadata import PackageNotFoundError, version

try:
    VERSION = version("anka-cloud")
except PackageNotFoundError:  # run from a checkout that was never installed
    VERSION = "0.0.0"
