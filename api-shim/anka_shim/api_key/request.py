"""Requests about API keys (docs/reference/legacy-api.md#apikey). Pure.

The spec calls the parameters those of a query, its samples have them in the body: both are read, the body first.
"""

from datetime import datetime, timedelta
from hashlib import sha256
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from anka_crds.api.fields import IS_LINE, LINE
from anka_crds.api.limits import MAX_KEY_GROUPS, MAX_LABEL
from anka_crds.api.meta import API_VERSION
from anka_shim.failure import Failure
from anka_shim.http.parameter_types import Text, line, read_integer, read_texts, wrong, wrong_value
from anka_shim.http.request import RequestModel, option, require_id

WHICH = "the id of an API key"
MAX_TTL = 100 * 365 * 86_400
"""Seconds."""


def read_ttl(value: object) -> int | None:
    seconds = read_integer(value)
    if seconds is not None and not 0 < seconds <= MAX_TTL:
        raise wrong_value(f"must be a number of seconds from 1 to {MAX_TTL}", seconds)
    return seconds


def read_names(value: object) -> list[str] | None:
    """An array, or a text with commas. None if not given; an empty array is one."""
    if value is None:
        return None
    texts = [one.strip() for one in value.split(",")] if isinstance(value, str) else value
    names = read_texts(texts)
    if len(names) > MAX_KEY_GROUPS:
        raise wrong(f"at most {MAX_KEY_GROUPS} groups (given: {len(names)})")
    if longest := next((name for name in names if len(name) > MAX_LABEL), None):
        raise wrong_value(f"each must have at most {MAX_LABEL} characters", longest)
    return names


Id = Annotated[str | None, line(MAX_LABEL, LINE, IS_LINE)]
Ttl = Annotated[
    int | None,
    BeforeValidator(read_ttl, json_schema_input_type=Annotated[int, Field(ge=1, le=MAX_TTL)] | None),
]
Names = Annotated[list[str] | None, BeforeValidator(read_names, json_schema_input_type=list[str] | str | None)]


class CreateApiKey(RequestModel):
    """All but publicKey are required."""

    id: Id = option("What its owner logs in with.")
    ttl: Ttl = option("Seconds for which it is valid.")
    groups: Names = option("Names of permission groups. The id counts as another one.")
    publicKey: Text = option(  # the name that clients send
        "RSA key of 2048 to 8192 bits: PEM, or the base64 text in it. Without one a key is made, and answered."
    )


class UpdateApiKey(RequestModel):
    """The public key can't be changed. id and groups are required."""

    id: Id = option("Id of the API key.")
    groups: Names = option("Names of permission groups, in place of those before.")
    ttl: Ttl = option("Seconds from now for which it is valid; as before if not given.")


class DeleteApiKey(RequestModel):
    id: Text = option("Id of the API key.")


def pick_id(body: str | None, query: str | None) -> str:
    return require_id((query, body), WHICH)


def pick_groups(body: list[str] | None, query: list[str] | None) -> list[str]:
    """Those of a query may also have commas between them. Raises Failure if there are none; an empty array is some."""
    split = None if query is None else [name for text in query for part in text.split(",") if (name := part.strip())]
    groups = split if body is None else body
    if groups is None:
        raise Failure("groups: is required, an array of names of permission groups; [] for none")
    return groups


def pick_ttl(body: int | None, query: int | None) -> int:
    ttl = query if body is None else body
    if ttl is None:
        raise Failure("ttl: is required, the number of seconds for which the API key is valid")
    return ttl


def object_name(id_: str) -> str:
    """Of the ApiKey with this id, which may have any characters. The same at all replicas: an id is made once."""
    return f"key-{sha256(id_.encode('utf-8', 'surrogatepass')).hexdigest()[:40]}"


def expiry(ttl: int, now: datetime) -> str:
    return (now + timedelta(seconds=ttl)).isoformat().replace("+00:00", "Z")


def key_manifest(id_: str, groups: list[str], public_key: str, expires_at: str) -> dict[str, Any]:
    """The object to create."""
    spec = {"id": id_, "publicKey": public_key, "groups": groups, "expiresAt": expires_at}
    return {"apiVersion": API_VERSION, "kind": "ApiKey", "metadata": {"name": object_name(id_)}, "spec": spec}
