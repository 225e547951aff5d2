"""ApiKey: the public key with which a machine logs in at the REST API."""

from datetime import datetime
from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field

from anka_crds.api.fields import IS_LINE, LINE, Reference, immutable, in_words, on_change, validations
from anka_crds.api.limits import MAX_KEY_GROUPS, MAX_LABEL, MAX_PUBLIC_KEY
from anka_crds.api.meta import ApiModel, Column, KindDefinition, KubeObject, list_field

PublicKey = Annotated[
    str,
    Field(
        min_length=1,
        max_length=MAX_PUBLIC_KEY,
        pattern=r"^[A-Za-z0-9+/]+={0,2}$",
        json_schema_extra=in_words("must be base64 in one line: the text between the armour lines of a PEM public key"),
    ),
]
ApiKeyId = Annotated[str, Field(min_length=1, max_length=MAX_LABEL, pattern=LINE, json_schema_extra=IS_LINE)]


class ApiKeySpec(ApiModel):
    id: ApiKeyId = Field(
        description="What its owner gives at the login. Of several objects with one id the oldest counts."
    )
    public_key: PublicKey = Field(
        description="RSA key of 2048 to 8192 bits: base64 of its SubjectPublicKeyInfo in DER. It is no secret."
    )
    groups: list[Reference] = list_field(
        "Permission groups by name. The id counts as another one.", MAX_KEY_GROUPS, list_type="set"
    )
    expires_at: datetime = Field(description="From this time on nobody logs in with it; the API shim then deletes it.")


class ApiKey(KubeObject):
    """A public key with which a machine logs in at the REST API, with its groups. Who writes these gives rights."""

    model_config = ConfigDict(json_schema_extra=validations(on_change(*immutable("id", "publicKey", within="spec."))))

    DEFINITION: ClassVar[KindDefinition] = KindDefinition(
        plural="apikeys",
        namespaced=False,
        short_names=("ankak",),
        columns=(
            Column("Id", ".spec.id"),
            Column("Groups", ".spec.groups", description="Permission groups"),
            Column("Expires", ".spec.expiresAt"),
            Column("Age", ".metadata.creationTimestamp", "date"),
        ),
    )

    kind: str = "ApiKey"
    spec: ApiKeySpec = Field(description="Desired state: the key, its groups and its end.")
