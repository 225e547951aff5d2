"""`anka cp`: files, directories and symbolic links between the host and a VM, with the flags of BSD's cp."""

from __future__ import annotations

import os
import stat

from anka_sim.mac import sandbox
from anka_sim.mac.errors import USAGE, SimulatedAnkaError
from anka_sim.mac.options import Options, parse
from anka_sim.mac.output import Reply

TYPE_CHECKING = False
if TYPE_CHECKING:
    from anka_sim.mac.context import CommandContext


def cp(context: CommandContext, args: list[str]) -> Reply:
    """Copy files between the host and a VM: one side is `VM:PATH`."""
    options = parse(
        "cp", args, "a,archive", "R,r,recursive", "p,preserve", "L", "f,force", "H", "P", "n,no-clobber", "v", "X"
    )
    if len(options.args) < 2:
        raise SimulatedAnkaError("cp: expected SOURCE… DESTINATION", USAGE)
    *sources, target = [_place(context, text) for text in options.args]
    if any((source.root is None) == (target.root is None) for source in sources):
        raise SimulatedAnkaError("cp: one side must be VM:PATH, the other a path on the host", USAGE)
    into = os.path.isdir(target.real(follow=True)) or target.path.endswith("/")
    if len(sources) > 1 and not into:
        raise SimulatedAnkaError(f"cp: {target.shown} is not a directory")
    for source in sources:
        # As BSD's cp: `directory/` means what is in it.
        content = source.path.endswith(("/", "/.")) and os.path.isdir(source.real(follow=True))
        name = os.path.basename(os.path.normpath(source.path))
        _Copy(options).copy(source, target.child(name) if into and not content else target)
    return Reply()


class _Place:
    """A path in a VM, or on the host where `root` is None; `shown` is what the user wrote."""

    def __init__(self, shown: str, path: str, root: str | None) -> None:
        self.shown = shown
        self.path = path
        self.root = root

    def child(self, name: str) -> _Place:
        return _Place(f"{self.shown.rstrip('/')}/{name}", f"{self.path.rstrip('/')}/{name}", self.root)

    def real(self, *, follow: bool) -> str:
        """The path on this machine. A guest's links lead to places in the guest, those on the host are left alone."""
        return self.path if self.root is None else sandbox.locate(self.root, self.path, follow=follow)


def _place(context: CommandContext, text: str) -> _Place:
    ref, colon, path = text.partition(":")
    if not colon or "/" in ref or os.path.exists(text):
        return _Place(text, text, None)
    vm = context.mac.start(ref)
    return _Place(text, path or "~", sandbox.root(context.mac.store.path or "", vm["uuid"]))


class _Copy:
    """One copy by the flags of its command."""

    def __init__(self, options: Options) -> None:
        everything = options.flag("archive")
        self._recursive = everything or options.flag("recursive")
        self._preserve = everything or options.flag("preserve")
        self._force = options.flag("force")
        self._keep = options.flag("no-clobber")
        self._follow = options.flag("L")
        # A link that is named on the command line; BSD's cp follows it unless it copies trees.
        self._follow_named = self._follow or options.flag("H") or not (self._recursive or options.flag("P"))
        self._within: list[tuple[int, int]] = []

    def copy(self, source: _Place, target: _Place) -> None:
        follow = self._follow if self._within else self._follow_named
        here = source.real(follow=follow)
        try:
            status = os.stat(here, follow_symlinks=follow)
            if stat.S_ISLNK(status.st_mode):
                self._copy_link(here, target)
            elif stat.S_ISDIR(status.st_mode):
                self._copy_directory(source, here, status, target)
            elif stat.S_ISREG(status.st_mode):
                self._copy_file(here, target)
        except OSError as error:
            raise SimulatedAnkaError(f"cp: {source.shown}: {error.strerror}") from error

    def _copy_directory(self, source: _Place, here: str, status: os.stat_result, target: _Place) -> None:
        if not self._recursive:
            raise SimulatedAnkaError(f"cp: {source.shown} is a directory (not copied)")
        identity = (status.st_dev, status.st_ino)
        if identity in self._within:
            raise SimulatedAnkaError(f"cp: {source.shown}: directory causes a cycle")
        there = target.real(follow=True)
        is_new = not os.path.isdir(there)
        os.makedirs(there, exist_ok=True)
        self._within.append(identity)
        for name in sorted(os.listdir(here)):
            self.copy(source.child(name), target.child(name))
        self._within.pop()
        if is_new or self._preserve:
            self._keep_attributes(here, there)

    def _copy_file(self, here: str, target: _Place) -> None:
        import shutil

        there = target.real(follow=True)
        if os.path.isdir(there):
            raise SimulatedAnkaError(f"cp: {target.shown} is a directory")
        if self._keep and os.path.lexists(there):
            return
        os.makedirs(os.path.dirname(there) or ".", exist_ok=True)
        try:
            shutil.copyfile(here, there)
        except OSError:
            if not self._force or not os.path.lexists(there):
                raise
            os.unlink(there)
            shutil.copyfile(here, there)
        self._keep_attributes(here, there)

    def _copy_link(self, here: str, target: _Place) -> None:
        there = target.real(follow=False)
        if os.path.lexists(there):
            if self._keep:
                return
            os.unlink(there)
        os.makedirs(os.path.dirname(there) or ".", exist_ok=True)
        os.symlink(os.readlink(here), there)

    def _keep_attributes(self, here: str, there: str) -> None:
        import shutil

        if self._preserve:
            shutil.copystat(here, there)
        else:
            shutil.copymode(here, there)
