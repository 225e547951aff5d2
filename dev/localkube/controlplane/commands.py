"""The command lines of the three components. Pure."""

from dataclasses import dataclass
from pathlib import Path

from localkube.controlplane.certificates import Pki
from localkube.free_ports import HOST

_MEMBER = "localkube"

# Only what custom resources need: every other controller would watch kinds that do not occur here.
CONTROLLERS = (
    "clusterrole-aggregation-controller",
    "garbage-collector-controller",
    "namespace-controller",
    "resourcequota-controller",
    "root-ca-certificate-publisher-controller",
    "serviceaccount-controller",
    "serviceaccount-token-controller",
    "validatingadmissionpolicy-status-controller",
)

# Added where pods run.
WORKLOAD_CONTROLLERS = (
    "deployment-controller",
    "disruption-controller",
    "endpointslice-controller",
    "replicaset-controller",
)


@dataclass(frozen=True)
class Ports:
    """Loopback ports."""

    api: int
    etcd_client: int
    etcd_peer: int

    @property
    def server(self) -> str:
        """The API's address."""
        return f"https://{HOST}:{self.api}"


@dataclass(frozen=True)
class Layout:
    """Where one control plane keeps its files."""

    directory: Path

    @property
    def pki(self) -> Path:
        """Certificates and keys."""
        return self.directory / "pki"

    @property
    def etcd(self) -> Path:
        """The data."""
        return self.directory / "etcd"

    @property
    def ports(self) -> Path:
        """The ports of the last run, for the next one on the same data."""
        return self.directory / "ports.json"

    @property
    def admin(self) -> Path:
        """The administrator's kubeconfig."""
        return self.directory / "admin.kubeconfig"

    @property
    def controller_manager(self) -> Path:
        """The controller manager's kubeconfig."""
        return self.directory / "controller-manager.kubeconfig"

    @property
    def audit_policy(self) -> Path:
        """The policy of the audit log."""
        return self.directory / "audit-policy.yaml"

    @property
    def audit_log(self) -> Path:
        """One JSON line for each request that the policy names."""
        return self.directory / "audit.log"

    @property
    def lock(self) -> Path:
        """Held while a control plane runs in this directory."""
        return self.directory / "lock"

    def log(self, component: str) -> Path:
        """A component's output."""
        return self.directory / f"{component}.log"


def etcd(binary: Path, layout: Layout, ports: Ports, *, durable: bool) -> list[str]:
    """The store. Without ``durable`` nothing is flushed to disk: such data is thrown away."""
    client, peer = (f"http://{HOST}:{port}" for port in (ports.etcd_client, ports.etcd_peer))
    return [
        str(binary),
        f"--name={_MEMBER}",
        f"--data-dir={layout.etcd}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster={_MEMBER}={peer}",
        "--log-level=warn",
        *([] if durable else ["--unsafe-no-fsync"]),
    ]


def api_server(binary: Path, layout: Layout, ports: Ports, pki: Pki, *, audit: bool) -> list[str]:
    """The API, with RBAC and every default admission plugin."""
    return [
        str(binary),
        f"--bind-address={HOST}",
        f"--secure-port={ports.api}",
        f"--etcd-servers=http://{HOST}:{ports.etcd_client}",
        f"--cert-dir={layout.pki}",
        f"--tls-cert-file={pki.server.certificate}",
        f"--tls-private-key-file={pki.server.key}",
        f"--client-ca-file={pki.ca.certificate}",
        "--authorization-mode=RBAC",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={pki.service_account_public}",
        f"--service-account-signing-key-file={pki.service_account_key}",
        "--service-cluster-ip-range=10.0.0.0/24",
        # A loopback address is refused as an endpoint of the service "kubernetes", which no client here resolves.
        f"--advertise-address={HOST}",
        "--endpoint-reconciler-type=none",
        "--profiling=false",
        *([f"--audit-policy-file={layout.audit_policy}", f"--audit-log-path={layout.audit_log}"] if audit else []),
    ]


def controller_manager(binary: Path, layout: Layout, pki: Pki, *, workloads: bool) -> list[str]:
    """Controllers of namespaces, owner references and service accounts; with ``workloads`` of Deployments, too."""
    return [
        str(binary),
        f"--kubeconfig={layout.controller_manager}",
        f"--controllers={','.join((*CONTROLLERS, *WORKLOAD_CONTROLLERS) if workloads else CONTROLLERS)}",
        "--use-service-account-credentials",
        f"--service-account-private-key-file={pki.service_account_key}",
        f"--root-ca-file={pki.ca.certificate}",
        # One process only: an election would cost writes, and a wait for its Lease after a crash.
        "--leader-elect=false",
        # Serves only health and metrics, which are not used here; a dead process is noticed by its exit.
        "--secure-port=0",
        # The defaults (20 and 30) would make the deletion of a thousand owned objects take a minute.
        "--kube-api-qps=200",
        "--kube-api-burst=400",
        "--profiling=false",
    ]
