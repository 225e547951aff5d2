"""Names of VMs on a Mac, ids in the legacy API, and object names derived from other texts."""

import re
import uuid
from datetime import datetime
from string import Template

from anka_crds.api.defaults import VM_NAME_TEMPLATE

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TOKEN_CHANCE_DIGITS = 9
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


def is_uuid(text: str) -> bool:
    return _UUID.fullmatch(text) is not None


def instance_id(name: str, uid: str) -> str:
    """`instance_id` of the legacy API: the object's name if the REST API created it (a UUID), else its uid."""
    return name if is_uuid(name) else uid


def vm_token(created: datetime, chance: int) -> str:
    """19 digits in the form of the legacy controller's nanosecond timestamp: the seconds of the object's creation, and
    nine digits of a random number, so that nobody can make a VM or template of this name beforehand."""
    return f"{int(created.timestamp()):010d}{chance % 10**TOKEN_CHANCE_DIGITS:0{TOKEN_CHANCE_DIGITS}d}"


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
    """Name for the instance's VM on its Mac, always with `token`: no two are equal. Characters that anka refuses become
    '-'."""
    rendered = Template(name_template or VM_NAME_TEMPLATE).safe_substitute(
        template_name=template_name,
        template_id=template_id,
        instance_id=instance,
        node_id=node_id,
        node_name=node_name,
        ts=token,
    )
    safe = _UNSAFE.sub("-", rendered).strip("-")
    return prefix + (safe if token in safe else f"{safe}-{token}".lstrip("-"))


def object_name(text: str) -> str:
    """A Kubernetes object name for any text, such as a host name. Raises ValueError if it has no letter or digit.

    Texts that differ only in case or in other lost characters get the same name; the caller decides whether that
    matters.
    """
    name = re.sub(r"[^a-z0-9.-]+", "-", text.lower()).strip("-.")
    name = re.sub(r"\.{2,}", ".", name)[:253].strip("-.")
    if not name:
        raise ValueError(f"{text!r} has no letter or digit to make a name from")
    return name


def stable_uuid(*parts: str) -> str:
    """A UUID that is the same for the same texts, for objects that must not be created twice."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "anka.veertu.com/" + "/".join(parts)))
