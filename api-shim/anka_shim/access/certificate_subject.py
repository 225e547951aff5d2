"""Who a client certificate speaks of (docs/reference/legacy-api.md#mtls). Pure."""

from cryptography import x509
from cryptography.x509.oid import NameOID

from anka_shim.http.authentication import LoginMethod, Principal


def to_principal(subject: x509.Name) -> Principal:
    """The user is CN; the groups are each OU, or each O where there is no OU. ValueError says what is missing: the old
    controller asks for a CN and an O in any case."""
    users, units, organizations = (
        _texts(subject, oid)
        for oid in (NameOID.COMMON_NAME, NameOID.ORGANIZATIONAL_UNIT_NAME, NameOID.ORGANIZATION_NAME)
    )
    if len(users) != 1:
        raise ValueError(f"its subject must have one CN, not {len(users)}")
    if not organizations:
        raise ValueError("its subject must have an O")
    return Principal(users[0], groups=frozenset(units or organizations), method=LoginMethod.CERTIFICATE)


def _texts(subject: x509.Name, oid: x509.ObjectIdentifier) -> list[str]:
    found = [attribute.value for attribute in subject.get_attributes_for_oid(oid)]
    texts = [value for value in found if isinstance(value, str) and value.strip() and value.isprintable()]
    if len(texts) != len(found):
        raise ValueError("its subject has a name that is empty, or cannot be printed")
    return texts
