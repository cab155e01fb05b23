"""``glasshouse mcp``: the capabilities as MCP tools over standard input and output."""

from __future__ import annotations

import os

import click


@click.command("mcp", context_settings={"max_content_width": 110})
def command() -> None:
    """Serve scan, respond and forecast as MCP tools over standard input and output, under GLASSHOUSE_KEY.

    For an MCP client's configuration: command `glasshouse`, arguments `mcp`.  Over HTTP, `glasshouse serve` has the
    same tools at /mcp.
    """
    from glasshouse.gateway.mcp_stdio import serve_stdio

    serve_stdio(os.environ)
