"""A real Kubernetes API on this machine: kube-apiserver, etcd and kube-controller-manager."""

from anka_dev.controlplane.choose import open_cluster
from anka_dev.controlplane.cluster import Cluster, ExternalCluster, apply, wait_established
from anka_dev.controlplane.embedded import ControlPlane

__all__ = ["Cluster", "ControlPlane", "ExternalCluster", "apply", "open_cluster", "wait_established"]
