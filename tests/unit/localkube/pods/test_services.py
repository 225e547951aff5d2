from __future__ import annotations

from typing import Any

from localkube.pods.addresses import AddressPool
from localkube.pods.services import ServiceTable

FRONTS = {"rest": "127.9.9.1"}


def service(uid: str, name: str, *, ip: str, **spec: Any) -> dict[str, Any]:
    ports = [{"name": "http", "port": 80, "targetPort": "http"}]
    return {
        "metadata": {"uid": uid, "name": name, "namespace": "n"},
        "spec": {"clusterIP": ip, "selector": {"app": "x"}, "ports": ports, **spec},
    }


def endpoints(uid: str, of: str, *, ready: tuple[str, ...] = (), waiting: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        "metadata": {"uid": uid, "namespace": "n", "labels": {"kubernetes.io/service-name": of}},
        "endpoints": [
            {"addresses": [address], "conditions": {"ready": address in ready}} for address in (*ready, *waiting)
        ]
        or None,
        "ports": [{"name": "http", "port": 8090}],
    }


def seen(*items: dict[str, Any]) -> ServiceTable:
    services = ServiceTable(FRONTS.__getitem__, AddressPool.to_local)
    for item in items:
        (services.apply_service if "spec" in item else services.apply_endpoints)("ADDED", item)
    return services


REST = service("rest", "rest", ip="10.0.0.7")
PEERS = service("peers", "peers", ip="None")


def test_a_service_has_an_address_of_its_own_and_leads_to_ready_pods() -> None:
    services = seen(REST, endpoints("s", "rest", ready=("10.1.1.1", "10.1.1.2"), waiting=("10.1.1.3",)))
    assert services.names() == {"rest.n.svc": ["127.9.9.1"]}
    assert services.routes() == {("127.9.9.1", 80): [("127.1.1.1", 8090), ("127.1.1.2", 8090)]}


def test_a_headless_one_is_its_pods() -> None:
    services = seen(PEERS, endpoints("s", "peers", ready=("10.1.1.2", "10.1.1.1")))
    assert services.names() == {"peers.n.svc": ["127.1.1.1", "127.1.1.2"]}
    assert services.routes() == {}


def test_without_pods_there_is_the_name_and_nothing_behind_it() -> None:
    services = seen(REST, PEERS, endpoints("s", "rest"))
    assert services.names() == {"rest.n.svc": ["127.9.9.1"], "peers.n.svc": []}
    assert services.routes() == {("127.9.9.1", 80): []}


def test_what_is_deleted_is_forgotten() -> None:
    slice_ = endpoints("s", "rest", ready=("10.1.1.1",))
    services = seen(REST, slice_)
    services.apply_endpoints("DELETED", slice_)
    assert services.routes() == {("127.9.9.1", 80): []}
    services.apply_service("DELETED", REST)
    assert (services.names(), services.routes()) == ({}, {})


def test_slices_of_other_services_and_services_without_pods_are_not_ours() -> None:
    apiserver = service("kubernetes", "kubernetes", ip="10.0.0.1", selector=None)
    services = seen(REST, apiserver, endpoints("s", "other", ready=("10.1.1.1",)))
    assert services.routes() == {("127.9.9.1", 80): []}
    assert "kubernetes.n.svc" not in services.names()
