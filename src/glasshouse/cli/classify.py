"""``glasshouse classify``: the AI Act's questions, recorded answers, and what follows from them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

import click

from glasshouse.cli.evidence import keep, read_file, recording, signed
from glasshouse.cli.passing import say_receipt
from glasshouse.words.display import counted

if TYPE_CHECKING:
    from glasshouse.assess.classify import Answer, Classification


@click.command("classify", context_settings={"max_content_width": 110})
@click.argument("name", required=False, metavar="[MODEL]")
@click.option("--questions", is_flag=True, help="Print every question with its answers, as a YAML file to fill in.")
@click.option("--answers", "file", type=click.Path(path_type=Path, dir_okay=False), help="The filled-in YAML file.")
@click.option(
    "--key",
    "key_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Sign the answers with this Ed25519 key file.",
)
@click.option("--on", "day", type=click.DateTime(["%Y-%m-%d"]), help="The day to judge.  [default: today]")
@click.option("--record/--no-record", default=True, help="Keep answers and result in the log.  [default: yes]")
def command(
    name: str | None, questions: bool, file: Path | None, key_file: Path | None, day: dt.datetime | None, record: bool
) -> None:
    """Classify a model or system under the AI Act from recorded answers; what is unknown counts as the stricter answer.

    Not legal advice.  Example: glasshouse classify my-model --answers answers.yaml
    """
    from glasshouse.assess.classify import classify
    from glasshouse.assess.decision_tree import shipped_tree

    tree = shipped_tree()
    if questions:
        click.echo(questionnaire(), nl=False)
        return
    if name is None or file is None:
        raise click.UsageError("name the model and --answers FILE; `glasshouse classify --questions` makes the file")
    answers = read_answers(file)
    result = classify(tree, answers, day.date() if day is not None else dt.datetime.now(dt.UTC).date())
    if record:
        from glasshouse.assess.records import ClassificationRecorded, answers_bytes

        told = tuple(answers.values())
        key, signature = signed(answers_bytes(name, told), key_file) if key_file is not None else ("", "")
        with recording(f"model:{name}", "classify under the AI Act", [file]) as passage:
            keep(passage, ClassificationRecorded(name, told, result, key, signature))
        for line in lines(result):
            click.echo(line)
        say_receipt(passage)
    else:
        for line in lines(result):
            click.echo(line)


def read_answers(file: Path) -> dict[str, Answer]:
    """Answers by node from a YAML file: a list of answers."""
    from glasshouse.assess.classify import Answer
    from glasshouse.assess.yaml_file import decode
    from glasshouse.words.errors import AnswerError

    found = decode(str(file), read_file(file), tuple[Answer, ...], AnswerError)
    by_node = {each.node: each for each in found}
    if len(by_node) < len(found):
        raise AnswerError("a question is answered twice", where=str(file))
    unsigned = [each.node for each in found if not each.name]
    if unsigned:
        raise AnswerError(f"who answered {', '.join(unsigned[:5])}?  Give `name` and `role`", where=str(file))
    return by_node


def questionnaire() -> str:
    """Every question as a YAML file in which each answer is unknown."""
    from glasshouse.assess.decision_tree import shipped_tree

    lines = ["# Answer what you know; what stays unknown counts as the stricter answer.  Not legal advice."]
    for node in shipped_tree().nodes.values():
        if len(node.options) < 2:
            continue
        lines += ["", f"# {node.question} ({node.citation})"]
        lines.append(f"# answers: {', '.join(each.answer for each in node.options)}")
        lines += [f"- node: {node.id}", "  answers: [unknown]"]
        if node.checklist:
            lines.append("  checklist:")
            lines += [f"    {each.id}: unknown  # {each.asks} ({each.citation})" for each in node.checklist]
        lines += ['  name: ""', '  role: ""', '  why: ""']
    return "\n".join(lines) + "\n"


def lines(result: Classification) -> list[str]:
    """The result for a terminal."""
    shown = [f"as of {result.day} under {result.instrument} (rules of {result.data_as_of}); not legal advice"]
    for each in result.findings:
        when = "in force" if each.applies_from is None else f"from {each.applies_from}"
        state = "" if each.applies else " (not yet)"
        shown.append(f"  {each.outcome.label}: {when}{state}; {each.outcome.citation}, {each.outcome.confidence}")
    shown.append(f"{counted(len(result.obligations), 'obligation')}:")
    shown += [f"  {each.who}: {each.does} ({each.citation})" for each in result.obligations]
    if result.open_questions:
        shown.append(f"{counted(len(result.open_questions), 'open question')}, each counted as the stricter answer:")
        shown += [f"  {each}" for each in result.open_questions]
    return shown
