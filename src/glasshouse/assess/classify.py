"""Classification under the AI Act: a walk through the questions with recorded answers; outcomes add up.

An unknown answer counts as the stricter one, the questions behind its other answers are asked too, and it is listed
as open.  Dates of application are data; whether a duty
applies already is computed from the day that the caller names.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import msgspec

from glasshouse.assess.decision_tree import ALL_NO, ANY_YES, END, Node, Obligation, Option, Outcome, Tree
from glasshouse.words.errors import AnswerError

UNKNOWN = "unknown"


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What somebody answered to one node: option texts, checklist items, or a figure; and who, when, why."""

    node: str
    answers: tuple[str, ...] = ()
    checklist: dict[str, str] = {}
    figure: float | None = None
    name: str = ""
    role: str = ""
    at: dt.datetime | None = None
    why: str = ""


class Visit(msgspec.Struct, frozen=True):
    """A node as it was passed: the answer taken, and whether it was only assumed because nobody knew."""

    node: str
    question: str
    answer: str
    citation: str
    assumed: bool
    by: str = ""
    why: str = ""
    items: tuple[str, ...] = ()


class Finding(msgspec.Struct, frozen=True):
    """An outcome that holds, from which day, and whether that day has come."""

    outcome: Outcome
    applies_from: dt.date | None
    applies: bool
    items: tuple[str, ...] = ()


class Classification(msgspec.Struct, frozen=True):
    """The whole result: the way walked, the outcomes, their obligations, and the questions still open."""

    visits: tuple[Visit, ...]
    findings: tuple[Finding, ...]
    obligations: tuple[Obligation, ...]
    open_questions: tuple[str, ...]
    instrument: str
    data_as_of: dt.date
    day: dt.date
    signed_by: str = ""  # the base64 public key of who signed the answers


def classify(tree: Tree, answers: Mapping[str, Answer], day: dt.date) -> Classification:
    """Walks the tree from its start.  Raises `AnswerError` for an answer that its node does not offer."""
    _refuse_strangers(tree, answers)
    visits: list[Visit] = []
    findings: dict[str, Finding] = {}
    queue, seen = [tree.start], set[str]()
    while queue:
        name = queue.pop(0)
        if name == END or name in seen:
            continue
        seen.add(name)
        node = tree.nodes[name]
        taken, visit = _answer(node, answers.get(name))
        visits.append(visit)
        for option in taken:
            if option.outcome:
                outcome = tree.outcomes[option.outcome]
                findings[outcome.id] = _finding(node, outcome, visit.items, day)
        queue += [option.next for option in (node.options if visit.assumed else taken)]
    return Classification(
        tuple(visits),
        tuple(findings.values()),
        _obligations(tree, findings),
        tuple(f"{visit.node}: {visit.question}" for visit in visits if visit.assumed),
        tree.instrument,
        tree.compiled,
        day,
    )


def _refuse_strangers(tree: Tree, answers: Mapping[str, Answer]) -> None:
    for name, answer in answers.items():
        node = tree.nodes.get(name)
        if node is None:
            raise AnswerError(f"`{name}` is no question of this tree")
        known = {each.id for each in node.checklist}
        for item, said in answer.checklist.items():
            if item not in known:
                raise AnswerError(
                    f"`{item}` is no item of `{name}`; its items are {', '.join(sorted(known)) or 'none'}"
                )
            if said not in ("yes", "no", UNKNOWN):
                raise AnswerError(f"`{name}`, item `{item}`: answer yes, no or unknown, not `{said}`")
        for said in answer.answers:
            if said != UNKNOWN and node.option(said) is None:
                offered = ", ".join(f"`{each.answer}`" for each in node.options)
                raise AnswerError(f"`{name}` has no answer `{said}`; it offers {offered} or `unknown`")


def _answer(node: Node, answer: Answer | None) -> tuple[tuple[Option, ...], Visit]:
    said, items = _said(node, answer)
    assumed = not said and len(node.options) > 1
    if not said:
        said = (node.stricter,) if node.stricter else tuple(each.answer for each in node.options)
    taken = tuple(option for option in node.options if option.answer in said)
    by = f"{answer.name} ({answer.role})" if answer is not None and answer.name else ""
    why = answer.why if answer is not None else ""
    return taken, Visit(node.id, node.question, ", ".join(said), node.citation, assumed, by, why, items)


def _said(node: Node, answer: Answer | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The options that the answer selects (none when it is unknown), and the checklist items that decided."""
    if answer is None:
        return (), ()
    if node.threshold is not None and answer.figure is not None and answer.figure > node.threshold.value:
        return ("yes",), ()
    if node.option(ANY_YES) is not None:
        return _from_checklist(node, answer)
    blocking = tuple(each.id for each in node.checklist if each.blocks and answer.checklist.get(each.id) == "yes")
    if blocking:
        return ("no",), blocking
    return tuple(each for each in answer.answers if each != UNKNOWN), ()


def _from_checklist(node: Node, answer: Answer) -> tuple[tuple[str, ...], tuple[str, ...]]:
    yes = tuple(each.id for each in node.checklist if answer.checklist.get(each.id) == "yes")
    if yes:
        return (ANY_YES,), yes
    if node.checklist and all(answer.checklist.get(each.id) == "no" for each in node.checklist):
        return (ALL_NO,), ()
    return tuple(each for each in answer.answers if each != UNKNOWN), ()


def _finding(node: Node, outcome: Outcome, items: tuple[str, ...], day: dt.date) -> Finding:
    """Applies from the outcome's day, or from the earliest day of the items that led to it."""
    days = [each.applies_from for each in node.checklist if each.id in items and each.applies_from is not None]
    start = min(days) if days else outcome.applies_from
    return Finding(outcome, start, start is None or start <= day, items)


def _obligations(tree: Tree, findings: Mapping[str, Finding]) -> tuple[Obligation, ...]:
    """Obligations of all outcomes, without those an exemption drops; systemic risk ends the exemption (Art. 53(2))."""
    dropped: set[str] = set()
    if "o_gpai_systemic" not in findings:
        dropped = {each for finding in findings.values() for each in finding.outcome.drops}
    names = dict.fromkeys(each for finding in findings.values() for each in finding.outcome.obligations)
    return tuple(tree.obligations[name] for name in names if name not in dropped)
