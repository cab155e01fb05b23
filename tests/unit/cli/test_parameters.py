"""The parser, the help and the reference come from the one table of options."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from glasshouse.cli.main import group
from glasshouse.cli.parameters import given_values, with_options
from glasshouse.cli.reference import cli_page, configuration_page
from glasshouse.cli.settings.options import OPTIONS, Value

ROOT = Path(__file__).resolve().parents[3]


def parsed(*arguments: str) -> dict[str, Value]:
    """What the command line gave."""
    seen: dict[str, Value] = {}

    @with_options()
    @click.command()
    @click.pass_context
    def probe(context: click.Context, /, **_: object) -> None:
        seen.update(given_values(context))

    result = CliRunner().invoke(probe, list(arguments))
    assert result.exit_code == 0, result.output
    return seen


def test_only_what_was_given_counts_as_given() -> None:
    assert parsed() == {}
    assert parsed("--fail-on", "low") == {"fail_on": "low"}


def test_every_flag_can_be_turned_on_and_off_again() -> None:
    for option in OPTIONS:
        on, _, off = option.flag.partition("/")
        if option.kind == "flag" and off:
            assert parsed(on) == {option.key: True}
            assert parsed(off) == {option.key: False}


def test_lists_are_repeated_or_separated_by_commas() -> None:
    assert parsed("--rules", "a, b", "--rules=-c")["rules"] == ("a", "b", "-c")


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.key)
def test_every_option_is_in_the_help_of_scan(option: object) -> None:
    text = CliRunner().invoke(group, ["scan", "--help"]).output
    assert isinstance(option, type(OPTIONS[0]))
    assert option.flag.replace("/", " / ") in text


@pytest.mark.parametrize(("name", "page"), [("cli.md", cli_page), ("configuration.md", configuration_page)])
def test_the_reference_page_is_generated_from_the_table(name: str, page: object) -> None:
    assert callable(page)
    assert (ROOT / "docs" / "reference" / name).read_text(encoding="utf-8") == page()
