"""A whole cloud whose registry and REST demand a login: each part with a credential of its own; and no secret of all
these is anywhere afterwards."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from anka_crds.api.meta import REQUESTED_BY
from anka_dev.cloud import LocalCloud
from support.cloud import FAST_MAC, TAG, TEMPLATE

pytestmark = pytest.mark.e2e

TOKEN = "tGk3-a-root-token-zQ9"
REST_TOKEN = "hW7-the-root-token-of-rest-xP2"
VNC_PASSWORD = "vnc-Mq4-password"
SCRIPT_SECRET = "Zt9-secret-in-a-script"
SCRIPT = f"export KEY={SCRIPT_SECRET}; exit 0"
PATIENCE_SECONDS = 60.0


def make_key(directory: Path, name: str) -> tuple[Path, Path]:
    """The files of a private key and its public half."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private, public = directory / f"{name}.pem", directory / f"{name}.pub"
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return private, public


def until(true: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := true()):
        assert time.monotonic() < deadline, what
        time.sleep(0.1)
    return found


def test_it_is_mirrored_pulled_from_saved_to_and_logged_to(
    make_cloud: Callable[[], LocalCloud], tmp_path: Path
) -> None:
    cloud = make_cloud()
    assert cloud.registry is not None
    (template,) = cloud.registry.templates
    cloud.registry.stop()
    shim_key, mac_key = make_key(tmp_path, "shim"), make_key(tmp_path, "mac")
    token = tmp_path / "token"
    token.write_text(TOKEN)
    rest_token = tmp_path / "rest-token"
    rest_token.write_text(REST_TOKEN)
    registry = cloud.start_registry(
        f"--root-token-file={token}", f"--api-key=shim={shim_key[1]}", f"--api-key=mac={mac_key[1]}"
    )
    registry.templates.append(template)

    def call(method: str, path: str, **data: Any) -> Any:
        answer = httpx.request(
            method,
            cloud.urls[0] + path,
            content=json.dumps(data) if data else None,
            timeout=30,
            auth=("root", REST_TOKEN),
        )
        assert answer.json()["status"] == "OK", answer.text
        return answer.json().get("body")

    def run(tag: str) -> str:
        secrets = {"vnc_password": VNC_PASSWORD, "startup_script": base64.b64encode(SCRIPT.encode()).decode()}
        (id_,) = call("POST", "/api/v1/vm", vmid=template, tag=tag, external_id="job 7", **secrets)

        def has_started() -> bool:
            state = call("GET", f"/api/v1/vm?id={id_}")["instance_state"]
            assert state != "Error", call("GET", f"/api/v1/vm?id={id_}")
            return bool(state == "Started")

        until(has_started, f"instance {id_} of {tag}")
        return str(id_)

    wrong = tmp_path / "wrong"
    wrong.write_text("not the root token")
    operator = cloud.start_operator(f"--registry-root-token-file={wrong}").wait_ready()
    # No template is known yet, so none has a condition: the metric tells.
    until(lambda: 'refused_credentials_total{code="401"}' in operator.metrics(), "the operator is refused")
    wrong.write_text(TOKEN)
    rest_login = "--enable-auth", f"--root-token-file={rest_token}", "--access-log=all"
    cloud.start_shim("--registry-api-key-id=shim", f"--registry-api-key-file={shim_key[0]}", *rest_login)
    login = "--registry-api-key-id=mac", f"--registry-api-key-file={mac_key[0]}"
    cloud.add_mac("mac-01", "--max-vm-count=4", "--heartbeat=2", "--lease-duration=8", *login, **FAST_MAC)
    cloud.wait_ready()

    instance = run(TAG)
    saved = call("POST", "/api/v1/image", id=instance, tag="saved", target_vm_id=template)["request_id"]
    until(lambda: call("GET", f"/api/v1/image?id={saved}")["status"] == "done", "the save")
    # Sessions end with the registry's process: all log in anew.
    registry.stop()
    registry.start()
    run("saved")
    until(lambda: len({log["service"] for log in call("GET", "/api/v1/logs")} & PROCESSES) == 3, "logs of all three")
    assert [row["name"] for row in call("GET", "/api/v1/registry/vm")] == [TEMPLATE]

    started = json.loads(cloud.kubectl.run("get", "ankainstances", "-A", "-ojson"))["items"]
    assert {one["metadata"]["annotations"][REQUESTED_BY] for one in started} == {"root"}
    until(lambda: ("root", "job 7") in whose(registry.directory, "anka_shim"), "the shim's lines about it")
    until(lambda: ("root", "job 7") in whose(registry.directory, "anka_agent"), "the agent's lines about it")

    secrets = [TOKEN, REST_TOKEN, VNC_PASSWORD, SCRIPT_SECRET, base64.b64encode(SCRIPT.encode()).decode()]
    secrets += (line for key in (shim_key, mac_key) for line in key[0].read_text().splitlines()[1:-1])
    texts = [path.read_text(errors="replace") for path in cloud.directory.rglob("*.log")]
    texts += [" ".join(one.info["cmdline"] or ()) for one in psutil.process_iter(["cmdline"])]
    texts += [path.read_text(errors="replace") for path in registry.directory.rglob("central-logs/*") if path.is_file()]
    texts += [service.metrics() for service in cloud.services()]
    found = json.loads(
        cloud.kubectl.run("get", "ankatemplates,ankainstances,ankanodes,saveimages,events", "-A", "-ojson")
    )
    # What people write into a spec stands there.
    texts += [json.dumps({**one, "spec": None}) for one in found["items"]]
    assert len(texts) > 10
    assert [secret for secret in secrets if any(secret in text for text in texts)] == []


def whose(registry: Path, service: str) -> set[tuple[str | None, str | None]]:
    """User and external_id of the lines of a central log."""
    lines = [line for path in registry.rglob(f"central-logs/{service}/*") for line in path.read_text().splitlines()]
    return {(line.get("user"), line.get("external_id")) for line in map(json.loads, lines)}


PROCESSES = {"anka_operator", "anka_shim", "anka_agent"}
