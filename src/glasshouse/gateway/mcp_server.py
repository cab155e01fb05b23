"""The capabilities as MCP tools, under the caller's key: over standard input and output, and over HTTP at ``/mcp``.

A tool is an act like any other: the door admits it, the log records it, its results are kept.  Needs the extra ``mcp``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal

import msgspec
from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.transport_security import TransportSecuritySettings

from glasshouse import __version__
from glasshouse.gateway.acts.run import Acts
from glasshouse.gateway.acts.work import WORKS
from glasshouse.gateway.asgi import Application
from glasshouse.gateway.refusals import Refusal
from glasshouse.words.act import Circumstances
from glasshouse.words.errors import GlasshouseError
from glasshouse.words.party import Caller

PATH = "/mcp"
WAIT_S = 600.0
MAX_RESULTS = 200
MAX_BODY_BYTES = 1_048_576
INSTRUCTIONS = (
    "Glasshouse finds weaknesses in code, turns logs into incidents and forecasts exploitation, for defenders and "
    "inside an engagement's scope. Every call is recorded; the answer names the entries of the log."
)
Resolve = Callable[[Mapping[str, str] | None], Awaitable[Caller]]
"""Who calls, from the headers of the request (None: over standard input and output)."""


def mcp_server(acts: Acts, resolve: Resolve) -> MCPServer[None]:
    """A server with one tool for each capability."""
    server: MCPServer[None] = MCPServer("glasshouse", version=__version__, instructions=INSTRUCTIONS, log_level="ERROR")

    async def act(capability: str, given: dict[str, Any], context: Context[Any, Any]) -> dict[str, Any]:
        try:
            caller = await resolve(_headers(context))
            work = WORKS[capability]
            checked = msgspec.convert(given, work.input, strict=False)
            record = await acts.start(caller, work, checked, Circumstances())
            await acts.wait(record.id, WAIT_S)
        except msgspec.ValidationError as error:
            raise ToolError(str(error)) from None
        except Refusal as refusal:
            raise ToolError(f"{refusal.message} [{refusal.code}]") from None
        except GlasshouseError as error:
            raise ToolError(f"{error.what}. {error.where} {error.hint} [{error.code}]") from None
        record = acts.journal.find(record.id) or record
        if record.state not in ("done", "running"):
            raise ToolError(f"{record.state}: {record.message} [{record.code}] (entry {record.request})")
        results = [msgspec.json.decode(line) for line in acts.journal.results(record.id, 0, MAX_RESULTS)]
        return {"act": msgspec.to_builtins(record), "results": results, "more": record.results > len(results)}

    @server.tool(title="Find weaknesses in code, dependencies and systems")
    async def scan(
        paths: list[str],
        ctx: Context[Any, Any],
        subject: Literal["code", "dependencies", "system"] = "code",
        mode: Literal["application", "library", "both"] = "both",
    ) -> dict[str, Any]:
        """Look below absolute paths of the server.

        Subject `code` follows data from its sources to where it does harm; `dependencies` finds those with published
        flaws, also in images; `system` finds weak settings of a root file system or image.
        """
        return await act("code.scan", {"paths": paths, "subject": subject, "mode": mode}, ctx)

    @server.tool(title="Turn logs into incidents")
    async def respond(
        logs: list[str], ctx: Context[Any, Any], min_level: str = "low", services: str = ""
    ) -> dict[str, Any]:
        """Run detection rules over log files (absolute paths of the server) and group what they find into incidents.

        Incidents come gravest first, with the forecast of the vulnerabilities that rules name.  `services`, a table
        of services and their hosts, adds what runs on their hosts.
        """
        return await act("events.respond", {"logs": logs, "min_level": min_level, "services": services}, ctx)

    @server.tool(title="Forecast exploitation")
    async def forecast(cves: list[str], ctx: Context[Any, Any], as_of: str = "") -> dict[str, Any]:
        """Say how likely each CVE is to be exploited within 30, 90 and 365 days, with reasons."""
        return await act("vulnerability.forecast", {"cves": cves, "as_of": as_of}, ctx)

    return server


def http_application(server: MCPServer[None]) -> Application:
    """The server's ASGI application: stateless, so that any worker can answer; keys are checked before it is asked."""
    security = TransportSecuritySettings(enable_dns_rebinding_protection=False)  # a browser has no key to send
    app: Application = server.streamable_http_app(
        streamable_http_path=PATH,
        json_response=True,
        stateless_http=True,
        max_request_body_size=MAX_BODY_BYTES,
        transport_security=security,
    )
    return app


def _headers(context: Context[Any, Any]) -> Mapping[str, str] | None:
    headers = context.headers
    return {name.lower(): value for name, value in headers.items()} if headers else None
