"""Writes docs/reference/cli.md and configuration.md from the command line itself; ``--check`` only compares."""

from __future__ import annotations

import sys
from pathlib import Path

from glasshouse.cli.reference import cli_page, configuration_page

REFERENCE = Path(__file__).resolve().parent.parent / "docs" / "reference"


def main(arguments: list[str]) -> int:
    """0 when the pages are (now) up to date."""
    stale = 0
    for name, text in (("cli.md", cli_page()), ("configuration.md", configuration_page())):
        page = REFERENCE / name
        if "--check" not in arguments:
            page.write_text(text)
        elif not page.exists() or page.read_text() != text:
            print(f"{name} is out of date; run scripts/document_cli.py", file=sys.stderr)
            stale = 1
    return stale


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
