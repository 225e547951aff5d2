from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anka_crds.rules.text import format_time, shorten, shorten_bytes, to_mebibytes


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "2026-01-02T03:04:05Z"),
        (datetime(2026, 1, 2, 3, 4, 5, 999_999, tzinfo=UTC), "2026-01-02T03:04:05Z"),
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=2))), "2026-01-02T01:04:05Z"),
    ],
)
def test_times_are_whole_seconds_of_utc(moment: datetime, text: str) -> None:
    assert format_time(moment) == text


@pytest.mark.parametrize(("text", "limit", "short"), [("abc", 3, "abc"), ("abcd", 3, "ab…"), ("", 1, "")])
def test_long_text_ends_with_an_ellipsis(text: str, limit: int, short: str) -> None:
    assert shorten(text, limit) == short


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
    assert to_mebibytes(size) == mib


TEXTS = st.text(max_size=300) | st.text('\x00<\u2028é日\U0001f34f"\\a', max_size=300)


@given(TEXTS, st.integers(3, 400), st.booleans())
def test_bytes_as_etcd_has_them(text: str, limit: int, keep_end: bool) -> None:
    cut = shorten_bytes(text, limit, keep_end=keep_end)
    stored = json.dumps(cut, ensure_ascii=False)[1:-1]
    for special in "<>&\u2028\u2029":
        stored = stored.replace(special, "......")
    assert len(stored.encode("utf-8", "replace")) <= limit
    if cut != text:
        kept = cut[1:] if keep_end else cut[:-1]
        assert text.endswith(kept) if keep_end else text.startswith(kept)
        assert "…" in cut
