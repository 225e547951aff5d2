"""docs/reference/legacy-fields.md: every old field is in it, every place in it exists, no new field is forgotten."""

from typing import Any

import pytest
import yaml

from support.legacy_table import MODELS, PLACE, ROOT, Entry, entries, paths, resolve, words

ENTRIES = entries()
NEW = [entry for entry in ENTRIES if entry.heading == "Fields without an old counterpart"]
LEGACY = [entry for entry in ENTRIES if entry not in NEW]
FIELDS: dict[str, list[str]] = yaml.safe_load((ROOT / "tests" / "data" / "legacy-fields.yaml").read_text())
COMMON = ("conditions", "observedGeneration")


@pytest.mark.parametrize("heading", FIELDS)
def test_every_old_field_has_a_row(heading: str) -> None:
    assert [entry.old for entry in ENTRIES if entry.heading == heading] == FIELDS[heading]


def test_there_are_no_other_tables() -> None:
    assert {entry.heading for entry in LEGACY} == FIELDS.keys()
    assert len(LEGACY) > 200


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: f"{entry.heading}: {entry.old}")
def test_every_place_is_there(entry: Entry) -> None:
    places = PLACE.findall(entry.place if entry in LEGACY else entry.old)
    assert places or entry.place == "computed"
    for kind, path in places:
        annotation: Any = resolve(kind, path)
        if "states" in entry.heading:
            word = entry.place.split("= ")[1]
            assert word in words(annotation)


@pytest.mark.parametrize(
    ("heading", "place"),
    [
        ("Instance states", "AnkaInstance status.phase"),
        ("Node states", "AnkaNode status.state"),
        ("Save image states", "SaveImage status.phase"),
    ],
)
def test_we_have_no_states_of_our_own(heading: str, place: str) -> None:
    kind, path = place.split()
    rows = {entry.place.split("= ")[1] for entry in ENTRIES if entry.heading == heading}
    assert rows == words(resolve(kind, path))


@pytest.mark.parametrize("kind", MODELS)
def test_every_field_of_ours_is_in_the_document(kind: str) -> None:
    named = {path for entry in ENTRIES for k, path in PLACE.findall(f"{entry.old} {entry.place}") if k == kind}
    new = {path for entry in NEW for k, path in PLACE.findall(entry.old) if k == kind}
    parts = [part for part in ("spec", "status") if part in MODELS[kind].model_fields]
    ours = {f"{part}.{path}" for part in parts for path in paths(resolve(kind, part))}
    forgotten = {
        path
        for path in ours
        if path.split(".")[1] not in COMMON
        and not any(name == path or name.startswith(f"{path}.") for name in named)
        and not any(path.startswith(f"{name}.") for name in new)
    }
    assert forgotten == set()


@pytest.mark.parametrize("path", ["status.nope", "spec.template.x", "status.vm.portForwarding.nope"])
def test_a_wrong_place_would_be_found(path: str) -> None:
    with pytest.raises(KeyError, match=r"AnkaInstance has no"):
        resolve("AnkaInstance", path)
