"""Which requests come from a page that must not send them."""

from __future__ import annotations

import itertools

import pytest

from anka_shim.http.origin import OriginPolicy
from anka_shim.settings import ShimSettings
from support.shim_rig import TEMPLATE, rig

NAVIGATION = {"sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
FRAME = {"sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"}
NO_CORS = {"sec-fetch-mode": "no-cors", "sec-fetch-dest": "empty"}
IMAGE = {"sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"}


def is_refused(policy: OriginPolicy, method: str = "GET", **headers: str) -> bool:
    raw = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
    return policy.refusal(method, dict(raw)) is not None


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
def test_clients_that_are_no_browsers_send_none_of_it(method: str) -> None:
    assert not is_refused(OriginPolicy(), method, host="anka:8090", user_agent="Jenkins")
    assert not is_refused(OriginPolicy(), method)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
@pytest.mark.parametrize("site", ["cross-site", "same-site", "surprise"])
@pytest.mark.parametrize("how", [NO_CORS, IMAGE, FRAME, {}])
def test_a_page_of_another_site(method: str, site: str, how: dict[str, str]) -> None:
    assert is_refused(OriginPolicy(), method, host="anka", sec_fetch_site=site, **how)


def test_a_link_may_be_followed_and_a_form_may_not_be_sent() -> None:
    policy = OriginPolicy()
    assert not is_refused(policy, "GET", host="anka", sec_fetch_site="cross-site", **NAVIGATION)
    assert is_refused(policy, "POST", host="anka", sec_fetch_site="cross-site", origin="http://evil", **NAVIGATION)


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_our_own_page_and_what_a_person_types(method: str) -> None:
    policy = OriginPolicy()
    assert not is_refused(policy, method, host="anka:8090", origin="http://anka:8090", sec_fetch_site="same-origin")
    assert not is_refused(policy, method, host="anka:8090", sec_fetch_site="none", **NAVIGATION)


@pytest.mark.parametrize(
    ("origin", "refused"),
    [
        ("http://anka:8090", False),
        ("https://anka:8090", False),  # TLS ended before us
        ("http://ANKA:8090", False),
        ("http://anka", True),
        ("http://anka:8091", True),
        ("http://evil", True),
        ("http://anka:8090.evil", True),
        ("http://evil/anka:8090", True),
        ("null", True),
        ("file://", True),
        ("anka:8090", True),
    ],
)
def test_older_browsers_send_the_origin_alone(origin: str, refused: bool) -> None:
    for method in ("GET", "POST"):
        assert is_refused(OriginPolicy(), method, host="anka:8090", origin=origin) is refused


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:8090", "localhost.:1", "127.0.0.1", "[::1]:8090", "10.1.2.3:80"]
)
def test_names_that_are_ours(host: str) -> None:
    policy = OriginPolicy(["localhost"])
    for _ in range(2):
        assert not is_refused(policy, host=host)


@pytest.mark.parametrize(
    "host",
    [
        "evil.test",
        "evil.test:8090",
        "localhost.evil.test",
        "evillocalhost",
        "localhost@evil",
        "127.0.0.1.nip.io",
        "localhost:8090:1",
        "[::1",
        "local host",
        "\xe4",
    ],
)
def test_another_name_may_stand_for_our_address(host: str) -> None:
    policy = OriginPolicy(["localhost"])
    for _ in range(2):
        assert is_refused(policy, host=host)
        assert is_refused(policy, host=host, origin=f"http://{host}", sec_fetch_site="same-origin")
    assert not is_refused(OriginPolicy(), host=host)


def test_a_domain() -> None:
    policy = OriginPolicy(["*.example.com"])
    assert not is_refused(policy, host="anka.example.com")
    assert is_refused(policy, host="example.com.evil")
    assert is_refused(policy, host="evilexample.com")


def test_what_is_remembered_is_bounded() -> None:
    policy = OriginPolicy(["localhost"])
    for first, second in itertools.product(range(32), range(32)):
        assert not is_refused(policy, host=f"10.0.{first}.{second}")
    assert len(policy._accepted) == 256


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        ({}, ["localhost"]),
        ({"host": "localhost"}, ["localhost"]),
        ({"host": "::1"}, ["localhost"]),
        ({"host": "0.0.0.0"}, []),
        ({"host": "::"}, []),
        ({"host": "0.0.0.0", "allowed_hosts": "A, *.b.example"}, ["a", "*.b.example"]),
        ({"allowed_hosts": "anka.example.com"}, ["anka.example.com"]),
        ({"allowed_hosts": "*"}, []),
    ],
)
def test_by_default_only_what_listens_beyond_this_machine_has_any_name(
    settings: dict[str, str], names: list[str]
) -> None:
    assert ShimSettings(_cli_parse_args=False, **settings).host_names == names  # type: ignore[arg-type]


async def test_a_refusal_changes_nothing_and_says_why() -> None:
    async with rig(allowed_hosts="shim") as shim:
        for headers, why in [
            (
                {"Sec-Fetch-Site": "cross-site", "Content-Type": "text/plain"},
                "a page of another site must not use this API",
            ),
            ({"Origin": "http://evil.test"}, "a page of 'http://evil.test' must not use this API"),
            ({"Host": "evil.test:8090"}, "this API is not served as 'evil.test:8090' (--allowed-hosts)"),
        ]:
            response = await shim.http.post("/api/v1/vm", json={"vmid": TEMPLATE}, headers=headers)
            assert (response.status_code, response.json()) == (403, {"status": "FAIL", "message": why})
        assert await shim.body("GET", "/api/v1/vm") == []
        assert (await shim.http.get("/docs")).headers["content-security-policy"] == "frame-ancestors 'none'"
