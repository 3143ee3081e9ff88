"""A real browser before the page of a running gateway."""

import contextlib
import shutil
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, sync_playwright
from standin import standin

from tools.engine.ports import free_ports

CHROMIUM = shutil.which("chromium")

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def gateway(server) -> Iterator[str]:
    """The address of a gateway before the running Triton."""
    with served(standin(server.http_url)) as address:
        yield address


@contextlib.contextmanager
def served(app) -> Iterator[str]:
    (port,) = free_ports(1)
    config = uvicorn.Config(app, port=port, log_level="warning")
    running = uvicorn.Server(config)
    thread = threading.Thread(target=running.run)
    thread.start()
    while not running.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{port}"
    running.should_exit = True
    thread.join()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("there is no chromium on PATH: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser, gateway) -> Iterator[Page]:
    """The page, opened; whatever it reports to the console fails the test.

    Refusals of the API are no faults of the page, although browsers report them.
    """
    context = browser.new_context(accept_downloads=True)
    page = context.new_page()
    faults: list[str] = []
    page.on("console", lambda message: faults.append(f"{message.text} {message.location['url']}"))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(gateway)
    page.locator("#model option[value=ct3dcnn]").wait_for(state="attached")
    yield page
    context.close()
    refusals = [fault for fault in faults if "status of" in fault and "/api/" in fault]
    assert [fault for fault in faults if fault not in refusals] == []
