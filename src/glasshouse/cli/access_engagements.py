"""``glasshouse access engagement``: what was agreed, as a file, and its way from draft to the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from glasshouse.access.machines import ENGAGEMENT, changes_by
from glasshouse.cli.admin import as_json, date, opened, say, with_format

if TYPE_CHECKING:
    from glasshouse.words.engagement import Engagement

_EVENTS = {
    "request": "Hand in a draft.",
    "return": "Give a request back for changes.",
    "activate": "Activate a requested engagement: from now on it grants what it names.",
    "pause": "Pause an engagement: nothing passes under it until it is resumed.",
    "resume": "Resume a paused engagement.",
    "expire": "Mark an engagement as over before its term ends.",
    "revoke": "Revoke an engagement for good.",
}
assert set(_EVENTS) == {step.event for step in ENGAGEMENT.steps}

TEMPLATE = """\
# An engagement: what was agreed, with whom, on what, until when.  Every part is checked at every request.
id: shop-audit
organisation: acme
purpose: Find weaknesses in the web shop before the release of spring.
capabilities: [code.scan, events.respond]  # `glasshouse policy explain --capabilities` lists them with their tiers
tier: 0
starts: {starts}
ends: {ends}
scope:
  code:
    - origin: https://git.example.org/acme/shop
      globs: ["src/**"]
    - origin: /srv/checkouts/shop
  files: [/var/log/shop]
  hosts: ["*.shop.example", "10.1.0.0/16"]
  packages: ["pkg:pypi/django"]
  models: []
operators: []      # ids of people and workloads; empty: every operator of the organisation
approvals:
  - capabilities: [response.execute]
    needed: 2
    approvers: []  # empty: anyone of the organisation with the role approver
quota:
  acts_per_day: 1000
"""


@click.group("engagement")
def engagement() -> None:
    """Engagements: purpose, scope, capabilities, tier, term, approvers, quota."""


@engagement.command("template")
def template() -> None:
    """Print an engagement file to start from; its term is the next 90 days."""
    from datetime import UTC, datetime, timedelta

    today = datetime.now(UTC).date()
    click.echo(TEMPLATE.format(starts=today, ends=today + timedelta(days=90)), nl=False)


@engagement.command("draft")
@click.argument("file", type=click.Path())
def draft(file: str) -> None:
    """Record an engagement from FILE (YAML or JSON) as a draft.

    Example: glasshouse access engagement template > shop.yaml; glasshouse access engagement draft shop.yaml
    """
    from pathlib import Path

    from glasshouse.access import register
    from glasshouse.access.engagement_file import read_engagement

    new = read_engagement(Path(file))
    with opened() as admin:
        described = f"draft engagement {new.id}: {new.purpose}"
        admin.change("access.change", f"engagement:{new.id}", described, lambda to: register.draft(to, new))
    say(f"{new.id} is a draft; next: glasshouse access engagement request {new.id}")


@engagement.command("list")
def show_all() -> None:
    """List engagements."""
    with opened() as admin:
        for each in admin.tables.engagements.all():
            say(f"{each.id}  {each.state:<9}  {each.organisation}  tier {each.tier}  until {date(each.term.ends_at)}")


@engagement.command("show")
@click.argument("name", metavar="ID")
@with_format
def show(name: str, form: str) -> None:
    """Show an engagement in full."""
    with opened() as admin:
        found = admin.tables.engagements.get(name)
    if form == "json":
        as_json(found)
        return
    say(f"{found.id}: {found.state}, {found.organisation}, tier {found.tier}")
    say(f"  purpose       {found.purpose}")
    say(f"  term          {date(found.term.starts_at)} to {date(found.term.ends_at)}")
    say(f"  capabilities  {', '.join(found.capabilities) or 'none'}")
    for each in found.scope.code:
        say(f"  code          {each.tree or each.origin}  {' '.join(each.globs)}")
    for kind in ("files", "hosts", "packages", "models", "records"):
        values = getattr(found.scope, kind)
        if values:
            say(f"  {kind:<12}  {', '.join(values)}")
    for rule in found.approvals:
        say(
            f"  approvals     {rule.needed} for {', '.join(rule.capabilities)}, of {', '.join(rule.approvers) or 'any'}"
        )


def _outside_term(engagement: Engagement, now: int) -> str:
    """A warning where an active engagement grants nothing yet, or nothing any more."""
    if engagement.state != "active" or engagement.term.holds(now):
        return ""
    begins = now < engagement.term.starts_at
    return f"; its term begins on {date(engagement.term.starts_at)}" if begins else "; its term is over"


def _move(event: str) -> click.Command:
    @click.argument("name", metavar="ID")
    def move(name: str) -> None:
        from glasshouse.access import register

        with opened() as admin:
            before = admin.tables.engagements.get(name)
            after = admin.change(
                changes_by(ENGAGEMENT, event),
                f"engagement:{name}",
                f"{event} {name}",
                lambda to: register.move_engagement(to, name, event),
                before,
            )
            now = admin.door.now()
        say(f"{name} is {after.state}{_outside_term(after, now)}")

    return click.command(event, help=_EVENTS[event])(move)


for _event in _EVENTS:
    engagement.add_command(_move(_event))
