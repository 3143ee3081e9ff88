"""The login behind the server that people run: its logs, websockets and odd requests."""

import asyncio
import logging
import socket
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from login_world import (
    LOCAL_TOKEN,
    NAVIGATION,
    local_settings,
    oidc_settings,
    served,
    to_the_provider,
)

from tools.engine.ports import free_ports


def test_neither_code_nor_state_are_in_the_servers_log(provider, caplog):
    caplog.set_level(logging.DEBUG)

    async def log_in() -> str:
        async with httpx.AsyncClient(base_url=provider.gateway_url) as browser:
            target = await to_the_provider(browser)
            assert (await browser.get(target, headers=NAVIGATION)).status_code == 303
            assert (await browser.get("/api/session")).status_code == 200
            return target

    with served(oidc_settings(provider)):
        query = dict(parse_qsl(urlsplit(asyncio.run(log_in())).query))

    lines = [r.getMessage() for r in caplog.records if r.name.startswith(("uvicorn", "gateway"))]
    text = " ".join(lines)
    assert '"GET /login/callback HTTP/1.1" 303' in text
    assert query["code"] not in text
    assert query["state"] not in text


@pytest.fixture
def local_port():
    (port,) = free_ports(1)
    with served(local_settings(GATEWAY_PORT=str(port))):
        yield port


@pytest.mark.parametrize("host", ["127.0.0.1", "evil.example"])
def test_the_printed_token_is_not_in_the_servers_log(caplog, host):
    caplog.set_level(logging.DEBUG)
    (port,) = free_ports(1)
    with served(local_settings(GATEWAY_PORT=str(port))):
        url = f"http://127.0.0.1:{port}/?token={LOCAL_TOKEN}&x=1"
        headers = {"Host": f"{host}:{port}"}
        for method in ("GET", "HEAD", "POST"):
            httpx.request(method, url, headers=headers)

    lines = [r.getMessage() for r in caplog.records if r.name.startswith(("uvicorn", "gateway"))]
    assert [line for line in lines if '"POST / HTTP/1.1"' in line]
    assert "hush" not in " ".join(lines)


def raw(port: int, text: bytes) -> bytes:
    """Return the first line that the server answers to bytes."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(text)
        return connection.recv(4096).partition(b"\r\n")[0]


BEARER = f"Authorization: Bearer {LOCAL_TOKEN}\r\n".encode()


def test_a_request_without_or_with_two_hosts_is_refused(local_port):
    host = f"Host: 127.0.0.1:{local_port}\r\n".encode()
    right = raw(local_port, b"GET /api/session HTTP/1.1\r\n" + host + BEARER + b"\r\n")
    assert b"200" in right

    for hosts in (b"", host + host, host + b"Host: evil.example\r\n"):
        for version in (b"1.0", b"1.1"):
            first = b"GET /api/session HTTP/" + version + b"\r\n"
            answer = raw(local_port, first + hosts + BEARER + b"\r\n")
            assert b"421" in answer or b"400" in answer


def test_an_address_with_another_host_in_it_does_not_help(local_port):
    line = b"GET http://evil.example/api/session HTTP/1.1\r\nHost: evil.example\r\n"

    assert b"421" in raw(local_port, line + BEARER + b"\r\n")


def test_a_websocket_is_refused_even_with_the_token(local_port):
    text = (
        f"GET /api/session HTTP/1.1\r\nHost: 127.0.0.1:{local_port}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    ).encode()

    assert b"403" in raw(local_port, text + BEARER + b"\r\n")


def test_encoded_addresses_open_nothing(local_port):
    for path in ("/static/%2e%2e/api/session", "/static/..%2fapi/session", "/%61pi/session"):
        text = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{local_port}\r\n\r\n".encode()
        assert raw(local_port, text).split()[1] in (b"401", b"404")
