"""No sequence of operations lets an act through that should not pass, and a revoked key never works again."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from tests.unit.door.simulated_organisation import ACT, START, TARGET, TERM, SimulatedOrganisation

from glasshouse.access import register
from glasshouse.access.machines import ENGAGEMENT, KEY, ORGANISATION
from glasshouse.store.database import open_database
from glasshouse.store.place import StorePlace
from glasshouse.words.act import Act, Target
from glasshouse.words.errors import CredentialError, DeniedError, TransitionError
from glasshouse.words.passage import Outcome

HALTS = [
    ("all", ""), ("organisation", "acme"), ("country", "fr"), ("employer", "ACME"), ("tier", "1"),
    ("engagement", "audit"),
    ("holder", "ada"),
]  # fmt: skip
OTHERS = [("organisation", "other"), ("country", "DE"), ("employer", "other"), ("tier", "2"), ("model", "claude-x")]
DONE = Outcome("done", "")
_templates: list[Path] = []


def template() -> Path:
    """A store with its tables, made once."""
    if not _templates:
        file = Path(tempfile.mkdtemp()) / "store.db"
        open_database(StorePlace(file=file)).close()
        _templates.append(file)
    return _templates[0]


class NoWayAround(RuleBasedStateMachine):
    """Acme under every operation, beside a model of what must hold."""

    @initialize()
    def found(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        (self.folder / "home").mkdir()
        shutil.copyfile(template(), self.folder / "home" / "store.db")
        self.acme = SimulatedOrganisation(self.folder)
        self.organisation, self.engagement, self.key = "vetted", "active", "active"
        self.key_ends = START + 90_000
        self.active = True
        self.halts: list[str] = []

    def teardown(self) -> None:
        self.acme.close()
        shutil.rmtree(self.folder)

    def _step(self, do: Callable[[], object], legal: bool) -> bool:
        """Does one operation; what the table does not have is refused and changes nothing."""
        try:
            do()
        except TransitionError:
            assert not legal
            return False
        assert legal
        return True

    @rule(event=st.sampled_from(["suspend", "reinstate", "revoke"]))
    def move_organisation(self, event: str) -> None:
        steps = {step.event: step.target for step in ORGANISATION.steps if step.source == self.organisation}
        tables = self.acme.tables
        if self._step(lambda: register.move_organisation(tables, "acme", event, "why"), event in steps):
            self.organisation = steps[event]

    @rule(event=st.sampled_from(["pause", "pause", "resume", "resume", "expire", "revoke", "activate", "request"]))
    def move_engagement(self, event: str) -> None:
        steps = {step.event: step.target for step in ENGAGEMENT.steps if step.source == self.engagement}
        if self._step(lambda: register.move_engagement(self.acme.tables, "audit", event), event in steps):
            self.engagement = steps[event]

    @rule(overlap=st.sampled_from([0, 500, 50_000]))
    def rotate(self, overlap: int) -> None:
        now, pepper, name = self.acme.clock.seconds, self.acme.home.pepper(), self.acme.key.public_id
        legal = self.key == "active"
        if self._step(lambda: register.rotate_key(self.acme.tables, pepper, name, now, 1000, overlap), legal):
            self.key, self.key_ends = KEY.after(self.key, "rotate"), min(self.key_ends, now + overlap)

    @rule()
    def revoke_key(self) -> None:
        name = self.acme.key.public_id
        if self._step(lambda: register.revoke_key(self.acme.tables, name), self.key != "revoked"):
            self.key = "revoked"

    @rule(cohort=st.sampled_from(HALTS))
    def halt(self, cohort: tuple[str, str]) -> None:
        kind, value = cohort
        made = register.order_halt(self.acme.tables, kind, value, "leak", "root", self.acme.clock.seconds)  # type: ignore[arg-type]
        self.halts.append(made.id)

    @rule(cohort=st.sampled_from(OTHERS))
    def halt_others(self, cohort: tuple[str, str]) -> None:
        kind, value = cohort
        register.order_halt(self.acme.tables, kind, value, "leak", "root", self.acme.clock.seconds)  # type: ignore[arg-type]

    @rule()
    def lift(self) -> None:
        if self.halts:
            register.lift_halt(self.acme.tables, self.halts.pop(), self.acme.clock.seconds)

    @rule(seconds=st.sampled_from([-200, 1, 600, 40_000, 200_000]))
    def jump(self, seconds: int) -> None:
        self.acme.clock.seconds = max(START - 300, self.acme.clock.seconds + seconds)

    @rule()
    def leave(self) -> None:
        register.deactivate(self.acme.tables, "ada")
        self.active = False

    @invariant()
    def what_passes_is_exactly_what_may(self) -> None:
        if not hasattr(self, "acme"):
            return
        now = self.acme.clock.seconds
        key_works = self.key != "revoked" and START <= now < self.key_ends
        may = (
            key_works
            and self.organisation == "vetted"
            and self.engagement == "active"
            and TERM.holds(now)
            and self.active
            and not self.halts
        )
        assert self._passes(ACT) == may
        assert not self._passes(Act("code.scan", (TARGET, Target("code", "/srv/other")), "audit"))

    def _passes(self, act: Act) -> bool:
        try:
            admission = self.acme.door.admit(self.acme.ada, act)
        except (DeniedError, CredentialError):
            return False
        self.acme.door.conclude(admission, DONE)
        return True


NoWayAround.TestCase.settings = settings(max_examples=12, stateful_step_count=14, deadline=None)
TestNoWayAround = NoWayAround.TestCase
