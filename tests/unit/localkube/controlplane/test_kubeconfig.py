import base64

import pytest
import yaml

from localkube.controlplane import kubeconfig

CERTIFICATE = kubeconfig.with_certificate("https://127.0.0.1:1", b"ca", b"cert", b"key")
TOKEN = kubeconfig.with_token_file("https://127.0.0.1:1", b"ca", "/run/token", "ci")


@pytest.mark.parametrize("text", [CERTIFICATE, TOKEN])
def test_the_current_context_leads_to_server_and_user(text: str) -> None:
    document = yaml.safe_load(text)
    context = {item["name"]: item["context"] for item in document["contexts"]}[document["current-context"]]
    cluster = {item["name"]: item["cluster"] for item in document["clusters"]}[context["cluster"]]
    assert cluster["server"] == "https://127.0.0.1:1"
    assert base64.b64decode(cluster["certificate-authority-data"]) == b"ca"
    assert context["user"] in {item["name"] for item in document["users"]}


def test_users() -> None:
    certificate = yaml.safe_load(CERTIFICATE)["users"][0]["user"]
    assert {name: base64.b64decode(value) for name, value in certificate.items()} == {
        "client-certificate-data": b"cert",
        "client-key-data": b"key",
    }
    assert yaml.safe_load(TOKEN)["users"][0]["user"] == {"tokenFile": "/run/token"}
    assert yaml.safe_load(TOKEN)["contexts"][0]["context"]["namespace"] == "ci"
