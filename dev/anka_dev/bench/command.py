"""``anka-dev bench``."""

from __future__ import annotations

import argparse
import shutil
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

import orjson
import psutil

from anka_dev.bench.bench import Bench
from anka_dev.bench.benchmarks import BENCHMARKS, Benchmark, select
from anka_dev.bench.scale.size import DEFAULT_MACS, DEFAULT_SIZES, ScaleSize, make_size
from anka_dev.bench.table import table
from anka_runtime.cli import Call, Command, from_arguments
from localkube.errors import DevError
from localkube.progress import Say

_OUTPUT = Path("build/bench.json")
_DIRECTORY = Path("build/bench")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    names = ", ".join(benchmark.name for benchmark in BENCHMARKS)
    parser.add_argument("--only", metavar="NAMES", help=f"with commas between: {names}, or a group such as sched")
    parser.add_argument("--quick", action="store_true", help="tiny sizes, to show that it works")
    parser.add_argument(
        "--no-pods",
        action="store_true",
        help="bursts without Pods beside them, which take kube-scheduler and kwok: built once, in minutes",
    )
    scale = parser.add_argument_group("scale", "the sizes of the group scale")
    scale.add_argument("--macs", type=_numbers, metavar="N,…", help="Macs of each cloud (default: 100)")
    scale.add_argument("--idle-seconds", type=float, metavar="S", help="at rest (default: 30, from 1,000 Macs on 300)")
    scale.add_argument(
        "--down-seconds", type=float, metavar="S", help="without the apiserver (default: 20, from 1,000 Macs on 120)"
    )
    parser.add_argument(
        "--output", type=Path, default=_OUTPUT, metavar="FILE", help="figures as JSON (default: %(default)s)"
    )
    parser.add_argument(
        "--directory", type=Path, default=_DIRECTORY, metavar="DIR", help="logs and data (default: %(default)s)"
    )


def run(call: Call[argparse.Namespace]) -> int:
    """Measure, print the table, write the JSON. 0 when every benchmark was measured, else 1."""
    options = call.options
    benchmarks = select(options.only)
    directory: Path = options.directory.absolute()
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    sizes = [make_size(macs, options.idle_seconds, options.down_seconds) for macs in options.macs or DEFAULT_MACS]
    output = options.output.absolute()
    return measure(
        benchmarks, directory, output, quick=options.quick, say=_say, scale_sizes=sizes, with_pods=not options.no_pods
    )


def measure(
    benchmarks: Sequence[Benchmark],
    directory: Path,
    output: Path,
    *,
    quick: bool,
    say: Say,
    scale_sizes: Sequence[ScaleSize] = DEFAULT_SIZES,
    with_pods: bool = True,
) -> int:
    """A benchmark that fails is reported in one line; figures of the others, and its own earlier ones, are kept."""
    failed = []
    with Bench(directory, quick=quick, say=say, scale_sizes=scale_sizes, with_pods=with_pods) as bench:
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


def _numbers(text: str) -> list[int]:
    """Of a flag: different whole numbers from 1, with commas between."""
    numbers = [int(word) for word in text.split(",")]
    if min(numbers) < 1 or len(set(numbers)) < len(numbers):
        raise argparse.ArgumentTypeError(f"{text!r}: different whole numbers from 1, with commas between, are needed")
    return numbers


def _conclude(bench: Bench, output: Path, failed: list[str], *, quick: bool) -> None:
    missed = [figure.name for figure in bench.figures if figure.is_met is False]
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


COMMAND = Command("bench", "measure what users wait for, beside references", from_arguments(add_arguments), run)
