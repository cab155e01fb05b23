"""Command-line parameters made from the table of options, and a help page that groups them, example first."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import click
from click.core import ParameterSource

from glasshouse.cli.settings.options import BY_KEY, GROUPS, OPTIONS, Option, Value
from glasshouse.cli.settings.values import OptionValueError, check_text

_RANGE = re.compile(r"\s*\[x>=?[\d.]+\]")
SHORT_FLAGS = {"output": "-o", "jobs": "-j", "quiet": "-q"}


class GroupedCommand(click.Command):
    """A command whose help shows examples first and options by subject."""

    def __init__(self, *args: Any, examples: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.examples = examples

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_help_text(ctx, formatter)
        if self.examples:
            with formatter.section("Examples"):
                for line in self.examples.strip("\n").splitlines():
                    formatter.write(f"  {line.strip()}\n")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        records: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            option = BY_KEY.get(parameter.name or "")
            if record is not None and isinstance(parameter, click.Option):
                names, text = record
                group = option.group if option else "other"
                records.setdefault(group, []).append((names, _RANGE.sub("", text)))
        for group, title in (*GROUPS, ("other", "Other")):
            if group in records:
                with formatter.section(title):
                    formatter.write_dl(records[group], col_max=32)


def with_options(*, without: tuple[str, ...] = ()) -> Callable[[click.Command], click.Command]:
    """Adds one parameter for every option of the table."""

    def add(command: click.Command) -> click.Command:
        command.params.extend(_parameter(option) for option in OPTIONS if option.key not in without)
        return command

    return add


def given_values(context: click.Context) -> dict[str, Value]:
    """The options that the command line itself names, as the configuration would hold them."""
    values: dict[str, Value] = {}
    for option in OPTIONS:
        if context.get_parameter_source(option.key) is not ParameterSource.COMMANDLINE:
            continue
        raw = context.params[option.key]
        values[option.key] = _checked(option, raw) if option.kind in ("list", "threshold") else raw
    return values


def _checked(option: Option, raw: str | tuple[str, ...]) -> Value:
    try:
        return check_text(option, raw if isinstance(raw, str) else ",".join(raw))
    except OptionValueError as error:
        raise click.UsageError(f"{option.flag} {error}") from None


def _parameter(option: Option) -> click.Option:
    short = [SHORT_FLAGS[option.key]] if option.key in SHORT_FLAGS else []
    return click.Option(
        [*short, option.flag, option.key],
        type=_type(option),
        is_flag=True if option.kind == "flag" else None,
        multiple=option.kind in ("list", "files"),
        metavar=option.metavar or None,
        help=option.help + shown_default(option),
    )


def _type(option: Option) -> click.ParamType[Any] | None:
    match option.kind:
        case "flag":
            return None
        case "choice":
            return click.Choice(option.choices)
        case "integer":
            return click.IntRange(min=int(option.minimum) if option.minimum is not None else None)
        case "number":
            return click.FloatRange(min=option.minimum)
        case _:
            return click.STRING


def shown_default(option: Option) -> str:
    """How the default reads in help: ``  [default: text]``."""
    if option.default in (None, (), ""):
        return ""
    if option.kind == "flag":
        return "  [default: yes]" if option.default else ""
    return f"  [default: {option.default:,}]" if option.kind == "integer" else f"  [default: {option.default}]"
