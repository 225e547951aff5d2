"""The image files of a Mac's templates: layers that were pulled, kept once however many tags use them."""

from __future__ import annotations

import os

from anka_sim.mac import sandbox

TYPE_CHECKING = False
if TYPE_CHECKING:
    from anka_sim.mac.store import MacStore


def clean(store: MacStore) -> None:
    """Delete images that no tag uses, and what died half way. A pull checks before it commits, so it loses nothing."""
    home = store.path
    assert home is not None
    directory = os.path.join(home, "images")
    with store.lock():
        store.sweep()
        if not os.path.isdir(directory):
            return
        used = {name for vm in store.vms() for tag in vm["tags"] for name in tag["images"]}
        for name in os.listdir(directory):
            # Half a download is worth keeping: the next pull goes on from there.
            if name not in used and not name.endswith(".part"):
                os.unlink(sandbox.image(home, name))
