"""The sets of permissions that the portal recommends have the ids of the API."""

import re

from anka_crds.api.permissions import ControllerPermission
from anka_dev.repository import ROOT

MODULE = ROOT / "api-shim/anka_shim/portal/static/core/permission-sets.js"


def test_every_recommended_id_is_a_permission() -> None:
    ids = re.findall(r'"([a-z]+(?:_[a-z]+)+)"', MODULE.read_text())
    assert len(ids) > 30
    assert set(ids) <= set(ControllerPermission)


def test_what_plugins_need_is_what_the_documentation_says() -> None:
    """access.md, "Recommended sets": the documentation's list, and registry_list."""
    plugins = re.search(r'name: "CI plugins".*?ids: \[(.*?)\]', MODULE.read_text(), re.DOTALL)
    assert plugins is not None
    assert set(re.findall(r'"(\w+)"', plugins[1])) == {
        *("get_groups", "get_registry_disk_info", "list_images", "list_nodes", "list_vms", "save_image", "start_vm"),
        *("terminate_vm", "update_vm", "view_logs", "registry_list"),
    }
