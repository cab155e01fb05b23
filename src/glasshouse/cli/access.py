"""``glasshouse access``: who may be at the door: organisations, people, keys, engagements, cohorts."""

from __future__ import annotations

import click

from glasshouse.cli.access_engagements import engagement
from glasshouse.cli.access_keys import key
from glasshouse.cli.access_organisations import organisation
from glasshouse.cli.access_people import person, workload
from glasshouse.cli.admin import as_json, opened, say, with_format
from glasshouse.words.halt import COHORT_KINDS, CohortKind


@click.group("access", context_settings={"max_content_width": 110})
def command() -> None:
    """Organisations, people, keys and engagements: who may ask for what.

    Every change is recorded in the log with who made it.  On a machine of your own nothing of this is needed: `scan`
    and the other commands run under the built-in engagement `local`.
    """


for each in (organisation, person, workload, engagement, key):
    command.add_command(each)


@command.command("criteria")
@with_format
def show_criteria(form: str) -> None:
    """Print the admission criteria: what is checked before an organisation is vetted."""
    from glasshouse.access.criteria import criteria

    if form == "json":
        as_json(criteria())
        return
    for each in criteria():
        click.echo(f"{each.id}{'' if each.required else ' (optional)'}: {each.title}")
        click.echo(f"    {each.asks}")
        click.echo(f"    evidence: {each.evidence}")


@command.command("list")
@with_format
def show_all(form: str) -> None:
    """List organisations, people, workloads, engagements and keys with their states."""
    with opened() as admin:
        tables = admin.tables
        if form == "json":
            as_json({name: kind.all() for name, kind in tables.kinds() if name not in ("approvals", "keys")})
            return
        for each in tables.organisations.all():
            say(f"organisation  {each.id}  {each.state}  {each.name}")
        for someone in tables.people.all():
            active = "" if someone.active else "  inactive"
            say(f"person        {someone.id}  {someone.organisation}  {', '.join(someone.roles)}{active}")
        for program in tables.workloads.all():
            say(f"workload      {program.id}  {program.organisation}{'' if program.active else '  inactive'}")
        for agreed in tables.engagements.all():
            say(f"engagement    {agreed.id}  {agreed.organisation}  {agreed.state}  tier {agreed.tier}")
        for issued in tables.keys.all():
            say(f"key           {issued.public_id}  {issued.holder}  {issued.engagement}  {issued.state}")


@command.command("revoke")
@click.option("--organisation", metavar="ID", help="Shut out an organisation.")
@click.option("--country", metavar="CODE", help="Shut out who works or is established in a country.")
@click.option("--employer", metavar="NAME", help="Shut out an employer's people.")
@click.option("--tier", metavar="N", help="Shut out engagements of that tier and above.")
@click.option("--engagement", metavar="ID", help="Shut out an engagement.")
@click.option("--model", metavar="NAME", help="Shut a model off for everybody.")
@click.option("--key", metavar="PUBLIC-ID", help="Shut out a key.")
@click.option("--holder", metavar="ID", help="Shut out a person or workload.")
@click.option("--reason", required=True, help="Why; it is shown to those who are shut out.")
def revoke(reason: str, **cohorts: str | None) -> None:
    """Shut out a whole cohort, in every running process, within a second; nothing else stops.

    Example: glasshouse access revoke --employer "Acme Ltd" --reason "credentials leaked"
    """
    named = [(kind, value) for kind in COHORT_KINDS if (value := cohorts.get(kind))]
    if len(named) != 1:
        raise click.UsageError("name exactly one cohort, for example --organisation ID")
    order_halt(named[0][0], named[0][1], reason)


def order_halt(kind: CohortKind, value: str, reason: str) -> None:
    """Orders a halt and says how to lift it."""
    from glasshouse.access import register

    with opened() as admin:
        now = admin.door.now()
        name = f"{kind}:{value}".rstrip(":")
        covers = register.covers_somebody(admin.tables, kind, value)
        halt = admin.change(
            "access.halt",
            f"halt:{name}",
            f"halt {name}: {reason}",
            lambda tables: register.order_halt(tables, kind, value, reason, admin.caller.id, now),
        )
    say(f"halted {name} ({halt.id}); lift it with: glasshouse kill --lift {halt.id}")
    if not covers:
        click.echo(f"note: nobody in the register has that {kind} today; check the spelling", err=True)
