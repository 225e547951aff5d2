"""Ids of the REST API, for objects that have a namespace. Pure."""

from anka_crds.api.meta import ObjectMeta
from anka_crds.rules.naming import is_uuid


def rest_id(metadata: ObjectMeta, namespace: str) -> str:
    """The name of what REST made: a UUID, in its own `namespace`. Elsewhere the uid, which nobody can choose: an object
    of another namespace must not take the place of one that has, or had, this name here."""
    return metadata.name if metadata.namespace == namespace and is_uuid(metadata.name) else metadata.uid
