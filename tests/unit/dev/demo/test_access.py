"""The demo behind a login: the shim gets what the operator made, and no printed line has a secret."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from anka_dev.cloud import LocalCloud
from anka_dev.demo.access import DemoAccess

SECRETS = {"root-token": "r" * 43, "seal-key": "s" * 43, "peer-key": "p" * 43}


class FakeCloud:
    """Notes what is asked, in order."""

    url = "http://127.0.0.1:8090"

    def __init__(self) -> None:
        self.root_token = ""
        self.asked: list[str] = []
        self.shim_flags: tuple[str, ...] = ()
        self.kubectl = self

    def run(self, *words: str, stdin: str = "") -> str:
        self.asked.append(" ".join(words[:3]))
        if words[0] == "apply":
            assert json.loads(stdin)["roleRef"]["name"] == "anka-api-keys"
        return json.dumps({"data": {key: base64.b64encode(text.encode()).decode() for key, text in SECRETS.items()}})

    def start_operator(self, *flags: str, port: int) -> Any:
        self.asked.append(f"operator {flags[0]} {port}")
        return SimpleNamespace(wait_ready=lambda _: self.asked.append("operator is ready"))

    def wait_for(self, what: str, condition: str, namespace: str) -> None:
        self.asked.append(f"{what} {condition} in {namespace}")

    def start_shim(self, *flags: str, port: int) -> None:
        self.asked.append(f"shim {port}")
        self.shim_flags = flags


def test_the_shim_starts_with_what_the_operator_made(tmp_path: Path) -> None:
    cloud = FakeCloud()
    DemoAccess(cast(LocalCloud, cloud), tmp_path / "access").start_parts(8081, 8090)
    assert cloud.asked == [
        "apply --filename=-",
        "operator --make-access-secret 8081",
        "operator is ready",
        "secret/anka-access create in anka-system",
        "get secret anka-access",
        "shim 8090",
    ]
    for key, text in SECRETS.items():
        file = tmp_path / "access" / key
        assert (file.read_text(), file.stat().st_mode & 0o777) == (text, 0o600)
        assert f"--{key}-file={file}" in cloud.shim_flags
    assert {"--enable-auth", "--enable-api-keys"} <= set(cloud.shim_flags)
    assert cloud.root_token == SECRETS["root-token"]


def test_no_line_has_a_secret(tmp_path: Path) -> None:
    cloud = FakeCloud()
    access = DemoAccess(cast(LocalCloud, cloud), tmp_path / "access")
    access.start_parts(0, 0)
    lines = access.commands("kubectl")
    assert not [command for command in lines if any(secret in command.line for secret in SECRETS.values())]
    assert lines[0].wanted == ("Authentication Required", "401")
    assert "--user" not in lines[0].line
    assert all('--user "root:$(kubectl get secret anka-access -n anka-system' in one.line for one in lines[1:])
