"""Field types that several kinds share, with the bounds that keep CEL rules within their cost budget."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field


def rule(expression: str, message: str, **extra: Any) -> dict[str, Any]:
    """One CEL rule for ``x-kubernetes-validations``. `message` names the field and says what is right."""
    return {"rule": expression, "message": message, **extra}


def validations(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"x-kubernetes-validations": list(rules)}


def immutable(name: str) -> dict[str, Any]:
    return validations(rule("self == oldSelf", f"{name} can't be changed after creation: create a new object"))


ObjectName = Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$")]
"""Name of another object of ours: a DNS-1123 subdomain, as metadata.name is."""

Label = Annotated[str, Field(min_length=1, max_length=256)]
"""A short text of people's choice: template names, tags, display names."""

Text = Annotated[str, Field(max_length=4096)]

Base64 = Annotated[str, Field(max_length=700_000, pattern=r"^[A-Za-z0-9+/\r\n]*={0,2}[\r\n]*$")]
"""Standard base64, as ``base64 -i -`` prints it, line breaks allowed. At most 700,000 characters: etcd takes
1.5 MiB for an object."""

Port = Annotated[int, Field(ge=1, le=65535)]

MacAddress = Annotated[str, Field(pattern=r"^([0-9A-F]{2}:){5}[0-9A-F]{2}$")]
"""Capital letters and ':' as separators (seed document, mac_address)."""

Percent = Annotated[int, Field(ge=0, le=100)]
