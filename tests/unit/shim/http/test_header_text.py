from __future__ import annotations

import pytest
from aiohttp.multipart import content_disposition_filename, parse_content_disposition
from hypothesis import given
from hypothesis import strategies as st

from anka_shim.http.header_text import attachment


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("anka_agent-mac-1.log", 'attachment; filename="anka_agent-mac-1.log"'),
        ("Büro.log", "attachment; filename=\"B_ro.log\"; filename*=UTF-8''B%C3%BCro.log"),
        ('a".sh;x="b', "attachment; filename=\"a_.sh_x__b\"; filename*=UTF-8''a%22.sh%3Bx%3D%22b"),
        ("a\r\nSet-Cookie: b", "attachment; filename=\"a__Set-Cookie__b\"; filename*=UTF-8''a%0D%0ASet-Cookie%3A%20b"),
        ("../x", "attachment; filename=\".._x\"; filename*=UTF-8''..%2Fx"),
    ],
)
def test_names(name: str, header: str) -> None:
    assert attachment(name) == header


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_whatever_a_name_has_a_client_reads_it_back(name: str) -> None:
    header = attachment(name)
    assert header.isascii()
    assert header.isprintable()
    kind, parameters = parse_content_disposition(header)
    assert kind == "attachment"
    assert parameters.keys() <= {"filename", "filename*"}
    assert content_disposition_filename(parameters) == name


def test_a_lone_surrogate_does_no_harm() -> None:
    assert attachment("\ud800") == "attachment; filename=\"_\"; filename*=UTF-8''%3F"
