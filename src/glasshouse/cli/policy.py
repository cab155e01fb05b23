"""``glasshouse policy``: check the policy set, and explain what it says about an act."""

from __future__ import annotations

import os
from pathlib import Path

import click

from glasshouse.cli.admin import as_json, say, with_format
from glasshouse.words.display import counted

EXIT_CLEAN, EXIT_WRONG = 0, 1


@click.group("policy", context_settings={"max_content_width": 110})
def command() -> None:
    """Policies (Cedar): check them, and ask who could do what."""


@command.command("check")
@click.option("--folder", type=click.Path(), metavar="DIR", help="Check the policies in DIR instead of those in force.")
def check_policies(folder: str | None) -> int:
    """Validate the policy set against the schema; exit 1 and a list when something is wrong.

    Your own policies are the `.cedar` files in `policies/` of the Glasshouse home; they replace the shipped defaults,
    never the core.
    """
    from glasshouse.door.home import home_folder
    from glasshouse.guard.cedar import check, notes
    from glasshouse.guard.policy import load_policies
    from glasshouse.words.errors import PathError

    if folder is not None and not Path(folder).is_dir():
        raise PathError("no such folder", where=folder)
    policies = load_policies(Path(folder) if folder is not None else home_folder(os.environ) / "policies")
    problems = check(policies)
    for problem in problems:
        say(problem)
    if problems:
        return EXIT_WRONG
    kind = "the shipped set" if policies.shipped else ", ".join(file.name for file in policies.files)
    many = counted(len(notes(policies)), "policy is valid", "policies are valid")
    say(f"{many} ({kind}); hash {policies.hash}")
    return EXIT_CLEAN


@command.command("explain")
@click.argument("act_file", type=click.Path(), required=False, metavar="[ACT.json]")
@click.option("--template", is_flag=True, help="Print an act file to start from.")
@click.option("--capabilities", is_flag=True, help="List the capabilities with the tiers and targets.")
@with_format
def explain(act_file: str | None, template: bool, capabilities: bool, form: str) -> int:
    """Say who could do an act and why not, with the ids of the policies that decide.

    Exit 0 when somebody could (now, or after an approval), 3 when nobody could.
    """
    if template or capabilities or act_file is None:
        _help_with_acts(capabilities)
        return EXIT_CLEAN
    from glasshouse.door.explaining import explain_act, read_question
    from glasshouse.door.open_register import open_register

    question = read_question(Path(act_file))
    with open_register(os.environ) as register:
        answers = explain_act(register, question)
    if form == "json":
        as_json(answers)
    else:
        for each in answers:
            say(f"{each.caller}: {each.answer}" + (f" [{', '.join(each.policies)}]" if each.policies else ""))
            if each.why:
                say(f"    {each.why}")
    return EXIT_CLEAN if any(each.answer != "deny" for each in answers) else 3


def _help_with_acts(capabilities: bool) -> None:
    from glasshouse.words.capability import CAPABILITIES

    if capabilities:
        for each in CAPABILITIES.values():
            asks = ", always asks" if each.asks else ""
            say(f"{each.id:<23} tier {each.tier}{asks}  on {', '.join(each.targets)}: {each.title}")
        return
    from glasshouse.door.explaining import TEMPLATE

    click.echo(TEMPLATE)
