"""`anka-dev portal`: its arguments."""

from __future__ import annotations

import pytest

from anka_dev.portal.command import COMMAND, parse_package
from localkube.errors import DevError


def test_a_package_with_its_version() -> None:
    assert parse_package("lit-html@3.3.3") == ("lit-html", "3.3.3")
    assert parse_package("@lit/task@1.0.0") == ("@lit/task", "1.0.0")


@pytest.mark.parametrize("text", ["lit-html", "lit-html@", "@3.3.3", ""])
def test_without_a_version_it_is_refused(text: str) -> None:
    with pytest.raises(DevError, match=r"is not NAME@VERSION"):
        parse_package(text)


def test_arguments_of_a_picture() -> None:
    words = ["look", "#/instances", "--out", "x.png", "--press", "j", "--press", "x", "--dark"]
    options = COMMAND.options("anka-dev portal", words, "")
    assert (options.hash, options.press, options.dark) == (
        "#/instances",
        ["j", "x"],
        True,
    )
