"""docs/reference/labels.md: labels, annotations and finalizers, described here; a key in the code that is not, is an
error."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import NamedTuple

from anka_crds.api.meta import GROUP
from anka_dev.reference.discovery import source_files
from anka_dev.reference.page import Page, code, table

PRODUCT = ("crds", "lib", "operator", "agent", "api-shim")
KEY = re.compile(r"(?:anka\.veertu\.com|app\.kubernetes\.io)/[a-z][a-z-]*")


class Key(NamedTuple):
    kind: str
    on: str
    meaning: str


KEYS = {
    f"{GROUP}/vm": Key(
        "finalizer",
        "AnkaInstance",
        "Keeps the object until its VM is deleted: [finalizers](../operate/failure-modes.md#finalizers).",
    ),
    f"{GROUP}/template": Key("label", "AnkaInstance", "Made by REST: the template that was requested."),
    f"{GROUP}/tag": Key("label", "AnkaInstance", "Made by REST: the tag that was requested."),
    f"{GROUP}/group": Key("label", "AnkaInstance", "Made by REST: the group that was requested."),
    "app.kubernetes.io/managed-by": Key(
        "label", "Secret", "`anka-operator`: it made this Secret, with the root token of the REST API."
    ),
    "app.kubernetes.io/created-by": Key(
        "label", "AnkaInstance, SaveImage, TemplateDistribution", "`anka-shim`: the object was made by REST."
    ),
    f"{GROUP}/permission-group": Key(
        "annotation", "SaveImage", "Made by REST: permission group of the instance, which may be gone."
    ),
    f"{GROUP}/instance-id": Key("label", "SaveImage", "Made by REST: id of the instance that is saved."),
    f"{GROUP}/request-slot": Key(
        "annotation",
        "AnkaInstance",
        "Which instance of a repeatable request it is: "
        "[decision 5](../contribute/decisions/0005-repeated-requests.md).",
    ),
    f"{GROUP}/request-hash": Key(
        "annotation", "AnkaInstance", "Hash of the request's content: detects a key that is used for another request."
    ),
    f"{GROUP}/request-attempt": Key(
        "annotation", "AnkaInstance", "Id of the attempt that made it, `kept`, or `taken-back`."
    ),
    f"{GROUP}/requested-by": Key(
        "annotation",
        "AnkaInstance, SaveImage, TemplateDistribution, NodeGroup, ApiKey, AnkaTemplate",
        "Who asked for it by REST; of an AnkaTemplate, for its deletion: "
        "[who did it](../operate/access.md#who-did-it).",
    ),
    f"{GROUP}/registry-deletion": Key(
        "annotation",
        "AnkaTemplate",
        "REST has deleted the template in the registry, by a request of its own: for the "
        "[event log](../operate/event-log.md).",
    ),
    f"{GROUP}/event-log-sent": Key(
        "annotation",
        "Lease of the leader",
        "Up to when the [event log](../operate/event-log.md) is sent.",
    ),
    f"{GROUP}/read-request": Key(
        "annotation",
        "AnkaTemplate",
        "REST has changed the template in the registry: the operator reads it again ([decision "
        "15](../contribute/decisions/0015-registry-view.md)).",
    ),
    f"{GROUP}/script-bytes": Key(
        "annotation",
        "AnkaInstance",
        "The startup script is in a Secret `anka-script-<id>`: how many bytes of it are on this instance's account.",
    ),
    f"{GROUP}/mirrored": Key(
        "annotation",
        "AnkaTemplate",
        "The operator made the object from the registry, and deletes it with the template.",
    ),
    f"{GROUP}/secret-right": Key(
        "label",
        "Role, RoleBinding",
        "The right of a node to read the Secrets of one instance: [security](../operate/security.md#secrets).",
    ),
    f"{GROUP}/account-uid": Key(
        "annotation",
        "TokenRequest",
        "UID of the ServiceAccount that a join token has created, and whose first token it asks for.",
    ),
    f"{GROUP}/own-token": Key(
        "label",
        "TokenRequest",
        "An agent asks for its own token: the policies that look at every Mac are about join tokens only.",
    ),
    f"{GROUP}/usage": Key(
        "annotation", "Lease", "Usage of a Mac's CPU, RAM and disk, as JSON: written with each heartbeat."
    ),
    f"{GROUP}/challenger": Key(
        "annotation",
        "Lease",
        "A second machine that has this Mac's identity, as JSON: "
        "[two machines](../operate/nodes.md#two-machines-with-one-identity).",
    ),
}
INTERNAL = {
    f"{GROUP}/kopf": "a finalizer of kopf that is configured and never set",
    f"{GROUP}/operator": "a value of spec.managedBy",
}
"""What looks like a key in the code, and no object has as one."""
INTRODUCTION = (
    "Keys that the programs set and read. Do not change them by hand. The chart's objects carry the usual "
    "`app.kubernetes.io/name`, `instance`, `version`, `component` and `managed-by` besides."
)


def page() -> Page:
    rows = [(code(key), one.kind, one.on, one.meaning) for key, one in sorted(KEYS.items())]
    return Page("Labels, annotations, finalizers", [INTRODUCTION, table(("key", "what", "on", "meaning"), rows)])


def keys_in_code() -> set[str]:
    return {key for path in source_files(*PRODUCT) for key in keys_in(path.read_text(encoding="utf-8"))}


def keys_in(source: str) -> Iterator[str]:
    """Keys that stand in a string of their own, written out or as f"{GROUP}/…"."""
    for node in ast.walk(ast.parse(source)):
        text = ""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
        elif isinstance(node, ast.JoinedStr):
            text = "".join(
                str(part.value) if isinstance(part, ast.Constant) else GROUP if is_group(part) else "{}"
                for part in node.values
            )
        if KEY.fullmatch(text):
            yield text


def is_group(part: ast.expr) -> bool:
    return isinstance(part, ast.FormattedValue) and isinstance(part.value, ast.Name) and part.value.id == "GROUP"


def undescribed() -> list[str]:
    """One line for each key that is in the code or here, but not in both."""
    found, known = keys_in_code(), KEYS.keys() | INTERNAL.keys()
    gone = KEYS.keys() - found
    missing = [f"{key} is in the code and not in anka_dev/reference/labels.py" for key in sorted(found - known)]
    return missing + [f"{key} is in anka_dev/reference/labels.py and not in the code" for key in sorted(gone)]
