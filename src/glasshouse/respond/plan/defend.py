"""Names and terms of MITRE D3FEND's countermeasures; the list ships with the package (data/d3fend.NOTICE.txt)."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import msgspec

DATA = Path(__file__).resolve().parent.parent / "data" / "d3fend.json"


class Countermeasure(msgspec.Struct, frozen=True):
    """One countermeasure: its term in the ontology and its label."""

    term: str
    name: str

    @property
    def url(self) -> str:
        """Its page."""
        return f"https://d3fend.mitre.org/technique/d3f:{self.term}/"


class Defend(msgspec.Struct, frozen=True):
    """The list: version of the ontology, countermeasures by id."""

    version: str
    techniques: dict[str, Countermeasure]


@lru_cache(maxsize=1)
def defend() -> Defend:
    """The list, read once."""
    return msgspec.json.decode(DATA.read_bytes(), type=Defend)
