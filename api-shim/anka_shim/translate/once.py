"""Start requests that may come twice: how their instances are recognised and named (decision 5). Pure.

Each instance of such a request has a slot, which all repeats of the request share. Names of objects follow from the
slot, so that of two creations for one slot the apiserver refuses one, whichever replicas they come from.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson

from anka_crds.api import AnkaInstance
from anka_crds.api.meta import GROUP
from anka_crds.core.naming import stable_uuid
from anka_shim.translate.failure import Failure
from anka_shim.translate.start import StartRequest
from anka_shim.translate.values import shown

SLOT = f"{GROUP}/request-slot"
REQUEST = f"{GROUP}/request-hash"
ATTEMPT = f"{GROUP}/request-attempt"
"""Annotations. The attempt is the one that made the instance, until a repeat has taken it over (KEPT) or the attempt
failed and takes it back (TAKEN_BACK): whoever changes it first, by a write guarded with the resourceVersion, wins."""

KEPT = "kept"
TAKEN_BACK = "taken-back"

HEADER = "Idempotency-Key"
_KEY = re.compile(r"[\x21-\x7e]{1,255}")


@dataclass(frozen=True)
class Once:
    """A request that starts its instances once. `seconds`: how long after its creation an instance counts as started
    by a repeat; None for as long as it is known."""

    key: str
    request: str
    seconds: float | None = None

    def slot(self, index: int) -> str:
        return stable_uuid("once", self.key, str(index))

    def annotations(self, index: int, attempt: str) -> dict[str, str]:
        return {SLOT: self.slot(index), REQUEST: self.request, ATTEMPT: attempt}


def once(key: str | None, request: StartRequest, *, namespace: str, external_id_seconds: float) -> Once | None:
    """None for a request that makes new instances each time. `key` is the header's value. Raises Failure."""
    digest = _digest(request)
    if key is not None:
        if not _KEY.fullmatch(key):
            raise Failure(f"{HEADER}: must have 1 to 255 visible ASCII characters (given: {shown(key)})")
        return Once(f"{namespace}/key/{key}", digest)
    if external_id_seconds and request.spec.external_id:
        # A request for something else is no repeat: a job may start two kinds of VM under one external_id.
        return Once(f"{namespace}/external-id/{request.spec.external_id}/{digest}", digest, external_id_seconds)
    return None


def _digest(request: StartRequest) -> str:
    """Of what the client asked for, not of how it was written."""
    asked = [request.count, request.node, request.group, request.spec.model_dump(mode="json", exclude_defaults=True)]
    return hashlib.sha256(orjson.dumps(asked, option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]


def attempt_of(obj: AnkaInstance) -> str:
    return obj.metadata.annotations.get(ATTEMPT, "")


def check(obj: AnkaInstance, wanted: Once) -> None:
    """Raises Failure when the instance belongs to another request under the same key."""
    if obj.metadata.annotations.get(REQUEST) != wanted.request:
        raise Failure(f"{HEADER}: was used for another request: repeat that one unchanged, or take a new key")


def repeated(known: Iterable[AnkaInstance], wanted: Once, now: datetime) -> AnkaInstance | None:
    """Which of the instances of a slot a repeat is about: one that lives, else the one that ended last."""
    counted = [obj for obj in known if attempt_of(obj) != TAKEN_BACK and _counts(obj, wanted, now)]
    living = [obj for obj in counted if obj.metadata.deletion_timestamp is None]
    if living:
        return min(living, key=_age)
    return max(counted, key=_age, default=None)


def free_name(existing: Sequence[AnkaInstance], slot: str) -> str:
    """What a new instance of the slot is called: the slot itself, or what follows from the object that has that name
    still. The same for all who know the same objects."""
    by_name = {obj.metadata.name: obj for obj in existing}
    name = slot
    while name in by_name:
        name = stable_uuid("once", slot, by_name[name].metadata.uid)
    return name


def _counts(obj: AnkaInstance, wanted: Once, now: datetime) -> bool:
    created = obj.metadata.creation_timestamp
    return wanted.seconds is None or created is None or (now - created).total_seconds() <= wanted.seconds


def _age(obj: AnkaInstance) -> tuple[float, str]:
    created = obj.metadata.creation_timestamp
    return (created.timestamp() if created else 0.0), obj.metadata.uid
