"""The page of the old controller's settings has each of them, and each flag of the old join that differs."""

from __future__ import annotations

from anka_agent.cli.ankacluster import INSTEAD, SAME, UNNEEDED, UNNEEDED_VALUES
from anka_dev.reference import old_settings
from anka_shim.old_settings.table import ANSWERS


def test_all_settings_and_flags_are_on_the_page() -> None:
    text = old_settings.page().text()
    for name in (*ANSWERS, *SAME, *INSTEAD, *UNNEEDED, *UNNEEDED_VALUES):
        assert f"`{name}`" in text, name


def test_what_is_left_to_do_is_in_the_row() -> None:
    row = old_settings.row(ANSWERS["ANKA_ENABLE_AUTH"])
    assert row[2] == "translated"
    assert row[4].startswith("Here it is on by default: who sends no credentials gets HTTP 401; ")
