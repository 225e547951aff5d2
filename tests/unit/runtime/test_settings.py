import pytest
from pydantic import Field

from anka_runtime.settings import USAGE, ClusterRegistrySettings, ProcessSettings, load


class Sample(ProcessSettings):
    node_name: str = Field(description="Name of the node.")
    port: int = Field(default=8080, ge=0, le=65535, description="Port.")
    groups: list[str] = Field(default_factory=list, description="Groups.")
    drain_mode: bool = Field(default=False, description="Drain.")


def test_flags() -> None:
    argv = ["--node-name", "mac-01", "--groups", "a,b", "--groups", "c", "--drain-mode", "--port", "1"]
    settings = load(Sample, "anka-x", argv)
    assert settings.model_dump(exclude={"kubeconfig", "log_level"}) == {
        "node_name": "mac-01",
        "port": 1,
        "log_format": "json",
        "groups": ["a", "b", "c"],
        "drain_mode": True,
    }


def test_the_result_is_of_the_model_itself() -> None:
    """The shim's endpoints find their settings by this class."""
    settings = load(Sample, "anka-x", ["--node-name", "mac-01"])
    assert type(settings) is Sample
    assert settings.model_fields_set == {"node_name"}


def test_environment_and_flags_over_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANKA_NODE_NAME", "from-env")
    monkeypatch.setenv("ANKA_PORT", "7")
    assert load(Sample, "anka-x", []).node_name == "from-env"
    assert load(Sample, "anka-x", ["--node-name", "flag"]).node_name == "flag"
    assert load(Sample, "anka-x", []).port == 7


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        ([], "anka-x: --node-name is needed (or environment ANKA_NODE_NAME)"),
        (["--node-name", "n", "--port", "99999"], "anka-x: --port: Input should be less than or equal to 65535"),
        (["--node-name", "n", "--log-format", "xml"], "anka-x: --log-format: Input should be 'json' or 'text'"),
        (["--node-name", "n", "--bogus"], "unrecognized arguments: --bogus"),
        (["--port"], "argument --port: expected one argument"),
    ],
)
def test_bad_input_ends_with_one_clear_line(argv: list[str], expected: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        load(Sample, "anka-x", argv)
    assert ended.value.code == USAGE
    printed = capsys.readouterr()
    assert expected in printed.err
    assert "Traceback" not in printed.err
    assert printed.out == ""


@pytest.mark.parametrize(
    ("argv", "told", "read"),
    [
        ([], None, None),
        (["--registry-url=http://r:8089/"], "http://r:8089", "http://r:8089"),
        (["--registry-url=http://r:8089", "--registry-internal-url=http://i/"], "http://r:8089", "http://i"),
        (["--registry-url=http://r:8089", "--registry-internal-url="], "http://r:8089", "http://r:8089"),
    ],
)
def test_what_others_are_told_and_what_is_read(argv: list[str], told: str | None, read: str | None) -> None:
    settings = load(ClusterRegistrySettings, "anka-x", argv)
    assert (settings.registry_url, settings.registry_read_url) == (told, read)


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (["--registry-internal-url=http://i"], "anka-x: --registry-internal-url: needs --registry-url too"),
        (
            ["--registry-url=http://r", "--registry-internal-url=r:8089"],
            "anka-x: --registry-internal-url: must begin with http:// or https://",
        ),
    ],
)
def test_an_internal_url_that_is_none(argv: list[str], expected: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        load(ClusterRegistrySettings, "anka-x", argv)
    assert expected in capsys.readouterr().err
