"""How many writes run at a time and how long they may take, for the whole process; what follows each
of them, and what clients read when one fails."""

import asyncio
import logging
import math
import re
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Protocol, TypeVar

from anka_kube import errors
from anka_kube.resource import M
from anka_kube.store import Store, is_newer

T = TypeVar("T")

log = logging.getLogger(__name__)

SHOWN_CHARACTERS = 500
"""Of what the API said: a policy may say much."""

_LACKS_RIGHT = re.compile(r"\bUser .* cannot ")

PARALLEL_WRITES = 32
"""Concurrent writes: more would only queue inside the apiserver, which works on few at once."""


class Barrier(Protocol):
    """What makes reads see our writes at the other replicas. Neither method fails."""

    async def wait_for_version(self, store: Store[Any], version: str | None) -> None:
        """Wait until all have seen everything of this kind up to `version`."""

    async def wait_for_deletion(self, store: Store[Any], uid: str | None) -> None:
        """Wait until all have seen that this object is gone."""


class Deadline:
    """`at`: when a request's writes must be done, in the event loop's time. It moves while they make progress, so that
    a slow API differs from one that does not answer, but never beyond `most` seconds from the beginning."""

    def __init__(self, seconds: float, most: float) -> None:
        now = asyncio.get_running_loop().time()
        self._seconds = seconds
        self._last = now + max(seconds, most)
        self._limits: set[asyncio.Timeout] = set()
        self.at = now + seconds

    def extend(self) -> None:
        """One of the writes is done: the others get their full time again."""
        self.at = min(asyncio.get_running_loop().time() + self._seconds, self._last)
        for limit in self._limits:
            limit.reschedule(self.at)

    @property
    def seconds(self) -> float:
        """Seconds left if the writes keep making progress."""
        return max(0.001, self._last - asyncio.get_running_loop().time())

    async def run(self, write: Awaitable[T]) -> T:
        """The write's result. Raises Unreachable once the time is up, whatever became of it."""
        if self.at >= self._last:
            # The write has this deadline itself, and knows more about how it failed.
            return await write
        try:
            async with asyncio.timeout_at(self.at) as limit:
                with self.follow(limit):
                    return await write
        except TimeoutError as timeout:
            # The client chains what the API said to the cancellation, and that is the cause of the timeout.
            said = timeout.__cause__ and timeout.__cause__.__cause__
            raise errors.Unreachable("no answer in time", sent=True) from said

    @contextmanager
    def follow(self, limit: asyncio.Timeout) -> Iterator[None]:
        """Within the block, this timeout moves with the deadline."""
        self._limits.add(limit)
        try:
            yield
        finally:
            self._limits.discard(limit)


class WriteCoordinator:
    """At most PARALLEL_WRITES at a time. A request's write must be done within `seconds`; each of several, `seconds`
    after the one before, and all within `batch_seconds`."""

    def __init__(self, seconds: float, barrier: Barrier | None = None, *, batch_seconds: float = 0.0) -> None:
        self._seconds = seconds
        self._batch_seconds = batch_seconds
        self._barrier = barrier
        self._slots = asyncio.Semaphore(PARALLEL_WRITES)

    def deadline(self, *, many: bool = False) -> Deadline:
        """The deadline of a request that begins now."""
        return Deadline(self._seconds, self._batch_seconds if many else self._seconds)

    @asynccontextmanager
    async def slot(self, deadline: Deadline) -> AsyncIterator[float]:
        """Wait for a slot; yields the seconds left for the write. Raises Unreachable when none is free in time."""
        if self._slots.locked():
            await self._wait_for_slot(deadline)
        else:
            await self._slots.acquire()
        try:
            yield max(0.001, deadline.at - asyncio.get_running_loop().time())
        finally:
            self._slots.release()

    async def _wait_for_slot(self, deadline: Deadline) -> None:
        try:
            async with asyncio.timeout_at(deadline.at) as limit:
                with deadline.follow(limit):
                    await self._slots.acquire()
        except TimeoutError:
            raise errors.Unreachable("no answer in time", sent=False) from None

    async def publish(self, store: Store[M], *objects: M) -> None:
        """Publish the API's answers to our writes: reads show them from now on, here and at the other replicas."""
        newest: str | None = None
        for obj in objects:
            store.apply_written(obj)
            if newest is None or is_newer(obj.metadata.resource_version, newest):
                newest = obj.metadata.resource_version
        if self._barrier is not None:
            await self._barrier.wait_for_version(store, newest)

    async def publish_deletion(self, store: Store[M], obj: M) -> None:
        """Our delete is done and the object is gone: reads no longer show it, here and at the other replicas."""
        store.apply_deleted(obj)
        if self._barrier is not None:
            await self._barrier.wait_for_deletion(store, obj.metadata.uid)


def client_message(error: errors.ApiError, action: str) -> str:
    """One clear line for the client; the details are in the log. `action`: what could not be done, "start the VM"."""
    log.error("cannot %s: %s", action, error)
    if isinstance(error, errors.Unreachable) and isinstance(error.__cause__, errors.ApiError):
        # It did answer, again and again, until the time was up.
        error = error.__cause__
    return f"cannot {action}: {_reason(error)}"


def _reason(error: errors.ApiError) -> str:
    said = _shorten(error.message or error.reason)
    again = "try again" if error.retry_after is None else f"try again in {math.ceil(error.retry_after)} s"
    if isinstance(error, errors.Unreachable):
        return "the Kubernetes API does not answer, try again"
    if isinstance(error, errors.TooManyRequests):
        return f"the Kubernetes API has too many requests, {again}: {said}"
    if isinstance(error, errors.ServerError):
        return f"the Kubernetes API is overloaded or in trouble, {again}: HTTP {error.status}: {said}"
    if isinstance(error, errors.Unauthorized):
        return f"the Kubernetes API does not accept the API shim's credentials: {said}"
    if isinstance(error, errors.Forbidden):
        # A quota or a policy refuses with the same code, and is about the request.
        return f"the API shim has no right to it: {said}" if _LACKS_RIGHT.search(said) else f"not allowed: {said}"
    if isinstance(error, errors.NotFound):
        return f"the namespace or the custom resource is not there: {said}"
    if isinstance(error, errors.Conflict):
        return f"it was changed at the same moment, try again: {said}"
    if error.status == 413:
        return f"it is too large for the Kubernetes API: {said}"
    if isinstance(error, errors.Unparsable):
        return f"the answer of the Kubernetes API cannot be read: {said}"
    return said


def _shorten(text: str) -> str:
    return text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "…"
