"""Which texts of a script give it away."""

from __future__ import annotations

import pytest

from anka_registry.central_logs.secret_parts import split_secret


@pytest.mark.parametrize(
    ("script", "found", "left"),
    [
        ("#!/bin/sh\nset -e\nelse\n  export A=1 B=two\n", {"export A=1 B=two"}, {"set -e", "else", "#!/bin/sh"}),
        ('"level":\nregistry describe\nVM started\n', set(), {'"level":', "registry describe", "VM started"}),
        ("=" * 40 + "\n" + "-" * 40, set(), {"=" * 40, "-" * 40}),
        ("curl -u me:hunter2xyz9 http://h", {"me:hunter2xyz9"}, {"http://h"}),
        ("KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLE\nx", {"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLE"}, {"x"}),
        ("echo c983c3bf-a0c0-43dc-54dc-2fd9f7d62fce", {"c983c3bf-a0c0-43dc-54dc-2fd9f7d62fce"}, {"echo"}),
        ("pull macos-15-xcode 10.15.7 /Library/Developer", set(), {"macos-15-xcode", "10.15.7", "/Library/Developer"}),
        ("echo NetworkTimeout StartDeadlineExceeded", set(), {"NetworkTimeout", "StartDeadlineExceeded"}),
        ("hunter2", {"hunter2"}, set()),
        ("12345", set(), {"12345"}),
        ("é" * 6, {"é" * 6, "\\u00e9" * 6}, set()),
    ],
)
def test_parts(script: str, found: set[str], left: set[str]) -> None:
    parts = split_secret(script.encode())
    assert found <= parts
    assert not left & parts
