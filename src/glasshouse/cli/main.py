"""The command ``glasshouse``: names of the commands, errors to exit codes; a command's module loads when it runs."""

from __future__ import annotations

import errno
import gc
import importlib
import os
import sys
from typing import Any

import click

from glasshouse import __version__

EXIT_USAGE = 2
EXIT_INTERNAL = 70
EXIT_INTERRUPTED = 130
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS})

# name -> (module, what it does); kept here so that `--help` loads none of them
COMMANDS: dict[str, tuple[str, str]] = {
    "scan": ("glasshouse.cli.scan", "Find vulnerabilities in source code."),
    "explain": ("glasshouse.cli.explain", "Say why a rule matters and how to fix what it reports."),
    "rules": ("glasshouse.cli.rules", "List the rules."),
    "respond": ("glasshouse.cli.respond", "Turn security logs into incidents and plans."),
    "log": ("glasshouse.cli.log", "Look into the log, prove what it holds, publish it, keep or erase payloads."),
    "witness": ("glasshouse.cli.witness", "Cosign logs' checkpoints, so that none can show two histories."),
    "verify": ("glasshouse.cli.verify", "Verify a receipt or a log, offline."),
    "assess": ("glasshouse.cli.assess", "Assess a model: evaluations, risk register, release gate."),
    "classify": ("glasshouse.cli.classify", "Classify a model or system under the AI Act."),
    "attest": ("glasshouse.cli.attest", "Record a signed statement."),
    "dossier": ("glasshouse.cli.dossier", "Write documents computed from the log."),
    "duty": ("glasshouse.cli.duty", "Legal clocks: what is due when, to whom, and what was filed."),
    "serve": ("glasshouse.cli.serve", "Serve models and capabilities over HTTP, each call recorded."),
    "access": ("glasshouse.cli.access", "Organisations, people, keys and engagements: who may ask for what."),
    "policy": ("glasshouse.cli.policy", "Check the policies, and explain who could do what and why not."),
    "approvals": ("glasshouse.cli.approvals", "List requests that wait for approval."),
    "approve": ("glasshouse.cli.approve", "Approve a request, with a signature."),
    "deny": ("glasshouse.cli.deny", "Deny a request, with the reason."),
    "console": ("glasshouse.cli.console", "Pages on which approvers decide with a passkey."),
    "kill": ("glasshouse.cli.kill", "Stop everything at once, show what is stopped, lift a halt."),
    "store": ("glasshouse.cli.store", "Upgrade, back up, restore and check the register."),
    "forecast": ("glasshouse.cli.forecast", "Say what will be exploited, and why."),
    "advisories": ("glasshouse.cli.advisories", "Keep advisories about packages, for scans of dependencies."),
    "exposure": ("glasshouse.cli.exposure", "Say what exploitation would hit, and what to patch first."),
    "mcp": ("glasshouse.cli.mcp", "Serve scan, respond and forecast as MCP tools on standard input and output."),
    "config": ("glasshouse.cli.config", "Show every setting with its origin."),
}

EXAMPLES = """\b
Examples:
  glasshouse scan .                           scan this folder
  glasshouse scan src --fail-on high          exit 1 only for high and critical findings
  glasshouse scan . --html-output report.html write a report for the browser
  glasshouse explain py-command-injection     what a rule means and how to fix it
  glasshouse respond logs/ --plans plans/     incidents from logs, with plans
  glasshouse verify RECEIPT                   what was recorded, checked offline"""


class LazyGroup(click.Group):
    """Lists the commands without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(COMMANDS[cmd_name][0]).command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0] if args else ""
        if name and name not in COMMANDS and not name.startswith("-"):
            raise click.UsageError(_unknown_command(name), ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


def _unknown_command(name: str) -> str:
    import difflib

    close = difflib.get_close_matches(name, COMMANDS, n=1)
    if close:
        return f"no command `{name}`; did you mean `{close[0]}`?"
    if os.path.exists(name):
        return f"no command `{name}`; to scan that path: glasshouse scan {name}"
    return f"no command `{name}`; commands are {', '.join(COMMANDS)}"


@click.group(
    cls=LazyGroup,
    epilog=EXAMPLES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.option("--debug", is_flag=True, help="Show tracebacks of errors.")
@click.version_option(__version__, message="glasshouse %(version)s")
def group(debug: bool) -> None:
    """Find weaknesses in code, turn logs into incidents, forecast exploitation, serve models; everything on record."""


def main(arguments: list[str] | None = None) -> None:
    """Runs the command line and ends the process with its documented exit code."""
    _hold_standard_streams()
    arguments = sys.argv[1:] if arguments is None else arguments
    if "scan" in arguments[:1]:
        gc.disable()  # a scan makes hardly any cycles that it does not need to its end, and looking for them takes time
    code = run(arguments)
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _silence_stdout()
    except OSError as error:
        _silence_stdout()
        code = _cannot_write(error)
    gc.freeze()  # what a command has left ends with the process; nothing has to be found and freed piece by piece
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """The exit code of a command line; every error has been reported on standard error."""
    from glasshouse.words.errors import GlasshouseError

    debug = "--debug" in arguments[: _command_position(arguments)]
    try:
        result: Any = group.main(arguments, prog_name="glasshouse", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        _say("interrupted")
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        _silence_stdout()
        return 0
    except GlasshouseError as error:
        if debug:
            _print_traceback()
        _say(error.diagnostics())
        return error.exit_code
    except OSError as error:
        if debug:
            _print_traceback()
        return _of_the_system(error)
    except Exception as error:  # noqa: BLE001 - the last line of defence: users see no bare traceback
        if debug:
            _print_traceback()
        return _internal(error)


def _internal(error: Exception) -> int:
    _say(f"internal error: {type(error).__name__}: {str(error)[:500]}")
    _say("  help: this is a fault in glasshouse. Run again as `glasshouse --debug ...` and report what it prints.")
    return EXIT_INTERNAL


def _of_the_system(error: OSError) -> int:
    """A refusal of the system that no command foresaw: about a path of the user's, or a fault of ours."""
    if error.errno in FULL:
        return _cannot_write(error)
    if not isinstance(error.filename, str) or os.path.dirname(__file__) in error.filename:
        return _internal(error)
    _say(f"{error.filename}: {error.strerror}\n  help: Check the spelling and the permissions of the path.")
    return EXIT_USAGE


def _cannot_write(error: OSError) -> int:
    """What a full or failing disk comes to, wherever it was met: no fault of ours, and nothing that we can mend."""
    place = error.filename if isinstance(error.filename, str) else "standard output or a file"
    _say(
        f"{place}: cannot write: {error.strerror}\n  help: Free some space there, or write elsewhere, and run it again."
    )
    return EXIT_USAGE


def _hold_standard_streams() -> None:
    """Opens what the parent closed: no file of ours may get the number of a standard stream, nor a report end in it."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode, encoding="utf-8"))


def _command_position(arguments: list[str]) -> int:
    return next((n for n, word in enumerate(arguments) if word in COMMANDS), len(arguments))


def _say(text: str) -> None:
    from glasshouse.words.display import visible_lines

    try:
        click.echo(f"glasshouse: {visible_lines(text)}", err=True)
    except BrokenPipeError:
        return


def _print_traceback() -> None:
    import traceback

    traceback.print_exc()


def _silence_stdout() -> None:
    """The reader has gone; the interpreter's own flush at exit must not complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
