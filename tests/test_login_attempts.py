"""Logins that have begun: used once, by one browser, and leading nowhere but here."""

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from login_world import monotonic_ahead

from gateway.login import attempts
from gateway.login.attempts import Attempts, local_path


def test_an_attempt_is_taken_once_and_by_its_browser():
    held = Attempts()
    state, attempt = held.begin("mine", next_path="/x")

    assert held.take(state, browser="another") is None
    assert held.take("state", browser="mine") is None
    assert held.take(state, browser="mine") is attempt
    assert held.take(state, browser="mine") is None


def test_an_attempt_lasts_ten_minutes(monkeypatch):
    held = Attempts()
    early, late = (held.begin("mine", next_path="/")[0] for _ in range(2))
    monotonic_ahead(monkeypatch, 599)
    assert held.take(early, browser="mine")
    monotonic_ahead(monkeypatch, 601)
    assert held.take(late, browser="mine") is None


def test_the_oldest_attempt_gives_way(monkeypatch):
    monkeypatch.setattr(attempts, "MOST_ATTEMPTS", 3)
    held = Attempts()
    states = [held.begin("mine", next_path="/")[0] for _ in range(4)]

    assert [held.take(each, browser="mine") is not None for each in states] == [0, 1, 1, 1]


def test_no_repr_shows_the_verifier_or_the_nonce():
    _, attempt = Attempts().begin("mine", next_path="/")

    assert attempt.own.verifier not in repr(attempt)
    assert attempt.own.nonce not in repr(attempt)


@pytest.mark.parametrize(
    "path", ["/", "/docs", "/?study=7&view=a%20b", "/a/b#c", "/%2F%2Fx", "/@x"]
)
def test_a_path_of_the_gateway_is_kept(path):
    assert local_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        " //evil.example",
        "https://evil.example",
        "https:evil.example",
        "javascript:alert(1)",
        "evil.example",
        "/x//evil.example",
        "/x\\y",
        "/x\r\nSet-Cookie: a=b",
        "/\u2028",
        "/é",
        "/\x7f",
        "",
        "/login",
        "/login/callback?code=x",
        "/" + "a" * 2000,
    ],
)
def test_what_may_lead_elsewhere_becomes_the_page(path):
    assert local_path(path) == "/"


@settings(deadline=None)
@given(st.text(alphabet="/\\.:@%?#ab\t\n\r e", max_size=20))
def test_no_text_leads_to_another_host(text):
    target = httpx.URL("https://gateway.example/x").join(local_path(text))

    assert (target.scheme, target.host) == ("https", "gateway.example")
