"""Builds the control plane's binaries from their Go modules."""

import os
import queue
import re
import shutil
import subprocess
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from localkube.errors import DevError
from localkube.programs import versions
from localkube.programs.toolchain import Go
from localkube.progress import Heartbeat, Say, minutes

_STAGING = re.compile(r"^\s*(?:replace\s+)?(k8s\.io/\S+)\s+=>\s+\./staging/", re.MULTILINE)
_GO_LINE = re.compile(r"^go (\S+)", re.MULTILINE)


@dataclass(frozen=True)
class Source:
    """Where a component's main package is."""

    module: str
    version: str
    package: str
    main: Path | None = None
    """A main package of ours, one file, for a module that is only a library; `package` is "." then."""
    replacements: tuple[tuple[str, str], ...] = ()
    """Modules that it replaces by folders of its repository, each with the version that has the same content."""


_KUBERNETES = "k8s.io/kubernetes"
_HELM = "helm.sh/helm/v4"
_KWOK = "sigs.k8s.io/kwok"
_ETCD = "go.etcd.io/etcd/server/v3"
_KUBE_SCORE = "github.com/zegl/kube-score"
_ACTIONLINT = "github.com/rhysd/actionlint"
_PROMETHEUS = "github.com/prometheus/prometheus"
_DEX = "github.com/dexidp/dex"
SOURCES = {
    versions.STORE: Source(_ETCD, versions.ETCD, _ETCD),
    versions.API_SERVER: Source(_KUBERNETES, versions.KUBERNETES, f"{_KUBERNETES}/cmd/kube-apiserver"),
    versions.CONTROLLER_MANAGER: Source(_KUBERNETES, versions.KUBERNETES, f"{_KUBERNETES}/cmd/kube-controller-manager"),
    versions.SCHEDULER: Source(_KUBERNETES, versions.KUBERNETES, f"{_KUBERNETES}/cmd/kube-scheduler"),
    versions.HELM: Source(_HELM, versions.HELM_VERSION, f"{_HELM}/cmd/helm"),
    versions.KWOK: Source(_KWOK, versions.KWOK_VERSION, f"{_KWOK}/cmd/kwok"),
    versions.KSTATUS: Source(
        "sigs.k8s.io/cli-utils", versions.CHECKERS[versions.KSTATUS], ".", Path(__file__).with_name("kstatus.go")
    ),
    versions.KUBE_SCORE: Source(_KUBE_SCORE, versions.CHECKERS[versions.KUBE_SCORE], f"{_KUBE_SCORE}/cmd/kube-score"),
    versions.ACTIONLINT: Source(_ACTIONLINT, versions.CHECKERS[versions.ACTIONLINT], f"{_ACTIONLINT}/cmd/actionlint"),
    versions.PROMTOOL: Source(_PROMETHEUS, versions.CHECKERS[versions.PROMTOOL], f"{_PROMETHEUS}/cmd/promtool"),
    versions.DEX: Source(
        _DEX,
        versions.CHECKERS[versions.DEX],
        f"{_DEX}/cmd/dex",
        replacements=((f"{_DEX}/api/v2", "2.4.1-0.20260806151424-ab64ed778070"),),
    ),
}


def linker_flags(source: Source) -> str:
    """Flags for a binary without debugging symbols that knows its version as in Kubernetes' own build. Pure.

    Without them an apiserver reports v0.0.0. A binary that is cached is not built again for that."""
    if source.module != _KUBERNETES:
        return "-s -w"
    major, minor, _ = source.version.split(".")
    variables = {"gitVersion": f"v{source.version}", "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
    return " ".join(
        ["-s -w", *(f"-X k8s.io/component-base/version.{name}={value}" for name, value in variables.items())]
    )


def go_mod(source: Source, upstream: str, staging: str = versions.STAGING) -> str:
    """Our go.mod for building from ``source``, whose own go.mod is ``upstream``. Pure.

    Kubernetes replaces its staging modules by folders of its repository. Replacements of a dependency do not
    count, and v0.0.0 exists nowhere: so each becomes the module published for the same release.
    """
    language = _GO_LINE.search(upstream)
    if language is None:
        raise ValueError(f"no go line in go.mod of {source.module}")
    lines = [
        "module localkube.invalid/control-plane",
        f"go {language[1]}",
        f"require {source.module} v{source.version}",
        *(f"replace {name} => {name} v{staging}" for name in _STAGING.findall(upstream)),
        *(f"replace {name} => {name} v{version}" for name, version in source.replacements),
    ]
    return "\n\n".join(lines) + "\n"


@dataclass
class Tally:
    """Counts modules and packages in the output of ``go build -v``. Pure."""

    modules: int = 0
    packages: int = 0

    def count(self, line: str) -> None:
        """One line: a module downloaded, or a package compiled."""
        if line.startswith("go: downloading "):
            self.modules += 1
        elif line and " " not in line and not line.startswith("#"):
            self.packages += 1

    def __str__(self) -> str:
        downloaded = f"{self.modules} modules downloaded, " if self.modules else ""
        return f"{downloaded}{self.packages} packages compiled"


def _pump(stream: Iterable[str], lines: "queue.Queue[str | None]") -> None:
    for line in stream:
        lines.put(line.rstrip("\n"))
    lines.put(None)


def run_build(command: Sequence[str], env: dict[str, str], cwd: Path, label: str, beat: Heartbeat) -> None:
    """Run ``go build -v``, beating while it works. DevError with its last lines when it fails."""
    tail: deque[str] = deque(maxlen=3)
    tally = Tally()
    lines: queue.Queue[str | None] = queue.Queue()
    with subprocess.Popen(
        command, env=env, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace"
    ) as process:
        threading.Thread(target=_pump, args=(process.stderr, lines), daemon=True).start()
        try:
            while True:
                try:
                    line = lines.get(timeout=1.0)
                except queue.Empty:
                    line = ""
                if line is None:
                    break
                if line:
                    tally.count(line)
                    tail.append(line.strip())
                beat.beat(f"building {label}: {tally}")
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        raise DevError(f"go build of {label} failed: {'; '.join(tail) or f'exit code {process.returncode}'}")


def build(
    component: str, into: Path, go: Go, scratch: Path, say: Say, beat: Callable[[Say], Heartbeat] = Heartbeat
) -> Path:
    """Build one component into the folder ``into``; the file appears there once it is complete."""
    source = SOURCES[component]
    work = scratch / source.module.replace("/", "_")
    work.mkdir(parents=True, exist_ok=True)
    heartbeat = beat(say)
    label = f"{component} v{source.version}"
    say(f"building {label} from its Go module: minutes the first time, then cached")
    upstream = Path(go.module(source.module, source.version, work)["GoMod"]).read_text()
    (work / "go.mod").write_text(go_mod(source, upstream))
    if source.main is not None:
        shutil.copyfile(source.main, work / "main.go")
    with tempfile.TemporaryDirectory(dir=into, prefix=f".{component}-") as folder:
        binary = Path(folder) / component
        run_build(
            [str(go.path), "build", "-v", f"-ldflags={linker_flags(source)}", "-o", str(binary), source.package],
            go.environment,
            work,
            label,
            heartbeat,
        )
        os.replace(binary, into / component)
    say(f"built {label} in {minutes(heartbeat.seconds)}")
    return into / component
