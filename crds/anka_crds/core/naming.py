"""Names: of VMs on a Mac, ids in the old API, and of objects made from texts of people's choice."""

from __future__ import annotations

import hashlib
import re
import uuid
from datetime import datetime
from string import Template

DEFAULT_NAME_TEMPLATE = "$template_name-$ts"
"""`mgmtManaged-<template>-<ns timestamp>` (legacy-clients section 3)."""

_UUID = re.compile(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


def is_uuid(text: str) -> bool:
    return _UUID.match(text) is not None


def instance_id(name: str, uid: str) -> str:
    """`instance_id` of the old API: the object's name where REST made it (a UUID), else its uid."""
    return name if is_uuid(name) else uid


def vm_token(uid: str, created: datetime) -> str:
    """19 digits that look like the old controller's nanosecond timestamp, and name one instance for ever.

    Seconds come from the object's creation, the rest from its uid: the same after an agent's restart, different for
    two instances of one second, and for an object deleted and created again under the same name.
    """
    digest = int.from_bytes(hashlib.sha256(uid.encode()).digest()[:8], "big")
    return f"{int(created.timestamp()):010d}{digest % 10**9:09d}"


def vm_name(
    prefix: str,
    name_template: str | None,
    *,
    token: str,
    instance: str,
    template_name: str,
    template_id: str,
    node_id: str,
    node_name: str,
) -> str:
    """Name of the instance's VM on its Mac. It holds `token`, whatever the template: an agent that restarts knows
    its VMs by it, even when a template or node was renamed meanwhile. Characters that anka refuses become '-'."""
    rendered = Template(name_template or DEFAULT_NAME_TEMPLATE).safe_substitute(
        template_name=template_name,
        template_id=template_id,
        instance_id=instance,
        node_id=node_id,
        node_name=node_name,
        ts=token,
    )
    safe = _UNSAFE.sub("-", rendered).strip("-")
    return prefix + (safe if token in safe else f"{safe}-{token}".lstrip("-"))


def names_instance(name: str, prefix: str, token: str) -> bool:
    """Whether a VM of this name belongs to the instance with this token."""
    return name.startswith(prefix) and token in name


def object_name(text: str) -> str:
    """A Kubernetes object name made from a text of people's choice, such as a host name. Empty text is refused.

    Texts that differ only in what is lost here (case, spaces) get the same name; the caller decides
    whether that matters.
    """
    name = re.sub(r"[^a-z0-9.-]+", "-", text.lower()).strip("-.")
    name = re.sub(r"\.{2,}", ".", name)[:253].strip("-.")
    if not name:
        raise ValueError(f"{text!r} has no letter or digit to make a name from")
    return name


def stable_uuid(*parts: str) -> str:
    """A UUID that is the same for the same texts, for objects that must not be made twice."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "anka.veertu.com/" + "/".join(parts)))
