"""A startup script that is stored once, in a Secret, however many instances run it. Pure.

Every version of an object is kept in etcd for some minutes, and an instance is written five times: in the specs, a
script would be there five times for each instance.
"""

import base64
from collections.abc import Iterable
from typing import Any

from anka_crds.api import AnkaInstance
from anka_crds.api.instance import AnkaInstanceSpec
from anka_crds.api.meta import API_VERSION
from anka_crds.api.vm_options import SecretKey
from anka_crds.rules.secret_refs import STORED_SCRIPT, script_secret
from anka_shim.annotations import CREATED_BY, SCRIPT_BYTES

KEY = "script"


def find_large_script(spec: AnkaInstanceSpec, count: int, inline_bytes: int) -> str | None:
    """The script, if `count` instances with it would take more than `inline_bytes`."""
    script = spec.startup_script
    if script is None or script.content is None or len(script.content) * count <= inline_bytes:
        return None
    return script.content


def measure_request(spec: AnkaInstanceSpec, count: int, *, inline_bytes: int) -> int:
    """Bytes that `count` instances with this spec take, with a large script counted once."""
    large = find_large_script(spec, count, inline_bytes)
    size = len(spec.model_dump_json(exclude_none=True, by_alias=True))
    return size * count if large is None else (size - len(large)) * count + len(large)


def refer_to_script(spec: AnkaInstanceSpec, name: str) -> AnkaInstanceSpec:
    """The same with its script in a Secret. `name`: a UUID."""
    changes = {"content": None, "secret_ref": SecretKey(name=f"{STORED_SCRIPT}{name}", key=KEY)}
    script = spec.startup_script and spec.startup_script.model_copy(update=changes)
    return spec.model_copy(update={"startup_script": script})


def describe_share(content: str, count: int) -> dict[str, str]:
    """Annotation of an instance: how much of the Secret is on its account."""
    return {SCRIPT_BYTES: str(len(content) // count + 1)}


def build_secrets(content: str, owners: Iterable[AnkaInstance]) -> list[dict[str, Any]]:
    """One, unless a repeated request has taken over instances of an earlier one. It belongs to the instances that refer
    to it, so Kubernetes deletes it with the last of them."""
    by_name: dict[str, list[AnkaInstance]] = {}
    for owner in owners:
        name = script_secret(owner)
        if name is not None and owner.metadata.deletion_timestamp is None:
            by_name.setdefault(name, []).append(owner)
    # Secrets have no line breaks in their base64.
    data = base64.b64encode(base64.b64decode(content)).decode()
    return [_build(name, data, owners) for name, owners in by_name.items()]


def _build(name: str, data: str, owners: list[AnkaInstance]) -> dict[str, Any]:
    references = [
        {"apiVersion": API_VERSION, "kind": "AnkaInstance", "name": owner.metadata.name, "uid": owner.metadata.uid}
        for owner in owners
    ]
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "labels": CREATED_BY, "ownerReferences": references},
        "type": "Opaque",
        "immutable": True,
        "data": {KEY: data},
    }
