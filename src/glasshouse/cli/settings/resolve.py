"""Puts every option's value together: command line > environment > project file > user file > default.

``resolve`` is given what each place says and opens only the configuration files; the environment comes in as a mapping.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from glasshouse.cli.settings.files import FileSetting, find_project_file, read_settings, suggestion, user_file
from glasshouse.cli.settings.options import BY_KEY, ENVIRONMENT_PREFIX, OPTIONS, ScanOptions, Value
from glasshouse.cli.settings.values import OptionValueError, check_text
from glasshouse.words.errors import ConfigError


class Setting(msgspec.Struct, frozen=True):
    """A value and where it came from, in words: ``default``, ``command line``, ``GLASSHOUSE_SCAN_X``, ``file:line``."""

    key: str
    value: Value
    origin: str


class Settings(msgspec.Struct, frozen=True):
    """All settings by key, and the files that were read (nearest first)."""

    by_key: dict[str, Setting]
    files: tuple[Path, ...] = ()

    def typed(self) -> ScanOptions:
        """The same as a struct with one typed field per option."""
        values = {key: setting.value for key, setting in self.by_key.items()}
        return msgspec.convert(values, ScanOptions, dec_hook=_to_path)

    def given(self, key: str) -> bool:
        """Whether the command line itself named this option."""
        return self.by_key[key].origin == COMMAND_LINE


COMMAND_LINE = "command line"
DEFAULT = "default"
INSTEAD_OF = {"baseline": "baseline_ref", "baseline_ref": "baseline"}
"""Options that answer one question: who names one also sets aside what a place of lower rank says of the other."""


def resolve(command_line: Mapping[str, Value], environ: Mapping[str, str], start: Path) -> Settings:
    """Settings for a scan that starts at ``start``; ``command_line`` holds only the options that were given."""
    found = {option.key: Setting(option.key, option.default, DEFAULT) for option in OPTIONS}
    files: list[Path] = []
    if not command_line.get("no_config"):
        chosen = command_line.get("config")
        for layer in _from_files(str(chosen) if chosen else "", environ, start, files):
            _lay_over(found, [Setting(setting.key, setting.value, setting.place) for setting in layer])
        _lay_over(found, _from_environment(environ))
    _lay_over(found, [Setting(key, value, COMMAND_LINE) for key, value in command_line.items()])
    return Settings(found, tuple(files))


def _lay_over(found: dict[str, Setting], layer: list[Setting]) -> None:
    """What one place says, over what places of lower rank said."""
    named = {setting.key for setting in layer}
    for setting in layer:
        found[setting.key] = setting
        other = INSTEAD_OF.get(setting.key)
        if other is not None and other not in named and setting.value is not None:
            found[other] = Setting(other, BY_KEY[other].default, f"set aside by {setting.key}, {setting.origin}")


def _from_files(chosen: str, environ: Mapping[str, str], start: Path, files: list[Path]) -> list[list[FileSetting]]:
    """By file, user settings first, so that project settings written over them win."""
    settings: list[list[FileSetting]] = []
    user = user_file(environ)
    if user is not None and user.is_file():
        settings.append(list(read_settings(user, "user")))
        files.insert(0, user)
    project = Path(chosen) if chosen else find_project_file(start)
    if project is not None:
        settings.append(list(read_settings(project, "user" if chosen else "project")))
        files.insert(0, project)
    return settings


def _from_environment(environ: Mapping[str, str]) -> list[Setting]:
    settings = []
    known = [option.variable for option in OPTIONS if option.in_files != "none"]
    for name in sorted(environ):
        if not name.startswith(ENVIRONMENT_PREFIX):
            continue
        if name not in known:
            raise ConfigError("unknown environment variable", where=name, hint=suggestion(name, known))
        option = BY_KEY[name[len(ENVIRONMENT_PREFIX) :].lower()]
        try:
            settings.append(Setting(option.key, check_text(option, environ[name]), name))
        except OptionValueError as problem:
            raise ConfigError(f"`{option.key}` {problem}", where=name) from None
    return settings


def _to_path(kind: type, value: object) -> object:
    if kind is Path and isinstance(value, str):
        return Path(value)
    raise NotImplementedError(kind)
