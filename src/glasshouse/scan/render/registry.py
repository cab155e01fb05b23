"""The report formats by name; a format's module loads when it is asked for."""

from __future__ import annotations

import importlib

from glasshouse.scan.render.interface import FormatName, Renderer
from glasshouse.words.errors import UsageError

FORMATS: dict[FormatName, str] = {
    "text": "glasshouse.scan.render.text",
    "concise": "glasshouse.scan.render.concise",
    "json": "glasshouse.scan.render.json_format",
    "sarif": "glasshouse.scan.render.sarif",
    "html": "glasshouse.scan.render.html_format",
}


def renderer(name: str) -> Renderer:
    """The format of that name; raises ``UsageError`` when there is none."""
    for known, module in FORMATS.items():
        if known == name:
            made: Renderer = importlib.import_module(module).RENDERER
            return made
    raise UsageError(f"no report format `{name}`", hint=f"Formats: {', '.join(FORMATS)}.")
