"""The latest changes of a list: what a browser that was away for a while has missed. Pure."""

from collections import deque
from collections.abc import Collection

from anka_shim.portal.stream.version import Version, reaches

MOST_CHANGES = 4096


class ChangeRing:
    """Ids of rows that have changed, or are gone, by the version at which that was told."""

    def __init__(self, most: int = MOST_CHANGES) -> None:
        self._most = most
        self._changes: deque[tuple[Version, frozenset[str]]] = deque()
        self._count = 0
        self._floor: Version | None = None
        """What has changed after it is remembered."""
        self._listed: Version | None = None
        """Up to which objects may be gone that others had."""
        self._dropped: Version | None = None
        """Of the last change that is not remembered: others at this version were perhaps told before it."""

    def restart(self, version: Version, listed: Version) -> None:
        """Nothing before is known. `version`: of the newest object; `listed`: of the list, up to which others may have
        been deleted: whoever had those must not go on here."""
        self._changes.clear()
        self._count = 0
        self._floor = version
        self._listed = listed
        self._dropped = None

    def record(self, version: Version, ids: Collection[str]) -> None:
        """Versions never decrease."""
        self._changes.append((version, frozenset(ids)))
        self._count += len(ids)
        while self._count > self._most and self._changes:
            self._floor, dropped = self._changes.popleft()
            self._dropped = self._floor
            self._count -= len(dropped)

    def since(self, version: Version, *, is_own: bool = True) -> frozenset[str] | None:
        """Ids that have changed at this version or later; None where that is no longer known. Changes at the version
        itself count: several were perhaps told one after the other, of which the browser has only seen the first.
        `is_own`: whether this replica told it."""
        if self._floor is None or version == self._dropped or not reaches(version, self._floor):
            return None
        if not is_own and (self._listed is None or not reaches(version, self._listed)):
            return None
        found: set[str] = set()
        for at, ids in reversed(self._changes):
            if at != version and reaches(version, at):
                break
            found |= ids
        return frozenset(found)
