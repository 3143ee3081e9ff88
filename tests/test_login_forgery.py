"""Requests that another site makes a browser send with the user's cookie."""

import pytest
from starlette.datastructures import Headers

from gateway.login.forgery import check_same_origin
from gateway.problems import ProblemError

OWN = "https://features.example.org"


def check(headers, *, method="POST", path="/api/models/x/features"):
    check_same_origin(Headers(headers), method=method, path=path, origin=OWN)


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Sec-Fetch-Site": "same-origin"}, id="the page"),
        pytest.param({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, id="a form of the page"),
        pytest.param({"Origin": OWN}, id="an old browser"),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "X-ANY"])
def test_the_own_page_may_change_something(headers, method):
    check(headers, method=method)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "http://features.example.org"},
        {"Origin": f"{OWN}:8443"},
        {"Origin": f"{OWN}.evil.example"},
        {"Origin": f"{OWN}/"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": OWN},
        {"Sec-Fetch-Site": "none"},
        {"Referer": f"{OWN}/"},
    ],
)
def test_nobody_else_may(headers):
    with pytest.raises(ProblemError, match="cross_site") as caught:
        check(headers)
    assert caught.value.status == 403


def test_two_headers_are_none():
    twice = Headers(raw=[(b"sec-fetch-site", b"same-origin"), (b"sec-fetch-site", b"same-origin")])
    with pytest.raises(ProblemError):
        check_same_origin(twice, method="POST", path="/logout", origin=OWN)


@pytest.mark.parametrize("site", ["cross-site", "same-site", "x"])
@pytest.mark.parametrize("path", ["/api/session", "/v2", "/v2/models/x", "/api"])
def test_data_are_not_given_to_another_sites_page(site, path):
    with pytest.raises(ProblemError):
        check({"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors"}, method="GET", path=path)
    check({"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate"}, method="GET", path=path)


@pytest.mark.parametrize("site", ["same-origin", "none"])
def test_data_are_given_to_the_own_page_and_to_who_types_the_address(site):
    check({"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "cors"}, method="GET", path="/api/session")
    check({}, method="GET", path="/api/session")
