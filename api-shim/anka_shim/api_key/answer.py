"""An ApiKey as the old API shows it (docs/reference/legacy-api.md#apikey). Pure."""

from pydantic import Field

from anka_crds.api import ApiKey
from anka_shim.http.answer import Answer, make_ok
from anka_shim.times import rfc3339


class ApiKeyAnswer(Answer):
    id: str
    groups: list[str] = Field(description="Names of permission groups.")
    expiration: str = Field(description="RFC 3339.")
    created: str = Field(description="RFC 3339.")


ApiKeyListOk = make_ok("ApiKeyListOk", list[ApiKeyAnswer])
PrivateKeyOk = make_ok(
    "PrivateKeyOk",
    str,
    description="The private key: base64 of PKCS#1 in DER, in one line. It is stored nowhere.",
    examples=["MIIEpAIBAAKCAQEA…"],
)


def api_key_answer(key: ApiKey) -> ApiKeyAnswer:
    return ApiKeyAnswer.model_construct(
        id=key.spec.id,
        groups=key.spec.groups,
        expiration=rfc3339(key.spec.expires_at),
        created=rfc3339(key.metadata.creation_timestamp),
    )
