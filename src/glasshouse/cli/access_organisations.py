"""``glasshouse access org``: admission, from application to revocation, with checks, reasons and appeals."""

from __future__ import annotations

import click

from glasshouse.access.machines import ORGANISATION, changes_by
from glasshouse.cli.admin import as_json, date, digest_of, opened, say, with_format

_EVENTS = {
    "vet": "Admit an organisation whose required criteria are all met.",
    "refuse": "Refuse an application, with the reason.",
    "suspend": "Suspend an organisation: nothing of it passes until it is reinstated.",
    "reinstate": "Reinstate a suspended organisation.",
    "revoke": "Revoke an organisation for good; it may only apply again.",
    "reapply": "Let a revoked organisation apply again.",
}
assert set(_EVENTS) == {step.event for step in ORGANISATION.steps}


@click.group("org")
def organisation() -> None:
    """Organisations: apply, check criteria, vet, suspend, revoke, appeal."""


@organisation.command("apply")
@click.argument("name", metavar="ID")
@click.option("--name", "title", required=True, help="Full name.")
@click.option("--country", default="", metavar="CODE", help="Country of establishment (ISO 3166-1, such as FR).")
def apply(name: str, title: str, country: str) -> None:
    """Record an organisation that applies for admission."""
    from glasshouse.access import register
    from glasshouse.words.party import Organisation

    new = Organisation(name, title, country)
    with opened() as admin:
        admin.change("access.change", f"organisation:{name}", f"{name} applies", lambda to: register.apply(to, new))
    say(f"{name} has applied; next: glasshouse access org check {name} CRITERION --met --reviewer ... --evidence FILE")


@organisation.command("check")
@click.argument("name", metavar="ID")
@click.argument("criterion")
@click.option("--met/--not-met", required=True, help="The result of the check.")
@click.option("--reviewer", required=True, help="Who checked.")
@click.option("--evidence", required=True, metavar="FILE", help="The evidence; only its SHA-256 is stored.")
def check(name: str, criterion: str, met: bool, reviewer: str, evidence: str) -> None:
    """Record that a criterion was checked: by whom, when, on which evidence."""
    from glasshouse.access import register
    from glasshouse.access.criteria import unmet
    from glasshouse.words.party import CriterionCheck

    digest = digest_of(evidence)
    with opened() as admin:
        done = CriterionCheck(criterion, met, reviewer, admin.door.now(), digest)
        described = f"check {criterion} of {name}: {'met' if met else 'not met'}"
        after = admin.change(
            "access.change", f"organisation:{name}", described, lambda to: register.record_check(to, name, done)
        )
    left = ", ".join(each.id for each in unmet(after))
    say(f"recorded; still to be met: {left}" if left else f"recorded; all met: glasshouse access org vet {name}")


@organisation.command("show")
@click.argument("name", metavar="ID")
@with_format
def show(name: str, form: str) -> None:
    """Show an organisation with its checks and appeals."""
    from glasshouse.access.criteria import unmet

    with opened() as admin:
        found = admin.tables.organisations.get(name)
    if form == "json":
        as_json(found)
        return
    say(f"{found.id}: {found.name} {found.country}, {found.state}" + (f" ({found.reason})" if found.reason else ""))
    for each in found.checks:
        result = "met" if each.met else "NOT MET"
        say(f"  {each.criterion}: {result}, {each.reviewer}, {date(each.checked_at)}, sha256:{each.evidence[:16]}...")
    for missing in unmet(found):
        say(f"  {missing.id}: to be met")
    for appeal in found.appeals:
        outcome = "upheld" if appeal.upheld else "rejected" if appeal.decided_at else "open"
        say(f"  appeal of {date(appeal.filed_at)}: {appeal.grounds} [{outcome}] {appeal.decision}")


@organisation.command("appeal")
@click.argument("name", metavar="ID")
@click.option("--grounds", required=True, help="What the organisation puts forward.")
def appeal(name: str, grounds: str) -> None:
    """Record an appeal against a refusal, suspension or revocation."""
    from glasshouse.access import register

    with opened() as admin:
        now = admin.door.now()
        admin.change(
            "access.change",
            f"organisation:{name}",
            f"{name} appeals",
            lambda to: register.appeal(to, name, grounds, now),
        )
    say("the appeal is recorded")


@organisation.command("decide-appeal")
@click.argument("name", metavar="ID")
@click.option("--upheld/--rejected", required=True, help="Whether the appeal succeeds.")
@click.option("--decision", required=True, help="The reasons.")
def decide_appeal(name: str, upheld: bool, decision: str) -> None:
    """Decide the open appeal; upheld reinstates, or lets a revoked organisation apply again."""
    from glasshouse.access import register

    with opened() as admin:
        now = admin.door.now()
        after = admin.change(
            "access.change",
            f"organisation:{name}",
            f"appeal of {name}: {'upheld' if upheld else 'rejected'}",
            lambda to: register.decide_appeal(to, name, decision, now, upheld=upheld),
        )
    say(f"{name} is {after.state}")


def _move(event: str) -> click.Command:
    @click.argument("name", metavar="ID")
    @click.option("--reason", default="", help="Why; told to the organisation. Needed to refuse, suspend or revoke.")
    def move(name: str, reason: str) -> None:
        from glasshouse.access import register

        with opened() as admin:
            before = admin.tables.organisations.get(name)
            after = admin.change(
                changes_by(ORGANISATION, event),
                f"organisation:{name}",
                f"{event} {name}",
                lambda to: register.move_organisation(to, name, event, reason),
                before,
            )
        say(f"{name} is {after.state}")

    return click.command(event, help=_EVENTS[event])(move)


for _event in _EVENTS:
    organisation.add_command(_move(_event))
