"""Settings about TLS, and about the certificates of clients."""

from ipaddress import ip_network
from pathlib import Path
from typing import Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from anka_runtime.tls_files import TlsVersion, make_server_context
from anka_shim.access.certificate_header import CertificateHeader
from anka_shim.access.client_certificates import read_authorities
from anka_shim.access.token_settings import TokenSettings
from anka_shim.access.trusted_proxies import EVERYBODY


class CertificateSettings(TokenSettings):
    """Part of the shim's."""

    tls_cert_file: Path | None = Field(
        default=None,
        description="PEM file with the certificate of this server, and those between it and its authority: serve HTTPS "
        "alone. It is read again when it changes, as are the other files of TLS; open connections keep the old one.",
    )
    tls_key_file: Path | None = Field(
        default=None, description="PEM file with its private key, unless that is in --tls-cert-file."
    )
    tls_min_version: TlsVersion = Field(default="1.2", description="Oldest version of TLS that clients may speak.")
    tls_ciphers: str = Field(
        default="",
        description="Ciphers of TLS 1.2, by OpenSSL's names with colons between them; OpenSSL's choice if empty.",
    )
    client_ca_file: Path | None = Field(
        default=None,
        description="PEM file with the authorities that sign certificates of clients: who shows one of theirs is its "
        "CN, in the groups of its OUs, or of its Os if it has no OU. Others log in as before. Needs --enable-auth, and "
        "--tls-cert-file or --client-cert-header.",
    )
    client_crl_file: Path | None = Field(
        default=None,
        description="PEM file with what these authorities have revoked, one list each. Of an authority whose list is "
        "missing, or out of date, no certificate is accepted. It is read again when it changes.",
    )
    trusted_proxies: str = Field(
        default="",
        description="Addresses or networks whose X-Forwarded-For is believed, with commas between them; none if empty.",
    )
    client_cert_header: CertificateHeader | None = Field(
        default=None,
        description="How --trusted-proxies pass on the certificate that a client has shown to them: nginx "
        "(Ssl-Client-Verify and Ssl-Client-Cert), xfcc (X-Forwarded-Client-Cert of Envoy), traefik "
        "(X-Forwarded-Tls-Client-Cert), rfc9440 (Client-Cert). It is checked against --client-ca-file again.",
    )

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, proxies: str) -> str:
        """`*` stands for all addresses."""
        for entry in split(proxies):
            if entry != "*":
                ip_network(entry)
        return proxies

    @field_validator("client_ca_file")
    @classmethod
    def _has_authorities(cls, file: Path | None) -> Path | None:
        if file is not None:
            read_authorities(file, None)
        return file

    @field_validator("client_crl_file")
    @classmethod
    def _has_lists(cls, file: Path | None, info: ValidationInfo) -> Path | None:
        ca = info.data.get("client_ca_file")
        if file is not None and "client_ca_file" in info.data:
            if ca is None:
                raise ValueError("needs --client-ca-file too")
            read_authorities(ca, file)
        return file

    @model_validator(mode="after")
    def _can_serve_tls(self) -> Self:
        if self.tls_cert_file is not None:
            # Its words name the files.
            make_server_context(
                self.client_ca_file,
                self.tls_cert_file,
                self.tls_key_file,
                lowest=self.tls_min_version,
                ciphers=self.tls_ciphers,
            )
        elif self.tls_key_file is not None:
            raise ValueError("tls-key-file: needs --tls-cert-file too")
        return self

    @model_validator(mode="after")
    def _can_get_certificates(self) -> Self:
        if self.client_ca_file is None:
            if self.client_cert_header is not None:
                raise ValueError("client-cert-header: needs --client-ca-file, against which it is checked again")
            return self
        if self.tls_cert_file is None and self.client_cert_header is None:
            raise ValueError("client-ca-file: needs --tls-cert-file or --client-cert-header: else no certificate comes")
        proxies = self.proxy_addresses
        if self.client_cert_header is not None and (not proxies or EVERYBODY in proxies):
            raise ValueError("client-cert-header: needs --trusted-proxies with addresses: others can write any header")
        return self

    @property
    def proxy_addresses(self) -> list[str]:
        """Each entry of `trusted_proxies`."""
        return split(self.trusted_proxies)


def split(text: str) -> list[str]:
    return [entry for part in text.split(",") if (entry := part.strip())]
