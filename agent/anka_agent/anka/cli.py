"""The `anka` commands that the agent uses: one method each, with the time that it may take."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from anka_agent.anka.arguments import Argument, check_words
from anka_agent.anka.command import Anka
from anka_agent.anka.errors import GarbageError, NotFoundError
from anka_agent.anka.registry_options import RegistryOptions
from anka_agent.anka.vm import ListReader, Vm, VmListing, parse_show
from anka_runtime.elements import read_elements

QUICK = 30.0
START = 90.0
"""The old controller's limit for `anka start` (docs/reference/legacy-api.md#timing)."""
CLONE = 300.0
MODIFY = 120.0
STOP = 120.0
RUN = 300.0
"""`anka run` waits for the guest to come up."""
DELETE = 120.0
SUSPEND = 300.0
"""A VM's whole memory goes to disk."""
REGISTRY = 60.0
PULL = 6 * 3600.0
"""TeamCity waits 6 h for a pull (docs/reference/legacy-api.md#timing)."""

_PERCENT = re.compile(r"(\d{1,3})(?:[.,]\d+)?\s*%")


@dataclass(frozen=True, slots=True)
class InstalledVersion:
    product: str
    version: str
    build: str

    @property
    def major(self) -> int:
        """0 when the version cannot be read."""
        head = self.version.split(".")[0]
        return int(head) if head.isdecimal() else 0


@dataclass(frozen=True, slots=True)
class License:
    type: str
    status: str
    product: str
    expires: str

    @property
    def valid(self) -> bool:
        return self.status.lower() == "valid"


@dataclass(frozen=True, slots=True)
class ListedUsbDevice:
    location: str
    name: str | None
    available: bool
    group: str | None = None
    """Its claim name: `anka usb claim --claim-name GROUP`."""


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag of a template on this Mac's disk."""

    tag: str
    number: int | None
    size: int | None


@dataclass(frozen=True, slots=True)
class Download:
    """What a pull would take: bytes to fetch, and bytes that are free for them."""

    size: int
    available: int


class AnkaCli:
    """All methods raise AnkaError and its subclasses. VMs and templates are named by UUID or name."""

    def __init__(self, anka: Anka, registry: RegistryOptions = RegistryOptions()) -> None:  # noqa: B008 - immutable
        self._anka = anka
        self._registry_options = registry
        self._list_reader = ListReader(read_elements)

    @property
    def executable(self) -> str:
        return self._anka.executable

    async def version(self) -> InstalledVersion:
        body = _mapping(await self._anka.call("version", seconds=QUICK), "version")
        return InstalledVersion(_text(body, "product"), _text(body, "version"), _text(body, "build"))

    async def license(self) -> License:
        body = _mapping(await self._anka.call("license", "show", seconds=QUICK), "license show")
        kind, status = _text(body, "license_type"), _text(body, "status")
        return License(kind, status, _text(body, "product"), _text(body, "expires"))

    async def vms(self) -> VmListing:
        """All VMs and templates of the Mac, in one call."""
        return self._list_reader.read(await self._anka.call("list", seconds=QUICK))

    async def show(self, vm: str) -> Vm:
        return parse_show(await self._anka.call("show", Argument(vm), seconds=QUICK))

    async def tags(self, template: str) -> list[Tag]:
        """Tags of a template that are on this Mac."""
        body = await self._anka.call("show", Argument(template), "tag", seconds=QUICK)
        if body is None or body == {}:
            return []
        if not isinstance(body, list):
            raise GarbageError(f"a list was expected, not {str(body)[:100]}", command="show")
        return read_elements("tags that anka lists", body, _tag, subject=template)

    async def usb(self) -> list[ListedUsbDevice]:
        """USB devices; none when this Anka has no such command."""
        try:
            body = await self._anka.call("usb", "list", seconds=QUICK)
        except (GarbageError, NotFoundError):
            return []
        return read_elements("USB devices that anka lists", body if isinstance(body, list) else [], _usb_device)

    async def clone(self, template: str, name: str, tag: str | None) -> None:
        """Raises AlreadyExistsError, NotFoundError."""
        await self._anka.call("clone", Argument(template), Argument(name), *_which(tag), seconds=CLONE)

    async def modify(self, command: Sequence[str]) -> None:
        """One command line of `plan.options`. Raises AlreadyExistsError for the name of another VM."""
        await self._anka.call(*command, seconds=MODIFY)

    async def start(self, vm: str, *, usb_device: str | None = None, vnc_password: str | None = None) -> None:
        """Start or resume. Returns when the VM runs, which is before its network is up."""
        usb = ["--usb", Argument(usb_device)] if usb_device else []
        env = {"ANKA_VNC_PASSWORD": vnc_password} if vnc_password else None
        await self._anka.call("start", *usb, Argument(vm), seconds=START, env=env)

    async def run_script(self, vm: str, script: str) -> None:
        """Run a short script in the VM and wait for it. Raises AnkaError with the end of its output."""
        await self._anka.run(Argument(vm), "sh", "-c", script, seconds=RUN)

    async def probe(self, vm: str, *, seconds: float) -> None:
        """Run the simplest command in a VM that runs. Raises CommandTimeout if it does not answer in time."""
        await self._anka.run(Argument(vm), "true", seconds=seconds)

    async def stop(self, vm: str) -> None:
        """Power the VM off."""
        await self._anka.call("stop", "--force", Argument(vm), seconds=STOP)

    async def suspend(self, vm: str) -> None:
        """Stop the VM with its memory kept on disk. Not every licence permits it."""
        await self._anka.call("suspend", Argument(vm), seconds=SUSPEND)

    async def delete(self, vm: str, tag: str | None = None) -> None:
        """Delete a VM or template, or one local tag of it. It is no error if there is none."""
        try:
            await self._anka.call("delete", "--yes", *_which(tag), Argument(vm), seconds=DELETE)
        except NotFoundError:
            return

    async def pull(
        self, template: str, tag: str | None, *, remote: str | None, on_percent: Callable[[int], None]
    ) -> None:
        """Fetch a template from the registry, except for what this Mac already has."""

        def look(line: str) -> None:
            if (percent := percent_of(line)) is not None:
                on_percent(percent)

        words = ("registry", *self._source(remote), "pull", *_which(tag), Argument(template))
        await self._anka.call(*words, seconds=PULL, on_line=look, exclusive=False)

    async def download(self, template: str, tag: str | None, *, remote: str | None) -> Download | None:
        """How much a pull would fetch; None if this Mac has it all. Raises NotFoundError, GarbageError."""
        body = await self._registry(remote, "pull", "--check-download-size", *_which(tag), Argument(template))
        if not body:
            return None
        row = _mapping(body, "registry pull")
        size, available = _integer(row, "size"), _integer(row, "available")
        if size is None or available is None:
            raise GarbageError(f"size or available is missing in {str(dict(row))[:200]}", command="registry pull")
        return Download(size, available)

    async def registry_tags(self, template: str, *, remote: str | None) -> list[str]:
        """Tags of a template in the registry, oldest first. Raises NotFoundError for an unknown template."""
        body = _mapping(await self._registry(remote, "describe", Argument(template)), "registry describe")
        versions = body.get("versions")
        rows = versions if isinstance(versions, list) else []
        return read_elements("tags in the registry", rows, lambda row: _require(row, "tag"), subject=template)

    async def registry_names(self, *, remote: str | None) -> set[str]:
        """Names of all templates in the registry."""
        body = await self._registry(remote, "list")
        rows = body if isinstance(body, list) else []
        return set(read_elements("templates that anka lists", rows, lambda row: _require(row, "name")))

    async def revert(self, template: str, tag: str, *, remote: str | None) -> None:
        """Remove this tag and all newer ones from the registry. It is no error if there are none."""
        try:
            await self._registry(remote, "revert", *_which(tag), "--yes", Argument(template))
        except NotFoundError:
            return

    async def _registry(self, remote: str | None, *words: str) -> Any:
        return await self._anka.call("registry", *self._source(remote), *words, seconds=REGISTRY)

    def _source(self, remote: str | None) -> list[str]:
        return [*(["--remote", Argument(remote)] if remote else []), *self._registry_options.choose(remote)]

    def push_command(self, vm: str, tag: str, *, description: str, target: str | None, remote: str | None) -> list[str]:
        """Command line that pushes the VM, for a ScriptJob: as a tag of template `target`, else as a new
        template. Without --force: a registry that already has the tag refuses. Raises UnusableArgument."""
        words = _which(tag)
        if description:
            words += ["--description", Argument(description)]
        if target is not None:
            words += ["--remote-vm", Argument(target)]
        line = ["--machine-readable", "registry", *self._source(remote), "push", *words, Argument(vm)]
        check_words(line, "registry push")
        return [self._anka.executable, *line]

    def run_command(self, vm: str, *words: str) -> list[str]:
        """Command line that runs `words` in the VM, for a ScriptJob, which outlives this process."""
        return [self._anka.executable, "run", vm, *words]


def _require(row: Any, key: str) -> str:
    """Raises ValueError."""
    value = row.get(key) if isinstance(row, Mapping) else None
    if not isinstance(value, str):
        raise ValueError(f"{key} is missing in {str(row)[:100]}")  # noqa: TRY004 - of what was read, not of a caller
    return value


def _tag(row: Any) -> Tag:
    return Tag(_require(row, "tag"), _integer(row, "number"), _integer(row, "size"))


def _usb_device(row: Any) -> ListedUsbDevice:
    if not isinstance(row, Mapping):
        raise ValueError(f"an object was expected, not {str(row)[:100]}")  # noqa: TRY004
    location = next((str(row[key]) for key in ("location", "location_id", "id", "name") if row.get(key)), None)
    if location is None:
        raise ValueError(f"it has no location: {str(dict(row))[:100]}")
    name, group = _split_claim_name(_text(row, "name"))
    busy = row.get("vm") or row.get("is_busy")
    return ListedUsbDevice(location, name, not busy, _text(row, "claim_name") or _text(row, "group") or group)


def _which(tag: str | None) -> list[str]:
    return ["--tag", Argument(tag)] if tag else []


def percent_of(line: str) -> int | None:
    """Progress in a line of `pull`: the last percentage in it."""
    found = _PERCENT.findall(line)
    return min(100, int(found[-1])) if found else None


def _mapping(body: Any, command: str) -> Mapping[str, Any]:
    if not isinstance(body, Mapping):
        raise GarbageError(f"an object was expected, not {str(body)[:100]}", command=command)
    return body


def _split_claim_name(name: str) -> tuple[str | None, str | None]:
    """Name and claim name of a USB device: `anka usb list` shows a claimed one as `iPhone (iphones)`."""
    bare, bracket, group = name.removesuffix(")").rpartition(" (")
    if not bracket or not name.endswith(")"):
        return name or None, None
    return bare, group or None


def _text(body: Mapping[str, Any], key: str) -> str:
    value = body.get(key)
    return str(value) if value is not None else ""


def _integer(row: Mapping[str, Any], key: str) -> int | None:
    value = row.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63 else None
