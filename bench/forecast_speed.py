"""How long it takes to score 300,000 CVEs, and to hold 10,000 components against 300,000 advisories.  Made-up records.

    python bench/forecast_speed.py [--cves N] [--components N] [--advisories N]

The peer of the matching is the obvious way on the same rows: every version parsed once with `packaging`, every
advisory of the package tried.
"""

from __future__ import annotations

import argparse
import random
import resource
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from packaging.version import Version

from glasshouse.forecast.exposure import analyse
from glasshouse.forecast.exposure.match import weighed
from glasshouse.forecast.exposure.model import Service
from glasshouse.forecast.facts import Affected, Assigner, Day, Fact, Listed, Mentions, Published, Text, Weaknesses, day
from glasshouse.forecast.model import shipped_model
from glasshouse.forecast.score import Engine
from glasshouse.forecast.store import FactStore
from glasshouse.inventory.advisory import Advisory, Interval
from glasshouse.inventory.component import Component
from glasshouse.inventory.match import match

TODAY = day("2026-11-01")
WORDS_A_DESCRIPTION = 45
PACKAGES = 60_000


class Timed(NamedTuple):
    """Seconds of a step, and what it gave."""

    wall: float
    cpu: float
    result: object


def timed(step: Callable[[], object]) -> Timed:
    """Runs a step."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = step()
    return Timed(time.perf_counter() - wall, time.process_time() - cpu, result)


def facts(count: int, chance: random.Random) -> Iterator[Fact]:
    """Records with descriptions in words that the model knows."""
    known = [term for term in shipped_model().weights.text.vocabulary if " " not in term]
    for number in range(count):
        name = f"CVE-{2015 + number % 12}-{10_000 + number}"
        since = Day(TODAY - chance.randrange(1, 4_000))
        yield Fact(name, since, "cvelist", Published())
        yield Fact(name, since, "cvelist", Text(" ".join(chance.choices(known, k=WORDS_A_DESCRIPTION))))
        yield Fact(name, since, "cvelist", Affected(((chance.choice(known), chance.choice(known)),)))
        yield Fact(name, since, "cvelist", Weaknesses((chance.choice((20, 22, 78, 79, 89, 416, 787)),)))
        yield Fact(name, since, "cvelist", Assigner("someone"))
        if number % 2:
            yield Fact(name, since, "mentions", Mentions(1, number % 9, number % 3))
        if number % 200 == 0:
            yield Fact(name, Day(since + 1), "kev", Listed(chance.choice(known), chance.choice(known)))


def advisories(count: int, chance: random.Random) -> Iterator[Advisory]:
    """Advisories over packages of which few have many."""
    for number in range(count):
        package = int(PACKAGES * chance.random() ** 3)
        fixed = f"{chance.randrange(1, 9)}.{chance.randrange(30)}.{chance.randrange(30)}"
        yield Advisory(
            f"GHSA-{number}",
            "PyPI",
            f"package-{package}",
            "2026-01-01",
            (f"CVE-2024-{10_000 + number}",),
            (Interval("0", fixed=fixed),),
        )


def naive(components: list[Component], by_package: dict[str, list[Advisory]]) -> int:
    """The peer: hits found by parsing everything."""
    hits = 0
    for component in components:
        own = Version(component.version)
        for each in by_package.get(component.name, ()):
            hits += any(own < Version(interval.fixed) for interval in each.intervals)
    return hits


def main() -> None:
    """Prints a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cves", type=int, default=300_000)
    parser.add_argument("--components", type=int, default=10_000)
    parser.add_argument("--advisories", type=int, default=300_000)
    options = parser.parse_args()
    chance = random.Random(1)
    rows: list[tuple[str, Timed]] = []
    with tempfile.TemporaryDirectory() as folder, FactStore(Path(folder) / "forecast.db") as store:
        rows.append((f"import {options.cves:,} records", timed(lambda: store.add(facts(options.cves, chance)))))
        engine = Engine(store, shipped_model(), TODAY)
        rows.append((f"score {options.cves:,} CVEs", timed(engine.score_all)))
        made = list(advisories(options.advisories, chance))
        rows.append((f"import {options.advisories:,} advisories", timed(lambda: store.add_advisories(made))))
        components = [
            Component(
                "PyPI", f"package-{int(PACKAGES * chance.random() ** 2)}", f"{number % 9}.{number % 31}.{number % 29}"
            )
            for number in range(options.components)
        ]
        matched = timed(lambda: match(components, store.advisories_about, store.ecosystems()))
        title = f"hold {options.components:,} components against {options.advisories:,} advisories"
        rows.append((title, matched))
        by_package: dict[str, list[Advisory]] = defaultdict(list)
        for each in made:
            by_package[each.package].append(each)
        rows.append(("peer: the obvious way in memory, `packaging`", timed(lambda: naive(components, by_package))))
        found = weighed(match(components, store.advisories_about, store.ecosystems()), {}, frozenset(), 0.0002).found
        services = [
            Service(f"s{number}", tuple(chance.sample(components, min(150, len(components)))), critical=number % 9 == 0)
            for number in range(300)
        ]
        web = analyse.weave(services, found)
        rows.append(("300 services: exact loss, effects, plan of ten", timed(lambda: plan(web, found))))
        rows.append(("300 services: 2,000 draws", timed(lambda: analyse.simulate(web))))
    print("| step | wall s | CPU s |\n| --- | --- | --- |")
    for name, step in rows:
        print(f"| {name} | {step.wall:.2f} | {step.cpu:.2f} |")
    print(f"\nPeak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB (with the made-up rows).")


def plan(web: analyse.Web, found: analyse.Found) -> object:
    """Everything exact."""
    loss = web.loss()
    return analyse.plan(web, loss, analyse.exposed(web, found, loss))


if __name__ == "__main__":
    main()
