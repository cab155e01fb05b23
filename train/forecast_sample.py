"""A sample of the development data for `scripts/assess_own_models.py`, small enough to lie in the repository.

    python -m train.forecast_sample [--data FOLDER] [--output FILE]

Every CVE that was listed within 90 days of 2024-12-31, all earlier listings, and 2,000 others at random, each with what
was known by that day.  The model learnt from these days, so figures over the sample flatter it; they show that the
assessment runs and gives the same result, not how good forecasts of the future are (bench/forecast.py does).
"""

from __future__ import annotations

import argparse
import gzip
import random
from pathlib import Path

import msgspec

from glasshouse.forecast.facts import Day, Fact, Listed, Mentions, Text, day
from train.forecast_data import DEFAULT, Dataset, load

OUTPUT = Path(__file__).resolve().parents[1] / "scripts" / "data" / "forecast_sample.ndjson.gz"
LANDMARK = day("2024-12-31")
WINDOW = 90
OTHERS = 2_000
RECENT_DAYS = 120  # of mentions; before them the last count is enough
MAX_TEXT = 600


def sample(data: Dataset) -> list[Fact]:
    """The facts, in order."""
    known = sorted(name for name, seen in data.indexed.items() if seen <= LANDMARK)
    hits = [name for name in known if LANDMARK < data.listed.get(name, LANDMARK) <= LANDMARK + WINDOW]
    free = [name for name in known if name not in data.listed]
    chosen = {*hits, *random.Random(7).sample(free, OTHERS)}  # noqa: S311 - a draw that can be repeated
    facts = [fact for name in sorted(chosen) for fact in kept(data.facts[name])]
    before = sorted(name for name, when in data.listed.items() if when <= LANDMARK)
    return facts + [fact for name in before for fact in data.facts[name] if isinstance(fact.claim, Listed)]


def kept(facts: list[Fact]) -> list[Fact]:
    """What was known on the landmark, with counts of mentions thinned; and the listing that came after it."""
    told = [fact for fact in facts if fact.known_at <= LANDMARK or isinstance(fact.claim, Listed)]
    mentions = sorted((f for f in told if isinstance(f.claim, Mentions)), key=lambda f: f.known_at)
    recent = Day(LANDMARK - RECENT_DAYS)
    old = [fact for fact in mentions if fact.known_at < recent][-1:]
    new = [fact for fact in mentions if fact.known_at >= recent]
    rest = [_short(fact) for fact in told if not isinstance(fact.claim, Mentions)]
    return [*rest, *old, *new]


def _short(fact: Fact) -> Fact:
    if not isinstance(fact.claim, Text):
        return fact
    return msgspec.structs.replace(fact, claim=Text(fact.claim.description[:MAX_TEXT]))


def main() -> None:
    """Writes the sample; the same data give the same bytes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DEFAULT)
    parser.add_argument("--output", type=Path, default=OUTPUT)
    options = parser.parse_args()
    body = b"".join(msgspec.json.encode(fact) + b"\n" for fact in sample(load(options.data)))
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_bytes(gzip.compress(body, mtime=0))
    print(f"{options.output}: {options.output.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
