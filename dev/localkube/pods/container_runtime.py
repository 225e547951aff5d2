"""Containers from an image's file system, in namespaces of their own. Root of Linux only; see ``container_entry``.

Unlike a real container runtime this one has no seccomp profiles (RuntimeDefault is accepted and filters nothing), no
control groups, and no network namespaces: all pods share this machine's network, each with its own address.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from localkube.files import write_private
from localkube.pods import container_entry, spec
from localkube.pods.image import ContainerImage
from localkube.pods.runtime import PodSandbox
from localkube.pods.security_context import Confinement, argv, confine, mounts
from localkube.pods.volumes import grant

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_TRY_SECONDS = 20
_TRY = (
    "mount -t tmpfs none /mnt && cd /mnt && mkdir a b c d && mount -t overlay none -o lowerdir=a,upperdir=b,workdir=c d"
)


@functools.cache
def missing() -> str | None:
    """Why this machine cannot run containers; None when it can."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "containers need root of Linux"
    try:
        done = subprocess.run(
            ["unshare", "--mount", "--uts", "--ipc", "--pid", "--fork", "--mount-proc", "sh", "-c", _TRY],
            capture_output=True, text=True, check=False, timeout=_TRY_SECONDS,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"no namespaces here: {error}"
    return f"no namespaces here: {done.stderr.strip()}" if done.returncode else None


@dataclass(frozen=True)
class ContainerRuntime:
    """``dns_server`` is the address of the server that knows Services."""

    image: ContainerImage
    dns_server: str

    def argv(self, pod: PodSandbox, env: Mapping[str, str]) -> list[str]:
        """Write the plan of this container. ValueError for what this runtime does not support."""
        confined = confine(pod.manifest, pod.container, self.image.config)
        of_image = dict(item.split("=", 1) for item in self.image.config.get("Env") or [])
        of_pod = {**env, **spec.environment(pod.container, pod.fields, pod.data)}
        stage = pod.folder / "root"
        stage.mkdir(exist_ok=True)
        grant(pod.manifest, pod.volumes, confined.user, confined.volumes_group)
        plan = {
            "lower": str(self.image.root.resolve()),
            "stage": str(stage.resolve()),
            "hostname": pod.name[:63],
            "directory": pod.container.get("workingDir") or self.image.config.get("WorkingDir") or "/",
            "argv": [spec.expand(word, of_pod) for word in argv(pod.container, self.image.config)],
            "env": {"PATH": PATH, "HOSTNAME": pod.name, "HOME": "/", **of_image, **of_pod},
            "mounts": self._mounts(pod, confined),
            **dataclasses.asdict(confined),
        }
        path = write_private(pod.folder / "plan.json", json.dumps(plan))
        return [sys.executable, "-I", "-S", container_entry.__file__, str(path)]

    def _mounts(self, pod: PodSandbox, confined: Confinement) -> list[tuple[str, str, bool]]:
        """Source, target, whether read-only; `/a` before `/a/b`."""
        kinds = {volume["name"]: volume for volume in pod.manifest["spec"].get("volumes", [])}
        volumes = [
            # Only an emptyDir is writable: the rest is the cluster's.
            (str(pod.volumes[name].resolve()), path, read_only or "emptyDir" not in kinds[name])
            for name, path, read_only in mounts(pod.container)
        ]
        files = self._etc(pod)
        return sorted([*volumes, *((*pair, confined.read_only) for pair in files)], key=lambda item: len(item[1]))

    def _etc(self, pod: PodSandbox) -> list[tuple[str, str]]:
        """Source and target of the files that a kubelet writes for each pod."""
        search = " ".join(f"{prefix}svc.cluster.local" for prefix in (f"{pod.namespace}.", "")) + " cluster.local"
        texts = {
            "hosts": f"127.0.0.1 localhost\n::1 localhost\n{pod.address} {pod.name}\n",
            "hostname": f"{pod.name}\n",
            "resolv.conf": f"nameserver {self.dns_server}\nsearch {search}\noptions ndots:5\n",
        }
        found = []
        for name, text in texts.items():
            path = pod.folder / "etc" / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
            path.chmod(0o644)
            found.append((str(path.resolve()), f"/etc/{name}"))
        return found
