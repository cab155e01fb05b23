"""Labelled candidates for the ranker: what a scan finds at places that somebody has called weak or safe.

A finding belongs to a labelled place when it lies in its file, overlaps its lines and shares a family of weaknesses
with it, by the scorer that comes with the labels.  A finding at both a weak and a safe place counts as confirmed.
"""

from __future__ import annotations

import csv
import importlib.util
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from glasshouse.scan.analysis import analyse
from glasshouse.scan.judge.evidence import Candidate
from glasshouse.scan.judge.features import features_of
from glasshouse.scan.lowered import rules_for
from glasshouse.scan.report import Reporter
from glasshouse.scan.run import discovered, lower_all, source_lines
from glasshouse.scan.settings import ScanSettings
from glasshouse.words.finding import CONFIDENCES, SEVERITIES

GROUPS = {"npm-cve": "fixed CVEs", "cwe-bench-java": "fixed CVEs", "llm-vul": "fixed CVEs"}
"""Sources too small for a fold of their own."""


class Row(NamedTuple):
    """One candidate: the features, whether the place is weak, and how severity and confidence would order it."""

    features: dict[str, float]
    weak: bool
    source: str
    language: str
    baseline: tuple[int, int]
    key: tuple[str, int, str]


class Place(NamedTuple):
    """One labelled place."""

    first: int
    last: int
    families: frozenset[str]
    weak: bool
    source: str


def rows_of(truth: Path, root: Path, languages: Sequence[str]) -> list[Row]:
    """Every labelled candidate of the languages, by place."""
    scorer = module_of(truth / "score_sarif.py")
    places = labelled(truth / "ground_truth.csv", scorer)
    return [row for language in languages for row in rows_of_language(root / language, language, places, scorer)]


def module_of(path: Path) -> ModuleType:
    """The scorer, which says which weaknesses are of one family."""
    found = importlib.util.spec_from_file_location("score_sarif", path)
    assert found is not None
    assert found.loader is not None
    made = importlib.util.module_from_spec(found)
    sys.modules["score_sarif"] = made
    found.loader.exec_module(made)
    return made


def families(cwes: Sequence[int], scorer: ModuleType) -> frozenset[str]:
    return frozenset(
        name for cwe in cwes for name in [str(cwe), *(key for key, held in scorer.FAMILIES.items() if cwe in held)]
    )


def labelled(path: Path, scorer: ModuleType) -> dict[str, list[Place]]:
    """Places by file."""
    found: dict[str, list[Place]] = {}
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            first, last = int(row["start_line"]), int(row["end_line"])
            span = (1, 10**9) if first == 0 else (first, max(first, last))
            own = families([int(row["cwe"].removeprefix("CWE-"))], scorer)
            source = GROUPS.get(row["source"], row["source"])
            found.setdefault(row["file"], []).append(Place(*span, own, row["label"] == "vulnerable", source))
    return found


def candidates_of(tree: Path, language: str) -> tuple[list[Candidate], list[dict[str, float]]]:
    """What a scan of a tree finds, before anything is ranked, with features."""
    settings = ScanSettings(languages=(language,), ignore_files=False, inline_ignores=False)
    files, _ = discovered([tree], settings)
    results, _ = lower_all(files, settings, None, None)
    order = [position for position in range(len(files)) if position in results]
    kept = [(results[position].file, results[position].hits) for position in order]
    programs = [file for file, _ in kept if file is not None]
    hits = [found for file, found in kept if file is not None]
    local = [(number, hit) for number, found in enumerate(hits) for hit in found]
    rules = {name: rules_for(name, (), (), None) for name in sorted({file.language for file in programs})}
    by_path = {file.path: file for file in files}
    analysis = analyse(programs, rules)
    reporter = Reporter(analysis, lambda path: source_lines(by_path[path], settings), "both")
    every = {name: rule for found in rules.values() for name, rule in found.rules.items()}
    found = reporter.candidates(local, every)
    return found, features_of(found, reporter.lines)


def rows_of_language(tree: Path, language: str, places: dict[str, list[Place]], scorer: ModuleType) -> Iterator[Row]:
    """Labelled candidates of one language."""
    found, features = candidates_of(tree, language)
    for (finding, _), own in zip(found, features, strict=True):
        near = [
            place
            for place in places.get(f"{language}/{finding.location.path}", ())
            if place.first <= max(finding.location.line, finding.location.end_line)
            and finding.location.line <= place.last
            and place.families & families(finding.cwe, scorer)
        ]
        if not near:
            continue
        weak = any(place.weak for place in near)
        source = next(place.source for place in near if place.weak == weak)
        baseline = (SEVERITIES.index(finding.severity), CONFIDENCES.index(finding.confidence))
        key = (finding.location.path, finding.location.line, finding.rule_id)
        yield Row(own, weak, source, language, baseline, key)
