"""A Triton of another container: it is told from one of this account by its access file alone."""

import httpx
import pytest
from gateway_server import serving, settings_of, wait_until

from tools.engine.access import local_access


@pytest.fixture
def elsewhere(server, monkeypatch):
    """The address and the key of a Triton whose folders and shared memory are not seen."""
    key = local_access(server.http_url).key
    monkeypatch.setattr("gateway.engines.canary.local_access", lambda _: None)
    return server.http_url, key


def test_it_tells_its_models_to_who_has_its_key(elsewhere):
    url, key = elsewhere
    with serving(settings_of(url, GATEWAY_TRITON_KEY=key, GATEWAY_MODELS="none")) as (gateway, app):
        (engine,) = app.state.engines
        (model,) = httpx.get(f"{gateway}/api/models").json()["models"]

    assert not engine.is_local
    assert (model["name"], model["trained_modalities"]) == ("ct3dcnn", ["CT"])


def test_without_its_key_the_models_are_those_that_are_named(elsewhere):
    url, _ = elsewhere
    with serving(settings_of(url, GATEWAY_MODELS="ct3dcnn")) as (gateway, _):
        (model,) = httpx.get(f"{gateway}/api/models").json()["models"]

    assert (model["name"], model["trained_modalities"]) == ("ct3dcnn", None)


def test_with_a_wrong_key_it_gets_no_studies_and_the_log_says_why(elsewhere, caplog):
    url, _ = elsewhere
    settings = settings_of(url, GATEWAY_TRITON_KEY="hush" * 8)
    with serving(settings, ready=False) as (gateway, app):
        (engine,) = app.state.engines
        engine.is_in = True  # what a log tells is that it is taken out
        wait_until(lambda: not engine.is_in)
        assert httpx.get(f"{gateway}/readyz").status_code == httpx.codes.SERVICE_UNAVAILABLE

    assert "HTTPStatusError" in caplog.text
    assert "hush" not in caplog.text
