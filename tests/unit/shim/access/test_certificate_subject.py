"""User and groups of a certificate: check 10.6 of the specification, without signatures."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from anka_shim.access.certificate_subject import to_principal
from support.client_authority import name


@pytest.mark.parametrize(
    ("subject", "user", "groups"),
    [
        ([("CN", "jenkins"), ("O", "Mobile")], "jenkins", {"Mobile"}),
        ([("CN", "jenkins"), ("O", "Mobile"), ("OU", "CI")], "jenkins", {"CI"}),
        ([("OU", "CI"), ("O", "Mobile"), ("OU", "Nightly"), ("CN", "jenkins")], "jenkins", {"CI", "Nightly"}),
        ([("O", "Mobile"), ("O", "Desktop"), ("CN", "jenkins")], "jenkins", {"Mobile", "Desktop"}),
        ([("CN", "Build Server 1"), ("O", "iOS and macOS team")], "Build Server 1", {"iOS and macOS team"}),
        ([("CN", "José"), ("O", "Équipe")], "José", {"Équipe"}),
        ([("CN", "a,b=c+d"), ("O", 'x"y')], "a,b=c+d", {'x"y'}),
    ],
)
def test_the_groups_are_ou_and_else_o(subject: list[tuple[str, str]], user: str, groups: set[str]) -> None:
    principal = to_principal(name(*subject))
    assert (principal.name, set(principal.groups), principal.is_root) == (user, groups, False)


@pytest.mark.parametrize(
    ("subject", "told"),
    [
        ([("O", "Mobile")], "must have one CN, not 0"),
        ([("CN", "a"), ("CN", "b"), ("O", "Mobile")], "must have one CN, not 2"),
        ([("CN", "a")], "must have an O"),
        ([("CN", "a"), ("OU", "CI")], "must have an O"),
        ([("CN", "a\nb"), ("O", "Mobile")], "cannot be printed"),
        ([("CN", " "), ("O", "Mobile")], "is empty"),
        ([("CN", "a"), ("O", "Mobile"), ("OU", "x\u202ey")], "cannot be printed"),
    ],
)
def test_a_subject_that_says_too_little_or_too_much(subject: list[tuple[str, str]], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        to_principal(name(*subject))


def test_root_is_a_name_as_any_other() -> None:
    assert not to_principal(name(("CN", "root"), ("O", "root"))).is_root


def test_a_name_of_bits_is_no_name() -> None:
    oid, bits = NameOID.X500_UNIQUE_IDENTIFIER, x509.name._ASN1Type.BitString
    subject = x509.Name([*name(("CN", "a"), ("O", "b")), x509.NameAttribute(oid, b"x", bits)])
    assert to_principal(subject).name == "a"
