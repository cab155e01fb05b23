"""One step of a plan through the door: asked for, approved, recorded, carried out by its connector, recorded."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from glasshouse.words.act import Act, Target
from glasshouse.words.canonical import canonical, digest
from glasshouse.words.errors import ApprovalError, ConnectorError, PlanError
from glasshouse.words.places import home
from glasshouse.words.plan import ApprovedStep, Plan, PlanStep, StepResult

if TYPE_CHECKING:
    from glasshouse.respond.connect.interface import Connector

CAPABILITY = "response.execute"


class Execution:
    """Carries out steps of one plan and remembers which are done."""

    def __init__(self, plan: Plan, connectors: Mapping[str, Connector], environ: Mapping[str, str]) -> None:
        self._plan, self._connectors, self._environ = plan, connectors, environ
        base = home(environ)
        if base is None:
            raise PlanError("no home directory is known", hint="Set GLASSHOUSE_HOME.")
        self._done_file = base / "plans" / f"{plan.id}.json"

    def carry_out(self, step: PlanStep, now: int) -> str:
        """What happened, in a line.  Raises when the step may not be carried out or failed."""
        from glasshouse.respond.connect.registry import connector_for

        if step.id in self._done():
            return f"done before: {step.title}"
        if now >= step.expires:
            raise PlanError(f"the step has expired: {step.title}", where=step.id)
        connector = connector_for(self._connectors, step.action)
        if connector is None:
            hint = f"Set one up for `{step.action}` in connectors.toml, or do it by hand."
            raise ConnectorError(f"no connector for {step.action}", where=step.id, hint=hint)
        result = self._through_the_door(step, connector)
        self._remember(step)
        return f"done by {result.connector}: {step.title} ({result.detail[:200]})"

    def _through_the_door(self, step: PlanStep, connector: Connector) -> StepResult:
        from glasshouse.door.local import APPROVAL, local_passage

        targets, bound = (target_of(step),), digest(step)
        request, approvals = self._approved(step, targets, bound)
        environ = {**self._environ, APPROVAL: request} if request else dict(self._environ)
        with local_passage(CAPABILITY, targets, environ, describes=step.title, input_digest=bound) as passage:
            if not request or approvals < step.approvals:
                raise ApprovalError(
                    f"the step needs {step.approvals} approvals and has {approvals}",
                    where=step.id,
                    hint="The engagement must ask for that many approvals of response.execute.",
                )
            result = connector.carry_out(ApprovedStep(step, request, approvals, 0))
            passage.record("response.executed", canonical(msgspec.to_builtins(result)))
            if not result.done:
                raise ConnectorError(f"{result.connector} failed: {result.detail[:300]}", where=step.id)
        return result

    def _approved(self, step: PlanStep, targets: tuple[Target, ...], bound: str) -> tuple[str, int]:
        """The approved request for exactly this step and how many people agreed; empty when there is none."""
        from glasshouse.door.door import Door
        from glasshouse.door.local import command_caller

        with Door.open(self._environ) as door:
            caller = command_caller(door, targets, self._environ)
            act = Act(CAPABILITY, targets, caller.engagement.id, bound, step.title)
            for request in door.waiting.all(state="approved"):
                if request.terms.act_digest == act.digest():
                    agreed = {vote.approver for vote in request.votes if vote.verdict == "approve"}
                    return request.terms.id, len(agreed)
        return "", 0

    def _done(self) -> dict[str, str]:
        try:
            return msgspec.json.decode(self._done_file.read_bytes(), type=dict[str, str])
        except FileNotFoundError:
            return {}
        except (OSError, msgspec.DecodeError) as error:
            raise PlanError(f"cannot tell which steps are done: {error}", where=str(self._done_file)) from error

    def _remember(self, step: PlanStep) -> None:
        from glasshouse.cli.terminal import write_file

        self._done_file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_file(self._done_file, [msgspec.json.encode({**self._done(), step.id: step.action}).decode()])


def target_of(step: PlanStep) -> Target:
    """The step's target as the door knows targets: hosts as hosts, everything else as a record."""
    entity = step.target
    if entity.kind == "host":
        return Target("host", entity.name)
    scope = f"@{entity.scope}" if entity.scope else ""
    return Target("record", f"{entity.kind}:{entity.name}{scope}")


def plan_files(folder: Path, plans: list[Plan]) -> list[Path]:
    """Writes plans as CACAO playbooks, one file each, and says where."""
    from glasshouse.cli.terminal import write_file
    from glasshouse.respond.plan.cacao import encode
    from glasshouse.words.errors import PathError

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PathError(f"cannot make the folder: {error.strerror}", where=str(folder)) from error
    places = []
    for plan in plans:
        place = folder / f"{plan.incident}.cacao.json"
        write_file(place, [encode(plan).decode()])
        places.append(place)
    return places
