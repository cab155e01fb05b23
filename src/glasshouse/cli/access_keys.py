"""``glasshouse access key``: keys, shown once."""

from __future__ import annotations

import click

from glasshouse.access.keys import DEFAULT_LIFETIME_S, DEFAULT_OVERLAP_S, ENVIRONMENTS
from glasshouse.cli.admin import date, opened, say

DAY_S = 86_400
_DAYS = click.option(
    "--days", type=click.IntRange(1, 366), default=DEFAULT_LIFETIME_S // DAY_S, show_default=True, help="Lifetime."
)


@click.group("key")
def key() -> None:
    """Keys: issue, rotate with overlap, revoke."""


@key.command("issue")
@click.argument("holder")
@click.option("--engagement", required=True, metavar="ID", help="The engagement that the key is for.")
@_DAYS
@click.option(
    "--environment", type=click.Choice(ENVIRONMENTS), default="live", show_default=True, help="Marks the key."
)
def issue(holder: str, engagement: str, days: int, environment: str) -> None:
    """Issue a key to a person or workload; it is printed once, on standard output, and stored nowhere.

    Example: GLASSHOUSE_KEY=$(glasshouse access key issue ada --engagement audit)
    """
    from glasshouse.access import register

    with opened() as admin:
        now, pepper = admin.door.now(), admin.door.home.pepper()
        made, record = admin.change(
            "access.change",
            f"holder:{holder}",
            f"issue a key to {holder} for {engagement}",
            lambda to: register.issue_key(to, pepper, holder, engagement, now, days * DAY_S, environment),
        )
    click.echo(f"key {record.public_id} of {holder}, until {date(record.expires_at)}; it is not shown again:", err=True)
    click.echo(made.text)


@key.command("rotate")
@click.argument("public_id", metavar="PUBLIC-ID")
@_DAYS
@click.option(
    "--overlap-days",
    type=click.IntRange(0, 90),
    default=DEFAULT_OVERLAP_S // DAY_S,
    show_default=True,
    help="How long the old key goes on.",
)
def rotate(public_id: str, days: int, overlap_days: int) -> None:
    """Issue a new key in place of an old one, which goes on for a while."""
    from glasshouse.access import register

    with opened() as admin:
        now, pepper = admin.door.now(), admin.door.home.pepper()
        made, record = admin.change(
            "access.change",
            f"key:{public_id}",
            f"rotate key {public_id}",
            lambda to: register.rotate_key(to, pepper, public_id, now, days * DAY_S, overlap_days * DAY_S),
        )
    click.echo(f"key {record.public_id} replaces {public_id}; it is not shown again:", err=True)
    click.echo(made.text)


@key.command("revoke")
@click.argument("public_id", metavar="PUBLIC-ID")
def revoke(public_id: str) -> None:
    """Revoke a key for good, in every running process, within a second."""
    from glasshouse.access import register

    with opened() as admin:
        before = admin.tables.keys.get(public_id)
        admin.change(
            "access.withdraw",
            f"key:{public_id}",
            f"revoke key {public_id}",
            lambda to: register.revoke_key(to, public_id),
            before,
        )
    say(f"key {public_id} is revoked")


@key.command("list")
def show() -> None:
    """List keys by public id; secrets are not stored."""
    with opened() as admin:
        for each in admin.tables.keys.all():
            say(f"{each.public_id}  {each.state:<8}  {each.holder}  {each.engagement}  until {date(each.expires_at)}")
