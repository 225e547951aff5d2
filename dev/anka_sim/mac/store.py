"""Where a simulated Mac keeps its state: files that survive `kill -9`, or memory for large benchmarks."""

from __future__ import annotations

import fcntl
import os

from anka_sim.mac import fastjson, settings, trees
from anka_sim.mac.errors import SimulatedAnkaError
from anka_sim.mac.files import replace_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from types import TracebackType
    from typing import Any, Protocol

    class MacStore(Protocol):
        """State of one Mac. Records are plain JSON objects; callers change copies and put them back."""

        @property
        def path(self) -> str | None: ...
        def lock(self) -> AbstractContextManager[None]: ...
        def config(self) -> dict[str, Any]: ...
        def save_config(self, config: dict[str, Any]) -> None: ...
        def vms(self) -> list[dict[str, Any]]: ...
        def put(self, vm: dict[str, Any]) -> None: ...
        def add(self, vm: dict[str, Any], prepared: str | None) -> None: ...
        def staging(self, label: str) -> str: ...
        def sweep(self) -> None: ...
        def remove(self, uuid: str) -> None: ...


def write_json(path: str, value: object) -> None:
    """Replace a file in one step."""
    replace_file(path, fastjson.dumps(value))


def read_json(path: str) -> Any | None:
    """The content of a JSON file, None if there is no such file."""
    try:
        with open(path, encoding="utf-8") as file:
            return fastjson.loads(file.read())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except ValueError as error:
        raise SimulatedAnkaError(f"{path} is not valid JSON ({error}); repair or delete it") from error


class _Lock:
    def __init__(self, path: str) -> None:
        self._path = path

    def __enter__(self) -> None:
        self._fd = os.open(self._path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._fd, fcntl.LOCK_EX)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._fd)


class _Unlocked:
    def __enter__(self) -> None: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class FileStore:
    """State in a directory: config.json, vms/<uuid>/vm.json, images/, tmp/, guarded by a lock file."""

    def __init__(self, path: str) -> None:
        self.path = os.path.abspath(path)
        self._vms = os.path.join(self.path, "vms")
        self._config = os.path.join(self.path, "config.json")

    def lock(self) -> AbstractContextManager[None]:
        """Exclusive among processes; freed by the kernel when the holder dies. Held for moments, never for a delay."""
        return _Lock(os.path.join(self.path, "lock"))

    def config(self) -> dict[str, Any]:
        overrides = read_json(self._config)
        if overrides is None:
            raise SimulatedAnkaError(
                f"{self.path} is not a simulated Mac (no config.json); make one with: anka-sim mac create DIR"
            )
        return settings.merge(overrides)

    def save_config(self, config: dict[str, Any]) -> None:
        write_json(self._config, config)

    def vms(self) -> list[dict[str, Any]]:
        try:
            names = os.listdir(self._vms)
        except FileNotFoundError:
            return []
        found = [read_json(os.path.join(self._vms, name, "vm.json")) for name in names]
        return sorted((vm for vm in found if vm is not None), key=lambda vm: (vm["created"], vm["name"]))

    def vm_dir(self, uuid: str) -> str:
        return os.path.join(self._vms, uuid)

    def put(self, vm: dict[str, Any]) -> None:
        """Write the record of a VM that exists."""
        write_json(os.path.join(self.vm_dir(vm["uuid"]), "vm.json"), vm)

    def add(self, vm: dict[str, Any], prepared: str | None) -> None:
        """Make a VM appear, complete, in one step; `prepared` is a staging directory with its files."""
        directory = prepared or self.staging("new")
        write_json(os.path.join(directory, "vm.json"), vm)
        os.makedirs(self._vms, exist_ok=True)
        os.rename(directory, self.vm_dir(vm["uuid"]))

    def remove(self, uuid: str) -> None:
        """Gone in one step (a rename, under the lock), then cleaned up; `sweep` ends an interrupted clean-up."""
        trash = self.staging("delete")
        if os.path.isdir(self.vm_dir(uuid)):
            os.rename(self.vm_dir(uuid), os.path.join(trash, uuid))
        trees.remove(trash)

    def staging(self, label: str) -> str:
        """A new private directory on the same file system, named after our pid: `sweep` sees when it is stale."""
        base = os.path.join(self.path, "tmp")
        os.makedirs(base, exist_ok=True)
        self.sweep()
        path = os.path.join(base, f"{os.getpid()}.{label}.{os.urandom(4).hex()}")
        os.mkdir(path)
        return path

    def sweep(self) -> None:
        """Delete what processes left behind that died half way."""
        base = os.path.join(self.path, "tmp")
        try:
            names = os.listdir(base)
        except FileNotFoundError:
            return
        for name in names:
            owner = name.partition(".")[0]
            if not owner.isdigit() or not _alive(int(owner)):
                trees.remove(os.path.join(base, name))


class MemoryStore:
    """The same in memory, for many Macs in one process; not shared between threads."""

    path: str | None = None

    def __init__(self, config: dict[str, Any] | None = None) -> None:
        self._config = settings.merge(config or {})
        self._vms: dict[str, dict[str, Any]] = {}

    def lock(self) -> AbstractContextManager[None]:
        return _Unlocked()

    def config(self) -> dict[str, Any]:
        return self._config

    def save_config(self, config: dict[str, Any]) -> None:
        self._config = config

    def vms(self) -> list[dict[str, Any]]:
        return [dict(vm) for vm in self._vms.values()]

    def put(self, vm: dict[str, Any]) -> None:
        self._vms[vm["uuid"]] = dict(vm)

    def add(self, vm: dict[str, Any], prepared: str | None) -> None:
        self.put(vm)

    def remove(self, uuid: str) -> None:
        self._vms.pop(uuid, None)

    def staging(self, label: str) -> str:
        raise SimulatedAnkaError("a Mac in memory has no files")

    def sweep(self) -> None:
        """Nothing is ever left behind."""


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
