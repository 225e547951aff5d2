"""Typed requests to the Kubernetes API."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Generic

from anka_kube.connection import ApiConnection, ApiRequest
from anka_kube.errors import Unparsable, Unreachable
from anka_kube.resource import ALL, Key, M, Resource, Selection

METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
MERGE_PATCH = "application/merge-patch+json"
DEADLINE_SECONDS = 15.0
PAGE_SECONDS = 60.0
"""Longest time for one page of a list."""
LIST_SECONDS = 600.0
"""Longest time for all pages of a list: by then the API has forgotten the state that they are from."""


@dataclass(frozen=True)
class ObjectList(Generic[M]):
    """A consistent list: all items as of `resource_version`."""

    items: list[M]
    resource_version: str


@dataclass(frozen=True)
class RawPage:
    """One page of a list, not parsed. `more` is the token of the next page, or empty; `left` how many objects are on
    later pages, 0 if the API does not say."""

    items: list[dict[str, Any]]
    resource_version: str
    more: str
    left: int = 0


@dataclass(frozen=True)
class ObjectVersion:
    """One state of one object."""

    uid: str
    version: str


class KubeClient(ApiConnection):
    """Reads and writes. `deadline` is the seconds for the call, including retries and the waits between them."""

    async def get(
        self, resource: Resource[M], name: str, namespace: str | None = None, *, deadline: float = DEADLINE_SECONDS
    ) -> M:
        """Read one object. Raises NotFound."""
        return await self._object(ApiRequest("get", "GET", resource, resource.path(namespace, name)), deadline)

    async def list(
        self,
        resource: Resource[M],
        namespace: str | None = None,
        *,
        label_selector: str | None = None,
        field_selector: str | None = None,
        page_size: int = 500,
        deadline: float = 60.0,
    ) -> ObjectList[M]:
        """All objects, read page by page; of all namespaces if none is given.

        Raises Gone if the continue token expires meanwhile, Unparsable for an object that cannot be parsed.
        """
        request = ApiRequest("list", "GET", resource, resource.path(namespace))
        items: list[M] = []
        version = ""
        async for page in self.list_pages(
            resource, Selection(namespace, label_selector, field_selector), limit=page_size, deadline=deadline
        ):
            items.extend(self._parse(request, raw) for raw in page.items)
            version = page.resource_version
        return ObjectList(items, version)

    async def list_pages(
        self,
        resource: Resource[Any],
        selection: Selection = ALL,
        *,
        limit: int = 500,
        deadline: float = LIST_SECONDS,
        retry: bool = True,
        accept: str | None = None,
    ) -> AsyncIterator[RawPage]:
        """The pages of one consistent list, each requested when the one before is done with. `deadline` is for all of
        them, with what is done in between; a single one has at most PAGE_SECONDS.

        Raises Gone if the continue token expires meanwhile.
        """
        more = ""
        until = self._clock.monotonic() + deadline
        while True:
            left = until - self._clock.monotonic()
            if left <= 0:
                action = f"list {resource.path(selection.namespace)}"
                raise Unreachable(f"not all pages came within {deadline:g} s", sent=True, action=action)
            page = await self.list_page(
                resource,
                selection,
                limit=limit,
                more=more,
                deadline=min(left, PAGE_SECONDS),
                retry=retry,
                accept=accept,
            )
            yield page
            more = page.more
            if not more:
                return

    async def list_page(
        self,
        resource: Resource[Any],
        selection: Selection = ALL,
        *,
        limit: int = 500,
        more: str = "",
        deadline: float = DEADLINE_SECONDS,
        retry: bool = True,
        accept: str | None = None,
    ) -> RawPage:
        """One page of raw objects, read consistently (not from a stale cache). `limit` 0 requests all objects."""
        params = selection.to_params()
        if limit:
            params["limit"] = str(limit)
        if more:
            params["continue"] = more
        request = ApiRequest("list", "GET", resource, resource.path(selection.namespace), params, accept=accept)
        data = await self.send(request, deadline, retry=retry)
        metadata = data.get("metadata") or {}
        items = data.get("items") or []
        if not isinstance(metadata, dict) or not isinstance(items, list):
            raise Unparsable("the answer is not a list", action=request.action)
        version, left = str(metadata.get("resourceVersion") or ""), metadata.get("remainingItemCount")
        more = str(metadata.get("continue") or "")
        return RawPage(items, version, more, left if isinstance(left, int) else 0)

    async def count(self, resource: Resource[Any]) -> int:
        """How many objects of the kind there are, at the cost of reading one. Raises ApiError."""
        page = await self.list_page(resource, limit=1, retry=False, accept=METADATA_ONLY)
        return len(page.items) + page.left

    async def list_versions(
        self,
        resource: Resource[Any],
        selection: Selection = ALL,
        *,
        limit: int = 500,
        deadline: float = LIST_SECONDS,
    ) -> dict[Key, ObjectVersion]:
        """Which objects there are, and in which version: only their metadata is sent. `limit` as for `list_page`."""
        found: dict[Key, ObjectVersion] = {}
        async for page in self.list_pages(
            resource,
            selection,
            limit=limit,
            deadline=deadline,
            accept=METADATA_ONLY,
        ):
            for raw in page.items:
                metadata = _metadata(raw)
                key = (metadata.get("namespace") or "", metadata.get("name") or "")
                found[key] = ObjectVersion(metadata.get("uid") or "", str(metadata.get("resourceVersion") or ""))
        return found

    async def create(
        self,
        resource: Resource[M],
        obj: M | dict[str, Any],
        namespace: str | None = None,
        *,
        dry_run: bool = False,
        deadline: float = DEADLINE_SECONDS,
    ) -> M:
        """Create. The server refuses unknown fields. Raises AlreadyExists, Invalid."""
        body = self._body(resource, obj)
        where = namespace or _metadata(body).get("namespace")
        params = {"fieldValidation": "Strict"} | ({"dryRun": "All"} if dry_run else {})
        return await self._object(ApiRequest("create", "POST", resource, resource.path(where), params, body), deadline)

    async def create_subresource(
        self,
        resource: Resource[Any],
        name: str,
        subresource: str,
        body: Mapping[str, Any],
        namespace: str | None = None,
    ) -> dict[str, Any]:
        """POST to a subresource, such as the token of a ServiceAccount. Returns the answer as the API sent it."""
        path = resource.path(namespace, name, subresource)
        return await self.send(ApiRequest("create", "POST", resource, path, body=body), DEADLINE_SECONDS)

    async def review(
        self, resource: Resource[Any], spec: Mapping[str, Any], *, deadline: float = DEADLINE_SECONDS
    ) -> Mapping[str, Any]:
        """The status of a review, such as a TokenReview: a question, which is stored nowhere. Raises ApiError."""
        body = {"apiVersion": resource.api_version, "kind": resource.kind, "spec": spec}
        request = ApiRequest("create", "POST", resource, resource.path(), body=body)
        status = (await self.send(request, deadline)).get("status")
        if not isinstance(status, dict):
            raise Unparsable("the answer has no status", action=request.action)
        return status

    async def replace(
        self,
        resource: Resource[M],
        obj: M | dict[str, Any],
        *,
        subresource: str | None = None,
        deadline: float = DEADLINE_SECONDS,
    ) -> M:
        """PUT the whole object, guarded by its resourceVersion. Raises Conflict."""
        body = self._body(resource, obj)
        metadata = _metadata(body)
        path = resource.path(metadata.get("namespace"), str(metadata.get("name") or ""), subresource)
        return await self._object(ApiRequest("update", "PUT", resource, path, body=body), deadline)

    async def patch(
        self,
        resource: Resource[M],
        name: str,
        patch: Mapping[str, Any],
        namespace: str | None = None,
        *,
        subresource: str | None = None,
        resource_version: str | None = None,
        deadline: float = DEADLINE_SECONDS,
        retry: bool = True,
    ) -> M:
        """JSON merge patch: null deletes a key, lists are replaced.

        With `resource_version` it applies to exactly that version only. Raises Conflict otherwise.
        """
        body = dict(patch)
        if resource_version is not None:
            body["metadata"] = {**body.get("metadata", {}), "resourceVersion": resource_version}
        path = resource.path(namespace, name, subresource)
        request = ApiRequest("patch", "PATCH", resource, path, {}, body, MERGE_PATCH)
        return await self._object(request, deadline, retry=retry)

    async def delete(
        self,
        resource: Resource[M],
        name: str,
        namespace: str | None = None,
        *,
        uid: str | None = None,
        resource_version: str | None = None,
        deadline: float = DEADLINE_SECONDS,
    ) -> M | None:
        """Delete. Returns the object if finalizers keep it, None if it no longer exists.

        With `uid` it deletes only that object, not a later one of the same name. Raises Conflict otherwise.
        """
        body: dict[str, Any] = {"kind": "DeleteOptions", "apiVersion": "v1"}
        preconditions = {"uid": uid, "resourceVersion": resource_version}
        given = {key: value for key, value in preconditions.items() if value is not None}
        if given:
            body["preconditions"] = given
        request = ApiRequest("delete", "DELETE", resource, resource.path(namespace, name), body=body)
        data = await self.send(request, deadline)
        finalizing = data.get("kind") != "Status" and "deletionTimestamp" in _metadata(data)
        return self._parse(request, data) if finalizing else None

    @asynccontextmanager
    async def watch(
        self,
        resource: Resource[Any],
        selection: Selection = ALL,
        *,
        resource_version: str | None,
        timeout_seconds: int = 300,
        inactivity_seconds: float = 70.0,
        gather_seconds: float = 0.0,
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """An open watch stream, as chunks of bytes. The server ends it after `timeout_seconds`. No data for
        `inactivity_seconds` raises Unreachable, because a half-open connection reports no error. After each chunk,
        nothing is read for `gather_seconds`.

        Without `resource_version` it begins with all objects, as consistent as a list, and a bookmark after them
        (`initial_events`). Raises Invalid if the API cannot do that: Kubernetes before 1.34 by default.
        """
        params = selection.to_params() | {
            "watch": "1",
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(timeout_seconds),
        }
        if resource_version is None:
            params |= {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan"}
        else:
            params["resourceVersion"] = resource_version
        request = ApiRequest("watch", "GET", resource, resource.path(selection.namespace), params)
        async with self.stream(request, inactivity_seconds, gather_seconds) as chunks:
            yield chunks

    def _body(self, resource: Resource[M], obj: M | dict[str, Any]) -> dict[str, Any]:
        body = dict(obj) if isinstance(obj, dict) else resource.dump(obj)
        return {"apiVersion": resource.api_version, "kind": resource.kind, **body}

    def _parse(self, request: ApiRequest[M], data: dict[str, Any]) -> M:
        try:
            return request.resource.parse(data)
        except Exception as error:  # any exception of a model, for an object of another version
            raise Unparsable(" ".join(str(error).split())[:500], action=request.action) from error

    async def _object(self, request: ApiRequest[M], deadline: float, *, retry: bool = True) -> M:
        return self._parse(request, await self.send(request, deadline, retry=retry))


def _metadata(body: Mapping[str, Any]) -> Mapping[str, Any]:
    metadata = body.get("metadata")
    return metadata if isinstance(metadata, Mapping) else {}
