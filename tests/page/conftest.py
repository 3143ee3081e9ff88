"""A real browser before the page of a running gateway."""

import asyncio
import base64
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from gateway_server import listening
from kheops.orthanc import PLUGIN, PROGRAM, environment
from kheops.stand_in import Kheops, running_kheops
from playwright.sync_api import Browser, Page, sync_playwright
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.app import application
from gateway.settings import Settings
from tools.engine.ports import free_ports

CHROMIUM = shutil.which("chromium")

TOKEN = "the-token-of-the-printed-url"  # noqa: S105

PATIENCE_MS = 30_000

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def has_orthanc() -> bool:
    """Say whether the programs are there that a stand-in for Kheops needs."""
    return PROGRAM.exists() and PLUGIN.exists()


@dataclass(frozen=True)
class Gateway:
    """A running gateway; headers: what lets a program in."""

    url: str
    headers: dict[str, str] = field(default_factory=dict)

    def wait_for_models(self) -> None:
        """Wait until the gateway knows what its Triton serves."""
        while not httpx.get(f"{self.url}/api/models", headers=self.headers).json().get("models"):
            time.sleep(0.1)

    def csv_lines(self, study: bytes) -> list[bytes]:
        """What the API answers for a study as CSV."""
        return self.answer(study, "text/csv").content.splitlines(keepends=True)

    def answer(self, study: bytes, form: str = "application/json") -> httpx.Response:
        """What the API answers for a study."""
        answer = httpx.post(
            f"{self.url}/api/models/ct3dcnn/features",
            content=study,
            headers={"Accept": form, "Content-Type": "application/zip", **self.headers},
            timeout=120,
        )
        return answer.raise_for_status()


class Delay:
    """Holds answers back, once they are there; seconds: how long."""

    seconds = 0.0

    def before(self, app: ASGIApp) -> ASGIApp:
        async def delayed(scope: Scope, receive: Receive, send: Send) -> None:
            async def held_back(message: Message) -> None:
                if scope.get("path", "").endswith("/features") and message["type"].endswith(
                    "start"
                ):
                    await asyncio.sleep(self.seconds)
                await send(message)

            await app(scope, receive, held_back)

        return delayed


@pytest.fixture(scope="session")
def delay() -> Delay:
    return Delay()


@pytest.fixture
def slowly(delay) -> Iterator[None]:
    """For the time of a test, answers of features take seconds."""
    delay.seconds = 2.5
    yield
    delay.seconds = 0.0


@pytest.fixture(scope="session")
def kheops(orthanc) -> Iterator[Kheops]:
    """A Kheops whose users come with tokens of its own."""
    with running_kheops(orthanc, "https://provider.example", dict) as kheops:
        yield kheops


@pytest.fixture(scope="session")
def gateway(request, server, delay, tmp_path_factory) -> Iterator[Gateway]:
    """A gateway before the running Triton; with Kheops and an archive where there is an Orthanc."""
    (port,) = free_ports(1)
    folder = tmp_path_factory.mktemp("jobs")
    stated = {
        "GATEWAY_MODE": "local",
        "GATEWAY_TOKEN": TOKEN,
        "GATEWAY_PORT": str(port),
        "GATEWAY_TRITON_URLS": server.http_url,
        "GATEWAY_JOBS_DATABASE": f"sqlite:///{folder / 'jobs.sqlite'}",
    }
    if has_orthanc():
        stated["GATEWAY_KHEOPS_URL"] = request.getfixturevalue("kheops").url
        stated |= environment(request.getfixturevalue("orthanc"))
    settings = Settings.from_environment(stated)
    with listening(delay.before(application(settings)), port):
        gateway = Gateway(f"http://127.0.0.1:{port}", {"Authorization": f"Bearer {TOKEN}"})
        gateway.wait_for_models()
        yield gateway


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser for the tests of one module: an event loop of its own runs while it is there."""
    if CHROMIUM is None:
        pytest.skip("there is no chromium on PATH: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser, gateway) -> Iterator[Page]:
    """The page, opened; whatever it reports to the console, or asks of another host, fails.

    Refusals of the API are no faults of the page, although browsers report them.
    """
    context = browser.new_context(accept_downloads=True)
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    faults: list[str] = []
    page.on("console", lambda message: faults.append(f"{message.text} {message.location['url']}"))
    page.on("pageerror", lambda error: faults.append(str(error)))
    context.on("request", lambda request: faults.extend(foreign(request.url, gateway.url)))
    page.goto(f"{gateway.url}/?token={TOKEN}")
    page.locator("#model option[value=ct3dcnn]").wait_for(state="attached")
    yield page
    context.close()
    assert [fault for fault in faults if not is_refusal(fault)] == []


def foreign(address: str, here: str) -> list[str]:
    """The address of a request, if it leaves the host; what a page makes itself has none."""
    is_own = address.startswith((f"{here}/", "data:", f"blob:{here}/"))
    return [] if is_own else [f"another host was asked: {address}"]


def is_refusal(fault: str) -> bool:
    """Say whether a browser reports that the API did not answer, or not with a success."""
    return fault.startswith("Failed to load resource") and "/api/" in fault


@pytest.fixture
def drop(page) -> Callable[..., None]:
    """Drops files and folders of the disk on the page, as a person's hand does."""
    browser = page.context.new_cdp_session(page)
    field = page.locator("#drop").bounding_box()
    at = {"x": field["x"] + 9, "y": field["y"] + 9}

    def drop(*paths: Path) -> None:
        data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
        for step in ("dragEnter", "dragOver", "drop"):
            browser.send("Input.dispatchDragEvent", {"type": step, "data": data, **at})

    return drop


@pytest.fixture
def made_in_browser(page) -> Callable[[str], bytes]:
    """Bytes that JavaScript makes with the modules of the page: the text is an async body."""

    def made(body: str) -> bytes:
        script = f"""async () => {{
            {body}
            const made = await bytes();
            const address = await new Promise((resolve) => {{
                const reader = new FileReader();
                reader.onload = () => resolve(reader.result);
                reader.readAsDataURL(made);
            }});
            return address.split(",")[1] ?? "";
        }}"""
        return base64.b64decode(page.evaluate(script))

    return made
