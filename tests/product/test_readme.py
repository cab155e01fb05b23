"""The README tells the truth: its output block is what the command prints, its commands are the ones CI runs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
COMMAND = "glasshouse scan examples/shop"
LEFT_OUT = "..."


def test_the_output_shown_is_what_the_command_prints() -> None:
    found = re.search(rf"```\n\$ {re.escape(COMMAND)}\n(.*?)```\n", README, re.DOTALL)
    assert found
    command = [sys.executable, "-m", *COMMAND.split(), "--no-cache", "--no-config", "--color", "never"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1, done.stderr
    parts = [part.strip("\n") for part in re.split(rf"^{re.escape(LEFT_OUT)}$", found[1], flags=re.MULTILINE)]
    shown = [part for part in parts if part]
    assert len("\n".join(shown).splitlines()) >= 10, "run scripts/readme_output.py"
    assert [part for part in shown if part not in done.stdout] == [], "run scripts/readme_output.py"


def test_there_are_exactly_two_set_up_commands() -> None:
    prose = re.sub(r"```.*?```", "", README, flags=re.DOTALL)
    commands = [line.strip() for line in prose.splitlines() if line.startswith("    ")]
    assert len(commands) == 2
    set_up = "python3 -m venv .venv && .venv/bin/pip install -q -c constraints.txt "
    assert [each for each in commands if not each.startswith(set_up)] == []


def test_continuous_integration_runs_the_test_command_of_the_readme() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    assert "install -q --disable-pip-version-check -c constraints.txt '.[test]'" in script
    assert '/pytest" -q -n 2' in script
    assert "scan examples/shop" in script
