"""A headless Chromium that a test drives over its debugging protocol, with a passkey of its own."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import aiohttp
import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
PATIENCE_S = 60
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--remote-debugging-port=0", "about:blank",
)  # fmt: skip
PASSKEY = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
}


class Page:
    """The one page of the browser.  What its scripts complain about is in ``complaints``."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket, self._number = socket, 0
        self.complaints: list[str] = []

    async def call(self, method: str, **parameters: object) -> dict[str, Any]:
        """One command of the protocol, and its result."""
        self._number += 1
        await self._socket.send_json({"id": self._number, "method": method, "params": parameters})
        while True:
            message = await self._socket.receive_json(timeout=PATIENCE_S)
            if message.get("id") == self._number:
                assert "error" not in message, (method, message["error"])
                return dict(message["result"])
            if message.get("method") in ("Runtime.exceptionThrown", "Log.entryAdded"):
                self.complaints.append(json.dumps(message["params"]))

    async def run(self, script: str) -> Any:
        """The value of an expression; promises are awaited."""
        result = await self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    async def open(self, address: str) -> None:
        """Goes to an address and waits until its scripts have run."""
        await self.call("Page.navigate", url=address)
        await self.until("document.readyState === 'complete' && location.href !== 'about:blank'")

    async def until(self, condition: str) -> None:
        """Waits until an expression is true."""
        patience = time.monotonic() + PATIENCE_S
        while not await self.run(f"Boolean({condition})"):
            assert time.monotonic() < patience, f"never true: {condition}"
            await asyncio.sleep(0.05)


def in_browser(folder: Path, visit: Callable[[Page], Coroutine[Any, Any, None]]) -> None:
    """Runs a visit in a fresh browser; its profile lies in ``folder``."""
    assert CHROMIUM is not None
    command = [CHROMIUM, f"--user-data-dir={folder}", *FLAGS]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            asyncio.run(_visit(_port(folder / "DevToolsActivePort"), visit))
        finally:
            process.kill()


def _port(told: Path) -> int:
    patience = time.monotonic() + PATIENCE_S
    while not told.exists() or "\n" not in told.read_text():
        assert time.monotonic() < patience, "the browser does not start"
        time.sleep(0.05)
    return int(told.read_text().split()[0])


async def _visit(port: int, visit: Callable[[Page], Coroutine[Any, Any, None]]) -> None:
    base = f"http://127.0.0.1:{port}"
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{base}/json") as answer:
            targets = await answer.json()
        address = next(each["webSocketDebuggerUrl"] for each in targets if each["type"] == "page")
        async with session.ws_connect(address, max_msg_size=0) as socket:
            page = Page(socket)
            for domain in ("Page", "Runtime", "Log"):
                await page.call(f"{domain}.enable")
            await page.call("WebAuthn.enable")
            await page.call("WebAuthn.addVirtualAuthenticator", options=PASSKEY)
            await visit(page)
            assert page.complaints == []
