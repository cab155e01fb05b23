"""``glasshouse config``: every setting with its value and where the value comes from."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from glasshouse.cli.parameters import given_values, with_options
from glasshouse.cli.settings.options import OPTIONS, TABLE, Value
from glasshouse.cli.settings.resolve import DEFAULT, Setting, Settings, resolve


@with_options()
@click.command("config", context_settings={"max_content_width": 110})
@click.argument("path", default=".", metavar="[PATH]")
@click.option("--as", "form", type=click.Choice(["text", "json"]), default="text", help="Form of the list.")
@click.pass_context
def command(context: click.Context, /, path: str, form: str, **_: object) -> None:
    """Show every setting of a scan of PATH with its origin.

    Example: glasshouse config src --fail-on high
    """
    settings = resolve(given_values(context), os.environ, Path(path))
    if form == "json":
        import msgspec

        rows = {key: {"value": item.value, "origin": item.origin} for key, item in settings.by_key.items()}
        click.echo(msgspec.json.format(msgspec.json.encode({TABLE: rows})).decode())
        return
    for line in listing(settings):
        click.echo(line)


def listing(settings: Settings) -> Iterator[str]:
    """The settings as TOML that could be copied into a file, each with its origin as a comment."""
    shown = [settings.by_key[option.key] for option in OPTIONS if option.in_files != "none"]
    shown += [item for item in settings.by_key.values() if item not in shown and item.origin != DEFAULT]
    rows = [_row(item) for item in shown]
    width = min(max(len(text) for text, _ in rows), 60)
    yield f"[{TABLE}]"
    for text, origin in rows:
        yield f"{text:<{width}}  # {origin}"


def _row(setting: Setting) -> tuple[str, str]:
    if setting.value is None:
        return f"# {setting.key} is not set", setting.origin
    return f"{setting.key} = {toml_value(setting.value)}", setting.origin


def toml_value(value: Value) -> str:
    """A value as TOML."""
    import json

    if isinstance(value, tuple):
        items: list[Any] = [json.dumps(item) for item in value]
        return f"[{', '.join(items)}]"
    return json.dumps(value)
