"""``anka-dev bench``."""

from __future__ import annotations

import argparse
import shutil
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
import psutil

from anka_dev.bench.bench import Bench
from anka_dev.bench.registry import BENCHMARKS, Benchmark, chosen
from anka_dev.bench.table import table
from anka_dev.controlplane.progress import Say
from anka_dev.errors import DevError

_OUTPUT = Path("build/bench.json")
_DIRECTORY = Path("build/bench")


def register(subparsers: Any) -> None:
    """Add ``bench``."""
    parser = subparsers.add_parser("bench", help="measure what users wait for, beside references")
    names = ", ".join(benchmark.name for benchmark in BENCHMARKS)
    parser.add_argument("--only", metavar="NAMES", help=f"with commas between: {names}, or a group such as sched")
    parser.add_argument("--quick", action="store_true", help="tiny sizes, to show that it works")
    parser.add_argument(
        "--output", type=Path, default=_OUTPUT, metavar="FILE", help="figures as JSON (default: %(default)s)"
    )
    parser.add_argument(
        "--directory", type=Path, default=_DIRECTORY, metavar="DIR", help="logs and data (default: %(default)s)"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Measure, print the table, write the JSON. 0 when every benchmark was measured, else 1."""
    benchmarks = chosen(options.only)
    directory: Path = options.directory.absolute()
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    return measure(benchmarks, directory, options.output.absolute(), quick=options.quick, say=_say)


def measure(benchmarks: Sequence[Benchmark], directory: Path, output: Path, *, quick: bool, say: Say) -> int:
    """One that fails is told in one line and costs nobody else's figures; nor its own that it had taken before."""
    failed = []
    with Bench(directory, quick=quick, say=say) as bench:
        load = psutil.getloadavg()[0]
        say(f"{psutil.cpu_count()} cores, load before: {load:.1f}" + (" (others are at work here)" if load > 1 else ""))
        for benchmark in benchmarks:
            say(f"{benchmark.name}: {benchmark.title}")
            try:
                benchmark.run(bench)
            except Exception as error:  # whatever went wrong in one, the others are measured
                failed.append(benchmark.name)
                trace = directory / f"{benchmark.name}.traceback"
                trace.write_text(traceback.format_exc())
                say(f"{benchmark.name} FAILED: {_words(error)} ({trace})")
            _write(output, bench.figures.flat())
        print(table(bench.figures))
        _conclude(bench, output, failed, quick=quick)
    return 1 if failed else 0


def _conclude(bench: Bench, output: Path, failed: list[str], *, quick: bool) -> None:
    missed = [figure.name for figure in bench.figures if figure.met is False]
    print()
    if quick:
        print("quick: sizes are tiny, these figures mean nothing")
    print(f"goals missed: {', '.join(missed) or 'none'}")
    if failed:
        print(f"FAILED, figures missing: {', '.join(failed)}")
    print(f"all figures: {output}")


def _write(output: Path, figures: dict[str, float]) -> None:
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_bytes(orjson.dumps(figures, option=orjson.OPT_INDENT_2) + b"\n")


def _words(error: Exception) -> str:
    text = " ".join(str(error).split()) or "no message"
    return text if isinstance(error, DevError) else f"{type(error).__name__}: {text}"


def _say(line: str) -> None:
    print(f"bench: {line}", file=sys.stderr, flush=True)
