"""``command``: one allow-listed program with fixed arguments, no shell."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from glasshouse.respond.connect.interface import MAX_DETAIL, TIMEOUT_S, safe_name
from glasshouse.words.errors import ConnectorError
from glasshouse.words.plan import ApprovedStep, StepResult

TARGET, HOST, ACTION, STEP = "{target}", "{host}", "{action}", "{step}"


class CommandConnector:
    """Runs ``argv`` with the placeholders {target}, {host}, {action} and {step} filled in, one argument each.

    The program is named by an absolute path.  It gets no environment but PATH and LANG.
    """

    name = "command"

    def __init__(self, argv: tuple[str, ...], timeout_s: float = TIMEOUT_S) -> None:
        if not argv or not os.path.isabs(argv[0]) or "{" in argv[0]:
            raise ConnectorError("argv must begin with the absolute path of a program", hint="Fix connectors.toml.")
        self._argv, self._timeout_s = argv, timeout_s

    def describe(self, approved: ApprovedStep) -> str:
        """The argument list."""
        return " ".join(self._filled(approved))

    def carry_out(self, approved: ApprovedStep) -> StepResult:
        """Runs the program; its exit status decides, its output is kept (bounded)."""
        argv = self._filled(approved)
        if not Path(argv[0]).is_file():
            raise ConnectorError(f"no such program: {argv[0]}", where=approved.step.id)
        clean = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
        try:
            done = subprocess.run(  # noqa: S603 - no shell, allow-listed
                argv, env=clean, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                timeout=self._timeout_s, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise ConnectorError(
                f"the program did not end within {self._timeout_s:g} s", where=approved.step.id
            ) from None
        except OSError as error:
            raise ConnectorError(f"the program cannot be run: {error.strerror}", where=approved.step.id) from error
        text = done.stdout[:MAX_DETAIL].decode("utf-8", "replace")
        detail = f"exit status {done.returncode}" + (f": {text}" if text else "")
        return StepResult(approved.step.id, self.name, done.returncode == 0, detail)

    def _filled(self, approved: ApprovedStep) -> list[str]:
        name = safe_name(approved)
        values = {TARGET: name, HOST: approved.step.target.scope, ACTION: approved.step.action, STEP: approved.step.id}
        filled = []
        for word in self._argv:
            for placeholder, value in values.items():
                word = word.replace(placeholder, value)
            filled.append(word)
        return filled
