"""One decision from facts: Cedar decides, the fixed core is asked as well, and any doubt is a no."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

import msgspec

from glasshouse.guard import fixed
from glasshouse.guard.fixed import Verdict
from glasshouse.guard.policy import Policies, PolicyNote, shipped_notes
from glasshouse.words.decision import Ask, Decision, Deny, Permit
from glasshouse.words.engagement import ApprovalRule

if TYPE_CHECKING:
    from glasshouse.access.facts import Facts
    from glasshouse.guard.cedar import CedarEvaluator

CACHE_ENTRIES = 10_000
NO_GRANT = "policy.no-grant"
DISAGREEMENT = "policy.disagreement"


class Guard:
    """Decides under one policy set.  Decisions are cached by facts; a new policy set is a new guard."""

    def __init__(self, policies: Policies) -> None:
        self.policies = policies
        self._notes: dict[str, PolicyNote] = {}
        self._cedar: CedarEvaluator | None = None
        self._cache: OrderedDict[Facts, Decision] = OrderedDict()

    @property
    def policy_hash(self) -> str:
        """The hash of the policy set in force."""
        return self.policies.hash

    def decide(self, facts: Facts, rule: ApprovalRule | None = None) -> Decision:
        """The decision; ``rule`` says how many approvals of whom, if it comes to that.

        Raises `PolicyError` when the policy set is wrong: nothing is decided then, so nothing is done.
        """
        decision = self._cache.get(facts)
        if decision is None:
            decision = self._decide(facts)
            self._cache[facts] = decision
            if len(self._cache) > CACHE_ENTRIES:
                self._cache.popitem(last=False)
        if isinstance(decision, Ask) and rule is not None:
            return msgspec.structs.replace(
                decision, needed=rule.needed, approvers=rule.approvers, lapses_after_s=rule.lapses_after_s
            )
        return decision

    def _decide(self, facts: Facts) -> Decision:
        verdict = self._verdict(facts)
        forbidden = fixed.core(facts)
        if verdict.allowed:
            if forbidden:
                return self._deny((DISAGREEMENT, *forbidden))
            return Permit(verdict.deciding, self.policy_hash)
        if forbidden or not verdict.deciding or not all(self._note(name).asks for name in verdict.deciding):
            return self._deny(verdict.deciding or forbidden)
        if self._verdict(msgspec.structs.replace(facts, approved=True)).allowed:
            return Ask(self._note(verdict.deciding[0]).reason, verdict.deciding, self.policy_hash)
        return self._deny(())

    def _verdict(self, facts: Facts) -> Verdict:
        # Loading Cedar costs more than all else a local scan does at the door; for the shipped set the plain
        # evaluator gives the same answer, and tests hold it to that.
        if facts.caller_kind == "local" and self._cedar is None and self.policies.shipped:
            return fixed.shipped(facts)
        if self._cedar is None:
            from glasshouse.guard.cedar import CedarEvaluator

            self._cedar = CedarEvaluator(self.policies)
        return self._cedar.evaluate(facts)

    def _deny(self, deciding: tuple[str, ...]) -> Deny:
        hard = [name for name in deciding if not self._note(name).asks]
        first = (hard or list(deciding) or [NO_GRANT])[0]
        note = self._note(first)
        return Deny(first, note.reason or f"denied by {first}", deciding, self.policy_hash, note.hint)

    def _note(self, name: str) -> PolicyNote:
        if not self._notes:
            theirs = shipped_notes() if self._cedar is None else self._cedar.notes.values()
            self._notes = {note.id: note for note in (*theirs, *_OWN)}
        return self._notes.get(name, PolicyNote(name))


_OWN = (
    PolicyNote(
        NO_GRANT,
        reason="no policy permits it",
        hint="The engagement must grant the capability, and the caller needs the role for it.",
    ),
    PolicyNote(
        DISAGREEMENT,
        reason="the two policy evaluators disagree, so nothing is allowed",
        hint="This is a fault: run `glasshouse policy check` and report it.",
    ),
)
