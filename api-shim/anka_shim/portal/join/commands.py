"""Makes join tokens, as docs/start/first-mac.md does with kubectl."""

from dataclasses import dataclass

from anka_kube.client import KubeClient
from anka_kube.errors import AlreadyExists, ApiError, Forbidden
from anka_kube.unstructured import SERVICE_ACCOUNTS
from anka_shim.failure import Failure
from anka_shim.portal.join.answer import join_lines
from anka_shim.portal.join.request import JoinMac
from anka_shim.requester import requester_annotations
from anka_shim.settings import ShimSettings
from anka_shim.store.caches import Stores

MADE_BY = "app.kubernetes.io/created-by"
_US = "anka-shim"


@dataclass(frozen=True)
class JoinResult:
    """`lines` have a secret."""

    lines: list[str]
    expires: str


class JoinCommands:
    def __init__(self, client: KubeClient, stores: Stores, settings: ShimSettings) -> None:
        self._client = client
        self._stores = stores
        self._server = settings.join_server_url
        self._ca_file = settings.join_ca_file
        self._namespace = settings.joining_namespace

    async def make(self, request: JoinMac) -> JoinResult:
        """Raises Failure."""
        if self._server is None:
            raise Failure(describe_off(self._namespace))
        if self._stores.node(request.name) is not None:
            raise Failure(f"name: there is a node {request.name} already, and nobody takes over its identity")
        try:
            ca = self._ca_file.read_bytes() if self._ca_file is not None else None
        except OSError as error:
            raise Failure(f"--join-ca-file {self._ca_file} can't be read: {error.strerror}") from None
        try:
            await self._make_account(request.name)
            status = await self._make_token(request.name, request.seconds or 0)
        except Forbidden as error:
            raise Failure(f"the shim may not make join tokens in namespace {self._namespace}: {error}") from error
        except ApiError as error:
            raise Failure(f"no join token could be made: {error}") from error
        token, expires = status.get("token"), status.get("expirationTimestamp")
        if not isinstance(token, str) or not isinstance(expires, str):
            raise Failure("no join token could be made: the API's answer has none")
        lines = join_lines(self._server, token, request.name, display_name=request.displayName, ca=ca)
        return JoinResult(lines, expires)

    async def _make_account(self, name: str) -> None:
        """One that is there already is only taken if it was made here: others may permit more than one Mac."""
        annotations = requester_annotations()
        metadata = {"name": name, "labels": {MADE_BY: _US}, **({"annotations": annotations} if annotations else {})}
        body = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}
        try:
            await self._client.create(SERVICE_ACCOUNTS, body, self._namespace)
        except AlreadyExists:
            found = await self._client.get(SERVICE_ACCOUNTS, name, self._namespace)
            if found.metadata.labels.get(MADE_BY) != _US:
                raise Failure(
                    f"name: ServiceAccount {name} in {self._namespace} is not the portal's: choose another name"
                ) from None

    async def _make_token(self, name: str, seconds: int) -> dict[str, object]:
        body = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"expirationSeconds": seconds},
        }
        answer = await self._client.create_subresource(SERVICE_ACCOUNTS, name, "token", body, self._namespace)
        status = answer.get("status")
        return status if isinstance(status, dict) else {}


def describe_off(namespace: str) -> str:
    """With what a person does instead."""
    return (
        "the portal makes no join tokens here (--join-server-url): "
        f"`kubectl create serviceaccount NAME --namespace {namespace}` and "
        f"`kubectl create token NAME --namespace {namespace} --duration 1h` make one"
    )
