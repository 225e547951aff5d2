"""Every example, applied as its first lines say."""

import pytest

from anka_dev.cloud import LocalCloud
from support.examples import all_become_ready

pytestmark = pytest.mark.e2e


def test_all_of_them_become_ready(cloud: LocalCloud) -> None:
    all_become_ready(cloud)
