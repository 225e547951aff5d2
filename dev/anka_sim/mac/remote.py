"""The Mac's side of the registry's HTTP API, over the standard library."""

from __future__ import annotations

import base64
import http.client
import json
import os
import site
import ssl
import sys
import urllib.parse

from anka_sim.mac.errors import EXISTS, NOT_FOUND, REGISTRY, SimulatedAnkaError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, BinaryIO

TIMEOUT = 30.0
CHUNK = 1 << 20


class RegistryConnection:
    """One registry by URL. Failures are `AnkaError`: code 3 for what it does not have, 40 for the rest."""

    def __init__(
        self,
        url: str,
        *,
        insecure: bool = False,
        cacert: str | None = None,
        cert: str | None = None,
        key: str | None = None,
        api_key_id: str | None = None,
        api_key: str | None = None,
    ) -> None:
        self.url = url.rstrip("/")
        parts = urllib.parse.urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SimulatedAnkaError(f"registry URL {url!r} is not like http://host:8089", REGISTRY)
        self._parts = parts
        self._headers: dict[str, str] = {}
        self._api_key = (api_key_id, api_key) if api_key_id and api_key else None
        self._context: ssl.SSLContext | None = None
        if parts.scheme == "https":
            self._context = ssl.create_default_context(cafile=cacert)
            if insecure:
                self._context.check_hostname = False
                self._context.verify_mode = ssl.CERT_NONE
            if cert:
                self._context.load_cert_chain(cert, key)

    def templates(self) -> list[dict[str, Any]]:
        return list(self.call("GET", "/registry/v2/vm"))

    def template(self, uuid: str) -> dict[str, Any]:
        return dict(self.call("GET", "/registry/v2/vm", {"id": uuid}))

    def resolve(self, ref: str) -> str:
        """The UUID of a template given by UUID or name."""
        for template in self.templates():
            if ref in (template["id"], template["name"]):
                return str(template["id"])
        raise SimulatedAnkaError(f"{ref}: not found in the registry", NOT_FOUND)

    def manifest(self, uuid: str, tag: str | None) -> dict[str, Any]:
        return dict(self.call("GET", "/sim/v1/manifest", {"id": uuid, **({"tag": tag} if tag else {})}))

    def call(self, method: str, path: str, query: dict[str, str] | None = None, body: Any = None) -> Any:
        """One request with the registry's envelope; returns the body."""
        data = None if body is None else json.dumps(body).encode()
        response, connection = self._send(
            method, path, query, data, {"Content-Type": "application/json"} if data else {}
        )
        try:
            answer = json.loads(response.read())
            status, message, content = answer["status"], answer.get("message", ""), answer.get("body")
        except (ValueError, KeyError, TypeError, OSError) as error:
            raise SimulatedAnkaError(
                f"registry {self.url}: unexpected answer (HTTP {response.status})", REGISTRY
            ) from error
        finally:
            connection.close()
        if status != "OK":
            raise SimulatedAnkaError(message, _code(message))
        return content

    def download(self, uuid: str, name: str, file: BinaryIO) -> None:
        """Append the rest of an image to a file that may have its beginning."""
        offset = file.seek(0, os.SEEK_END)
        headers = {"Range": f"bytes={offset}-"} if offset else {}
        response, connection = self._send("GET", f"/sim/v1/image/{uuid}/{name}", None, None, headers)
        try:
            if response.status == 416:
                return
            if response.status not in (200, 206):
                raise SimulatedAnkaError(f"registry {self.url}: image {name}: HTTP {response.status}", REGISTRY)
            if response.status == 200:
                file.seek(0)
                file.truncate()
            while chunk := response.read(CHUNK):
                file.write(chunk)
        except (OSError, http.client.HTTPException) as error:
            raise SimulatedAnkaError(f"registry {self.url}: download of {name} broke off", REGISTRY) from error
        finally:
            connection.close()

    def upload(self, uuid: str, name: str, path: str) -> None:
        with open(path, "rb") as file:
            headers = {"Content-Length": str(os.path.getsize(path))}
            response, connection = self._send("PUT", f"/sim/v1/image/{uuid}/{name}", None, file, headers)
            connection.close()
        if response.status != 200:
            raise SimulatedAnkaError(f"registry {self.url}: upload of {name}: HTTP {response.status}", REGISTRY)

    def _log_in(self, key_id: str, key: str) -> None:
        """Hand and shake (docs/reference/legacy-api.md#uak); the session is for this process only."""
        if sys.flags.no_site:
            # The command starts without site-packages, to be fast (entry.py); RSA needs them.
            site.main()
        from anka_sim.mac.unsealing import unseal

        def post(path: str, body: dict[str, str]) -> bytes:
            response, connection = self._request("POST", path, None, json.dumps(body).encode(), {})
            try:
                answer = response.read()
            finally:
                connection.close()
            if response.status != 200:
                raise SimulatedAnkaError(f"registry {self.url}: Authentication Required", REGISTRY)
            return answer

        try:
            secret = unseal(post("/tap/v1/hand", {"id": key_id}), key)
        except (ValueError, OSError) as error:
            raise SimulatedAnkaError(f"the API key of {key_id} cannot be used", REGISTRY) from error
        data = json.loads(post("/tap/v1/shake", {"id": key_id, "secret": secret}))["data"]
        self._headers["Authorization"] = "Bearer " + base64.b64encode(json.dumps(data).encode()).decode()

    def _send(
        self, method: str, path: str, query: dict[str, str] | None, data: Any, headers: dict[str, str]
    ) -> tuple[http.client.HTTPResponse, http.client.HTTPConnection]:
        if self._api_key and not self._headers:
            self._log_in(*self._api_key)
        return self._request(method, path, query, data, headers)

    def _request(
        self, method: str, path: str, query: dict[str, str] | None, data: Any, headers: dict[str, str]
    ) -> tuple[http.client.HTTPResponse, http.client.HTTPConnection]:
        host, port = self._parts.hostname or "", self._parts.port
        connection = (
            http.client.HTTPSConnection(host, port, timeout=TIMEOUT, context=self._context)
            if self._context
            else http.client.HTTPConnection(host, port, timeout=TIMEOUT)
        )
        target = self._parts.path + path + (f"?{urllib.parse.urlencode(query)}" if query else "")
        try:
            connection.request(method, target, body=data, headers={**self._headers, **headers})
            return connection.getresponse(), connection
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise SimulatedAnkaError(f"registry {self.url} does not answer ({error})", REGISTRY) from error


def _code(message: str) -> int:
    """The command's code for what the registry refuses."""
    if message.endswith("already exists"):
        return EXISTS
    return NOT_FOUND if "ot found" in message or message.startswith("No such tag") else REGISTRY


def credentials(options: Any) -> dict[str, Any]:
    """The connection options of `anka registry` as arguments of `Registry`."""
    return {
        "insecure": options.flag("insecure"),
        "cacert": options.value("cacert"),
        "cert": options.value("cert"),
        "key": options.value("key"),
        "api_key_id": options.value("api-key-id"),
        "api_key": options.value("api-key"),
    }
