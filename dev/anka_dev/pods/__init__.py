"""Runs pods as processes of this machine: a kubelet and a scheduler small enough for tests. See ``PodRunner``."""

from anka_dev.pods.runner import PodRunner

__all__ = ["PodRunner"]
