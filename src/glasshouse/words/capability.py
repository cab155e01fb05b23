"""What can be asked of Glasshouse: the capabilities, the tier each needs, and the targets it acts on."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

import msgspec

TargetKind = Literal["code", "file", "host", "package", "model", "record"]
Group = Literal["analyse", "model", "respond", "administer"]


class Capability(msgspec.Struct, frozen=True):
    """One thing that can be asked for.

    ``tier`` is the least tier of an engagement that may grant it: 0 reads the caller's own material, 1 calls a model
    with default safeguards, 2 is verified defensive work, 3 acts on systems.  ``asks`` demands an approval whatever
    the engagement says.
    """

    id: str
    title: str
    tier: int
    group: Group
    targets: tuple[TargetKind, ...]
    asks: bool = False


_ALL = (
    Capability("code.scan", "find weaknesses in source code", 0, "analyse", ("code",)),
    Capability("events.respond", "detect incidents in events and plan the response", 0, "analyse", ("file", "record")),
    Capability("vulnerability.forecast", "forecast exploitation", 0, "analyse", ("file", "package", "record")),
    Capability("inventory.exposure", "say what an exploitation would hit", 0, "analyse", ("file", "package")),
    Capability("model.assess", "assess a model before release", 0, "analyse", ("file", "model", "record")),
    Capability("evidence.record", "record runs, statements, duties and documents", 0, "administer", ("record", "file")),
    Capability("release.override", "pass a refused release gate by name", 0, "administer", ("record",), asks=True),
    Capability("model.call", "call a language model", 1, "model", ("model",)),
    Capability("code.prove", "prove a weakness inside a sandbox", 2, "analyse", ("code",)),
    Capability("response.execute", "carry out a step of a response plan", 3, "respond", ("host", "record"), asks=True),
    Capability("access.change", "change organisations, people, keys or engagements", 0, "administer", ("record",)),
    Capability("access.withdraw", "take rights away: revoke, suspend, pause, end", 0, "administer", ("record",)),
    Capability("access.halt", "revoke a cohort or stop everything", 0, "administer", ("record",)),
    Capability("approval.decide", "approve or deny a waiting request", 0, "administer", ("record",)),
    Capability("log.erase", "erase a payload of the log", 0, "administer", ("record",)),
)
CAPABILITIES: Mapping[str, Capability] = MappingProxyType({each.id: each for each in _ALL})
MAX_TIER = 3
