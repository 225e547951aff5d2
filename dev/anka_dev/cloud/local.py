"""The cloud: its processes, their identities and their files."""

from __future__ import annotations

import base64
import json
import shutil
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from anka_crds.api.defaults import NODE_NAMESPACE, SYSTEM_NAMESPACE
from anka_dev.cloud import install
from anka_dev.cloud.macs import CloudMac, RegistryHost
from anka_dev.cloud.service import Service
from localkube.controlplane import KubernetesCluster
from localkube.errors import DevError
from localkube.free_ports import HOST, free_port

_TOKEN_SECONDS = 7 * 86_400


class LocalCloud:
    """On ``cluster``, with files in ``directory``. A context manager: leaving it stops all but the cluster."""

    def __init__(self, cluster: KubernetesCluster, directory: Path, *, log_level: str = "INFO") -> None:
        self.cluster = cluster
        self.directory = directory.absolute()
        self.directory.mkdir(parents=True, exist_ok=True)
        self.kubectl = cluster.kubectl
        self.registry: RegistryHost | None = None
        self.macs: dict[str, CloudMac] = {}
        self.operators: list[Service] = []
        self.shims: list[Service] = []
        self.urls: list[str] = []
        self.root_token = ""
        """By which `rest` logs in; empty where the REST API is open."""
        self._accounts: dict[str, str] = {}
        self._log_level = log_level

    def install(self) -> None:
        """Install kinds, policies, namespaces and roles."""
        install.install(self.cluster)

    def start_registry(self, *extra: str, port: int = 0) -> RegistryHost:
        """`extra`: flags of `anka-sim registry run`. An operator, a shim or a Mac that is started later uses it."""
        self.registry = RegistryHost(self.directory / "registry", free_port(port), self._log("registry"), extra)
        self.registry.start()
        return self.registry

    def start_operator(self, *extra: str, port: int = 0) -> Service:
        """Start one more operator: of several, the holder of the Lease works."""
        port = free_port(port)
        name = f"operator-{len(self.operators) + 1}"
        arguments = [
            *self._common("anka-operator", SYSTEM_NAMESPACE),
            # The same identity, so that an operator that is restarted after a crash holds the Lease at once.
            f"--identity={name}",
            f"--health-port={port}",
            *([f"--registry-url={self.registry.url}"] if self.registry else []),
            *extra,
        ]
        service = self._service(name, "anka_operator", arguments, port)
        self.operators.append(service)
        return service.start()

    def start_shim(self, *extra: str, port: int = 0) -> Service:
        """Start one more replica of the API shim; ``url`` is the first one's."""
        port = free_port(port)
        arguments = [
            *self._common("anka-shim", SYSTEM_NAMESPACE),
            f"--host={HOST}",
            f"--port={port}",
            *([f"--registry-url={self.registry.url}"] if self.registry else []),
            *extra,
        ]
        service = self._service(f"shim-{len(self.shims) + 1}", "anka_shim", arguments, port)
        self.shims.append(service)
        self.urls.append(f"http://{HOST}:{port}")
        return service.start()

    def add_mac(self, name: str, *agent_flags: str, **config: Any) -> CloudMac:
        """Start a simulated Mac with its agent; with ``launcher=True`` the agent can be updated. ``config`` is the
        simulated Mac's (hardware, delays, …)."""
        launched = config.pop("launcher", False)
        # As large as the disk that the agent sees: it reserves a share of that.
        config = {"disk_bytes": shutil.disk_usage(self.directory).total, **config}
        port = free_port()
        account = install.ensure_node_account(self.cluster, name)
        mac = CloudMac(self.directory / "macs" / name, name, self.registry, config)
        arguments = [
            "launch" if launched else "run",
            *self._common(account, NODE_NAMESPACE),
            f"--node-name={name}",
            f"--host={HOST}",
            f"--anka={mac.executable}",
            f"--state-dir={mac.directory / 'agent'}",
            f"--health-port={port}",
            *([f"--registry-url={self.registry.url}"] if self.registry else []),
            *agent_flags,
        ]
        mac.agent = self._service(f"agent-{name}", "anka_agent", arguments, port)
        self.macs[name] = mac
        mac.agent.start()
        return mac

    def wait_ready(self, seconds: float = 60) -> None:
        """Return once all our processes are ready, all Macs are, and all templates of the registry are known.

        DevError names what is not, and why."""
        for service in self.services():
            service.wait_ready(seconds)
        if self.operators:
            for uuid in self.registry.templates if self.registry else ():
                self.wait_for(f"ankatemplate/{uuid}", "create", seconds=seconds)
            for name in self.macs:
                self.wait_for(f"ankanode/{name}", "create", "condition=Ready", seconds=seconds)

    def wait_for(self, what: str, *conditions: str, namespace: str = "default", seconds: float = 60) -> None:
        """``kubectl wait``: return once ``what`` (kind/name) fulfils each of these. DevError after ``seconds``."""
        for condition in conditions:
            self.kubectl.run(
                "wait", f"--for={condition}", what, f"--namespace={namespace}", f"--timeout={seconds:g}s",
                timeout=seconds + 10,
            )  # fmt: skip

    def services(self) -> list[Service]:
        agents = [mac.agent for mac in self.macs.values() if mac.agent is not None]
        return [*self.operators, *self.shims, *agents]

    @property
    def url(self) -> str:
        return self.urls[0]

    def rest(self, method: str, path: str, body: Any = None, *, replica: int = 0) -> dict[str, Any]:
        """Call the legacy API; returns the envelope."""
        request = urllib.request.Request(
            self.urls[replica] + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", **self._credentials()},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            envelope = json.loads(answer.read())
        assert isinstance(envelope, dict)
        return envelope

    def _credentials(self) -> dict[str, str]:
        if not self.root_token:
            return {}
        return {"Authorization": f"Basic {base64.b64encode(f'root:{self.root_token}'.encode()).decode()}"}

    def check(self) -> None:
        """DevError when one of our processes ended by itself."""
        for service in self.services():
            if not service.running:
                raise DevError(f"{service.name} ended with code {service.exit_code} (log: {service.log})")

    def vm_names(self) -> list[str]:
        """Names of the VMs on all Macs that belong to instances."""
        # A copy: another thread may remove a Mac.
        return sorted(name for mac in list(self.macs.values()) for name in mac.vm_names())

    def renew_tokens(self) -> None:
        """Write new tokens into the same files, which our processes read again."""
        for account, namespace in self._accounts.items():
            self._identity(account, namespace)

    def stop(self) -> None:
        """Stop everything but the cluster. May be called twice."""
        services = self.services()
        with ThreadPoolExecutor(max(1, len(services))) as together:
            list(together.map(Service.stop, services))
        for mac in self.macs.values():
            mac.power_off()
        if self.registry is not None:
            self.registry.stop()

    def __enter__(self) -> LocalCloud:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _common(self, account: str, namespace: str) -> list[str]:
        kubeconfig = self._identity(account, namespace)
        return [f"--kubeconfig={kubeconfig}", f"--log-level={self._log_level}", "--log-format=json"]

    def _identity(self, account: str, namespace: str) -> Path:
        kubeconfig = self.directory / "identities" / f"{account}.kubeconfig"
        kubeconfig.parent.mkdir(exist_ok=True)
        self._accounts[account] = namespace
        return self.cluster.kubeconfig_for(account, namespace, kubeconfig, seconds=_TOKEN_SECONDS)

    def _service(self, name: str, module: str, arguments: list[str], port: int) -> Service:
        return Service(name, module, arguments, health_port=port, log=self._log(name), directory=self.directory)

    def _log(self, name: str) -> Path:
        return self.directory / "logs" / f"{name}.log"
