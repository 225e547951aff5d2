"""Runs pods as processes of this machine: a small kubelet and scheduler for tests. See ``PodRunner``."""

from localkube.pods.runner import PodRunner

__all__ = ["PodRunner"]
