"""A scan of dependencies: places in; findings, components and what could not be judged out."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from glasshouse.inventory.component import Component, Inventory, LeftOut, to_purl
from glasshouse.inventory.match import LookUp, Matched, match
from glasshouse.inventory.places import Place, inventories, open_place
from glasshouse.scan.dependencies.findings import Chances, Held, findings, held
from glasshouse.scan.discover.walk import report_path, report_root
from glasshouse.words.dependency import Dependency
from glasshouse.words.errors import NothingToAnalyseError
from glasshouse.words.finding import NotAnalysed, Result, ScanSummary
from glasshouse.words.location import Location

MAX_NAMED = 5
NOTHING_KNOWN = "0 advisories known: nothing was judged; import some with `glasshouse advisories import DIR|ZIP`"
Progress = Callable[[str, int, int], None]


class Known(NamedTuple):
    """What is known about flaws: ``look_up`` gives advisories, ``covered`` the ecosystems that have any.

    ``chances`` gives, for CVE ids, the chance of being listed as exploited within 90 days, and those listed already.
    """

    look_up: LookUp
    covered: frozenset[str]
    chances: Callable[[Sequence[str]], tuple[Mapping[str, float], frozenset[str]]]


def scan_dependencies(paths: Sequence[Path], known: Known, progress: Progress | None = None) -> Iterator[Result]:
    """Findings, components, what was not judged and, last, a summary.

    Raises ``PathError`` for a path that does not exist and ``NothingToAnalyseError`` when no path lists a component.
    """
    read, left_out = _read(paths, progress)
    if not read and not left_out:
        names = ", ".join(str(path) for path in paths)
        hint = "Lock files, bills of materials and package databases are read; see `glasshouse scan --help`."
        raise NothingToAnalyseError("no file that lists dependencies", where=names, hint=hint)
    components = sorted({component for inventory in read for component in inventory.components})
    if progress is not None:
        progress("matching", 0, len(components))
    matched = match(components, known.look_up, known.covered)
    problems = [NotAnalysed(report_path(each.where), each.code, each.why, True, each.line) for each in left_out]
    found: list[Result] = []
    cves = sorted({cve for advisories in matched.found.values() for each in advisories for cve in each.cves})
    chances = Chances(*known.chances(cves)) if cves else Chances({}, frozenset())
    for inventory in read:
        rows = held(inventory)
        found += findings(rows, matched.found, chances)
        found += (_dependency(row, inventory) for row in rows)
        problems += _problems(inventory, rows, matched)
    yield from found
    yield from problems
    yield _summary(read, components, found, problems, known)


def _read(paths: Sequence[Path], progress: Progress | None) -> tuple[list[Inventory], list[LeftOut]]:
    read: dict[str, Inventory] = {}
    left_out: dict[LeftOut, None] = {}
    root = report_root(paths)
    for path in paths:
        place: Place = open_place(path)
        shown = os.path.relpath(os.path.abspath(path), root) if root else str(path)
        for each in inventories(place, "" if shown == "." else shown):
            if isinstance(each, LeftOut):
                left_out[each] = None
            else:
                read[each.name] = each
            if progress is not None:
                progress("reading", len(read), 0)
    return list(read.values()), list(left_out)


def _dependency(row: Held, inventory: Inventory) -> Dependency:
    component = row.component
    return Dependency(
        purl=row.purl or to_purl(component),
        ecosystem=component.ecosystem,
        name=component.name,
        version=component.version,
        location=Location(row.path, row.line),
        direct=row.direct,
        source=inventory.format,
    )


def _problems(inventory: Inventory, rows: Sequence[Held], matched: Matched) -> Iterator[NotAnalysed]:
    """Entries that were not read, and components that were not judged, those with one reason together."""
    for each in inventory.left_out:
        entry = each.where.removeprefix(f"{inventory.name}: ")
        text = each.why if entry in (inventory.name, f"line {each.line}") else f"{entry}: {each.why}"
        yield NotAnalysed(report_path(inventory.name), each.code, text, True, each.line)
    groups: dict[str, list[Held]] = {}
    for row in rows:
        for reason in matched.unknown.get(row.component, ()):
            groups.setdefault(reason, []).append(row)
    for reason, members in groups.items():
        names = ", ".join(str(row.component) for row in members[:MAX_NAMED])
        more = f" and {len(members) - MAX_NAMED:,} more" if len(members) > MAX_NAMED else ""
        yield NotAnalysed(members[0].path, "not-judged", f"{reason}: {names}{more}", True, members[0].line)


def _summary(
    read: Sequence[Inventory],
    components: Sequence[Component],
    found: Sequence[Result],
    problems: Sequence[NotAnalysed],
    known: Known,
) -> ScanSummary:
    ecosystems = Counter(component.ecosystem or "unknown" for component in components)
    flaws = sum(not isinstance(each, Dependency) for each in found)
    return ScanSummary(
        files=len(read),
        lines=0,
        functions=0,
        languages={},
        findings=flaws,
        suppressed=0,
        not_analysed=dict(sorted(Counter(each.code for each in problems).items())),
        mode="dependencies",
        notes=() if known.covered else (NOTHING_KNOWN,),
        components=dict(sorted(ecosystems.items())),
    )
