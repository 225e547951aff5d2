from __future__ import annotations

from typing import Any

from anka_crds.api import AnkaTemplate
from anka_shim.cloud.caches import Stores
from anka_shim.cloud.corrections import BELIEVED_SECONDS
from support.manual_clock import ManualClock

V1, V2, V3 = ({"number": number, "tag": f"v{number + 1}"} for number in range(3))


class Bench:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.stores = Stores(self.clock)
        self._version = 0
        self.mirror(V1, V2)

    def mirror(self, *versions: dict[str, Any], uid: str = "u", **status: Any) -> None:
        """What the operator's mirror shows from now on."""
        self._version += 1
        metadata = {"name": "t", "uid": uid, "resourceVersion": str(self._version)}
        shown = {"name": "macos", "versions": list(versions), **status}
        self.stores.templates.observe(AnkaTemplate.from_api({"metadata": metadata, "spec": {}, "status": shown}))

    def tags(self) -> list[str] | None:
        """Of the template, the same however one looks for it; None if it is not there."""
        by_id = self.stores.template("t")
        expected = [] if by_id is None else [by_id]
        assert list(self.stores.all_templates()) == expected
        assert list(self.stores.templates_called("macos")) == expected
        return None if by_id is None else [version.tag for version in by_id.status.versions]


def test_a_deleted_template_is_gone_until_the_mirror_knows_better() -> None:
    bench = Bench()
    bench.stores.corrections.deleted("t")
    assert bench.tags() is None
    bench.mirror(V1, V2, nodes=[{"nodeName": "mac-1"}])  # the mirror has not read the registry anew
    assert bench.tags() is None
    bench.mirror(V3)  # pushed again
    assert bench.tags() == ["v3"]


def test_a_reverted_template_has_what_is_left() -> None:
    bench = Bench()
    bench.stores.corrections.reverted("t", {0}, 17)
    assert bench.tags() == ["v1"]
    shown = bench.stores.template("t")
    assert shown is not None
    assert (shown.status.latest_tag, shown.status.size_bytes) == ("v1", 17)
    bench.mirror(V1)
    bench.mirror(V1, V3)
    assert bench.tags() == ["v1", "v3"]


def test_all_versions_may_be_gone() -> None:
    bench = Bench()
    bench.stores.corrections.reverted("t", set(), 0)
    shown = bench.stores.template("t")
    assert shown is not None
    assert (shown.status.versions, shown.status.latest_tag) == ([], None)


def test_the_cache_has_the_last_word_after_a_while() -> None:
    bench = Bench()
    bench.stores.corrections.deleted("t")
    bench.clock.advance(BELIEVED_SECONDS - 1)
    assert bench.tags() is None
    bench.clock.advance(1)
    assert bench.tags() == ["v1", "v2"]


def test_an_object_that_went_and_came_again_is_a_new_one() -> None:
    bench = Bench()
    bench.stores.corrections.deleted("t")
    bench.mirror(V1, V2, uid="another")
    assert bench.tags() == ["v1", "v2"]


def test_what_the_cache_does_not_have_needs_no_correction() -> None:
    bench = Bench()
    bench.stores.corrections.deleted("x")
    bench.stores.corrections.reverted("x", {0}, 1)
    assert bench.tags() == ["v1", "v2"]
