"""Kubeconfigs, as kubectl reads them: one or several files, a context, its cluster and its user. Blocking."""

import base64
import os
import ssl
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NoReturn
from urllib.parse import urlsplit
from urllib.request import getproxies_environment, proxy_bypass

import yaml

from anka_kube import exec_plugin
from anka_kube.credentials import MAX_AGE_SECONDS, Credentials, RenewedCredentials, TokenFile
from anka_kube.endpoint import ConfigError, Endpoint
from anka_kube.exec_plugin import ExecCredential
from anka_runtime.addresses import is_http_url
from anka_runtime.clock import Clock
from anka_runtime.files import read_text

SECTIONS = {"contexts": "context", "clusters": "cluster", "users": "user"}
"""Name of a list -> key of what its entries hold beside their name."""

Settings = dict[str, Any]


class Kubeconfig:
    """One context of a kubeconfig. If several files have the same entry, the first one counts.

    Every method raises ConfigError, in one line that names the file.
    """

    def __init__(self, paths: Sequence[Path], context: str | None = None) -> None:
        self._paths = paths
        self._context = context
        self._found: dict[str, dict[str, tuple[Settings, Path]]] = {section: {} for section in SECTIONS}
        current = [self._read(path) for path in paths]
        name = context or next(filter(None, current), "")
        if not name:
            self._refuse("names no current-context: `kubectl config use-context NAME`")
        if name not in self._found["contexts"]:
            self._refuse(f"has no context {name!r}")
        chosen, _ = self._found["contexts"][name]
        self.namespace: str = chosen.get("namespace") or "default"
        self._cluster_name = str(chosen.get("cluster"))
        self._cluster, self._cluster_folder = self._look_up(name, "cluster", self._cluster_name)
        self._user, self._user_folder = (
            self._look_up(name, "user", chosen["user"]) if chosen.get("user") else ({}, Path())
        )
        self._plugin = self._run_plugin() if self._user.get("exec") and not self._has_token() else None

    def endpoint(self, clock: Clock) -> Endpoint:
        server = str(self._cluster.get("server") or "").rstrip("/")
        if not server:
            self._refuse(f"cluster {self._cluster_name!r} has no server", mark=":")
        if not is_http_url(server):
            self._refuse(f"server {server!r} is not an http(s) URL", mark=":")
        try:
            tls = self._tls() if urlsplit(server).scheme == "https" else None
        except (OSError, ValueError, TypeError) as error:
            self._refuse(f"cannot be used: {_one_line(error)}", cause=error)
        return Endpoint(
            server=server,
            credentials=self._credentials(clock),
            ssl=tls,
            namespace=self.namespace,
            server_hostname=self._cluster.get("tls-server-name"),
            proxy=self._cluster.get("proxy-url") or _proxy_from_environment(server),
        )

    def header(self) -> str | None:
        """The Authorization header; None where a client certificate, or nothing, authenticates us."""
        user, token = self._user, self._user.get("token") or (self._plugin and self._plugin.token)
        if token:
            return f"Bearer {token}"
        if self._plugin is None and "username" in user and "password" in user:
            return "Basic " + base64.b64encode(f"{user['username']}:{user['password']}".encode()).decode()
        return None

    def _read(self, path: Path) -> str | None:
        """Merge one file; returns its current-context."""
        try:
            data = yaml.safe_load(read_text(path))
        except yaml.YAMLError as error:
            self._refuse(f"is not valid YAML: {_one_line(error)}", cause=error)
        except (OSError, ValueError) as error:
            self._refuse(f"cannot be read: {_one_line(error)}", cause=error)
        if not isinstance(data, dict):
            self._refuse("is empty or not a mapping")
        for section, key in SECTIONS.items():
            try:
                for entry in data.get(section) or []:
                    self._found[section].setdefault(entry["name"], (dict(entry.get(key) or {}), path.absolute().parent))
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                self._refuse(f"cannot be used: {section} is not a list of names, each with its {key}", cause=error)
        return data.get("current-context")

    def _look_up(self, context: str, kind: str, name: str) -> tuple[Settings, Path]:
        if name not in self._found[f"{kind}s"]:
            self._refuse(f"context {context!r} names {kind} {name!r}, which is not there", mark=":")
        return self._found[f"{kind}s"][name]

    def _has_token(self) -> bool:
        return bool(self._user.get("token") or self._user.get("tokenFile"))

    def _run_plugin(self) -> ExecCredential:
        settings = self._user["exec"]
        try:
            return exec_plugin.run(settings, self._cluster, self._user_folder)
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            command = settings.get("command") if isinstance(settings, Mapping) else None
            hint = f"; {_one_line(settings['installHint'])}" if command and settings.get("installHint") else ""
            self._refuse(f"exec plugin {command!r} gave no credentials: {_one_line(error)}{hint}", ":", cause=error)

    def _credentials(self, clock: Clock) -> Credentials:
        if "auth-provider" in self._user:
            self._refuse("auth-provider is not supported: use an exec plugin, or a token", mark=":")
        if self._user.get("tokenFile") and not self._user.get("token"):
            file = self._user_folder / self._user["tokenFile"]
            if not file.is_file():
                self._refuse(f"cannot be used: there is no token file {file}")
            return TokenFile(file, clock)
        current = self

        def renew(force: bool) -> str | None:
            nonlocal current
            if force or current._runs_out(clock.now()):
                current = Kubeconfig(self._paths, self._context)
            return current.header()

        return RenewedCredentials(self.header(), renew, clock)

    def _runs_out(self, now: datetime) -> bool:
        """Whether the plugin's credentials expire before the next check."""
        expires = self._plugin.expires if self._plugin is not None else None
        return expires is not None and expires - now <= timedelta(seconds=MAX_AGE_SECONDS)

    def _tls(self) -> ssl.SSLContext:
        # The ssl module takes certificates from files only.
        with TemporaryDirectory(prefix="anka-") as temporary:
            authority = self._file(self._cluster, "certificate-authority", self._cluster_folder, temporary)
            tls = ssl.create_default_context(cafile=authority)
            if self._cluster.get("insecure-skip-tls-verify"):
                tls.check_hostname = False
                tls.verify_mode = ssl.CERT_NONE
            certificate = self._file(self._user, "client-certificate", self._user_folder, temporary)
            key = self._file(self._user, "client-key", self._user_folder, temporary)
            if self._plugin is not None and self._plugin.certificate and self._plugin.key:
                certificate = _write(temporary, "client-certificate", self._plugin.certificate.encode())
                key = _write(temporary, "client-key", self._plugin.key.encode())
            if certificate is not None:
                tls.load_cert_chain(certificate, key)
        return tls

    def _file(self, settings: Settings, name: str, folder: Path, temporary: str) -> Path | None:
        """The file that `NAME` names, or one with the content of `NAME-data`."""
        if settings.get(f"{name}-data"):
            return _write(temporary, name, base64.b64decode(settings[f"{name}-data"]))
        if not settings.get(name):
            return None
        path: Path = folder / settings[name]
        if not path.is_file():
            raise ValueError(f"there is no file {path} ({name})")
        return path

    def _refuse(self, problem: str, mark: str = "", *, cause: BaseException | None = None) -> NoReturn:
        raise ConfigError(f"kubeconfig {os.pathsep.join(map(str, self._paths))}{mark} {problem}") from cause


def _write(folder: str, name: str, content: bytes) -> Path:
    path = Path(folder) / name
    path.touch(mode=0o600)
    path.write_bytes(content)
    return path


def _proxy_from_environment(server: str) -> str | None:
    """HTTPS_PROXY and NO_PROXY, as kubectl honours them."""
    parts = urlsplit(server)
    proxy = getproxies_environment().get(parts.scheme)
    return None if proxy is None or proxy_bypass(parts.netloc) else proxy


def _one_line(error: object) -> str:
    return " ".join(str(error).split())
