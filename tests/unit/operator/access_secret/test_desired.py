"""The Secret that is made: each key has a secret of its own."""

from __future__ import annotations

from base64 import b64decode
from itertools import count
from pathlib import Path

import pytest

from anka_operator.access_secret.desired import KEYS, find_missing_keys, make_secret
from anka_runtime.secret_file import SHORTEST_TOKEN, read_secret
from anka_shim.access.seal_file import read_seal_keys
from anka_shim.settings import SHORTEST_KEY


def test_each_key_has_its_own() -> None:
    numbers = count()
    made = make_secret("anka-system", lambda: f"token-{next(numbers)}")
    assert {key: b64decode(text).decode() for key, text in made["data"].items()} == {
        "root-token": "token-0",
        "seal-key": "token-1",
        "peer-key": "token-2",
    }
    assert (made["metadata"]["name"], made["metadata"]["namespace"]) == ("anka-access", "anka-system")


def test_no_gitops_tool_takes_it_for_its_own() -> None:
    """Argo CD prunes what has its label and is not in Git; Helm adopts by label and annotations."""
    metadata = make_secret("anka-system", lambda: "x")["metadata"]
    assert metadata["labels"] == {"app.kubernetes.io/managed-by": "anka-operator"}
    assert "annotations" not in metadata
    assert "ownerReferences" not in metadata


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("empty", [True, False])
def test_what_is_missing(key: str, empty: bool) -> None:
    made = make_secret("anka-system", lambda: "x")
    assert find_missing_keys(made) == []
    if empty:
        made["data"][key] = ""
    else:
        del made["data"][key]
    assert find_missing_keys(made) == [key]


def test_a_secret_without_data() -> None:
    assert find_missing_keys({"data": None}) == find_missing_keys({}) == list(KEYS)


def test_the_shim_takes_it(tmp_path: Path) -> None:
    """In a real length: tests/unit/operator/access_secret/test_controller.py has what is made."""
    made = make_secret("anka-system", lambda: "k" * 43)
    for key in KEYS:
        (tmp_path / key).write_bytes(b64decode(made["data"][key]))
    assert read_secret(tmp_path / "root-token", SHORTEST_TOKEN)
    assert read_secret(tmp_path / "peer-key", SHORTEST_KEY)
    assert read_seal_keys(tmp_path / "seal-key")
