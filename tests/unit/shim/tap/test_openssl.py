"""The login of a shell script: what openssl makes of a key of ours and of the hand's answer."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path

from support.api_keys import ROOT, bearer, with_keys

OAEP = ("-pkeyopt", "rsa_padding_mode:oaep", "-pkeyopt", "rsa_oaep_md:sha256", "-pkeyopt", "rsa_mgf1_md:sha256")


async def openssl(*arguments: str, given: bytes) -> bytes:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec("openssl", *arguments, stdin=pipe, stdout=pipe, stderr=pipe)
    out, error = await process.communicate(given)
    assert process.returncode == 0, error.decode()
    return out


async def test_a_shell_script_logs_in(tmp_path: Path) -> None:
    async with with_keys(tmp_path) as shim:
        new = {"id": "script", "ttl": 60, "groups": []}
        made = await shim.http.post("/api/v1/apikey", json=new, headers=ROOT)
        pem = await openssl("rsa", "-inform", "DER", given=base64.b64decode(made.json()["body"]))
        (tmp_path / "key.pem").write_bytes(pem)
        hand = await shim.http.post("/tap/v1/hand", content='{"id": "script"}')
        assert len(hand.content) == 344
        decrypt = ("pkeyutl", "-decrypt", "-inkey", str(tmp_path / "key.pem"), *OAEP)
        secret = (await openssl(*decrypt, given=base64.b64decode(hand.content))).decode()
        shake = await shim.http.post("/tap/v1/shake", content=f'{{"id": "script", "secret": "{secret}"}}')
        answer = await shim.http.get("/api/v1/vm", headers=bearer(shake.json()["data"]))
        assert (answer.status_code, answer.json()["status"]) == (200, "OK")
