"""The exporter's login with an API key: one session, kept until the controller says that it needs a login."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field

from clients import golang
from clients.credential import UserKey
from clients.failing import Reported
from clients.golang import Base, Panic
from clients.wire import Wire

REQUIRED = "Authentication Required"
"""By this message it knows that its session has ended, on any call."""


@dataclass
class SessionData:
    userName: str = ""  # as in JSON
    sessionId: str = ""
    token: str = ""


@dataclass
class Shaken:
    id: str = ""
    data: SessionData | None = field(default=None)


class GoSession:
    """Its start asks for the status without a login: where that is OK, there is no session, and the process ends."""

    def __init__(self, wire: Wire, key: UserKey) -> None:
        self._wire = wire
        self._key = key
        self.handshakes = 0
        answer = golang.unmarshal(wire.send("GET", "/api/v1/status", golang.headers(wire.host)).raw, Base)
        if answer.message != REQUIRED:
            raise Panic("invalid memory address or nil pointer dereference: session")
        self.header = ""
        self.renew()

    def renew(self) -> None:
        """Raises Reported."""
        hand = self._post("/tap/v1/hand", {"id": self._key.id})
        try:
            # encoding/base64 passes over newlines, and refuses the URL-safe alphabet.
            secret = self._key.decrypt(base64.b64decode(hand.replace(b"\n", b""), validate=True))
        except ValueError:
            raise Reported("check your id and key path") from None
        # The code of the answer does not matter.
        shaken = golang.unmarshal(self._post("/tap/v1/shake", {"id": self._key.id, "secret": secret}), Shaken)
        data = "null" if shaken.data is None else json.dumps(vars(shaken.data), separators=(",", ":"))
        self.header = f"Bearer {base64.b64encode(data.encode()).decode()}"
        self.handshakes += 1

    def _post(self, target: str, body: dict[str, str]) -> bytes:
        raw = json.dumps(body, separators=(",", ":")).encode()
        headers = golang.headers(self._wire.host, raw, {"Content-Type": "application/json"})
        return self._wire.send("POST", target, headers, raw).raw
