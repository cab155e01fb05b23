"""``glasshouse access person`` and ``workload``: who acts, with which roles, and the keys that approvers sign with."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import click

from glasshouse.cli.admin import opened, say
from glasshouse.words.party import ROLES, Role


@click.group("person")
def person() -> None:
    """People: add, give an approver's key, deactivate."""


@click.group("workload")
def workload() -> None:
    """Programs that act for an organisation."""


@person.command("add")
@click.argument("name", metavar="ID")
@click.option("--organisation", required=True, metavar="ID", help="The organisation they act for.")
@click.option("--name", "title", required=True, help="Full name.")
@click.option("--role", "roles", type=click.Choice(ROLES), multiple=True, help="A role; give it again for more.")
@click.option("--country", default="", metavar="CODE", help="Where they work (ISO 3166-1, such as FR).")
@click.option("--employer", default="", help="Who employs them.")
@click.option("--clearance", type=click.IntRange(0, 3), default=0, show_default=True, help="Level of clearance.")
def add_person(
    name: str, organisation: str, title: str, roles: tuple[str, ...], country: str, employer: str, clearance: int
) -> None:
    """Add a person.

    Example: glasshouse access person add ada --organisation acme --name "Ada L." --role operator
    """
    from glasshouse.access import register
    from glasshouse.words.party import Person

    new = Person(name, organisation, title, cast("tuple[Role, ...]", roles), country, employer, clearance)
    with opened() as admin:
        admin.change("access.change", f"person:{name}", f"add person {name}", lambda to: register.add_person(to, new))
    say(f"{name} is added")


@person.command("key")
@click.argument("name", metavar="ID")
@click.option("--new", "new_file", type=click.Path(), metavar="FILE", help="Make a private key in a new FILE.")
@click.option("--public", metavar="HEX", help="Register a public Ed25519 key (32 bytes in hex) made elsewhere.")
def approver_key(name: str, new_file: str | None, public: str | None) -> None:
    """Register a key with which a person signs approvals on the command line.

    Example: glasshouse access person key bo --new bo.key
    """
    from glasshouse.access import register
    from glasshouse.guard.signatures import new_key_file, public_key

    if (new_file is None) == (public is None):
        raise click.UsageError("give --new FILE or --public HEX")
    with opened() as admin:
        admin.tables.people.get(name)
        registered = new_key_file(Path(new_file)) if new_file is not None else public_key(public or "")
        admin.change(
            "access.change",
            f"person:{name}",
            f"approver key {registered.id} for {name}",
            lambda to: register.add_approver_key(to, name, registered),
        )
    say(f"key {registered.id} of {name} is registered" + (f"; the private half is in {new_file}" if new_file else ""))


@person.command("deactivate")
@click.argument("name", metavar="ID")
def deactivate_person(name: str) -> None:
    """Somebody has left: none of their keys works from now on, nor do their votes."""
    _deactivate(name)


@workload.command("add")
@click.argument("name", metavar="ID")
@click.option("--organisation", required=True, metavar="ID", help="The organisation it acts for.")
@click.option("--name", "title", required=True, help="What it is.")
def add_workload(name: str, organisation: str, title: str) -> None:
    """Add a workload; it has the role operator."""
    from glasshouse.access import register
    from glasshouse.words.party import Workload

    new = Workload(name, organisation, title)
    with opened() as admin:
        admin.change(
            "access.change", f"workload:{name}", f"add workload {name}", lambda to: register.add_workload(to, new)
        )
    say(f"{name} is added")


@workload.command("deactivate")
@click.argument("name", metavar="ID")
def deactivate_workload(name: str) -> None:
    """A workload has ended: none of its keys works from now on."""
    _deactivate(name)


def _deactivate(name: str) -> None:
    from glasshouse.access import register

    with opened() as admin:
        admin.change(
            "access.withdraw", f"holder:{name}", f"deactivate {name}", lambda to: register.deactivate(to, name)
        )
    say(f"{name} is inactive")
