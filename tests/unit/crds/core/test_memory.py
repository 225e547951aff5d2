from __future__ import annotations

import pytest

from anka_crds.core.memory import mebibytes


@pytest.mark.parametrize(
    ("size", "mib"),
    [
        ("4G", 4096),
        ("4GB", 4096),
        ("4GiB", 4096),
        ("512M", 512),
        ("1.5G", 1536),
        ("4294967296", 4096),
        ("1048576K", 1024),
        ("1T", 1048576),
        (" 4g ", 4096),
        ("", 0),
        (None, 0),
        ("lots", 0),
        ("-4G", 0),
    ],
)
def test_mebibytes(size: str | None, mib: int) -> None:
    assert mebibytes(size) == mib
