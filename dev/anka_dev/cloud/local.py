"""The cloud itself: which processes there are, with which identity, and where their files lie."""

from __future__ import annotations

import json
import shutil
import socket
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from anka_dev.cloud import install
from anka_dev.cloud.macs import Mac, RegistryHost
from anka_dev.cloud.service import HOST, Service
from anka_dev.controlplane import Cluster
from anka_dev.errors import DevError

_TOKEN_SECONDS = 7 * 86_400


def free_port(preferred: int = 0) -> int:
    """``preferred`` if nobody listens there, else one that is free now."""
    for port in (preferred, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise DevError("no free port on this machine")


class LocalCloud:
    """On ``cluster``, with files in ``directory``. A context manager: leaving it stops all but the cluster."""

    def __init__(self, cluster: Cluster, directory: Path, *, log_level: str = "INFO") -> None:
        self.cluster = cluster
        self.directory = directory.absolute()
        self.directory.mkdir(parents=True, exist_ok=True)
        self.kubectl = cluster.kubectl
        self.registry: RegistryHost | None = None
        self.macs: dict[str, Mac] = {}
        self.operators: list[Service] = []
        self.shims: list[Service] = []
        self.urls: list[str] = []
        self._accounts: dict[str, str] = {}
        self._log_level = log_level

    def install(self) -> None:
        """Kinds, policies, namespaces and roles."""
        install.install(self.cluster)

    def start_registry(self, port: int = 0) -> RegistryHost:
        self.registry = RegistryHost(self.directory / "registry", free_port(port), self._log("registry"))
        self.registry.start()
        return self.registry

    def start_operator(self, *extra: str, port: int = 0) -> Service:
        """One more operator: with several, the Lease says which one works."""
        port = free_port(port)
        name = f"operator-{len(self.operators) + 1}"
        arguments = [
            *self._common("anka-operator", install.OPERATOR_NAMESPACE),
            # A crashed one that is started again here goes on at once: the Lease is its own.
            f"--identity={name}",
            f"--health-port={port}",
            *([f"--registry-url={self.registry.url}"] if self.registry else []),
            *extra,
        ]
        service = self._service(name, "anka_operator", arguments, port)
        self.operators.append(service)
        return service.start()

    def start_shim(self, *extra: str, port: int = 0) -> Service:
        """One more replica of the old API; ``url`` is the first one's."""
        port = free_port(port)
        arguments = [
            *self._common("anka-shim", install.OPERATOR_NAMESPACE),
            f"--host={HOST}",
            f"--port={port}",
            *([f"--registry-url={self.registry.url}"] if self.registry else []),
            *extra,
        ]
        service = self._service(f"shim-{len(self.shims) + 1}", "anka_shim", arguments, port)
        self.shims.append(service)
        self.urls.append(f"http://{HOST}:{port}")
        return service.start()

    def add_mac(self, name: str, *agent_flags: str, **config: Any) -> Mac:
        """A simulated Mac with its agent, started; with ``launcher=True`` one that can be updated. ``config`` is
        the simulated Mac's (hardware, delays, …)."""
        launched = config.pop("launcher", False)
        # As large as the disk that the agent sees: it reserves a share of that.
        config = {"disk_bytes": shutil.disk_usage(self.directory).total, **config}
        port = free_port()
        account = install.ensure_node_account(self.cluster, name)
        mac = Mac(self.directory / "macs" / name, name, self.registry, config)
        arguments = [
            "launch" if launched else "run",
            *self._common(account, install.NODE_NAMESPACE),
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
        """One call of the old API; the whole envelope."""
        request = urllib.request.Request(
            self.urls[replica] + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            envelope = json.loads(answer.read())
        assert isinstance(envelope, dict)
        return envelope

    def check(self) -> None:
        """DevError when one of our processes ended by itself."""
        for service in self.services():
            if not service.running:
                raise DevError(f"{service.name} ended with code {service.exit_code} (log: {service.log})")

    def vm_names(self) -> list[str]:
        """Names of the VMs on all Macs that belong to instances."""
        # A list: in another thread a Mac may be leaving.
        return sorted(name for mac in list(self.macs.values()) for name in mac.vm_names())

    def renew_tokens(self) -> None:
        """New tokens into the same files: our processes read them again."""
        for account, namespace in self._accounts.items():
            self._identity(account, namespace)

    def stop(self) -> None:
        """All but the cluster. May be called twice."""
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
