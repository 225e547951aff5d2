"""The demo behind a login: the operator makes the root token, as in a cluster, and the shim asks for credentials."""

from __future__ import annotations

import base64
import json
from pathlib import Path

from anka_crds.api.defaults import ACCESS_SECRET, SYSTEM_NAMESPACE
from anka_dev.cloud import LocalCloud
from anka_dev.demo.shell import DemoCommand, shorten_path
from localkube.files import write_private

_FLAGS = {"root-token": "root-token-file", "seal-key": "seal-key-file", "peer-key": "peer-key-file"}
_BINDING = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "ClusterRoleBinding",
    "metadata": {"name": "anka-shim-api-keys"},
    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "anka-api-keys"},
    "subjects": [{"kind": "ServiceAccount", "name": "anka-shim", "namespace": SYSTEM_NAMESPACE}],
}
"""As the chart has it."""


class DemoAccess:
    """`folder`: where the Secret is mounted, as a pod's volume would be."""

    def __init__(self, cloud: LocalCloud, folder: Path) -> None:
        self._cloud = cloud
        self._folder = folder

    def start_parts(self, operator_port: int, shim_port: int) -> None:
        """Operator and shim: the shim waits for the Secret, as a pod does."""
        cloud = self._cloud
        cloud.kubectl.run("apply", "--filename=-", stdin=json.dumps(_BINDING))
        cloud.start_operator("--make-access-secret", port=operator_port).wait_ready(60)
        cloud.wait_for(f"secret/{ACCESS_SECRET}", "create", namespace=SYSTEM_NAMESPACE)
        found = cloud.kubectl.run("get", "secret", ACCESS_SECRET, f"--namespace={SYSTEM_NAMESPACE}", "--output=json")
        self._folder.mkdir(parents=True, exist_ok=True)
        for key, text in json.loads(found)["data"].items():
            write_private(self._folder / key, base64.b64decode(text).decode())
        cloud.root_token = (self._folder / "root-token").read_text()
        files = [f"--{flag}={self._folder / key}" for key, flag in _FLAGS.items()]
        cloud.start_shim("--enable-auth", "--enable-api-keys", *files, port=shim_port)

    def commands(self, kubectl: str) -> list[DemoCommand]:
        url, key = self._cloud.url, shorten_path(self._folder / "jenkins.pem")
        # No secret is printed: the commands read it where it is.
        token = (
            f"{kubectl} get secret {ACCESS_SECRET} -n {SYSTEM_NAMESPACE} -o jsonpath='{{.data.root-token}}' | base64 -d"
        )
        curl = f'curl -s --user "root:$({token})"'
        new = '{"id": "jenkins", "ttl": 86400, "groups": ["ci"]}'
        take = f'sed -E \'s/.*"body":"([^"]*)".*/\\1/\' | base64 -d | openssl rsa -inform DER -out {key}'
        return [
            DemoCommand(
                "The REST API without a login:",
                f"curl -s -w '%{{http_code}}' {url}/api/v1/vm",
                ("Authentication Required", "401"),
            ),
            DemoCommand(
                "The old REST API, with the root token:", f"{curl} {url}/api/v1/vm", ('"instance_state":"Started"',)
            ),
            DemoCommand(
                "An API key for a machine, whose private key is then in a file:",
                f"{curl} {url}/api/v1/apikey -d '{new}' | {take} && head -1 {key}",
                ("-----BEGIN",),
            ),
            DemoCommand("All API keys:", f"{curl} {url}/api/v1/apikey", ('"id":"jenkins"',)),
        ]
