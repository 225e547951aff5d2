"""A model -> its CustomResourceDefinition. Pure."""

import inspect
from typing import Any

from anka_crds.api.meta import GROUP, VERSION, Column, KubeObject
from anka_dev.crds.structural import structural

CATEGORY = "anka"
"""``kubectl get anka`` shows everything."""

_TYPE_META = {
    "apiVersion": "API version of this object: anka.veertu.com/v1alpha1.",
    "kind": "Kind of the object, in CamelCase.",
}


def crd(model: type[KubeObject]) -> dict[str, Any]:
    served, kind = model.DEFINITION, model.__name__
    version: dict[str, Any] = {
        "name": VERSION,
        "served": True,
        "storage": True,
        "additionalPrinterColumns": [_column(column) for column in served.columns],
    }
    if served.selectable:
        version["selectableFields"] = [{"jsonPath": path} for path in served.selectable]
    if "status" in model.model_fields:
        version["subresources"] = {"status": {}}
    version["schema"] = {"openAPIV3Schema": _schema(model)}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{served.plural}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced" if served.namespaced else "Cluster",
            "names": {
                "kind": kind,
                "listKind": f"{kind}List",
                "plural": served.plural,
                "singular": kind.lower(),
                "shortNames": list(served.short_names),
                "categories": [CATEGORY],
            },
            "versions": [version],
        },
    }


def _column(column: Column) -> dict[str, Any]:
    required = {"name": column.name, "type": column.type, "jsonPath": column.path}
    optional = {"description": column.description, "priority": column.priority}
    return required | {key: value for key, value in optional.items() if value}


def _schema(model: type[KubeObject]) -> dict[str, Any]:
    whole = structural(model.model_json_schema(by_alias=True, mode="validation"))
    spec, status = whole["properties"]["spec"], whole["properties"].get("status")
    if "spec" not in whole.get("required", []):
        spec["default"] = {}  # so that the defaults inside apply, and CEL rules may rely on self.spec
    if status is not None:
        status["properties"]["conditions"] = status["properties"].pop("conditions")  # last, where readers expect it
        status["default"] = model.DEFINITION.status_default
    schema = {
        "description": inspect.cleandoc(model.__doc__ or ""),
        "type": "object",
        "required": ["spec"] if "default" not in spec else None,
        "properties": {
            **{name: {"description": text, "type": "string"} for name, text in _TYPE_META.items()},
            "metadata": {"type": "object"},
            "spec": spec,
            **({} if status is None else {"status": status}),
        },
        "x-kubernetes-validations": whole.get("x-kubernetes-validations"),
    }
    return {key: value for key, value in schema.items() if value is not None}
