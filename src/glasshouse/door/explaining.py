"""Who could do an act, who could not and why, with the policies that decide; nothing is recorded or reserved."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from glasshouse.access.facts import facts_of, halt_on, out_of_scope
from glasshouse.access.local import LOCAL, local_caller
from glasshouse.words.act import Act, Circumstances
from glasshouse.words.decision import Ask, Deny, Permit
from glasshouse.words.errors import PathError, UsageError
from glasshouse.words.named_file import read_named
from glasshouse.words.party import Caller

if TYPE_CHECKING:
    from glasshouse.door.open_register import Register

MAX_BYTES = 1_000_000
TEMPLATE = """{
  "act": {
    "capability": "code.scan",
    "targets": [{"kind": "code", "name": "https://git.example.org/acme/shop", "path": "src/app.py"}],
    "engagement": "shop-audit"
  },
  "circumstances": {"misuse": 12},
  "caller": ""
}"""


class Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An act, and whom it is about; an empty ``caller`` means everybody of the engagement's organisation."""

    act: Act
    circumstances: Circumstances = Circumstances()
    caller: str = ""


class Answer(msgspec.Struct, frozen=True):
    """What policy says to one caller."""

    caller: str
    answer: Literal["permit", "ask", "deny"]
    policies: tuple[str, ...]
    why: str = ""


def read_question(file: Path) -> Question:
    """The question in a file."""
    try:
        data = read_named(file, MAX_BYTES)[:MAX_BYTES]
    except OSError as error:
        raise PathError(f"cannot read: {error.strerror}", where=str(file)) from error
    try:
        return msgspec.json.decode(data, type=Question)
    except msgspec.MsgspecError as error:
        hint = "`glasshouse policy explain --template` prints a complete example."
        raise UsageError(f"not an act: {error}", where=str(file), hint=hint) from error


def explain_act(register: Register, question: Question) -> list[Answer]:
    """One answer for each caller in question."""
    return [_answer(register, caller, question) for caller in _callers(register, question)]


def _callers(register: Register, question: Question) -> list[Caller]:
    name = question.act.engagement
    if name == LOCAL:
        return [local_caller("you", question.act.targets)]
    engagement = register.tables.engagements.get(name)
    holders = [question.caller]
    if not question.caller:
        people = register.tables.people.all(organisation=engagement.organisation)
        workloads = register.tables.workloads.all(organisation=engagement.organisation)
        holders = [person.id for person in people] + [workload.id for workload in workloads]
    if not holders:
        raise UsageError(f"organisation {engagement.organisation} has nobody who could ask", where=name)
    return [register.directory.caller_of(holder, name) for holder in holders]


def _answer(register: Register, caller: Caller, question: Question) -> Answer:
    halts = register.directory.halts()
    facts = facts_of(caller, question.act, question.circumstances, halts, register.now)
    if caller.key is None and caller.kind != "local":
        facts = msgspec.structs.replace(facts, key_live=True)  # the question is about the person, not about a key
    decision = register.guard.decide(facts, caller.engagement.rule_for(question.act.capability))
    match decision:
        case Permit():
            return Answer(caller.id, "permit", decision.policies)
        case Ask():
            who = ", ".join(decision.approvers) or "anyone with the role approver"
            return Answer(caller.id, "ask", decision.policies, f"{decision.reason}: {decision.needed} of {who}")
        case Deny():
            return Answer(caller.id, "deny", decision.policies, _why(register, decision, caller, question.act))


def _why(register: Register, decision: Deny, caller: Caller, act: Act) -> str:
    detail = ""
    if decision.code == "core.out-of-scope":
        detail = ": " + ", ".join(
            f"{each.kind} {each.name} {each.path}".rstrip() for each in out_of_scope(caller, act)[:3]
        )
    if decision.code == "core.halted":
        halt = halt_on(caller, act, register.directory.halts())
        detail = f": {halt.kind} {halt.value} ({halt.reason})" if halt is not None else ""
    return f"{decision.reason}{detail}. {decision.hint}".strip()
