from pathlib import Path

import pytest

from localkube.environment import Environment


def env(**variables: str) -> Environment:
    return Environment(variables, prefix="ACME", cache_folder="acme-cloud")


@pytest.mark.parametrize(
    ("variables", "root"),
    [
        ({"ACME_CACHE": "/big/disk", "HOME": "/home/a"}, "/big/disk"),
        ({"HOME": "/home/a"}, "/home/a/.cache/acme-cloud"),
        ({"ACME_CACHE": "", "HOME": "/home/a"}, "/home/a/.cache/acme-cloud"),
    ],
)
def test_cache_root(variables: dict[str, str], root: str) -> None:
    assert env(**variables).cache_root == Path(root)


def test_settings_have_the_prefix_of_the_tool_around_it() -> None:
    given = env(ACME_HELM="", HELM="/wrong", PATH="/bin")
    assert (given.name("HELM"), given.get("HELM"), given.get("CACHE"), given.path) == ("ACME_HELM", "", None, "/bin")
