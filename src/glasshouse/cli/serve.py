"""``glasshouse serve``: the gateway for models and capabilities over HTTP."""

from __future__ import annotations

import os
from pathlib import Path

import click

from glasshouse.words.display import counted


@click.command("serve", context_settings={"max_content_width": 110})
@click.option(
    "--config", "config", metavar="FILE", help="Configuration with a [gateway] table [nearest glasshouse.toml]."
)
@click.option("--host", help="Address to listen on [127.0.0.1].")
@click.option("--port", type=click.IntRange(0, 65_535), help="Port to listen on [8090].")
@click.option(
    "--workers", type=click.IntRange(1, 64), help="Worker processes; they share one log and one set of limits [1]."
)
@click.option("--check", "only_check", is_flag=True, help="Check the configuration and stop.")
def command(config: str | None, host: str | None, port: int | None, workers: int | None, only_check: bool) -> None:
    """Serve models and capabilities over HTTP; every call is authorised, screened and recorded.

    Point an Anthropic or OpenAI client at it with `base_url` and a Glasshouse key.
    """
    import msgspec

    from glasshouse.cli.settings.files import find_project_file
    from glasshouse.gateway.serve import check, serve
    from glasshouse.gateway.settings import read_settings
    from glasshouse.words.errors import ConfigError

    path = Path(config) if config else find_project_file(Path.cwd())
    if path is None:
        hint = "Write a glasshouse.toml; see docs/how-to/run-the-gateway.md."
        raise ConfigError("no configuration was found", hint=hint)
    given = {"host": host, "port": port, "workers": workers}
    settings = msgspec.structs.replace(read_settings(path), **{k: v for k, v in given.items() if v is not None})
    if only_check:
        check(settings, os.environ)
        click.echo(
            f"{path}: {counted(len(settings.models), 'model')}, {counted(len(settings.upstreams), 'upstream')}",
            err=True,
        )
        return
    serve(path, settings, os.environ)
