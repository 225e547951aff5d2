"""Start requests that may arrive twice: how their instances are recognised and named (decision 5). Pure.

Each instance of such a request has a slot, which all repeats of the request share. Object names follow from the slot,
so that the apiserver refuses one of two creations for the same slot, whichever replicas they come from.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson

from anka_crds.api import AnkaInstance
from anka_crds.rules.naming import stable_uuid
from anka_shim.annotations import ATTEMPT, REQUEST, SLOT
from anka_shim.failure import Failure, quote
from anka_shim.vm.request import StartOptions

KEPT = "kept"
TAKEN_BACK = "taken-back"
"""Values of the annotation ATTEMPT. Else it is the attempt that made the instance, until a repeat has taken it over
(KEPT) or the attempt failed and takes it back (TAKEN_BACK). Both are written with a resourceVersion: the first wins."""

HEADER = "Idempotency-Key"
MAX_KEY = 255
_KEY = re.compile(rf"[\x21-\x7e]{{1,{MAX_KEY}}}")


@dataclass(frozen=True)
class StartKey:
    """What makes a request start its instances once. `seconds`: how long after its creation an instance counts as
    started by a repeat; None for as long as it is known. Not `repeatable`: no other request has this key, a new UUID,
    so its instances carry no trace of it."""

    key: str
    request: str
    seconds: float | None = None
    repeatable: bool = True

    def slot(self, index: int) -> str:
        """The UUID for the instance with this number: always the same."""
        if index == 0 and not self.repeatable:
            return self.key
        return stable_uuid("once", self.key, str(index))

    def annotations(self, index: int, attempt: str) -> dict[str, str]:
        return {SLOT: self.slot(index), REQUEST: self.request, ATTEMPT: attempt} if self.repeatable else {}


def start_key(key: str | None, start: StartOptions, *, namespace: str, external_id_seconds: float) -> StartKey | None:
    """None for a request that makes new instances each time. `key` is the header's value. Raises Failure."""
    digest = _digest(start)
    if key is not None:
        if not _KEY.fullmatch(key):
            raise Failure(f"{HEADER}: must have 1 to {MAX_KEY} visible ASCII characters (given: {quote(key)})")
        return StartKey(f"{namespace}/key/{key}", digest)
    if external_id_seconds and start.spec.external_id:
        # A request for something else is no repeat: a job may start two kinds of VM under one external_id.
        return StartKey(f"{namespace}/external-id/{start.spec.external_id}/{digest}", digest, external_id_seconds)
    return None


def random_key(id_: str) -> StartKey:
    """The key of a request that is never repeated. `id_`: a new UUID."""
    return StartKey(id_, "", repeatable=False)


def _digest(start: StartOptions) -> str:
    """Digest of what the client asks for, not of how it is written."""
    content = [start.count, start.node, start.group, start.spec.model_dump(mode="json", exclude_defaults=True)]
    return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]


def attempt_of(obj: AnkaInstance) -> str:
    return obj.metadata.annotations.get(ATTEMPT, "")


def check(obj: AnkaInstance, key: StartKey) -> None:
    """Raises Failure when the instance belongs to another request under the same key."""
    if obj.metadata.annotations.get(REQUEST) != key.request:
        raise Failure(f"{HEADER}: was used for another request: repeat that one unchanged, or take a new key")


def find_repeated(candidates: Iterable[AnkaInstance], key: StartKey, now: datetime) -> AnkaInstance | None:
    """The instance of a slot that a repeat refers to: a living one, else the one that ended last."""
    counted = [obj for obj in candidates if attempt_of(obj) != TAKEN_BACK and _counts(obj, key, now)]
    living = [obj for obj in counted if obj.metadata.deletion_timestamp is None]
    if living:
        return min(living, key=_age)
    return max(counted, key=_age, default=None)


def free_name(existing: Sequence[AnkaInstance], slot: str) -> str:
    """The name of a new instance of the slot: the slot itself, or what follows from the object that has that name
    still. The same at every replica that knows the same objects."""
    by_name = {obj.metadata.name: obj for obj in existing}
    name = slot
    while name in by_name:
        name = stable_uuid("once", slot, by_name[name].metadata.uid)
    return name


def _counts(obj: AnkaInstance, key: StartKey, now: datetime) -> bool:
    created = obj.metadata.creation_timestamp
    return key.seconds is None or created is None or (now - created).total_seconds() <= key.seconds


def _age(obj: AnkaInstance) -> tuple[float, str]:
    created = obj.metadata.creation_timestamp
    return (created.timestamp() if created else 0.0), obj.metadata.uid
