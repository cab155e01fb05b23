"""The engagement that needs no set-up: the user of this machine, on the paths named on the command line."""

from __future__ import annotations

from collections.abc import Iterable

from glasshouse.words.act import Target
from glasshouse.words.capability import CAPABILITIES
from glasshouse.words.engagement import CodeScope, Engagement, Scope, Term
from glasshouse.words.party import Caller, Organisation

LOCAL = "local"
_FOREVER = Term(0, 1 << 62)
_ORGANISATION = Organisation(LOCAL, "this machine", state="vetted")
_CAPABILITIES = tuple(sorted(each.id for each in CAPABILITIES.values() if each.group in ("analyse", "administer")))
_TIER = 2


def local_caller(user: str, targets: Iterable[Target]) -> Caller:
    """The user of this machine with a scope of exactly these targets.

    It grants what reads one's own material and what administers one's own machine; it grants no model and no action
    on another system.
    """
    named = tuple(targets)
    scope = Scope(
        code=tuple(CodeScope(origin=each.name) for each in named if each.kind == "code"),
        files=tuple(each.name for each in named if each.kind == "file"),
        packages=tuple(each.name for each in named if each.kind == "package"),
        records=("*",),
    )
    engagement = Engagement(LOCAL, LOCAL, "work on this machine", scope, _CAPABILITIES, _TIER, _FOREVER, "active")
    return Caller("local", f"local:{user}", _ORGANISATION, engagement, ("administrator", "operator"))
