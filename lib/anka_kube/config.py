"""Which Kubernetes API to talk to, and as whom.

Only what is named explicitly is used: a kubeconfig path, the KUBECONFIG variable, or the service account of the
pod that we run in. `~/.kube/config` is never picked up implicitly: it may point at any cluster.
"""

import os
import ssl
from collections.abc import Mapping
from pathlib import Path

from anka_kube.credentials import TokenFile
from anka_kube.endpoint import ConfigError, Endpoint
from anka_kube.kubeconfig import Kubeconfig
from anka_runtime.addresses import join_host_port
from anka_runtime.clock import Clock, SystemClock
from anka_runtime.files import read_text

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


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
    host = environ["KUBERNETES_SERVICE_HOST"]
    port = environ.get("KUBERNETES_SERVICE_PORT") or "443"
    token = folder / "token"
    try:
        if not read_text(token).strip():
            raise ConfigError(f"the service account token {token} is empty")
        tls = ssl.create_default_context(cafile=str(folder / "ca.crt"))
        namespace_file = folder / "namespace"
        namespace = read_text(namespace_file).strip() if namespace_file.exists() else ""
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise ConfigError(
            f"running in a pod, but its service account in {folder} cannot be used: {error}; "
            "is automountServiceAccountToken off?"
        ) from error
    return Endpoint(
        server=f"https://{join_host_port(host, port)}",
        credentials=TokenFile(token, clock),
        ssl=tls,
        namespace=namespace or "default",
    )


def _from_kubeconfig(paths: str, source: str, context: str | None, clock: Clock) -> Endpoint:
    existing = [path for name in paths.split(os.pathsep) if name and (path := Path(name).expanduser()).is_file()]
    if not existing:
        raise ConfigError(f"kubeconfig {paths!r} ({source}) does not exist or is not a file")
    return Kubeconfig(existing, context).endpoint(clock)
