"""Markdown for docs/reference/cli.md and configuration.md, made from the commands and the option table."""

from __future__ import annotations

from collections.abc import Iterator

import click

from glasshouse.cli.main import COMMANDS, group
from glasshouse.cli.settings.options import GROUPS, OPTIONS, Option
from glasshouse.cli.settings.values import FALSE_WORDS, TRUE_WORDS

_GENERATED = "Generated from the option table by `scripts/document_cli.py`; do not edit.\n"

_TYPES = {
    "flag": "true or false",
    "text": "string",
    "list": "list of strings",
    "integer": "whole number",
    "number": "number",
    "file": "path",
    "directory": "path",
    "files": "list of paths",
}


def cli_page() -> str:
    """The reference of all commands, as their own help prints it."""
    parts = ["# Command line\n", _GENERATED, _EXIT_CODES]
    context = group.make_context("glasshouse", [], resilient_parsing=True, terminal_width=100)
    parts.append(_help_block("glasshouse", group, context))
    for name in COMMANDS:
        found = group.get_command(context, name)
        assert found is not None
        inner = found.make_context(name, [], parent=context, resilient_parsing=True, terminal_width=100)
        parts += _blocks(f"glasshouse {name}", found, inner)
        parts.append(_help_block(f"glasshouse {name}", found, inner))
        parts += _subcommands(name, found, inner)
    return "\n".join(parts)


def _blocks(title: str, found: click.Command, context: click.Context) -> Iterator[str]:
    """The help of a command and of the commands below it."""
    yield _help_block(title, found, context)
    for name, each in getattr(found, "commands", {}).items():
        inner = each.make_context(name, [], parent=context, resilient_parsing=True, terminal_width=100)
        yield from _blocks(f"{title} {name}", each, inner)
    for name, each in getattr(found, "subcommands", {}).items():  # beside arguments of the command's own
        path = f"{context.info_name} {name}"
        inner = each.make_context(path, [], parent=context.parent, resilient_parsing=True, terminal_width=100)
        yield from _blocks(f"{title} {name}", each, inner)


def configuration_page() -> str:
    """The reference of the configuration files, keys and environment variables."""
    return "\n".join(["# Configuration\n", _GENERATED, _FILES, *_tables()]) + "\n"


def _subcommands(name: str, found: click.Command, context: click.Context) -> Iterator[str]:
    if isinstance(found, click.Group):
        for each in found.list_commands(context):
            below = found.get_command(context, each)
            assert below is not None
            inner = below.make_context(each, [], parent=context, resilient_parsing=True, terminal_width=100)
            yield _help_block(f"glasshouse {name} {each}", below, inner)


def _help_block(title: str, found: click.Command, context: click.Context) -> str:
    text = "\n".join(line.rstrip() for line in found.get_help(context).splitlines())
    return f"## {title}\n\n```text\n{text}\n```\n"


def _tables() -> Iterator[str]:
    yield "## Keys of `[scan]`\n"
    for name, title in GROUPS:
        options = [option for option in OPTIONS if option.group == name and option.in_files != "none"]
        if not options:
            continue
        yield f"### {title}\n"
        yield "| key | type | default | option | environment | meaning |"
        yield "| --- | --- | --- | --- | --- | --- |"
        yield from (_row(option) for option in options)
        yield ""
    only = [option for option in OPTIONS if option.in_files == "none"]
    yield "## Options without a key\n"
    yield "These say what one run writes or compares with, so they can only be given on the command line:"
    yield ", ".join(f"`{option.flag}`" for option in only) + "."


def _row(option: Option) -> str:
    kind = ", ".join(f"`{choice}`" for choice in option.choices) if option.choices else _TYPES[option.kind]
    kind = f"list of {kind}" if option.choices and option.kind == "list" else kind
    meaning = option.help + (" Not in project files." if option.in_files == "user" else "")
    cells = (f"`{option.key}`", kind, _default(option), f"`{option.flag}`", f"`{option.variable}`", meaning)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _default(option: Option) -> str:
    if option.default in (None, ""):
        return "not set"
    if isinstance(option.default, bool):
        return "`true`" if option.default else "`false`"
    return "empty" if option.default == () else f"`{option.default}`"


_EXIT_CODES = """Results go to standard output, everything else to standard error.

| exit code | meaning |
| --- | --- |
| 0 | clean: nothing at or above `--fail-on` |
| 1 | findings at or above `--fail-on` that are new, shown and not suppressed |
| 2 | usage or configuration error |
| 4 | nothing to analyse |
| 5 | incomplete: a file could not be analysed (`--allow-incomplete` turns it into 0 or 1) |
| 70 | internal error; `glasshouse --debug ...` prints a traceback |
| 130 | interrupted |

With `--format sarif` on standard output, findings give 0, because a program reads the report and decides; giving
`--fail-on` on the command line restores 1. Errors (2, 4, 70) and an incomplete scan (5) are the same in every format.
"""

_FILES = f"""A value is taken from the first of:

1. the command line;
2. an environment variable `GLASSHOUSE_SCAN_<KEY>` (lists separated by commas; flags: {", ".join(TRUE_WORDS)} or
   {", ".join(FALSE_WORDS)});
3. the project file: the nearest `glasshouse.toml`, or `pyproject.toml` with a `[tool.glasshouse]` table, in the folder
   of the first scanned path or above it; `--config FILE` names another one;
4. the user file `$XDG_CONFIG_HOME/glasshouse/config.toml` (`~/.config/glasshouse/config.toml`);
5. the default.

`--no-config` skips 2, 3 and 4; use it on code that you do not trust, because its project file is part of it.
`glasshouse config` shows every value with its origin. Unknown keys and wrong types are errors that name file and line.
Paths in a file are relative to that file.

```toml
# glasshouse.toml
[scan]
fail_on = "high"
rules = ["-py-weak-hash"]
max_file_bytes = 1_000_000
```

In `pyproject.toml` the table is `[tool.glasshouse.scan]`.
"""
