"""What is installed where the cluster serves less."""

from __future__ import annotations

import pytest
import yaml

from anka_dev.cloud.install import NEEDS, usable
from anka_dev.repository import BASE

FILES = sorted(BASE.glob("*.yaml"))
MUTATING, VALIDATING = "mutatingadmissionpolicies", "validatingadmissionpolicies"


@pytest.mark.parametrize(
    ("served", "left_out"),
    [
        ({MUTATING, VALIDATING}, set()),
        ({VALIDATING}, {"finalizer-policy.yaml"}),
        (
            set(),
            {
                "finalizer-policy.yaml",
                "joining.yaml",
                "secrets-policy.yaml",
                "validation-policy.yaml",
                "writers-policy.yaml",
            },
        ),
    ],
)
def test_usable(served: set[str], left_out: set[str]) -> None:
    assert {file.name for file in FILES} - {file.name for file in usable(FILES, served)} == left_out


def test_every_file_with_a_policy_says_what_it_needs() -> None:
    for file in FILES:
        kinds = {document["kind"].removesuffix("Binding") for document in yaml.safe_load_all(file.read_text())}
        policies = {kind for kind in kinds if kind.endswith("AdmissionPolicy")}
        expected = {"MutatingAdmissionPolicy": MUTATING, "ValidatingAdmissionPolicy": VALIDATING}
        assert {expected[kind] for kind in policies} == ({NEEDS[file]} if file in NEEDS else set()), file.name
