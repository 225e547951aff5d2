"""The handshake of an API key, against answers that no registry should give."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from anka_registry.credential import HAND, LoginRefused, RegistryKeyCredential
from anka_runtime.secret_file import SecretFile
from anka_runtime.session import AnswerError
from anka_sim.registry.access import seal
from support.manual_clock import ManualClock

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def credential(tmp_path: Path) -> RegistryKeyCredential:
    path = tmp_path / "key"
    path.write_bytes(KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return RegistryKeyCredential("mac", SecretFile(path, ManualClock(), shortest=1))


SEALED = seal(KEY.public_key(), "a-secret_27")


@pytest.mark.parametrize(
    ("hand", "shake", "kind"),
    [
        ((404, b""), None, LoginRefused),
        ((503, b""), None, AnswerError),
        ((200, b"no base64"), None, LoginRefused),
        ((200, b"AAAA"), None, LoginRefused),
        ((200, SEALED + b"\n"), None, LoginRefused),
        ((200, SEALED), (401, b""), LoginRefused),
        ((200, SEALED), (500, b""), AnswerError),
        ((200, SEALED), (200, b"[]"), AnswerError),
        ((200, SEALED), (200, b'{"data": null}'), AnswerError),
        ((200, SEALED), (200, b"\xff"), AnswerError),
    ],
)
async def test_answers_that_open_nothing(
    credential: RegistryKeyCredential,
    hand: tuple[int, bytes],
    shake: tuple[int, bytes] | None,
    kind: type[Exception],
) -> None:
    asked: list[Mapping[str, Any]] = []

    async def post(path: str, body: Mapping[str, Any]) -> tuple[int, bytes]:
        asked.append(body)
        answer = hand if path == HAND else shake
        assert answer is not None, "the secret of an answer that cannot be opened"
        return answer

    with pytest.raises(kind) as error:
        await credential.header(post)
    assert asked[1:] == ([] if shake is None else [{"id": "mac", "secret": "a-secret_27"}])
    assert "a-secret" not in str(error.value)
