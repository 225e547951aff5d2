from __future__ import annotations

from pathlib import Path

import pytest

from anka_kube.config import load_endpoint
from anka_kube.endpoint import ConfigError
from support.kubeconfigs import Write, bearer
from support.manual_clock import ManualClock


class TestWhichOne:
    def test_nothing_named_is_one_clear_error(self, monkeypatch: pytest.MonkeyPatch, write: Write) -> None:
        home = write().parent
        (home / ".kube").mkdir()
        write(name=".kube/config")
        monkeypatch.setenv("HOME", str(home))
        with pytest.raises(ConfigError, match=r"^no Kubernetes API named: give --kubeconfig .*not used by itself\)$"):
            load_endpoint(environ={})

    def test_the_given_path_wins_over_the_variable(self, write: Write) -> None:
        given = write(cluster={"server": "http://given:1"}, name="given")
        variable = write(cluster={"server": "http://variable:1"}, name="variable")
        environ = {"KUBECONFIG": str(variable), "KUBERNETES_SERVICE_HOST": "10.0.0.1"}
        assert load_endpoint(given, environ=environ).server == "http://given:1"
        assert load_endpoint(environ=environ).server == "http://variable:1"

    async def test_several_files_in_the_variable_are_merged(self, write: Write, tmp_path: Path) -> None:
        first = write(name="first", users=[])
        second = write(user={"token": "t"}, name="second")
        endpoint = load_endpoint(environ={"KUBECONFIG": f"{tmp_path / 'absent'}:{first}:{second}"})
        assert endpoint.server == "http://127.0.0.1:8001"
        assert await bearer(endpoint) == "Bearer t"


class TestInCluster:
    ENVIRON = {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "6443"}  # noqa: RUF012

    @pytest.fixture
    def account(self, tmp_path: Path, certificate: tuple[str, str]) -> Path:
        (tmp_path / "token").write_text("one\n")
        (tmp_path / "ca.crt").write_text(certificate[0])
        (tmp_path / "namespace").write_text("anka")
        return tmp_path

    async def test_the_service_account_is_used_and_its_token_followed(self, account: Path, clock: ManualClock) -> None:
        endpoint = load_endpoint(environ=self.ENVIRON, service_account=account, clock=clock)
        assert endpoint.server == "https://[fd00::1]:6443"
        assert endpoint.namespace == "anka"
        assert endpoint.ssl is not None
        assert await bearer(endpoint) == "Bearer one"
        (account / "token").write_text("two")
        clock.advance(61)
        assert await bearer(endpoint) == "Bearer two"

    @pytest.mark.parametrize("file", ["token", "ca.crt"])
    @pytest.mark.parametrize("content", [None, ""])
    def test_an_unusable_account_is_one_clear_error(self, account: Path, file: str, content: str | None) -> None:
        if content is None:
            (account / file).unlink()
        else:
            (account / file).write_text(content)
        with pytest.raises(ConfigError, match=r"service account") as caught:
            load_endpoint(environ=self.ENVIRON, service_account=account)
        assert "\n" not in str(caught.value)
