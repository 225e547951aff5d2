"""A real Kubernetes API on this machine: kube-apiserver, etcd and kube-controller-manager."""

from localkube.controlplane.audit import Audit
from localkube.controlplane.choose import open_cluster
from localkube.controlplane.cluster import ExternalCluster, KubernetesCluster, apply, wait_established
from localkube.controlplane.embedded import ControlPlane

__all__ = ["Audit", "ControlPlane", "ExternalCluster", "KubernetesCluster", "apply", "open_cluster", "wait_established"]
