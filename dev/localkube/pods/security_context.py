"""How a container is confined, by its manifest and its image. Pure. What is not supported is refused by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

CAPABILITIES = (
    "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP",
    "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER",
    "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE",
    "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP",
    "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF",
    "CHECKPOINT_RESTORE",
)  # fmt: skip
"""In the order of their numbers: linux/capability.h."""

USUAL = frozenset({
    "CHOWN", "DAC_OVERRIDE", "FSETID", "FOWNER", "MKNOD", "NET_RAW", "SETGID", "SETUID", "SETFCAP", "SETPCAP",
    "NET_BIND_SERVICE", "SYS_CHROOT", "KILL", "AUDIT_WRITE",
})  # fmt: skip
"""The capabilities of a container without a securityContext: containerd's defaults."""

_OF_POD = {"runAsUser", "runAsGroup", "runAsNonRoot", "fsGroup", "supplementalGroups", "seccompProfile"}
_OF_CONTAINER = {
    "runAsUser", "runAsGroup", "runAsNonRoot", "seccompProfile",
    "readOnlyRootFilesystem", "allowPrivilegeEscalation", "capabilities",
}  # fmt: skip
_OF_MOUNT = {"name", "mountPath", "readOnly"}
_NOT_OF_POD = {
    "hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace", "runtimeClassName", "hostAliases", "dnsConfig",
    "hostname", "subdomain", "setHostnameAsFQDN",
}  # fmt: skip
_NOT_OF_CONTAINER = {"envFrom", "lifecycle", "startupProbe", "volumeDevices"}


@dataclass(frozen=True)
class Confinement:
    """Users, groups and capabilities of a container; ``capabilities`` is the bounding set, by numbers."""

    user: int
    group: int
    groups: tuple[int, ...]
    volumes_group: int | None
    read_only: bool
    no_new_privileges: bool
    capabilities: tuple[int, ...]


def confine(pod: Mapping[str, Any], container: Mapping[str, Any], image: Mapping[str, Any]) -> Confinement:
    """The confinement of this container, whose image has the OCI configuration ``image``. ValueError for what is not
    supported."""
    spec = pod["spec"]
    refuse("pod", {key for key in _NOT_OF_POD if spec.get(key)})
    refuse(f"container {container['name']}", {key for key in _NOT_OF_CONTAINER if container.get(key)})
    if (policy := spec.get("dnsPolicy", "ClusterFirst")) != "ClusterFirst":
        raise ValueError(f"pod: dnsPolicy {policy} is not supported here")
    of_pod, of_container = spec.get("securityContext") or {}, container.get("securityContext") or {}
    refuse("pod's securityContext", of_pod, _OF_POD)
    refuse(f"container {container['name']}: securityContext", of_container, _OF_CONTAINER)
    both = {**of_pod, **of_container}
    if (kind := both.get("seccompProfile", {}).get("type", "Unconfined")) == "Localhost":
        raise ValueError(f"a seccompProfile of type {kind} is not supported here")
    user, group = _user(image)
    if "runAsUser" in both:
        # Without a group, a user that the image does not know is in root's, as in a cluster.
        user, group = both["runAsUser"], 0
    group = both.get("runAsGroup", group)
    if both.get("runAsNonRoot") and user == 0:
        raise ValueError(f"container {container['name']}: runAsNonRoot, and it would run as root")
    volumes_group = of_pod.get("fsGroup")
    more = [*of_pod.get("supplementalGroups", []), *([] if volumes_group is None else [volumes_group])]
    return Confinement(
        user=user,
        group=group,
        groups=tuple(sorted({group, *more})),
        volumes_group=volumes_group,
        read_only=bool(of_container.get("readOnlyRootFilesystem")),
        no_new_privileges=of_container.get("allowPrivilegeEscalation") is False,
        capabilities=_capabilities(of_container.get("capabilities") or {}),
    )


def refuse(what: str, given: Iterable[str], known: Iterable[str] = ()) -> None:
    """ValueError when there is more in ``given`` than is ``known``."""
    if more := sorted(set(given) - set(known)):
        raise ValueError(f"{what}: {', '.join(more)} cannot be honoured here")


def argv(container: Mapping[str, Any], image: Mapping[str, Any]) -> list[str]:
    """The command line before variables are expanded; the image's where the manifest has none. ValueError when there is
    none."""
    command, args = container.get("command") or [], container.get("args") or []
    if not command:
        command, args = image.get("Entrypoint") or [], args or image.get("Cmd") or []
    if not [*command, *args]:
        raise ValueError(f"container {container['name']} has no command, and neither has its image")
    return [*command, *args]


def mounts(container: Mapping[str, Any]) -> list[tuple[str, str, bool]]:
    """Volume, path, and whether the mount is read-only. ValueError for what is not supported."""
    found = container.get("volumeMounts") or []
    for item in found:
        refuse(f"mount of volume {item['name']}", {key for key, value in item.items() if value}, _OF_MOUNT)
    return [(item["name"], item["mountPath"], bool(item.get("readOnly"))) for item in found]


def _user(image: Mapping[str, Any]) -> tuple[int, int]:
    user, _, group = (image.get("User") or "0").partition(":")
    if not (user.isdigit() and (group or "0").isdigit()):
        raise ValueError(f"the image's user is {image['User']}: only numbers are supported here")
    return int(user), int(group or "0")


def _capabilities(given: Mapping[str, list[str]]) -> tuple[int, ...]:
    drop = {name.upper().removeprefix("CAP_") for name in given.get("drop") or []}
    add = {name.upper().removeprefix("CAP_") for name in given.get("add") or []}
    left = set() if "ALL" in drop else USUAL - drop
    left |= set(CAPABILITIES) if "ALL" in add else add
    if unknown := sorted(left - set(CAPABILITIES)):
        raise ValueError(f"capabilities: {', '.join(unknown)} cannot be honoured here")
    return tuple(sorted(CAPABILITIES.index(name) for name in left))
