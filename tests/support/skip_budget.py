"""CI fails when a test is skipped that ``tests/data/expected-skips.yaml`` does not expect on this machine.

Enforced where CI is ``true``, and with ``--skip-budget``. Without it a test that never runs would look like one that
passes.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from anka_dev.local_kubernetes import environment
from anka_dev.portal.browser import find_browser
from anka_dev.repository import ROOT
from localkube.controlplane.choose import needs_binaries
from localkube.pods import container_runtime
from localkube.programs import binaries, versions
from support import real_clients, small_network

FILE = Path(__file__).resolve().parents[1] / "data" / "expected-skips.yaml"
_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


@dataclass(frozen=True)
class Skip:
    """A test that was skipped, and the reason that it gave."""

    test: str
    reason: str


@dataclass(frozen=True)
class Expected:
    """Up to ``most`` skips whose reason matches, on a machine without at least one of ``lacks``, if there are any."""

    reason: str
    most: int
    lacks: Sequence[str]


def find_unexpected(
    skips: Sequence[Skip], budget: Sequence[Expected], has: Callable[[str], bool]
) -> list[tuple[Skip, str]]:
    """The skips over the budget, each with what is wrong with it. Pure but for ``has``: does this machine have it?"""
    left = [entry.most for entry in budget]
    found: list[tuple[Skip, str]] = []
    for skip in skips:
        number = next((n for n, entry in enumerate(budget) if re.search(entry.reason, skip.reason)), None)
        if number is None:
            found.append((skip, "no skip is expected for this reason"))
        elif budget[number].lacks and all(has(what) for what in budget[number].lacks):
            found.append((skip, f"this machine has {', '.join(budget[number].lacks)}"))
        elif not left[number]:
            found.append((skip, f"more than {budget[number].most} are skipped for this reason"))
        else:
            left[number] -= 1
    return found


def read(file: Path = FILE) -> list[Expected]:
    return [Expected(**entry) for entry in yaml.safe_load(file.read_text())]


def _has_program(name: str) -> Callable[[], bool]:
    return lambda: shutil.which(name, path=_PATH) is not None


AXE = ROOT / "dev/portal/node_modules/axe-core/axe.min.js"
"""It comes with the tools that `anka-dev portal check` installs."""

CAPABILITIES: Mapping[str, Callable[[], bool]] = {
    "root": lambda: sys.platform == "linux" and os.geteuid() == 0,
    "buildah": _has_program("buildah"),
    "debootstrap": _has_program("debootstrap"),
    "iptables-restore": _has_program("iptables-restore"),
    "namespaces": lambda: container_runtime.missing() is None,
    "network namespaces": lambda: small_network.missing() is None,
    "kube-scheduler and kwok": lambda: len(binaries.find_pod_programs(environment())) == 2,
    "dex": lambda: binaries.find_checker(versions.DEX, environment()) is not None,
    "promtool": lambda: binaries.find_checker(versions.PROMTOOL, environment()) is not None,
    "a browser": lambda: find_browser() is not None,
    "axe": AXE.is_file,
    "node": _has_program("node"),
    "a JDK": lambda: real_clients.find_jdk() is not None,
    "curl with HTTP/2": lambda: real_clients.find_curl() is not None,
    "a control plane of our own": lambda: needs_binaries(environment()),
}


class SkipBudget:
    """A pytest plugin: collects the skips of a run and fails it for those over the budget."""

    def __init__(self) -> None:
        self._skips: dict[str, Skip] = {}
        self._unexpected: list[tuple[Skip, str]] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._add(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self._add(report)

    def _add(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        if report.skipped and not hasattr(report, "wasxfail"):
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
            self._skips[report.nodeid] = Skip(report.nodeid, reason.removeprefix("Skipped: "))

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        self._unexpected = find_unexpected(list(self._skips.values()), read(), lambda what: CAPABILITIES[what]())
        if self._unexpected and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if self._unexpected:
            terminalreporter.section("unexpected skips", red=True)
            for skip, why in self._unexpected:
                terminalreporter.line(f"{skip.test}: {skip.reason} ({why}: see {FILE.name})")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--skip-budget", action="store_true", help=f"fail for skips that {FILE.name} does not expect")


def pytest_configure(config: pytest.Config) -> None:
    # Workers of xdist report to the process that started them.
    is_worker = hasattr(config, "workerinput")
    if not is_worker and (config.getoption("--skip-budget") or os.environ.get("CI") == "true"):
        config.pluginmanager.register(SkipBudget(), "skip-budget")
