"""TLS and certificates at two shims, real processes with the chart's rights against a real kube-apiserver."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from anka_dev.repository import BASE
from localkube.controlplane import KubernetesCluster, apply
from localkube.free_ports import free_port
from support.api_keys import ROOT, TOKEN
from support.client_authority import ClientAuthority, Issued
from support.shim_process import ShimProcess, shim_process
from support.tls_server import client_context

pytestmark = pytest.mark.integration

STATUS = "/api/v1/status"
GROUP = "/api/v1/group"


@dataclass
class SecureShims:
    ca: ClientAuthority
    folder: Path
    shims: list[ShimProcess]

    def context(self, issued: Issued | None = None) -> ssl.SSLContext:
        return client_context(self.ca, self.folder, issued)

    def code(self, shim: ShimProcess, issued: Issued | None) -> int:
        return shim.get(STATUS, verify=self.context(issued)).status_code


@pytest.fixture(scope="module")
def secure(served_kinds: KubernetesCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureShims]:
    folder = tmp_path_factory.mktemp("shim-tls")
    for name in ("namespaces.yaml", "rbac-shim.yaml"):
        apply(served_kinds, BASE / name)
    kubeconfig = served_kinds.kubeconfig_for("anka-shim", "anka-system", folder / "kubeconfig")
    ca = ClientAuthority()
    server = ca.issue_server().write(folder, "server.pem")
    for name, content in (("root", TOKEN.encode()), ("peer", b"p" * 32), ("ca", ca.pem), ("crl", ca.revoke())):
        (folder / name).write_bytes(content)
    ports = [free_port() for _ in range(2)]
    flags = (
        "--enable-auth", f"--root-token-file={folder / 'root'}", f"--tls-cert-file={server}",
        f"--client-ca-file={folder / 'ca'}", f"--client-crl-file={folder / 'crl'}",
        f"--peer-key-file={folder / 'peer'}", "--peer-seconds=2",
        f"--peers={','.join(f'127.0.0.1:{port}' for port in ports)}",
    )  # fmt: skip
    found = SecureShims(ca, folder, [])
    with ExitStack() as stack:
        for port in ports:
            shim = stack.enter_context(shim_process(kubeconfig, *flags, port=port, verify=found.context()))
            found.shims.append(shim)
        for shim in found.shims:
            shim.wait_ready()
            shim.until_true(
                lambda shim=shim: "anka_shim_peers 1.0" in shim.get("/metrics").text  # type: ignore[misc]
            )
        yield found


def test_who_may_enter(secure: SecureShims) -> None:
    good = secure.ca.issue(("CN", "José"), ("O", "Mobile"), ("OU", "CI"))
    for shim in secure.shims:
        assert shim.url.startswith("https://")
        assert secure.code(shim, None) == 401
        assert secure.code(shim, good) == 200
        assert secure.code(shim, secure.ca.issue(("CN", "nobody"))) == 401
        assert shim.call("GET", STATUS, headers=ROOT)["status"] == "OK"
        with pytest.raises(httpx.TransportError):
            secure.code(shim, ClientAuthority().issue(("CN", "x"), ("O", "y")))


def test_what_a_certificate_wrote_is_seen_at_the_other_replica(secure: SecureShims) -> None:
    """They ask each other over TLS."""
    one, other = secure.shims
    verify = secure.context(secure.ca.issue(("CN", "jenkins"), ("O", "Mobile")))
    id_ = one.body("POST", GROUP, json={"name": "secure"}, verify=verify)["id"]
    assert [group["name"] for group in other.body("GET", GROUP, verify=verify) if group["id"] == id_] == ["secure"]
    one.body("DELETE", f"{GROUP}?id={id_}", verify=verify)


def test_what_is_revoked_stays_out(secure: SecureShims) -> None:
    issued = secure.ca.issue(("CN", "gone"), ("O", "Mobile"))
    shim = secure.shims[0]
    assert secure.code(shim, issued) == 200
    (secure.folder / "crl").write_bytes(secure.ca.revoke(issued))
    shim.until_true(lambda: secure.code(shim, issued) == 401)
