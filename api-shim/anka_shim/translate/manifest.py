"""The AnkaInstance that is sent to the API for one instance of a start request."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from anka_crds.api.instance import AnkaInstanceSpec
from anka_crds.api.meta import API_VERSION, FINALIZER, GROUP

_LABEL_VALUE = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")


def manifest(
    id_: str, namespace: str, spec: AnkaInstanceSpec, annotations: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """`id_` is a new UUID, which becomes the object's name and so the instance_id. The finalizer is in the body:
    adding it later would cost a second write."""
    metadata: dict[str, Any] = {
        "name": id_,
        "namespace": namespace,
        "labels": labels(spec),
        "finalizers": [FINALIZER],
    }
    return {
        "apiVersion": API_VERSION,
        "kind": "AnkaInstance",
        "metadata": {**metadata, "annotations": dict(annotations)} if annotations else metadata,
        "spec": spec.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True),
    }


def labels(spec: AnkaInstanceSpec) -> dict[str, str]:
    """For `kubectl get -l`. What can't be a label value is left out: it is in the spec all the same."""
    wanted = {
        "app.kubernetes.io/created-by": "anka-shim",
        f"{GROUP}/template": spec.template,
        f"{GROUP}/tag": spec.tag,
        f"{GROUP}/group": spec.group,
    }
    return {key: value for key, value in wanted.items() if value is not None and _LABEL_VALUE.fullmatch(value)}
