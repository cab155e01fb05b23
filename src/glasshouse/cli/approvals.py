"""``glasshouse approvals``, ``approve`` and ``deny``: what waits for people, and what they say."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from glasshouse.cli.admin import as_json, date, opened, say, with_format
from glasshouse.words.display import counted
from glasshouse.words.errors import UsageError

if TYPE_CHECKING:
    from glasshouse.words.approval import ApprovalRequest, Verdict

_STATES = ("waiting", "approved", "denied", "lapsed", "used")


@click.command("approvals", context_settings={"max_content_width": 110})
@click.option("--state", type=click.Choice(_STATES), default="waiting", show_default=True, help="Which requests.")
@with_format
def command(state: str, form: str) -> None:
    """List requests that wait for approval: what will happen, on what, by whom, why, until when."""
    with opened() as admin:
        found = admin.door.waiting.all(state)
    if form == "json":
        as_json(found)
        return
    for each in found:
        describe(each)
    click.echo(f"{counted(len(found), 'request')} {state}", err=True)


@click.command("approve", context_settings={"max_content_width": 110})
@click.argument("name", metavar="ID")
@click.option("--as", "person", required=True, metavar="PERSON", help="Who approves.")
@click.option("--key", required=True, type=click.Path(), metavar="FILE", help="Their Ed25519 key file.")
@click.option("--yes", is_flag=True, help="Do not ask again.")
def approve(name: str, person: str, key: str, yes: bool) -> None:
    """Approve a request: signs exactly this act, under the policy and the log as they were when it was asked."""
    _vote(name, person, key, "approve", "", yes=yes)


@click.command("deny", context_settings={"max_content_width": 110})
@click.argument("name", metavar="ID")
@click.option("--reason", required=True, help="Why; the requester is told.")
@click.option("--as", "person", required=True, metavar="PERSON", help="Who denies.")
@click.option("--key", required=True, type=click.Path(), metavar="FILE", help="Their Ed25519 key file.")
@click.option("--yes", is_flag=True, help="Do not ask again.")
def deny(name: str, reason: str, person: str, key: str, yes: bool) -> None:
    """Deny a request, with the reason."""
    _vote(name, person, key, "deny", reason, yes=yes)


def describe(request: ApprovalRequest) -> None:
    """Everything an approver must know, before a key is touched."""
    terms = request.terms
    say(f"{terms.id}: {terms.act.capability}, {request.state}, {len(request.votes)} of {counted(terms.needed, 'vote')}")
    say(f"  what   {terms.act.describes or terms.act.capability}")
    for target in terms.act.targets[:20]:
        say(f"  on     {target.kind} {target.name} {target.path}".rstrip())
    if len(terms.act.targets) > 20:
        say(f"  on     {len(terms.act.targets) - 20:,} more")
    say(f"  by     {terms.requester} of {terms.organisation}, engagement {terms.act.engagement}")
    say(f"  why    {terms.why} [{', '.join(terms.policies)}]")
    if terms.act.costs:
        say(f"  costs  {terms.act.costs}")
    say(f"  until  {date(terms.lapses_at)}; by {', '.join(terms.approvers) or 'anyone with the role approver'}")
    say(f"  signs  sha256:{terms.digest()} (policy {terms.policy_hash[:12]}, log at {terms.checkpoint.size:,})")
    for vote in request.votes:
        say(f"  vote   {vote.approver}: {vote.verdict} {vote.reason}".rstrip())


def _agreed(asks: str) -> bool:
    """The answer of whoever sits there; `UsageError` where input ends before an answer."""
    try:
        return click.confirm(asks, err=True)
    except click.Abort:
        if sys.stdin.isatty():
            raise  # Ctrl-C
        raise UsageError("nobody is there to be asked", hint="Give --yes to sign without being asked.") from None


def _vote(name: str, person: str, key: str, verdict: Verdict, reason: str, *, yes: bool) -> None:
    from glasshouse.guard.signatures import read_key_file, sign

    private = read_key_file(Path(key))
    with opened() as admin:
        request = admin.door.waiting.get(name)
        describe(request)
        if not yes and not _agreed(f"{verdict} this as {person}?"):
            click.echo("nothing was signed", err=True)
            raise click.exceptions.Exit(3)
        vote = sign(private, request.terms, person, verdict, reason, admin.door.now())
        after, receipt = admin.door.waiting.vote(name, vote, admin.caller)
    say(f"{name} is {after.state}, {len(after.votes)} of {counted(after.terms.needed, 'vote')}; entry {receipt.index}")
