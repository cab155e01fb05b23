"""``glasshouse kill``: the switch that stops everything, and what is stopped now."""

from __future__ import annotations

import click

from glasshouse.cli.admin import date, opened, say
from glasshouse.words.display import counted


@click.command("kill", context_settings={"max_content_width": 110})
@click.option("--all", "everything", is_flag=True, help="Stop everything, in every running process, within a second.")
@click.option("--reason", default="", help="Why; it is shown to everybody who is stopped.")
@click.option("--list", "show", is_flag=True, help="Show the halts in force.")
@click.option("--lift", metavar="HALT", help="Lift a halt.")
def command(everything: bool, reason: str, show: bool, lift: str | None) -> None:
    """Stop everything, show what is stopped, or lift a halt.

    A cohort alone is shut out with `glasshouse access revoke`.

    Example: glasshouse kill --all --reason "credentials leaked"
    """
    if [everything, show, lift is not None].count(True) != 1:
        raise click.UsageError("give one of --all, --list, --lift")
    if everything:
        from glasshouse.cli.access import order_halt

        if not reason.strip():
            raise click.UsageError("--all takes a --reason")
        order_halt("all", "", reason)
    elif lift is not None:
        _lift(lift)
    else:
        _show()


def _show() -> None:
    with opened() as admin:
        halts = admin.tables.halts.all(lifted_at=0)
    for each in halts:
        what = "everything" if each.kind == "all" else f"{each.kind} {each.value}"
        say(f"{each.id}  {what}  since {date(each.ordered_at)}, by {each.ordered_by}: {each.reason}")
    click.echo(f"{counted(len(halts), 'halt')} in force", err=True)


def _lift(name: str) -> None:
    from glasshouse.access import register

    with opened() as admin:
        now = admin.door.now()
        before = admin.tables.halts.get(name)
        admin.change(
            "access.halt", f"halt:{name}", f"lift halt {name}", lambda to: register.lift_halt(to, name, now), before
        )
    say(f"halt {name} is lifted")
