"""Flags of `join`, `disjoin`, `status` and `doctor`: those of the agent, and a few of their own."""

from __future__ import annotations

import base64
import binascii
import ssl
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator
from pydantic_settings import CliPositionalArg

from anka_agent.settings import AgentSettings


class JoinSettings(AgentSettings):
    """Join this Mac to a build cloud. Flags of the agent are written down: `anka-agent run` needs none afterwards."""

    url: CliPositionalArg[str] = Field(description="URL of the Kubernetes API, such as https://cluster.example:6443")
    token: str = Field(default="", validate_default=True, description="Join token; or in ANKA_TOKEN, unseen by `ps`")
    ca_cert: Path | None = Field(default=None, description="PEM file of the API's certificate authority")
    ca_data: str = Field(default="", description="The same in base64, as certificate-authority-data of a kubeconfig")
    insecure_skip_tls_verify: bool = Field(default=False, description="Trust whoever answers: for trying things out")
    service: bool = Field(default=True, description="Install and start the service (launchd; macOS only)")
    service_user: str = Field(default="", description="User that the service runs as; as who joins if absent")

    @field_validator("url")
    @classmethod
    def _https(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme != "https" or not parts.hostname:
            raise ValueError("must be the https:// URL of a Kubernetes API (kubectl cluster-info shows it)")
        return url.rstrip("/")

    @field_validator("token")
    @classmethod
    def _given(cls, token: str) -> str:
        if not token.strip():
            raise ValueError(
                "is needed: kubectl create token anka-joiner --namespace anka-system --duration 1h makes one"
            )
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

    def of_the_agent(self) -> dict[str, object]:
        """What was said about the agent, for its settings file: what was not said stays open to new defaults."""
        own = set(AgentSettings.model_fields) - {"kubeconfig", "state_dir"}
        said = self.model_dump(mode="json", include=own & self.model_fields_set)
        if "/" in self.anka:
            # The service is started somewhere else.
            said["anka"] = str(Path(self.anka).absolute())
        return said


class DisjoinSettings(AgentSettings):
    """Take this Mac out of its cloud: it takes no new VMs, waits for those that run, and forgets its identity."""

    force: bool = Field(default=False, description="Don't wait for instances: they go to Error, or to another Mac")
    timeout: Annotated[float, Field(ge=0)] = Field(
        default=0.0, description="Seconds to wait for instances, then go back to work; 0: as long as it takes"
    )


class ShowSettings(AgentSettings):
    """Of `status` and `doctor`."""

    machine_readable: bool = Field(default=False, description="Print JSON")
