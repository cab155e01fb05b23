"""From a candidate to the features that the ranker knows: numbers between 0 and 1, never a name from the code."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence

from glasshouse.scan.judge.evidence import OWN, Candidate, Lines
from glasshouse.scan.judge.surroundings import Surroundings, surroundings
from glasshouse.words.finding import CONFIDENCES, SEVERITIES

NEAR = 20
"""Lines around a place within which a region that did not parse casts doubt."""
GROUPS: dict[str, tuple[int, ...]] = {
    "bounds": (118, 119, 120, 121, 122, 123, 124, 125, 126, 127, 129, 131, 170, 242, 466, 676, 680, 786, 787, 788, 805),
    "number": (128, 190, 191, 192, 194, 195, 196, 197, 369, 467, 468, 681, 682),
    "lifetime": (401, 404, 415, 416, 457, 456, 459, 476, 562, 590, 665, 690, 761, 762, 772, 775, 825, 908, 252, 253),
    "command": (77, 78, 88),
    "code": (94, 95, 96, 470, 502, 1336, 1321, 915),
    "query": (89, 90, 91, 564, 643, 943, 917),
    "markup": (79, 80, 83, 116),
    "path": (22, 23, 36, 59, 73, 98, 434, 426, 427, 377, 378, 379),
    "request": (601, 918, 113, 93, 117, 352, 346, 942, 1004, 614, 1275, 640),
    "crypto": (295, 297, 310, 311, 312, 319, 320, 322, 326, 327, 328, 330, 338, 347, 757, 759, 760, 780, 916),
    "secret": (259, 321, 522, 532, 798, 200, 209, 215, 497),
    "load": (400, 674, 730, 770, 776, 789, 834, 835, 1333, 611, 827),
    "access": (250, 269, 276, 284, 285, 287, 306, 362, 367, 667, 732, 862, 863),
}
GROUP_OF = {number: name for name, numbers in GROUPS.items() for number in numbers}


TRUST: dict[str, float] = {
    "request": 1,
    "message": 1,
    "stdin": 0.8,
    "argv": 0.6,
    "file": 0.5,
    "archive": 0.5,
    "env": 0.3,
    "database": 0.3,
}
"""How much of a stranger a source of data is."""


TESTS = frozenset(["test", "tests", "__tests__", "testing", "testdata", "fixtures", "spec", "selftests"])
EXAMPLES = frozenset(
    "example examples sample samples demo demos tutorial tutorials benchmark benchmarks bench docs doc".split()
)
SCRIPTS = frozenset("script scripts tools build buildscripts ci hack dev devel maint release packaging debian".split())
"""Names of folders that say what code is for; no other name counts."""
TEST_NAME = re.compile(
    r"(?i)^tests?[-_.]|[-_.]tests?(\.|$)|^(?!con|at|pro|la|fas|shor|grea|ligh|sof|smar)[a-z]+tests?$"
)


def features_of(candidates: Sequence[Candidate], lines: Lines) -> list[dict[str, float]]:
    """The features of each candidate; the whole list is needed for how often a rule fires."""
    in_file = Counter((item.finding.rule_id, item.finding.location.path) for item in candidates)
    found = []
    for item in candidates:
        place = item.finding.location
        around = surroundings(
            lines(place.path), item.finding.language, item.evidence.function, place.line, place.end_line
        )
        values = dict([*of_rule(item), *of_path(item), *of_code(item, around)])
        values["same rule in file"] = amount(in_file[item.finding.rule_id, place.path] - 1)
        found.append(values)
    return found


def of_rule(item: Candidate) -> Iterator[tuple[str, float]]:
    finding, evidence = item
    group = next((GROUP_OF[number] for number in finding.cwe if number in GROUP_OF), "other")
    yield f"group {group}", 1.0
    yield f"language {finding.language}", 1.0
    yield f"kind {evidence.kind}", 1.0
    yield "severity", SEVERITIES.index(finding.severity) / 3
    yield "confidence", CONFIDENCES.index(finding.confidence) / 2
    yield "library", float(finding.mode == "library")


def of_path(item: Candidate) -> Iterator[tuple[str, float]]:
    finding, evidence = item
    steps = finding.path
    yield "stranger", TRUST.get(evidence.origin, 0.0)
    yield "own", float(evidence.origin in OWN)
    if not steps:
        return
    yield "built", float(evidence.built)
    if steps[0].location.path == finding.location.path:
        yield "distance", amount(abs(finding.location.line - steps[0].location.line))


def of_code(item: Candidate, around: Surroundings) -> Iterator[tuple[str, float]]:
    evidence = item.evidence
    yield "capped", float(evidence.capped)
    yield "widened", float(evidence.widened)
    yield "broken", float(0 <= evidence.broken <= NEAR)
    yield "guards", amount(around.guards)
    yield "ordered", amount(around.ordered)
    yield "leaving", amount(around.leaving)
    yield "inside", float(around.inside)
    folders = frozenset(item.finding.location.path.lower().split("/")[:-1])
    path = item.finding.location.path
    named = any(TEST_NAME.search(part) for part in [*folders, path.rpartition("/")[2].partition(".")[0]])
    yield "test code", float(named or not folders.isdisjoint(TESTS))
    yield "example", float(not folders.isdisjoint(EXAMPLES))
    yield "developer's script", float(not folders.isdisjoint(SCRIPTS))


def amount(count: int) -> float:
    """A count as a number between 0 and 1 that grows with its logarithm: 1 is 0.14, 10 is 0.48, 150 and more is 1."""
    return min(math.log1p(max(count, 0)) / 5, 1.0)
