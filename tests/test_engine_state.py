"""The page of the engine's state, where there is no network but the container's own."""

import socket

import httpx

from tools.engine.ports import free_ports
from tools.engine.state import EngineState
from tools.engine.state_page import state_page


def test_the_page_is_there_without_a_look_up_of_names(monkeypatch):
    """In a network that leads nowhere each look-up takes seconds, or is noticed by its firewall."""

    def looked_up(*_):
        raise AssertionError

    for name in ("getfqdn", "gethostbyaddr"):
        monkeypatch.setattr(socket, name, looked_up)
    (port,) = free_ports(1)

    with state_page(EngineState(status="ready"), "0.0.0.0", port):  # noqa: S104
        assert httpx.get(f"http://127.0.0.1:{port}/readyz").json()["status"] == "ready"
