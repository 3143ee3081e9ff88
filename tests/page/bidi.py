"""Firefox by WebDriver BiDi, which Debian's builds speak: Playwright drives builds of its own."""

import asyncio
import itertools
import json
import os
import shutil
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from tools.engine.ports import free_ports

FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox")

PATIENCE_S = 60.0

PREFERENCES = {
    "browser.download.folderList": 2,
    "browser.download.useDownloadDir": True,
    "browser.download.always_ask_before_handling_new_types": False,
    "layout.css.prefers-color-scheme.content-override": 0,
    "ui.prefersReducedMotion": 1,
}
"""Files go into a folder without a question; pages are shown in the dark."""


class Firefox:
    """A window of a running Firefox; faults: what its console was told, warnings and worse."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket, self._numbers, self._context = socket, itertools.count(1), ""
        self.faults: list[str] = []

    async def begin(self) -> None:
        """Begin a session with the window that is open."""
        await self.call("session.new", capabilities={})
        await self.call("session.subscribe", events=["log.entryAdded"])
        tree = await self.call("browsingContext.getTree")
        self._context = tree["contexts"][0]["context"]

    async def call(self, method: str, **params: Any) -> Any:
        """Return the result of a command."""
        number = next(self._numbers)
        await self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            told = json.loads(await self._socket.recv())
            if told.get("method") == "log.entryAdded" and told["params"]["level"] != "info":
                self.faults.append(told["params"]["text"])
            if told.get("id") == number:
                assert told["type"] == "success", told
                return told["result"]

    async def open(self, url: str) -> None:
        await self.call("browsingContext.navigate", context=self._context, url=url, wait="complete")

    async def run(self, script: str) -> Any:
        """Return the value of an expression of JavaScript."""
        target = {"context": self._context}
        told = await self.call(
            "script.evaluate", expression=script, target=target, awaitPromise=True
        )
        assert told["type"] == "success", told
        return told["result"].get("value")

    async def wait(self, script: str) -> None:
        """Return when an expression is true."""
        deadline = time.monotonic() + PATIENCE_S
        while not await self.run(f"Boolean({script})"):
            assert time.monotonic() < deadline, script
            await asyncio.sleep(0.1)

    async def choose(self, selector: str, *paths: Path) -> None:
        """Choose files in a field."""
        locator = {"type": "css", "value": selector}
        found = await self.call(
            "browsingContext.locateNodes", context=self._context, locator=locator
        )
        element = {"sharedId": found["nodes"][0]["sharedId"]}
        files = [str(path) for path in paths]
        await self.call("input.setFiles", context=self._context, element=element, files=files)

    async def click(self, selector: str) -> None:
        """Click the first element of a selector, by its own method."""
        await self.run(f"document.querySelector({json.dumps(selector)}).click()")

    async def choose_option(self, selector: str, value: str) -> None:
        """Choose an option of a list, as a person does."""
        await self.run(f"""(() => {{
            const list = document.querySelector({json.dumps(selector)});
            list.value = {json.dumps(value)};
            list.dispatchEvent(new Event("change"));
        }})()""")

    async def write(self, selector: str, text: str) -> None:
        """Type a text into a field."""
        await self.run(f"document.querySelector({json.dumps(selector)}).focus()")
        await self.press(*text)

    async def press(self, *keys: str) -> None:
        """Press keys one after the other; those without a text by WebDriver's code points."""
        actions = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        await self._act({"type": "key", "id": "keyboard", "actions": actions})

    async def drag(self, *points: tuple[float, float]) -> None:
        """Draw a line of points, in pixels of the window, with the mouse pressed."""
        moves = [
            {"type": "pointerMove", "x": round(x), "y": round(y), "duration": 0} for x, y in points
        ]
        pressed = [{"type": "pointerDown", "button": 0}, *moves[1:]]
        actions = [moves[0], *pressed, {"type": "pointerUp", "button": 0}]
        await self._act({"type": "pointer", "id": "mouse", "actions": actions})

    async def _act(self, source: dict[str, Any]) -> None:
        await self.call("input.performActions", context=self._context, actions=[source])


@asynccontextmanager
async def running_firefox(profile: Path, downloads: Path) -> AsyncIterator[Firefox]:
    """Give a Firefox with a new profile. downloads: the folder that files go into."""
    (port,) = free_ports(1)
    preferences = {**PREFERENCES, "browser.download.dir": str(downloads)}
    lines = [f"user_pref({json.dumps(k)}, {json.dumps(v)});" for k, v in preferences.items()]
    (profile / "user.js").write_text("\n".join(lines))
    command = [str(FIREFOX), "--headless", "--no-remote", "--profile", str(profile)]
    with (profile / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, f"--remote-debugging-port={port}"],
            stdout=log,
            stderr=log,
            env={**os.environ, "HOME": str(profile)},
        )
    try:
        socket = await _connected(f"ws://127.0.0.1:{port}/session")
        firefox = Firefox(socket)
        await firefox.begin()
        yield firefox
        await firefox.call("browser.close")
    finally:
        process.terminate()
        process.wait(30)


async def _connected(url: str) -> ClientConnection:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            return await connect(url, max_size=None)
        except OSError:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.1)
