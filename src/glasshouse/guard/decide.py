"""One decision from facts: Cedar decides, the fixed core is asked as well, and any doubt is a no."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from glasshouse.guard import fixed
from glasshouse.guard.fixed import Verdict
from glasshouse.guard.policy import Policies, PolicyNote, load_policies, shipped_notes
from glasshouse.words.decision import Ask, Decision, Deny, Permit
from glasshouse.words.engagement import ApprovalRule

if TYPE_CHECKING:
    from glasshouse.access.facts import Facts
    from glasshouse.guard.cedar import CedarEvaluator

CACHE_ENTRIES = 10_000
LOOK_EVERY_S = 1.0
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
        return self._loaded().evaluate(facts)

    def warm(self) -> None:
        """Loads what the first decision would wait for; `PolicyError` when the policy set is wrong."""
        self._loaded()

    def _loaded(self) -> CedarEvaluator:
        if self._cedar is None:
            from glasshouse.guard.cedar import CedarEvaluator

            self._cedar = CedarEvaluator(self.policies)
        return self._cedar

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


class PolicyFolder:
    """The guard for an organisation's folder of policies, renewed within a second of a change to its files.

    A changed set that is wrong raises `PolicyError` at every decision until it is mended: nothing passes meanwhile.
    """

    def __init__(self, folder: Path, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._folder, self._monotonic = folder, monotonic
        self._looked_at = float("-inf")
        self._seen: tuple[tuple[str, int, int], ...] | None = None

    def renewed(self, guard: Guard | None) -> Guard:
        """The guard itself while nothing has changed, a new one otherwise."""
        now = self._monotonic()
        if guard is not None and now - self._looked_at < LOOK_EVERY_S:
            return guard
        seen = self._look()
        if guard is not None and seen == self._seen:
            self._looked_at = now
            return guard
        policies = load_policies(self._folder)
        same = guard is not None and guard.policy_hash == policies.hash
        self._seen, self._looked_at = seen, now
        return guard if guard is not None and same else Guard(policies)

    def _look(self) -> tuple[tuple[str, int, int], ...]:
        if not self._folder.is_dir():
            return ()
        files = [(file, file.stat()) for file in sorted(self._folder.glob("*.cedar"))]
        return tuple((file.name, status.st_mtime_ns, status.st_size) for file, status in files)


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
