"""Names and tactics of ATT&CK techniques, from an extract that ships with the package (see data/attack.NOTICE.txt)."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import msgspec

DATA = Path(__file__).resolve().parent.parent / "data" / "attack.json"
TACTICS = (
    "reconnaissance", "resource-development", "initial-access", "execution", "persistence", "privilege-escalation",
    "defense-evasion", "credential-access", "discovery", "lateral-movement", "collection", "command-and-control",
    "exfiltration", "impact",
)  # fmt: skip
"""In the order of the matrix."""
TACTIC_RANK = {name: rank for rank, name in enumerate(TACTICS)}


LATER: dict[str, str] = {
    "T1685": "T1562.001",
    "T1685.001": "T1562.002",
    "T1685.002": "T1562.008",
    "T1685.004": "T1562.012",
    "T1685.005": "T1070.001",
    "T1685.006": "T1070.002",
    "T1686": "T1562.004",
    "T1686.001": "T1562.007",
    "T1686.002": "T1562.004",
    "T1686.003": "T1562.004",
    "T1689": "T1562.010",
    "T1690": "T1562",
}
"""Ids that rules use from a later version of ATT&CK, as the extract's version calls them."""
_LATER_TACTICS = {"stealth": "defense-evasion", "defense-impairment": "defense-evasion"}


class TechniqueInfo(msgspec.Struct, frozen=True):
    """One technique: its name, its tactics (short names), and the ids of mitigations against it."""

    name: str
    tactics: tuple[str, ...]
    mitigations: tuple[str, ...] = ()


class Attack(msgspec.Struct, frozen=True):
    """The extract: version, techniques by id, names of mitigations by id."""

    version: str
    techniques: dict[str, TechniqueInfo]
    mitigations: dict[str, str]

    def name(self, technique: str) -> str:
        """The name of a technique, or its id when the extract lacks it."""
        found = self.techniques.get(technique)
        return found.name if found else technique

    def tactics(self, technique: str) -> tuple[str, ...]:
        """The tactics of a technique in the order of the matrix."""
        found = self.techniques.get(technique)
        return found.tactics if found else ()


@lru_cache(maxsize=1)
def attack() -> Attack:
    """The extract, read once."""
    return msgspec.json.decode(DATA.read_bytes(), type=Attack)


def of_this_version(technique: str) -> str:
    """The id in the extract's version of ATT&CK."""
    return LATER.get(technique, technique)


def tactic_of_tag(tag: str) -> str:
    """The tactic that a rule's tag names, or nothing."""
    name = tag.lower().removeprefix("attack.").replace("_", "-")
    name = _LATER_TACTICS.get(name, name)
    return name if name in TACTIC_RANK else ""


def parent(technique: str) -> str:
    """``T1059.001`` is ``T1059`` in little."""
    return technique.partition(".")[0]
