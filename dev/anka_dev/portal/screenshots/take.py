"""Takes all of them: a control plane, a cloud, the scenario, a browser."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from anka_dev.cloud import LocalCloud
from anka_dev.demo.printer import Printer
from anka_dev.local_kubernetes import environment
from anka_dev.portal.look import take
from anka_dev.portal.screenshots.manifest import PICTURES, write_manifest
from anka_dev.portal.screenshots.pictures import list_pictures
from anka_dev.portal.screenshots.scenario import LONGEST_WAITING, SHOWN_INSTANCE, Scenario
from localkube.controlplane import open_cluster
from localkube.errors import DevError


def take_all(folder: Path | None = None) -> None:
    """Into `folder`; without one into the documentation, with their manifest."""
    printer = Printer()
    out = folder or PICTURES
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="anka-screenshots-") as name:
        directory = Path(name)
        with (
            open_cluster(directory / "control-plane", environment(), say=printer.say) as cluster,
            LocalCloud(cluster, directory / "cloud") as cloud,
        ):
            scenario = Scenario(cloud)
            for step in (
                scenario.bring_up,
                scenario.start_instances,
                scenario.queue_up,
                scenario.save_an_image,
                scenario.fail_on_one_mac,
                scenario.pull_slowly,
            ):
                printer.say(step.__name__.replace("_", " "))
                step()
            shown, waiting = scenario.id_of(SHOWN_INSTANCE), scenario.id_of(LONGEST_WAITING)
            for picture in list_pictures(out, f"{cloud.url}/portal/", shown=shown, waiting=waiting):
                complaints = asyncio.run(take(picture))
                if complaints:
                    raise DevError(f"{picture.out.name}: {'; '.join(complaints)}")
                printer.say(f"{picture.out.name}: {picture.out.stat().st_size / 1e3:.0f} kB")
    if folder is None:
        write_manifest()
