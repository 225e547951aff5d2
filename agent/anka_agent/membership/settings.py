"""Flags of `join` and `disjoin`: the agent's, and a few of their own."""

import base64
import binascii
import ssl
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator
from pydantic_settings import CliPositionalArg

from anka_agent.membership.errors import NEW_TOKEN
from anka_agent.settings import AgentSettings
from anka_runtime.addresses import is_http_url


class JoinSettings(AgentSettings):
    """Join this Mac to a build cloud. The agent's flags are saved: `anka-agent run` needs none afterwards."""

    url: CliPositionalArg[str] = Field(description="URL of the Kubernetes API, such as https://cluster.example:6443")
    token: str = Field(default="", validate_default=True, description="Join token; ANKA_TOKEN hides it from `ps`")
    ca_cert: Path | None = Field(default=None, description="PEM file of the API's certificate authority")
    ca_data: str = Field(default="", description="The same in base64, as certificate-authority-data of a kubeconfig")
    insecure_skip_tls_verify: bool = Field(default=False, description="Trust any server: for tests only")
    service: bool = Field(default=True, description="Install and start the service (launchd; macOS only)")
    service_user: str = Field(default="", description="User that the service runs as; by default, the joining user")

    @field_validator("url")
    @classmethod
    def _https(cls, url: str) -> str:
        if not is_http_url(url, only_https=True):
            raise ValueError("must be the https:// URL of a Kubernetes API (kubectl cluster-info shows it)")
        return url.rstrip("/")

    @field_validator("token")
    @classmethod
    def _require_token(cls, token: str) -> str:
        if not token.strip():
            raise ValueError(f"is needed: {NEW_TOKEN}")
        return token.strip()

    @model_validator(mode="after")
    def _one_authority(self) -> Self:
        if sum((self.ca_cert is not None, bool(self.ca_data), self.insecure_skip_tls_verify)) > 1:
            raise ValueError("give one of --ca-cert, --ca-data and --insecure-skip-tls-verify")
        self.authority()
        return self

    def authority(self) -> bytes | None:
        """PEM of the certificate authority; None for the system's. Raises ValueError."""
        if self.ca_cert is not None:
            try:
                pem = self.ca_cert.read_bytes()
            except OSError as error:
                raise ValueError(f"--ca-cert {self.ca_cert} cannot be read: {error.strerror}") from None
        elif self.ca_data:
            try:
                pem = base64.b64decode(self.ca_data, validate=True)
            except binascii.Error:
                raise ValueError("--ca-data is not base64") from None
        else:
            return None
        try:
            ssl.create_default_context(cadata=pem.decode("ascii"))
        except (ssl.SSLError, UnicodeDecodeError):
            raise ValueError("--ca-cert, --ca-data: not a certificate in PEM form") from None
        return pem

    def tls(self) -> ssl.SSLContext:
        pem = self.authority()
        context = ssl.create_default_context(cadata=None if pem is None else pem.decode("ascii"))
        if self.insecure_skip_tls_verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context

    def to_agent_settings(self) -> dict[str, object]:
        """The given flags of the agent, for its settings file; defaults are left out, so that later ones apply."""
        own = set(AgentSettings.model_fields) - {"kubeconfig", "state_dir"}
        given = self.model_dump(mode="json", include=own & self.model_fields_set)
        if "/" in self.anka:
            # The service is started in another directory.
            given["anka"] = str(Path(self.anka).absolute())
        for name, value in given.items():
            if name.startswith("registry_") and name.endswith("_file") and value is not None:
                given[name] = str(Path(value).absolute())
        return given


class DisjoinSettings(AgentSettings):
    """Leave the build cloud: take no new VMs, wait for those that run, and delete this Mac's identity."""

    force: bool = Field(default=False, description="Don't wait for instances: they go to Error, or to another Mac")
    timeout: Annotated[float, Field(ge=0)] = Field(
        default=0.0, description="Seconds to wait for instances, then go back to work; 0: as long as it takes"
    )
