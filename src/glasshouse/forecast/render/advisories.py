"""What is known about advisories, as text and JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from glasshouse.forecast.facts import Day, iso
from glasshouse.forecast.store import AdvisoryCount
from glasshouse.words.display import counted, visible


def as_text(counts: Mapping[str, AdvisoryCount], imported: Day | None) -> Iterator[str]:
    """One line an ecosystem."""
    total = sum(each.count for each in counts.values())
    width = max((len(visible(name)) for name in counts), default=0)
    for name, each in counts.items():
        yield f"{visible(name):<{width}}  {each.count:>9,}  latest {visible(each.latest[:10])}\n"
    when = f", last imported {iso(imported)}" if imported is not None else ""
    yield f"{counted(total, 'advisory', 'advisories')} about {counted(len(counts), 'ecosystem')}{when}; "
    yield "one that names two packages counts twice\n"


def as_json(counts: Mapping[str, AdvisoryCount], imported: Day | None) -> Iterator[str]:
    """The same for programs."""
    document = {
        "schema": "glasshouse/advisories/1",
        "last_import": iso(imported) if imported is not None else None,
        "ecosystems": {name: {"count": each.count, "latest": each.latest} for name, each in counts.items()},
    }
    yield msgspec.json.format(msgspec.json.encode(document)).decode() + "\n"
