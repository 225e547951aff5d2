"""Services and their endpoints as names and routes. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from localkube.pods.addresses import Address

_SERVICE_NAME = "kubernetes.io/service-name"


@dataclass
class ServiceTable:
    """Services and EndpointSlices by uid. ``front`` gives the local address of a Service with a cluster IP by its uid;
    ``local`` gives the local address of a pod by its address in the cluster."""

    front: Callable[[str], str]
    local: Callable[[str], str]
    _services: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    _slices: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    def apply_service(self, kind: str, item: Mapping[str, Any]) -> None:
        """Take an event of a Service."""
        _apply(self._services, kind, item)

    def apply_endpoints(self, kind: str, item: Mapping[str, Any]) -> None:
        """Take an event of an EndpointSlice."""
        _apply(self._slices, kind, item)

    def names(self) -> dict[str, list[str]]:
        """Addresses by DNS name: ready pods for a headless Service, the Service's own address for any other."""
        return {
            f"{item['metadata']['name']}.{item['metadata']['namespace']}.svc": (
                sorted({address for ready, _ in self._ready(item) for address in ready})
                if _is_headless(item)
                else [self.front(uid)]
            )
            for uid, item in self._services.items()
            if item["spec"].get("selector")
        }

    def routes(self) -> dict[Address, Sequence[Address]]:
        """Addresses of ready pods by the address of their Service."""
        return {
            (self.front(uid), port["port"]): [
                (address, ports[port.get("name", "")])
                for ready, ports in self._ready(item)
                if port.get("name", "") in ports
                for address in ready
            ]
            for uid, item in self._services.items()
            if item["spec"].get("selector") and not _is_headless(item)
            for port in item["spec"]["ports"]
        }

    def _ready(self, service: Mapping[str, Any]) -> list[tuple[list[str], dict[str, int]]]:
        """For each slice of this Service its ready pods' local addresses, and its ports by name."""
        metadata = service["metadata"]
        return [
            (
                [
                    self.local(address)
                    for endpoint in item.get("endpoints") or []
                    if endpoint.get("conditions", {}).get("ready")
                    for address in endpoint["addresses"]
                ],
                {port.get("name") or "": port["port"] for port in item.get("ports") or []},
            )
            for item in self._slices.values()
            if item["metadata"]["namespace"] == metadata["namespace"]
            and item["metadata"].get("labels", {}).get(_SERVICE_NAME) == metadata["name"]
        ]


def _is_headless(service: Mapping[str, Any]) -> bool:
    return bool(service["spec"].get("clusterIP") == "None")


def _apply(into: dict[str, Mapping[str, Any]], kind: str, item: Mapping[str, Any]) -> None:
    if kind == "DELETED":
        into.pop(item["metadata"]["uid"], None)
    else:
        into[item["metadata"]["uid"]] = item
