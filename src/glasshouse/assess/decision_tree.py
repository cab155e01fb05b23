"""The AI Act's classification questions as data: nodes, options, outcomes, obligations, each with its citation."""

from __future__ import annotations

import datetime as dt
from functools import cache
from importlib.resources import files
from typing import Literal

import msgspec

from glasshouse.assess.yaml_file import decode
from glasshouse.words.errors import LawDataError

Certainty = Literal["verified", "secondary"]
END = "end"
ANY_YES, ALL_NO = "any yes", "all no"


class Check(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One item of a node's checklist.  ``blocks``: a yes forbids the node's favourable answer."""

    id: str
    asks: str
    citation: str
    confidence: Certainty
    applies_from: dt.date | None = None
    role: str = ""
    outcome: str = ""
    blocks: bool = False
    threshold: float | None = None
    glasshouse_note: str = ""


class Option(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An answer, what follows from it, and the next node."""

    answer: str
    next: str
    outcome: str = ""


class Threshold(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A figure that answers the node: above ``value`` means yes."""

    operator: Literal[">"]
    value: float
    unit: str
    kind: str = ""


class Node(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A question.  ``stricter`` is the answer that an unknown counts as; empty means that every option counts."""

    id: str
    question: str
    citation: str
    confidence: Certainty
    options: tuple[Option, ...]
    stricter: str
    checklist: tuple[Check, ...] = ()
    threshold: Threshold | None = None
    note: str = ""

    def option(self, answer: str) -> Option | None:
        """The option with that answer."""
        return next((each for each in self.options if each.answer == answer), None)


class Outcome(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What something is under the Act, and which obligations that brings (or, by ``drops``, takes away)."""

    id: str
    label: str
    obligations: tuple[str, ...]
    citation: str
    confidence: Certainty
    applies_from: dt.date | None = None
    drops: tuple[str, ...] = ()
    note: str = ""


class Obligation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A duty, who has it, and what would be evidence for it."""

    id: str
    who: str
    does: str
    citation: str
    confidence: Certainty
    evidence: str = ""
    fine: str = ""
    figures: dict[str, object] = {}
    transition: str = ""
    transition_confidence: str = ""


class TreeFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file; parts that only documents quote stay plain data."""

    meta: dict[str, object]
    definitions: tuple[dict[str, str], ...]
    start: str
    nodes: tuple[Node, ...]
    outcomes: tuple[Outcome, ...]
    obligations: tuple[Obligation, ...]
    annex_iv: tuple[dict[str, object], ...]
    timeline: tuple[dict[str, str], ...]
    open_points: tuple[dict[str, str], ...]
    enforcement: tuple[dict[str, str], ...]
    glasshouse_prefill: tuple[dict[str, str], ...]


class Tree(msgspec.Struct, frozen=True):
    """The questions by id, checked: every id that is named exists."""

    start: str
    nodes: dict[str, Node]
    outcomes: dict[str, Outcome]
    obligations: dict[str, Obligation]
    instrument: str
    compiled: dt.date
    prefill: tuple[dict[str, str], ...]


@cache
def shipped_tree() -> Tree:
    """The tree that comes with the package."""
    name = "ai_act_classification.yaml"
    return load_tree(name, (files("glasshouse.assess") / "data" / name).read_bytes())


def load_tree(name: str, text: bytes) -> Tree:
    """A tree from YAML.  Raises `LawDataError` naming the row without a citation or with an id that is not there."""
    file = decode(name, text, TreeFile, LawDataError)
    try:
        compiled = dt.date.fromisoformat(str(file.meta.get("compiled")))
    except ValueError as error:
        raise LawDataError("`meta.compiled` must be the day on which the data was compiled", where=name) from error
    tree = Tree(
        file.start,
        {each.id: each for each in file.nodes},
        {each.id: each for each in file.outcomes},
        {each.id: each for each in file.obligations},
        str(file.meta.get("instrument", "")),
        compiled,
        file.glasshouse_prefill,
    )
    problems = [*_dangling(tree), *_uncited(file)]
    if problems:
        raise LawDataError("; ".join(problems), where=name)
    return tree


def _dangling(tree: Tree) -> list[str]:
    """Ids that are named and not there."""
    problems = [] if tree.start in tree.nodes else [f"`start` names `{tree.start}`, which is no node"]
    for node in tree.nodes.values():
        for option in node.options:
            if option.next != END and option.next not in tree.nodes:
                problems.append(f"node `{node.id}`: next `{option.next}` is no node")
            if option.outcome and option.outcome not in tree.outcomes:
                problems.append(f"node `{node.id}`: `{option.outcome}` is no outcome")
        if node.stricter and node.option(node.stricter) is None:
            problems.append(f"node `{node.id}`: stricter answer `{node.stricter}` is none of its options")
    for outcome in tree.outcomes.values():
        lost = [each for each in (*outcome.obligations, *outcome.drops) if each not in tree.obligations]
        problems += [f"outcome `{outcome.id}`: `{each}` is no obligation" for each in lost]
    return problems


def _uncited(file: TreeFile) -> list[str]:
    checks = [check for node in file.nodes for check in node.checklist]
    rows: list[Node | Outcome | Obligation | Check] = [*file.nodes, *file.outcomes, *file.obligations, *checks]
    return [f"row `{row.id}` has no citation" for row in rows if not row.citation.strip()]
