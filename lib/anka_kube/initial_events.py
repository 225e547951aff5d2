"""The first part of a stream that begins with all objects, instead of a list. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic

from anka_kube.resource import Key, M

END = "k8s.io/initial-events-end"
"""Annotation of the bookmark after the last of them."""


@dataclass
class InitialEvents(Generic[M]):
    """What has come so far. `begun`: of `Store.begin_list`. `unparsable`: uids of objects that could not be parsed."""

    begun: int
    started: float
    """When the stream was asked for, on the monotonic clock."""
    objects: dict[Key, M] = field(default_factory=dict)
    unparsable: set[str] = field(default_factory=set)

    def put(self, key: Key, uid: str, obj: M | None) -> None:
        """An object as it is now. None: it could not be parsed."""
        self.remove(key)
        if obj is None:
            self.unparsable.add(uid)
        else:
            self.objects[key] = obj

    def remove(self, key: Key) -> None:
        """It may have been deleted since it came."""
        self.objects.pop(key, None)


def is_end(metadata: Mapping[str, Any]) -> bool:
    """Whether this is the metadata of the bookmark after the last one."""
    annotations = metadata.get("annotations")
    return isinstance(annotations, dict) and annotations.get(END) == "true"
