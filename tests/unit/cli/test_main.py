"""Every error ends in its documented exit code and one clear message; tracebacks only on request."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable

import click
import pytest

from glasshouse.cli import main as cli
from glasshouse.words.errors import ConfigError


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], None]:
    """Registers a command ``fail`` that raises."""

    def register(error: BaseException) -> None:
        @click.command("fail")
        def command() -> None:
            raise error

        module = types.ModuleType("failing_command")
        vars(module)["command"] = command
        monkeypatch.setitem(sys.modules, "failing_command", module)
        monkeypatch.setitem(cli.COMMANDS, "fail", ("failing_command", "Fails."))

    return register


Failing = Callable[[BaseException], None]


def test_our_errors_say_what_where_and_the_next_step(failing: Failing, capsys: pytest.CaptureFixture[str]) -> None:
    failing(ConfigError("is wrong", where="a.toml:3", hint="Mend it."))
    assert cli.run(["fail"]) == 2
    assert capsys.readouterr() == ("", "glasshouse: a.toml:3: is wrong\n  help: Mend it.\n")


def test_a_defect_is_one_message_and_70(failing: Failing, capsys: pytest.CaptureFixture[str]) -> None:
    failing(ValueError("boom \x1b[31m"))
    assert cli.run(["fail"]) == 70
    said = capsys.readouterr().err
    assert "internal error: ValueError: boom" in said
    assert "Traceback" not in said
    assert "\x1b" not in said


def test_debug_shows_the_traceback(failing: Failing, capsys: pytest.CaptureFixture[str]) -> None:
    failing(ValueError("boom"))
    assert cli.run(["--debug", "fail"]) == 70
    assert "Traceback" in capsys.readouterr().err


def test_an_interrupt_is_130_without_traceback(failing: Failing, capsys: pytest.CaptureFixture[str]) -> None:
    failing(KeyboardInterrupt())
    assert cli.run(["fail"]) == 130
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["scna"], "did you mean `scan`?"),
        (["/"], "to scan that path: glasshouse scan /"),
        (["xyzzy"], "commands are scan"),
        (["scan"], "Missing argument 'PATHS...'"),
        (["scan", ".", "--fail-om", "high"], "--fail-on"),
    ],
)
def test_wrong_usage_is_2_and_says_the_way_out(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(arguments) == 2
    assert said in capsys.readouterr().err
