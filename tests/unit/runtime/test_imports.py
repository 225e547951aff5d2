from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from anka_runtime.imports import uncollected


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    yield
    gc.unfreeze()
    gc.enable()


def test_nothing_is_collected_meanwhile_and_what_came_is_left_alone_later() -> None:
    with uncollected():
        assert not gc.isenabled()
        made: list[list[int]] = [[] for _ in range(10)]
    assert gc.isenabled()
    assert gc.get_freeze_count() > 0
    young = {id(item) for item in gc.get_objects()}
    assert not young & {id(item) for item in made}


def test_it_is_on_again_after_an_import_that_failed() -> None:
    with pytest.raises(ImportError), uncollected():
        raise ImportError
    assert gc.isenabled()


def test_who_has_turned_it_off_keeps_it_off() -> None:
    gc.disable()
    with uncollected():
        pass
    assert not gc.isenabled()
