"""The control plane of this machine: etcd, kube-apiserver, kube-controller-manager."""

import contextlib
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from localkube.controlplane import commands, kubeconfig, ports
from localkube.controlplane.audit import Audit
from localkube.controlplane.certificates import Pki, make_pki
from localkube.controlplane.cluster import KubernetesCluster
from localkube.controlplane.commands import Layout, Ports
from localkube.controlplane.process import GRACE_SECONDS, Component
from localkube.controlplane.readiness import ApiProbe, exit_error, wait_until
from localkube.environment import Environment
from localkube.filelock import hold_lock
from localkube.files import write_private
from localkube.programs import binaries, versions
from localkube.programs.binaries import Binaries
from localkube.progress import Say, say_on_stderr

_READY_SECONDS = 60.0
# The controller manager has done its first work when it made this; the API is of little use before.
_FIRST_WORK = "/api/v1/namespaces/default/serviceaccounts/default"


class ControlPlane(KubernetesCluster):
    """See ``start``. All components end with this process, however this process ends."""

    def __init__(
        self, layout: Layout, chosen: Ports, pki: Pki, argv: Mapping[str, list[str]], lock: contextlib.ExitStack,
        lock_fd: int, *, keep_data: bool, audit: bool,
    ) -> None:  # fmt: skip
        super().__init__(
            layout.directory, chosen.server, pki.ca.certificate, layout.admin, layout.audit_log if audit else None
        )
        self._layout = layout
        self._argv = argv
        self._lock = lock
        self._lock_fd = lock_fd
        self._keep_data = keep_data
        self._probe = ApiProbe(chosen.api, pki)
        self._components: dict[str, Component] = {}

    @classmethod
    def start(
        cls,
        directory: Path,
        env: Environment,
        *,
        keep_data: bool = False,
        audit: Audit | None = None,
        workloads: bool = False,
        copy_of: Path | None = None,
        say: Say = say_on_stderr,
    ) -> Self:
        """Start one in ``directory`` and return when it is ready; missing binaries are downloaded or built first.

        With ``keep_data`` what ``directory`` holds from an earlier run is used and kept, with the same authority
        and, if they are free, the same ports. With ``workloads`` Deployments become pods, for a pod runner.
        ``copy_of``: the directory of one that was stopped and whose data was kept: this one begins with a copy of it.
        DevError in one line says what went wrong and where the log is.
        """
        programs = binaries.ensure(env, say)
        directory = directory.absolute()
        directory.mkdir(parents=True, exist_ok=True)
        with contextlib.ExitStack() as stack:
            layout = Layout(directory)
            lock_fd = stack.enter_context(
                hold_lock(
                    layout.lock,
                    # The supervisors of one that was just killed need a moment to end it.
                    timeout=GRACE_SECONDS + 5,
                    on_wait=lambda _pid, _seconds: None,
                    busy=f"{directory} is in use by the control plane of process {{pid}}: stop it, or choose another",
                )
            )
            plane = cls._prepare(
                layout, programs, stack, lock_fd,
                keep_data=keep_data, audit=audit, workloads=workloads, copy_of=copy_of,
            )  # fmt: skip
            plane._lock = stack.pop_all()
        try:
            plane._start_all()
        except BaseException:
            plane.stop()
            raise
        return plane

    @classmethod
    def _prepare(
        cls, layout: Layout, programs: Binaries, stack: contextlib.ExitStack, lock_fd: int, *, keep_data: bool,
        audit: Audit | None, workloads: bool, copy_of: Path | None,
    ) -> Self:  # fmt: skip
        if not keep_data:
            shutil.rmtree(layout.etcd, ignore_errors=True)
            shutil.rmtree(layout.pki, ignore_errors=True)
            layout.audit_log.unlink(missing_ok=True)
        for name in versions.COMPONENTS:
            layout.log(name).unlink(missing_ok=True)
        if copy_of and not layout.etcd.exists():
            # What etcd has allocated in advance is not data.
            shutil.copytree(Layout(copy_of).etcd, layout.etcd, ignore=shutil.ignore_patterns("*.tmp"))
        layout.etcd.mkdir(mode=0o700, exist_ok=True)
        pki = make_pki(layout.pki)
        chosen = ports.load_or_pick(layout.ports) if keep_data else ports.pick()
        ca = pki.ca.certificate.read_bytes()
        for file, pair in ((layout.admin, pki.admin), (layout.controller_manager, pki.controller_manager)):
            write_private(
                file,
                kubeconfig.with_certificate(chosen.server, ca, pair.certificate.read_bytes(), pair.key.read_bytes()),
            )
        if audit:
            write_private(layout.audit_policy, audit.policy())
        argv = {
            versions.STORE: commands.etcd(programs.etcd, layout, chosen, durable=keep_data),
            versions.API_SERVER: commands.api_server(programs.api_server, layout, chosen, pki, audit=bool(audit)),
            versions.CONTROLLER_MANAGER: commands.controller_manager(
                programs.controller_manager, layout, pki, workloads=workloads
            ),
        }
        return cls(layout, chosen, pki, argv, stack, lock_fd, keep_data=keep_data, audit=bool(audit))

    def _spawn(self, name: str) -> None:
        self._components[name] = Component(
            name, self._argv[name], self._layout.log(name), self.directory, keep_open=(self._lock_fd,)
        )

    def _wait(self, path: str, waiting_for: str) -> None:
        wait_until(
            lambda: self._probe.ok(path), self._components.values(), self._components[waiting_for], _READY_SECONDS
        )

    def _start_all(self) -> None:
        # The apiserver waits for the store by itself, but a controller manager gives up on an absent apiserver.
        self._spawn(versions.STORE)
        self._spawn(versions.API_SERVER)
        self._wait("/readyz", versions.API_SERVER)
        self._spawn(versions.CONTROLLER_MANAGER)
        self._wait(_FIRST_WORK, versions.CONTROLLER_MANAGER)

    @property
    def pids(self) -> Mapping[str, int]:
        """Process ids of the components that are alive, by their names."""
        return {name: component.pid for name, component in self._components.items() if component.running}

    def check(self) -> None:
        """DevError if a component ended by itself."""
        for component in self._components.values():
            if not component.running:
                raise exit_error(component)

    def kill(self, name: str) -> None:
        """End a component as a crash does (SIGKILL); returns once it is gone. KeyError for an unknown name."""
        self._components[name].kill()

    def restart(self, name: str) -> None:
        """Start a component again on the same port and data, stopping it first if it runs; returns once ready."""
        self._components.pop(name).stop()
        self._spawn(name)
        self._wait("/readyz", name)

    def stop(self) -> None:
        """End all components in order, each within a bounded time; throw the data away unless it is kept."""
        for name in (versions.CONTROLLER_MANAGER, versions.API_SERVER, versions.STORE):
            if component := self._components.pop(name, None):
                component.stop()
        if not self._keep_data:
            shutil.rmtree(self._layout.etcd, ignore_errors=True)
        self._lock.close()
