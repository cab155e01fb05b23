"""The hook file and the action use options that exist, and inputs of the action cannot become commands."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from glasshouse.cli.assess import command as assess
from glasshouse.cli.settings.options import OPTIONS
from glasshouse.scan.languages import LANGUAGES

ROOT = Path(__file__).resolve().parents[3]
FLAGS = {flag for option in OPTIONS for flag in option.flag.split("/")}
HOOKS: list[dict[str, Any]] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "deploy" / "github-action" / "action.yml").read_text())
STEPS: list[dict[str, Any]] = ACTION["runs"]["steps"]


def used_flags(text: str) -> set[str]:
    """The long options in a command."""
    return set(re.findall(r"(?<!\S)--[a-z][a-z-]+", text))


def test_hooks_use_options_of_scan() -> None:
    assert all(used_flags(hook["entry"]) <= FLAGS for hook in HOOKS if " scan " in hook["entry"])


def test_a_change_in_any_language_that_is_read_runs_the_hooks() -> None:
    for hook in (each for each in HOOKS if " scan " in each["entry"]):
        missed = [end for each in LANGUAGES for end in each.extensions if not re.search(hook["files"], f"src/a{end}")]
        assert missed == []
        assert not re.search(hook["files"], "README.md")


@pytest.mark.parametrize("folder", ["github-action", "github-action-assess"])
def test_the_actions_install_the_checkout_they_belong_to_and_what_is_pinned(folder: str) -> None:
    action = yaml.safe_load((ROOT / "deploy" / folder / "action.yml").read_text())
    (install,) = [step["run"] for step in action["runs"]["steps"] if 'pip" install' in step.get("run", "")]
    assert '--constraint "$SOURCE/constraints.txt" "$SOURCE' in install


def test_every_command_of_the_recipes_for_models_exists_with_its_options() -> None:
    texts = [
        (ROOT / "deploy" / name).read_text() for name in ("pre-commit/README.md", "github-action-assess/action.yml")
    ]
    hook = next(hook for hook in HOOKS if hook["id"] == "glasshouse-gate")
    texts.append(f"{hook['entry']} {' '.join(hook['args'])}")
    found = [line for text in texts for line in re.findall(r"(?m)glasshouse\"? assess ([a-z]+ ?[^#\n]*)", text)]
    assert {line.split()[0] for line in found} == {"commit", "run", "gate", "watch"}
    for line in found:
        known = {flag for each in assess.commands[line.split()[0]].params for flag in each.opts}
        assert used_flags(line.replace("${BASELINE:+", " ").replace("}", " ")) <= known


def test_no_expression_stands_inside_a_script_of_the_action_for_models() -> None:
    action = yaml.safe_load((ROOT / "deploy" / "github-action-assess" / "action.yml").read_text())
    assert all("${{" not in step.get("run", "") for step in action["runs"]["steps"])
    assert all(f"inputs.{name} " in str(action["runs"]) for name in action["inputs"])


def test_the_readme_of_the_hooks_names_each_hook() -> None:
    text = (ROOT / "deploy" / "pre-commit" / "README.md").read_text()
    assert all(f"`{hook['id']}`" in text for hook in HOOKS)


def test_the_action_uses_options_of_scan() -> None:
    (scan,) = [step["run"] for step in STEPS if step.get("id") == "scan"]
    assert used_flags(scan) <= FLAGS


def test_no_expression_stands_inside_a_script_of_the_action() -> None:
    assert all("${{" not in step.get("run", "") for step in STEPS)


def test_every_input_of_the_action_is_used_and_described() -> None:
    text = str(STEPS)
    for name, about in ACTION["inputs"].items():
        assert f"inputs.{name} " in text
        assert about["description"]
