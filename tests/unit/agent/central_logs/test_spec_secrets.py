"""Secrets in specs are known from the first sight of the object until its end, in any order of events."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from anka_agent.central_logs.spec_secrets import follow_instances, follow_saves
from anka_agent.saves.queue import make_save_store
from anka_crds.api import AnkaInstance
from anka_crds.resources import INSTANCES
from anka_kube.store import Store
from anka_registry.central_logs.secret_filter import HIDDEN, SecretFilter
from support.objects import instance, save_image


def script(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.fixture
def hidden() -> SecretFilter:
    return SecretFilter()


def stored(hidden: SecretFilter) -> Store[AnkaInstance]:
    store: Store[AnkaInstance] = Store(INSTANCES)
    follow_instances(store, hidden)
    return store


def test_script_and_password_while_the_instance_lives(hidden: SecretFilter) -> None:
    store = stored(hidden)
    one = instance(startupScript={"content": script("echo battery-staple7")}, vncPassword="correct-horse")
    store.apply_written(one)
    assert hidden.cover("echo battery-staple7, correct-horse") == f"{HIDDEN}, {HIDDEN}"
    store.apply_deleted(one)
    assert hidden.cover("echo battery-staple7, correct-horse") == "echo battery-staple7, correct-horse"


def test_the_password_of_a_restart(hidden: SecretFilter) -> None:
    store = stored(hidden)
    store.apply_written(instance(vncPassword="correct-horse"))
    store.apply_written(instance(vncPassword="wrong-horse", meta={"resourceVersion": "2"}))
    assert hidden.cover("correct-horse wrong-horse") == f"correct-horse {HIDDEN}"


def test_a_save(hidden: SecretFilter) -> None:
    store = make_save_store()
    follow_saves(store, hidden)
    one = save_image(script=script("security unlock -p hunter22"))
    store.apply_written(one)
    assert hidden.cover("sh: security unlock -p hunter22") == f"sh: {HIDDEN}"
    store.apply_deleted(one)
    assert hidden.cover("unlock -p hunter22") == "unlock -p hunter22"


@pytest.mark.parametrize("content", ["a", "====", "!"])
def test_what_is_not_base64_harms_nobody(hidden: SecretFilter, content: str) -> None:
    spec: dict[str, Any] = {"startupScript": {"content": content}}
    stored(hidden).apply_written(instance(**spec))
    assert hidden.cover("x") == "x"
