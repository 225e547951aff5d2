"""A credential of each kind at a closed shim, made once: what the load sends is the header that clients send."""

from __future__ import annotations

import base64
import datetime
import json
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

from anka_dev.cloud import LocalCloud

KEY_ID = "bench"
GROUP = "bench"
RIGHTS = ("list_vms", "start_vm", "update_vm", "terminate_vm")
ACCOUNT = "anka-bench-pipeline"
ROLES = ("anka-api-keys", "anka-permission-groups", "anka-reviews")
"""Of the shim, where these flags are on."""
OAEP = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)

Headers = dict[str, str]


@dataclass(frozen=True)
class Credentials:
    """`headers`: by kind; empty where nobody logs in. `key`: for handshakes."""

    headers: dict[str, Headers]
    key: rsa.RSAPrivateKey


@dataclass(frozen=True)
class Files:
    """What the closed shim reads."""

    folder: Path

    def write(self) -> tuple[str, ...]:
        """Its flags."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for name in ("root", "seal"):
            (self.folder / name).write_text(f"the {name} secret of the benchmark's shim, long enough")
        authority = _authority()
        (self.folder / "clients.pem").write_bytes(authority.ca)
        (self.folder / "client.pem").write_bytes(authority.client)
        return (
            "--enable-auth", f"--root-token-file={self.folder / 'root'}", "--enable-authorization",
            "--enable-api-keys", f"--seal-key-file={self.folder / 'seal'}", "--api-key-session-seconds=3600",
            "--enable-kubernetes-tokens",
            # As behind an ingress: TLS itself would be the proxy's, and is the same with every credential.
            f"--client-ca-file={self.folder / 'clients.pem'}", "--client-cert-header=nginx",
            "--trusted-proxies=127.0.0.1",
        )  # fmt: skip


def make_credentials(cloud: LocalCloud, url: str, files: Files) -> Credentials:
    """At the shim with this URL; what is made in the cluster goes with `remove`."""
    root = _basic("root", (files.folder / "root").read_text())
    key = rsa.generate_private_key(65537, 2048)
    _ask(url, "POST", f"/admin/api/v1/permission/group/{GROUP}/permissions", list(RIGHTS), root)
    new = {"id": KEY_ID, "ttl": 86_400, "groups": [GROUP], "publicKey": _public(key)}
    _ask(url, "POST", "/api/v1/apikey", new, root)
    token = cloud.kubectl.run("create", "token", ACCOUNT, "--namespace=anka-ci", "--audience=anka").strip()
    pem = quote((files.folder / "client.pem").read_text(), safe="")
    kinds = {
        "root": root,
        "session": _log_in(url, key),
        "token": {"Authorization": f"Bearer {token}"},
        "certificate": {"Ssl-Client-Verify": "SUCCESS", "Ssl-Client-Cert": pem},
    }
    return Credentials(kinds, key)


def bind(cloud: LocalCloud) -> None:
    """The shim's roles, and the account of a pipeline with the rights of the group."""
    rules = [{"apiGroups": ["anka.veertu.com"], "resources": ["ankainstances"],
              "verbs": ["list", "create", "patch", "delete"]}]  # fmt: skip
    manifests: list[dict[str, Any]] = [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": ACCOUNT, "namespace": "anka-ci"}},
        {"apiVersion": _RBAC, "kind": "ClusterRole", "metadata": {"name": ACCOUNT}, "rules": rules},
        _binding(ACCOUNT, ACCOUNT, "anka-ci", ACCOUNT),
        *(_binding(f"{ACCOUNT}-{role}", role, "anka-system", "anka-shim") for role in ROLES),
    ]
    cloud.kubectl.run("apply", "-f-", stdin="\n---\n".join(map(json.dumps, manifests)))


def remove(cloud: LocalCloud) -> None:
    bindings = (ACCOUNT, *(f"{ACCOUNT}-{role}" for role in ROLES))
    cloud.kubectl.run("delete", "clusterrolebinding", "--ignore-not-found", *bindings)
    cloud.kubectl.run("delete", "clusterrole", "--ignore-not-found", ACCOUNT)
    cloud.kubectl.run("delete", "serviceaccount", "--namespace=anka-ci", "--ignore-not-found", ACCOUNT)
    for kind in ("apikeys", "permissiongroups"):
        cloud.kubectl.run("delete", kind, "--all")


def to_bearer(key: rsa.RSAPrivateKey, encrypted: bytes) -> str:
    """The secret in a hand's answer."""
    return key.decrypt(base64.b64decode(encrypted), OAEP).decode()


def session_header(data: Any) -> str:
    return f"Bearer {base64.b64encode(json.dumps(data).encode()).decode()}"


_RBAC = "rbac.authorization.k8s.io/v1"


def _binding(name: str, role: str, namespace: str, account: str) -> dict[str, Any]:
    return {
        "apiVersion": _RBAC,
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
        "subjects": [{"kind": "ServiceAccount", "namespace": namespace, "name": account}],
    }


def _basic(user: str, password: str) -> Headers:
    return {"Authorization": f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"}


def _log_in(url: str, key: rsa.RSAPrivateKey) -> Headers:
    secret = to_bearer(key, _send(url, "POST", "/tap/v1/hand", {"id": KEY_ID}, {}))
    shaken = json.loads(_send(url, "POST", "/tap/v1/shake", {"id": KEY_ID, "secret": secret}, {}))
    return {"Authorization": session_header(shaken["data"])}


def _ask(url: str, method: str, path: str, body: Any, headers: Headers) -> None:
    answer = json.loads(_send(url, method, path, body, headers))
    assert answer["status"] == "OK", answer


def _send(url: str, method: str, path: str, body: Any, headers: Headers) -> bytes:
    data = json.dumps(body).encode()
    given = {"Content-Type": "application/json", **headers}
    request = urllib.request.Request(url + path, data=data, method=method, headers=given)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return bytes(answer.read())


def _public(key: rsa.RSAPrivateKey) -> str:
    der = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(der).decode()


@dataclass(frozen=True)
class _Authority:
    """PEM of the authority, and of one client's certificate."""

    ca: bytes
    client: bytes


def _authority() -> _Authority:
    own, client = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Benchmark")])
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, "bench"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, GROUP),
        ]
    )
    now = datetime.datetime.now(datetime.UTC)

    def sign(name: x509.Name, public: ec.EllipticCurvePublicKey, *, is_authority: bool) -> bytes:
        builder = x509.CertificateBuilder(issuer, name, public, x509.random_serial_number(),
            now - datetime.timedelta(hours=1), now + datetime.timedelta(days=1))  # fmt: skip
        if is_authority:
            builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        return builder.sign(own, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    return _Authority(
        sign(issuer, own.public_key(), is_authority=True), sign(subject, client.public_key(), is_authority=False)
    )
