"""``glasshouse respond run PLAN``: show what a plan would do, or carry out approved steps through the door."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from glasshouse.words.places import home

if TYPE_CHECKING:
    from glasshouse.respond.connect.interface import Connector
    from glasshouse.words.plan import Plan, PlanStep

EXIT_CLEAN, EXIT_INCOMPLETE = 0, 5
MAX_PLAN_BYTES = 5_000_000


@click.command("run", context_settings={"max_content_width": 110})
@click.argument("plan", metavar="PLAN", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--execute", is_flag=True, help="Carry steps out, each after its approval; without it nothing is done.")
@click.option("--step", "chosen", multiple=True, type=int, metavar="N", help="Only step N, from 1; may be repeated.")
@click.option("--connectors", metavar="FILE", help="Connector settings.  [default: $GLASSHOUSE_HOME/connectors.toml]")
def run_command(plan: Path, execute: bool, chosen: tuple[int, ...], connectors: str | None) -> int:
    """Show what each step of a plan would do, or carry the steps out.

    With --execute every step passes the door as an act of its own.  The first time it is asked for it waits for
    approval (glasshouse approvals); run the command again when people have decided.  What was carried out is not
    repeated.
    """
    from glasshouse.respond.connect.registry import connectors as read_connectors
    from glasshouse.respond.plan.cacao import decode
    from glasshouse.words.errors import PathError
    from glasshouse.words.named_file import read_named

    try:
        data = read_named(plan, MAX_PLAN_BYTES)
    except OSError as error:
        raise PathError(f"cannot read: {error.strerror}", where=str(plan)) from error
    proposal = decode(data, str(plan))
    steps = _chosen(proposal, chosen)
    base = home(os.environ)
    place = Path(connectors) if connectors else (base or Path()) / "connectors.toml"
    known = read_connectors(place, os.environ)
    if not execute:
        _show(proposal, steps, known)
        return EXIT_CLEAN
    return _execute(proposal, steps, known)


def _chosen(plan: Plan, chosen: tuple[int, ...]) -> list[tuple[int, PlanStep]]:
    numbered = list(enumerate(plan.steps, 1))
    wrong = [number for number in chosen if not 1 <= number <= len(numbered)]
    if wrong:
        raise click.UsageError(f"the plan has no step {wrong[0]}; it has {len(numbered)}")
    return [each for each in numbered if not chosen or each[0] in chosen]


def _show(plan: Plan, steps: list[tuple[int, PlanStep]], known: dict[str, Connector]) -> None:
    from glasshouse.respond.connect.registry import connector_for
    from glasshouse.respond.report import moment
    from glasshouse.words.display import visible
    from glasshouse.words.errors import ConnectorError
    from glasshouse.words.plan import ApprovedStep

    click.echo(f"{visible(plan.title)} ({plan.id}), valid until {moment(plan.expires)} UTC")
    for number, step in steps:
        click.echo(f"\n{number}. {step.phase}: {visible(step.title)}")
        back = step.rollback or "cannot be taken back"
        for name, text in (
            ("because", step.because),
            ("blast radius", step.blast_radius),
            ("only if", step.precondition),
            ("rollback", back),
            ("approvals", f"{step.approvals}, until {moment(step.expires)} UTC"),
            ("counters", ", ".join((*step.mitigations, *step.countermeasures))),
        ):
            click.echo(f"   {name:<13} {visible(text)}")
        connector = connector_for(known, step.action)
        try:
            would = connector.describe(ApprovedStep(step, "", 0, 0)) if connector else "by hand: no connector is set up"
        except ConnectorError as error:
            would = error.what
        click.echo(f"   {'would':<13} {visible(would)}")
    for rule, author, link in plan.rules:
        click.echo(f"rule {rule} by {visible(author) or 'unknown author'}{f', {visible(link)}' if link else ''}")
    click.echo("Dry run: nothing was done. --execute carries steps out after approval.", err=True)


def _execute(plan: Plan, steps: list[tuple[int, PlanStep]], known: dict[str, Connector]) -> int:
    from glasshouse.cli.respond_execution import Execution
    from glasshouse.words.display import visible
    from glasshouse.words.errors import ApprovalNeededError, PlanError

    now = int(time.time())
    if now >= plan.expires:
        raise PlanError("the plan has expired", where=plan.id)
    execution = Execution(plan, known, os.environ)
    waiting = 0
    for number, step in steps:
        try:
            said = execution.carry_out(step, now)
        except ApprovalNeededError as error:
            waiting += 1
            click.echo(f"{number}. waits: {visible(error.what)}")
            click.echo(f"   {visible(error.hint)}", err=True)
            continue
        click.echo(f"{number}. {visible(said)}")
    if waiting:
        click.echo(f"glasshouse: {waiting} steps wait for approval; run this again afterwards", err=True)
        return EXIT_INCOMPLETE
    return EXIT_CLEAN
