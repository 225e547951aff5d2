"""Short ways to objects of ours for unit tests, as the apiserver would hand them out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from anka_crds.api import (
    AnkaInstance,
    AnkaNode,
    AnkaTemplate,
    MACAddressPool,
    NodeGroup,
    PermissionGroup,
    SaveImage,
    TemplateDistribution,
)

START = datetime(2026, 1, 1, tzinfo=UTC)
TEMPLATE = "6b135004-0c89-43bb-b892-74796b8d266c"
FINALIZER = "anka.veertu.com/vm"

Json = dict[str, Any]


def metadata(name: str, namespace: str | None = None, *, version: int = 1, age: float = 0, **more: Any) -> Json:
    """`age`: seconds before START."""
    return {
        "name": name,
        "uid": f"uid-{name}",
        "resourceVersion": str(version),
        "generation": 1,
        "creationTimestamp": (START - timedelta(seconds=age)).isoformat(),
        **({"namespace": namespace} if namespace else {}),
        **more,
    }


def instance(name: str = "one", *, status: Json | None = None, meta: Json | None = None, **spec: Any) -> AnkaInstance:
    return AnkaInstance.from_api(
        {
            "metadata": metadata(name, "default", **{"finalizers": [FINALIZER], **(meta or {})}),
            "spec": {"template": TEMPLATE, **spec},
            "status": status or {},
        }
    )


def node(
    name: str = "mac-1", *, state: str | None = "Active", slots: int = 2, arch: str | None = "arm64",
    holds: tuple[str, ...] = (), status: Json | None = None, meta: Json | None = None, **spec: Any,
) -> AnkaNode:  # fmt: skip
    seen: Json = {
        "templates": [{"uuid": TEMPLATE, "name": "macos-15", "tag": tag} for tag in holds],
        **({"state": state} if state else {}),
        "cpuCount": 8,
        **({"hostArch": arch} if arch else {}),
        **(status or {}),
    }
    return AnkaNode.from_api(
        {"metadata": metadata(name, **(meta or {})), "spec": {"maxVmCount": slots, **spec}, "status": seen}
    )


def template(
    uuid: str = TEMPLATE, name: str = "macos-15", tags: tuple[str, ...] = ("v1", "v2"), *, arch: str = "arm64",
    meta: Json | None = None, status: Json | None = None, **spec: Any,
) -> AnkaTemplate:  # fmt: skip
    versions = [{"number": number, "tag": tag, "arch": arch} for number, tag in enumerate(tags)]
    return AnkaTemplate.from_api(
        {
            "metadata": metadata(uuid, **(meta or {})),
            "spec": spec,
            "status": {"name": name, "arch": arch, "versions": versions, **(status or {})},
        }
    )


def save_image(
    name: str = "save", of: str = "one", *, status: Json | None = None, meta: Json | None = None, **spec: Any
) -> SaveImage:
    target = {} if "newTemplateName" in spec else {"targetTemplate": TEMPLATE}
    return SaveImage.from_api(
        {
            "metadata": metadata(name, "default", **(meta or {})),
            "spec": {"instance": of, "tag": "saved", **target, **spec},
            "status": status or {},
        }
    )


def group(name: str, fallback: str | None = None, *, called: str | None = None, **status: Any) -> NodeGroup:
    """`called`: its displayName."""
    spec = {**({"fallbackGroup": fallback} if fallback else {}), **({"displayName": called} if called else {})}
    return NodeGroup.from_api({"metadata": metadata(name), "spec": spec, "status": status})


def permission_group(
    name: str, *, nodes: dict[str, list[str]] | None = None, templates: dict[str, list[str]] | None = None,
    meta: Json | None = None, called: str | None = None, **spec: Any,
) -> PermissionGroup:  # fmt: skip
    """`nodes`, `templates`: permissions by id."""
    resources = [
        {"type": type_, "id": id_, "permissions": permissions}
        for type_, found in (("node", nodes), ("template", templates))
        for id_, permissions in (found or {}).items()
    ]
    wanted = {"displayName": called or name, "resources": resources, **spec}
    return PermissionGroup.from_api({"metadata": metadata(name, **(meta or {})), "spec": wanted})


def distribution(
    name: str = "request", *, status: Json | None = None, meta: Json | None = None, **spec: Any
) -> TemplateDistribution:
    return TemplateDistribution.from_api(
        {
            "metadata": metadata(name, **(meta or {})),
            "spec": {"template": TEMPLATE, **spec},
            "status": status or {},
        }
    )


def mac_pool(
    name: str = "pool", *ranges: tuple[str, str], rest: int = 3600, meta: Json | None = None
) -> MACAddressPool:
    """`ranges`: by the ends of their addresses, such as ("00:01", "00:03"), which is the only one if none is given."""
    spec = [
        {"first": f"02:00:00:00:{first}", "last": f"02:00:00:00:{last}"}
        for first, last in ranges or [("00:01", "00:03")]
    ]
    return MACAddressPool.from_api(
        {"metadata": metadata(name, **(meta or {})), "spec": {"ranges": spec, "reuseAfterSeconds": rest}}
    )
