"""Configuration files: finding the nearest one, reading it, and naming the line of every wrong key or value.

Only reads.  A project file is ``glasshouse.toml`` (tables at top level) or ``pyproject.toml`` (below
``[tool.glasshouse]``); the user file is ``config.toml`` in the XDG configuration directory.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec

from glasshouse.cli.settings.options import BY_KEY, TABLE, Option, Value
from glasshouse.cli.settings.values import OptionValueError, check_value
from glasshouse.words.errors import ConfigError
from glasshouse.words.toml_text import plain_toml

MAX_CONFIG_BYTES = 1_000_000
MAX_PARENTS = 128
OTHER_TABLES = ("gateway",)
"""Tables of the same file that other commands read and check."""

FileKind = Literal["project", "user"]


class FileSetting(msgspec.Struct, frozen=True):
    """One value from a file; ``line`` is 0 when it could not be told."""

    key: str
    value: Value
    path: Path
    line: int

    @property
    def place(self) -> str:
        return f"{self.path}:{self.line}" if self.line else str(self.path)


def find_project_file(start: Path) -> Path | None:
    """The nearest ``glasshouse.toml`` or ``pyproject.toml`` with ``[tool.glasshouse]``, at or above ``start``."""
    here = start.resolve()
    if not os.path.isdir(here):  # `Path.is_dir` raises on a name that is too long
        here = here.parent
    for folder in (here, *list(here.parents)[:MAX_PARENTS]):
        own = folder / "glasshouse.toml"
        if own.is_file():
            return own
        shared = folder / "pyproject.toml"
        if shared.is_file() and _mentions_us(shared):
            return shared
    return None


def user_file(environ: Mapping[str, str]) -> Path | None:
    """Where the user's configuration would lie; None when no home directory is known."""
    base = environ.get("XDG_CONFIG_HOME", "")
    if base and Path(base).is_absolute():
        return Path(base) / "glasshouse" / "config.toml"
    home = environ.get("HOME", "")
    return Path(home) / ".config" / "glasshouse" / "config.toml" if home else None


def read_settings(path: Path, kind: FileKind) -> list[FileSetting]:
    """Every scan setting of one file; ``ConfigError`` with file and line for anything that does not belong there."""
    text = _read_text(path)
    table = _parse(text, path)
    lines = KeyLines(text)
    prefix: tuple[str, ...] = ()
    if path.name == "pyproject.toml":
        prefix = ("tool", "glasshouse")
        table = table.get("tool", {}).get("glasshouse", {})
    if not isinstance(table, dict):
        raise ConfigError("[tool.glasshouse] must be a table", where=lines.place(path, prefix))
    _only_known(table, (TABLE, *OTHER_TABLES), path, lines, prefix, what="table")
    section = table.get(TABLE, {})
    if not isinstance(section, dict):
        raise ConfigError(f"`{TABLE}` must be a table", where=lines.place(path, (*prefix, TABLE)))
    prefix = (*prefix, TABLE)
    allowed = [option.key for option in BY_KEY.values() if _allowed(option, kind)]
    _refuse_misplaced(section, kind, path, lines, prefix)
    _only_known(section, allowed, path, lines, prefix, what="key")
    return [_setting(BY_KEY[key], value, path, lines, prefix) for key, value in section.items()]


def _allowed(option: Option, kind: FileKind) -> bool:
    return option.in_files == "all" or (option.in_files == "user" and kind == "user")


def _setting(option: Option, raw: object, path: Path, lines: KeyLines, prefix: tuple[str, ...]) -> FileSetting:
    line = lines.line((*prefix, option.key))
    try:
        value = check_value(option, raw)
    except OptionValueError as problem:
        where = lines.place(path, (*prefix, option.key))
        raise ConfigError(f"`{option.key}` {problem}", where=where) from None
    return FileSetting(option.key, _anchor(option, value, path.parent), path, line)


def _anchor(option: Option, value: Value, folder: Path) -> Value:
    """Paths in a file are relative to that file."""
    if option.kind in ("file", "directory") and isinstance(value, str):
        return str(folder / Path(value).expanduser())
    if option.kind == "files" and isinstance(value, tuple):
        return tuple(str(folder / Path(item).expanduser()) for item in value)
    return value


def _refuse_misplaced(
    section: Mapping[str, object], kind: FileKind, path: Path, lines: KeyLines, prefix: tuple[str, ...]
) -> None:
    for key in section:
        option = BY_KEY.get(key)
        if option is None or _allowed(option, kind):
            continue
        if option.in_files == "user":
            reason = "may be set in the user's configuration, the environment or on the command line, not in a project"
        else:
            reason = "can only be given on the command line"
        where = lines.place(path, (*prefix, key))
        raise ConfigError(f"`{key}` {reason}", where=where, hint=f"Remove the key and use {option.flag.split('/')[0]}.")


def _only_known(
    table: Mapping[str, object],
    known: Sequence[str],
    path: Path,
    lines: KeyLines,
    prefix: tuple[str, ...],
    *,
    what: str,
) -> None:
    for key in table:
        if key in known:
            continue
        where = lines.place(path, (*prefix, key))
        raise ConfigError(f"unknown {what} `{key}`", where=where, hint=suggestion(key, known))


def suggestion(word: str, known: Sequence[str]) -> str:
    """A sentence that names the closest known words, or all of them."""
    close = difflib.get_close_matches(word.replace("-", "_"), known, n=1, cutoff=0.6)
    if close:
        return f"Did you mean `{close[0]}`?"
    return "Known: " + ", ".join(known) + "."


class KeyLines:
    """Line numbers of keys in TOML text; the parser does not keep them.

    Good for what people write by hand (tables, keys, dotted keys); 0 where it cannot tell.
    """

    _HEADER = re.compile(r"\s*\[\s*([^\[\]]+?)\s*\]\s*(?:#.*)?$")
    _KEY = re.compile(r"\s*([A-Za-z0-9_.\"' -]+?)\s*=")

    def __init__(self, text: str) -> None:
        self._lines: dict[tuple[str, ...], int] = {}
        table: tuple[str, ...] = ()
        for number, line in enumerate(text.splitlines(), start=1):
            if header := self._HEADER.match(line):
                table = self._parts(header[1])
                self._lines.setdefault(table, number)
            elif key := self._KEY.match(line):
                full = (*table, *self._parts(key[1]))
                for length in range(len(table) + 1, len(full) + 1):
                    self._lines.setdefault(full[:length], number)

    def line(self, key: tuple[str, ...]) -> int:
        return self._lines.get(key, 0)

    def place(self, path: Path, key: tuple[str, ...]) -> str:
        line = self.line(key)
        return f"{path}:{line}" if line else str(path)

    @staticmethod
    def _parts(text: str) -> tuple[str, ...]:
        return tuple(part.strip().strip("\"'") for part in text.split("."))


def _mentions_us(path: Path) -> bool:
    try:
        text = _read_text(path)
    except ConfigError:
        return False
    if "tool.glasshouse" not in text and "glasshouse" not in text:
        return False
    try:
        table = plain_toml(text)
    except tomllib.TOMLDecodeError:
        return "[tool.glasshouse" in text
    tool = table.get("tool")
    return isinstance(tool, dict) and "glasshouse" in tool


def _read_text(path: Path) -> str:
    try:
        if not path.is_file():
            raise ConfigError("no such configuration file", where=str(path))
        with path.open("rb") as file:
            content = file.read(MAX_CONFIG_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"cannot read the configuration: {error.strerror}", where=str(path)) from error
    if len(content) > MAX_CONFIG_BYTES:
        raise ConfigError(f"configuration is larger than {MAX_CONFIG_BYTES} bytes", where=str(path))
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"configuration is not UTF-8 (byte {error.start})", where=str(path)) from error


def _parse(text: str, path: Path) -> dict[str, Any]:
    try:
        return plain_toml(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"not valid TOML: {error}", where=str(path)) from error
