"""The MCP tools: the official client, over HTTP and over standard input and output, under the caller's key."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters, stdio_client
from tests.product.gateway.world import World, served

from glasshouse.words.engagement import CodeScope, Scope

WEAK = "import os\nfrom flask import request\n\n\ndef run():\n    os.system(request.args['cmd'])\n"


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tree")
    (folder / "app.py").write_text(WEAK)
    return folder


@pytest.fixture(scope="module")
def key(world: World, tree: Path) -> str:
    return world.engage("tools", scope=Scope(code=(CodeScope(str(tree)),)), capabilities=("code.scan",))


async def check_tools(client: Client, tree: Path) -> None:
    """Lists the tools, scans, and is refused what is out of scope."""
    assert {tool.name for tool in (await client.list_tools()).tools} == {"scan", "respond", "forecast"}
    done: Any = await client.call_tool("scan", {"paths": [str(tree)]})
    assert not done.is_error, done
    found = [each["value"]["rule_id"] for each in done.structured_content["results"] if each["kind"] == "Finding"]
    assert found == ["py-command-injection"]
    denied: Any = await client.call_tool("scan", {"paths": ["/etc"]})
    assert denied.is_error
    assert "core.out-of-scope" in denied.content[0].text
    wrong: Any = await client.call_tool("scan", {"paths": ["relative"]})
    assert wrong.is_error


def test_over_standard_input_and_output(world: World, tree: Path, key: str) -> None:
    environ = {**world.environ, "GLASSHOUSE_KEY": key}
    server = StdioServerParameters(command=sys.executable, args=["-m", "glasshouse", "mcp"], env=environ)

    async def main() -> None:
        async with Client(stdio_client(server)) as client:
            await check_tools(client, tree)

    before = len(world.entries())
    asyncio.run(main())
    assert [entry.kind for entry in world.entries()[before:]] == ["act.request", "act.outcome", "act.denied"]


def test_over_http_every_request_needs_a_key(world: World, key: str) -> None:
    hello = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    accept = [("accept", "application/json, text/event-stream"), ("host", "gateway")]

    async def main() -> None:
        async with served(world, mcp=True) as caller:
            assert (await caller.call("/mcp", hello, key=None, headers=accept)).status == 401
            answer = await caller.call("/mcp", hello, key=key, headers=accept)
            assert answer.status == 200, answer.body
            names = {tool["name"] for tool in answer.json()["result"]["tools"]}
            assert names == {"scan", "respond", "forecast"}
            call = {
                "jsonrpc": "2.0",
                "id": 2,
                "method": "tools/call",
                "params": {"name": "scan", "arguments": {"paths": ["/etc"]}},
            }
            denied = (await caller.call("/mcp", call, key=key, headers=accept)).json()
            assert denied["result"]["isError"]
            assert "core.out-of-scope" in denied["result"]["content"][0]["text"]

    asyncio.run(main())
