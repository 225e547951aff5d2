"""Which Kubernetes API to talk to, and as whom.

Only what was named explicitly is used: a kubeconfig path, the KUBECONFIG variable, or the service account of the
pod that we run in. `~/.kube/config` is never picked up by itself: it may point at anybody's cluster.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies_environment, proxy_bypass

import yaml

from anka_crds.kube.credentials import Credentials, RenewedCredentials, StaticCredentials, TokenFile
from anka_crds.process.clock import Clock, SystemClock

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


class ConfigError(Exception):
    """The connection settings cannot be used; str() is one line that says what to do."""


@dataclass(frozen=True)
class Endpoint:
    """Everything needed to open a connection."""

    server: str
    """Base URL without a trailing slash."""
    credentials: Credentials = field(default_factory=StaticCredentials)
    ssl: ssl.SSLContext | None = None
    """None for plain http."""
    namespace: str = "default"
    """Namespace of the kubeconfig's context, or of our pod."""
    server_hostname: str | None = None
    """Name to expect in the server's certificate when it differs from the URL."""
    proxy: str | None = None


def load_endpoint(
    kubeconfig: str | os.PathLike[str] | None = None,
    *,
    context: str | None = None,
    environ: Mapping[str, str] | None = None,
    clock: Clock | None = None,
    service_account: Path = SERVICE_ACCOUNT,
) -> Endpoint:
    """Explicit path, else KUBECONFIG, else in-cluster. Raises ConfigError with one clear line.

    Blocking (files, and exec plugins): call it before the event loop starts, or in a thread.
    """
    environ = os.environ if environ is None else environ
    clock = clock or SystemClock()
    if kubeconfig is not None:
        return _from_kubeconfig(os.fspath(kubeconfig), "the given path", context, clock)
    if environ.get("KUBECONFIG"):
        return _from_kubeconfig(environ["KUBECONFIG"], "KUBECONFIG", context, clock)
    if environ.get("KUBERNETES_SERVICE_HOST"):
        return _in_cluster(environ, service_account, clock)
    raise ConfigError(
        "no Kubernetes API named: give --kubeconfig PATH, set KUBECONFIG, or run in a pod with a service account "
        "(~/.kube/config is not used by itself)"
    )


def _in_cluster(environ: Mapping[str, str], folder: Path, clock: Clock) -> Endpoint:
    # Two files and two variables: importing the kubernetes package for them would cost 10 MB and 0.4 s a process.
    host = environ["KUBERNETES_SERVICE_HOST"]
    port = environ.get("KUBERNETES_SERVICE_PORT") or "443"
    token = folder / "token"
    try:
        if not token.read_text().strip():
            raise ConfigError(f"the service account token {token} is empty")
        tls = ssl.create_default_context(cafile=str(folder / "ca.crt"))
        namespace_file = folder / "namespace"
        namespace = namespace_file.read_text().strip() if namespace_file.exists() else ""
    except (OSError, UnicodeDecodeError) as error:  # ssl.SSLError is an OSError
        raise ConfigError(
            f"running in a pod, but its service account in {folder} cannot be used: {error}; "
            "is automountServiceAccountToken off?"
        ) from error
    return Endpoint(
        server=f"https://{f'[{host}]' if ':' in host else host}:{port}",
        credentials=TokenFile(token, clock),
        ssl=tls,
        namespace=namespace or "default",
    )


def _from_kubeconfig(paths: str, source: str, context: str | None, clock: Clock) -> Endpoint:
    existing = [path for path in paths.split(os.pathsep) if path and Path(path).expanduser().is_file()]
    if not existing:
        raise ConfigError(f"kubeconfig {paths!r} ({source}) does not exist or is not a file")
    paths = os.pathsep.join(existing)
    try:
        return _Kubeconfig(paths, context).endpoint(clock)
    except ConfigError:
        raise
    except yaml.YAMLError as error:
        raise ConfigError(f"kubeconfig {paths} is not valid YAML: {_one_line(error)}") from error
    except Exception as error:  # the loader raises KeyError, TypeError, binascii.Error, ... for a malformed file
        # The text of a LookupError or TypeError alone says nothing.
        name = f"{type(error).__name__}: " if isinstance(error, LookupError | TypeError | AttributeError) else ""
        raise ConfigError(f"kubeconfig {paths} cannot be used: {name}{_one_line(error)}") from error


class _Kubeconfig:
    """A kubeconfig as the kubernetes package reads it: certificates, tokens, basic auth, exec plugins, OIDC."""

    def __init__(self, paths: str, context: str | None) -> None:
        # Imported here: 0.4 s and 10 MB that a pod, which has its service account, need not pay.
        from kubernetes.client import Configuration
        from kubernetes.config.kube_config import KubeConfigLoader, KubeConfigMerger

        self._paths = paths
        self._context = context
        merged = KubeConfigMerger(paths).config  # type: ignore[no-untyped-call]
        if merged is None or not isinstance(merged.value, dict):
            raise ConfigError(f"kubeconfig {paths} is empty or not a mapping")
        name = context or merged.safe_get("current-context")
        if not name:
            raise ConfigError(f"kubeconfig {paths} names no current-context: `kubectl config use-context NAME`")
        self._settings: dict[str, Any] = merged["contexts"].get_with_name(name)["context"].value
        loader = KubeConfigLoader(config_dict=merged, active_context=name, config_base_path=None)  # type: ignore[no-untyped-call]
        self.configuration = Configuration()
        loader.load_and_set(self.configuration)  # type: ignore[no-untyped-call]
        cluster = merged["clusters"].get_with_name(self._settings["cluster"])["cluster"]
        if not cluster.safe_get("server"):
            raise ConfigError(f"kubeconfig {paths}: cluster {self._settings['cluster']!r} has no server")
        self._proxy: str | None = cluster.safe_get("proxy-url")
        self._user: dict[str, Any] = {}
        self._folder = Path()
        wanted = self._settings.get("user")
        user = merged["users"].get_with_name(wanted, safe=True) if wanted and merged.safe_get("users") else None
        if wanted and user is None:
            raise ConfigError(f"kubeconfig {paths}: context {name!r} names user {wanted!r}, which is not there")
        if user is not None and user.value.get("user"):
            self._user = user["user"].value
            self._folder = Path(user["user"].path).absolute().parent
        if "exec" in self._user and self.header() is None and not self.configuration.cert_file:
            # The loader only logs the plugin's failure and goes on without credentials.
            raise ConfigError(f"kubeconfig {paths}: exec plugin {self._user['exec']['command']!r} gave no credentials")

    def header(self) -> str | None:
        """Authorization header; runs an expired exec plugin again."""
        header: str | None = self.configuration.get_api_key_with_prefix("BearerToken")
        return header

    def endpoint(self, clock: Clock) -> Endpoint:
        server: str = self.configuration.host
        if not server.startswith(("http://", "https://")):
            raise ConfigError(f"kubeconfig {self._paths}: server {server!r} is not an http(s) URL")
        return Endpoint(
            server=server,
            credentials=self._credentials(clock),
            ssl=self._tls() if server.startswith("https://") else None,
            namespace=self._settings.get("namespace") or "default",
            server_hostname=self.configuration.tls_server_name or None,
            proxy=self._proxy or _proxy_from_environment(server),
        )

    def _credentials(self, clock: Clock) -> Credentials:
        token_file = self._user.get("tokenFile")
        if token_file and not self._user.get("token"):
            return TokenFile(self._folder / token_file, clock)
        current = self

        def renew(force: bool) -> str | None:
            nonlocal current
            if force:
                current = _Kubeconfig(self._paths, self._context)
            return current.header()

        return RenewedCredentials(self.header(), renew, clock)

    def _tls(self) -> ssl.SSLContext:
        settings = self.configuration
        tls = ssl.create_default_context(cafile=settings.ssl_ca_cert or None)
        if not settings.verify_ssl:
            tls.check_hostname = False
            tls.verify_mode = ssl.CERT_NONE
        if settings.cert_file:
            tls.load_cert_chain(settings.cert_file, settings.key_file)
        return tls


def _proxy_from_environment(server: str) -> str | None:
    """HTTPS_PROXY and NO_PROXY, as kubectl honours them."""
    parts = urlsplit(server)
    proxy = getproxies_environment().get(parts.scheme)
    return None if proxy is None or proxy_bypass(parts.netloc) else proxy


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
