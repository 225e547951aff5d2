"""Which build this is."""

from __future__ import annotations

import hashlib
from importlib.metadata import PackageNotFoundError, version


def package_version() -> str:
    try:
        return version("anka-cloud")
    except PackageNotFoundError:  # run from a source tree that was never installed
        return "0.0.0"


def build_hash() -> str:
    """Eight hex digits, the same for one version of this package: the old controller showed its commit there."""
    return hashlib.sha256(package_version().encode()).hexdigest()[:8]
