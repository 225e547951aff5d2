"""The framework with benchmarks that need no cluster."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

from anka_dev.bench.bench import Bench
from anka_dev.bench.benchmarks import BENCHMARKS, Benchmark, select
from anka_dev.bench.command import add_arguments, measure
from anka_dev.bench.scale.size import QUICK_SIZE, make_size
from localkube.errors import DevError


def good(bench: Bench) -> None:
    bench.more("good.rate", bench.size(1000, 10), "1/s", goal=100)


def half(bench: Bench) -> None:
    bench.less("half.first_ms", 1.5, "ms")
    raise DevError("the second part has no disk")


def broken(_: Bench) -> None:
    raise ZeroDivisionError("one by nothing")


@pytest.fixture
def benchmarks(monkeypatch: pytest.MonkeyPatch) -> list[Benchmark]:
    made = []
    for work in (half, broken, good):
        module = ModuleType(f"bench_{work.__name__}")
        module.run = work  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, module.__name__, module)
        made.append(Benchmark(work.__name__, "a test", module.__name__))
    return made


def test_one_that_fails_costs_nobody_elses_figures(
    benchmarks: list[Benchmark], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said: list[str] = []
    output = tmp_path / "deep" / "bench.json"
    assert measure(benchmarks, tmp_path, output, quick=False, say=said.append) == 1
    assert json.loads(output.read_text()) == {"half.first_ms": 1.5, "good.rate": 1000.0}
    assert f"half FAILED: the second part has no disk ({tmp_path / 'half.traceback'})" in said
    assert f"broken FAILED: ZeroDivisionError: one by nothing ({tmp_path / 'broken.traceback'})" in said
    assert "ZeroDivisionError" in (tmp_path / "broken.traceback").read_text()
    out = capsys.readouterr().out
    assert "good.rate      1,000  1/s   ≥ 100 met" in out
    assert "FAILED, figures missing: half, broken" in out
    assert "Traceback" not in out


def test_quick_says_that_its_figures_mean_nothing(
    benchmarks: list[Benchmark], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert measure(benchmarks[-1:], tmp_path, tmp_path / "f.json", quick=True, say=lambda _: None) == 0
    out = capsys.readouterr().out
    assert "quick: sizes are tiny" in out
    assert "goals missed: good.rate" in out


@pytest.mark.parametrize(
    ("only", "names"),
    [
        (None, [benchmark.name for benchmark in BENCHMARKS]),
        ("rest", ["rest"]),
        ("sched", ["sched.pure", "sched.bind"]),
        ("burst.100, rest", ["rest", "burst.100"]),
    ],
)
def test_only(only: str | None, names: list[str]) -> None:
    assert [benchmark.name for benchmark in select(only)] == names


@pytest.mark.parametrize("only", ["nonsense", "rest,nonsense", "", ","])
def test_an_unknown_name_is_told_with_those_there_are(only: str) -> None:
    with pytest.raises(DevError, match=r"--only: there is no benchmark .*: there are access, .*burst, .*sched\.pure"):
        select(only)


@pytest.mark.parametrize("benchmark", BENCHMARKS, ids=lambda benchmark: benchmark.name)
def test_every_row_has_its_module(benchmark: Benchmark) -> None:
    __import__(benchmark.module)
    assert callable(sys.modules[benchmark.module].run)


def parse_flags(*flags: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(exit_on_error=False)
    add_arguments(parser)
    return parser.parse_args(flags)


def test_sizes_by_flag() -> None:
    assert parse_flags("--macs", "100, 300,1000").macs == [100, 300, 1000]
    assert parse_flags().macs is None


@pytest.mark.parametrize("text", ["", "0", "-3", "many", "100,100", "100,,300"])
def test_sizes_that_cannot_be_measured(text: str) -> None:
    with pytest.raises(argparse.ArgumentError, match="--macs"):
        parse_flags(f"--macs={text}")


@pytest.mark.parametrize("quick", [False, True])
def test_a_quick_run_is_of_one_tiny_cloud(quick: bool, tmp_path: Path) -> None:
    sizes = [make_size(100), make_size(300)]
    bench = Bench(tmp_path, quick=quick, say=lambda _: None, scale_sizes=sizes)
    assert bench.scale_sizes == ((QUICK_SIZE,) if quick else tuple(sizes))
