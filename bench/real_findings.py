"""Findings of `glasshouse scan` in real projects, drawn at random to be read by hand, and what the reading said.

    python bench/real_findings.py scan SOURCES SCANS
    python bench/real_findings.py draw SCANS [--count 100] [--seed 20261127]
    python bench/real_findings.py table [VERDICTS]   (real_findings.csv, or _second or _third.csv)

SOURCES holds unpacked Debian source packages, one folder each.  ``scan`` scans what is there with production code, one
report a project (SCANS/PROJECT.json), and prints a table of projects.  ``draw`` prints the sample as CSV, to be
completed by a reader with a verdict and a reason; ``table`` prints the shares of bench/real_findings.csv in Markdown.

The sample has two strata: languages get equal parts of it; inside a language its rules, in random order, take turns,
and each turn takes one finding of the rule at random, without replacement, until the part is full.  A rule with ten
thousand findings so counts as much as one with ten.  Copies that Debian's tools keep of patched files (`.pc/`) and
second findings of a rule on a line are left out.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from measure import machine, measured, table

from glasshouse.assess.runs import proportion

VERDICTS = ("confirmed", "by design", "wrong")
FIELDS = ("project", "path", "line", "language", "rule", "severity", "mode", "probability", "verdict", "reason")
PARTS = {  # of some trees only a folder was scanned; the findings of some count in one language only
    "cockpit": ("pkg", "javascript"),
    "groovy": ("src/main", ""),
    "jetty9": ("jetty-server", ""),
    "jquery": ("src", ""),
    "libspring-java": ("spring-web", ""),
    "lucene-solr": ("solr/core", "java"),
    "mediawiki": ("includes/api", ""),
    "mercurial": ("mercurial", "python"),
    "python-django": ("django", ""),
    "roundcube": (".", "php"),
    "tomcat10": ("java/org/apache", "java"),
    "wordpress": ("wp-admin", ""),
}
OPTIONS = "--no-tests --all --no-config --no-cache --jobs 1 --no-progress --fail-on never --allow-incomplete".split()
BANDS = (0.0, 0.35, 0.45, 0.55, 0.7, 1.01)


@dataclass(frozen=True, order=True)
class Finding:
    """One finding of one project; ``probability`` is the ranker's."""

    project: str
    path: str
    line: int
    language: str
    rule: str
    severity: str
    mode: str
    probability: float


def main() -> int:
    """Draw a sample, or print the tables of one that was read."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    scanning = commands.add_parser("scan")
    scanning.add_argument("sources", type=Path)
    scanning.add_argument("scans", type=Path)
    drawing = commands.add_parser("draw")
    drawing.add_argument("scans", type=Path)
    drawing.add_argument("--count", type=int, default=100)
    drawing.add_argument("--seed", type=int, default=20261127)
    printing = commands.add_parser("table")
    printing.add_argument("verdicts", type=Path, nargs="?", default=Path(__file__).with_suffix(".csv"))
    options = parser.parse_args()
    if options.command == "scan":
        print(f"{machine()}\n\n{scanned(options.sources, options.scans)}")
        return 0
    if options.command == "draw":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(FIELDS)
        for found in drawn(list(findings(options.scans)), options.count, options.seed):
            writer.writerow([getattr(found, name) for name in FIELDS[:-2]] + ["", ""])
        return 0
    print(shares(options.verdicts))
    return 0


def scanned(sources: Path, scans: Path) -> str:
    """Scan every project without its tests, one process and no cache, and tabulate what came out."""
    scans.mkdir(parents=True, exist_ok=True)
    rows = []
    for project in sorted(path for path in sources.iterdir() if path.is_dir()):
        report = scans / f"{project.name}.json"
        command = [sys.executable, "-m", "glasshouse", "scan", ".", *OPTIONS, "--json-output", str(report.resolve())]
        run = measured(command, cwd=project / PARTS.get(project.name, (".", ""))[0])
        if run.status:
            sys.exit(f"{project}: the scan ended with status {run.status}")
        rows.append([f"{project.name} {version(project)}", *summary(report), f"{run.cpu_s:.1f}"])
    head = ["project", "files", "lines", "critical", "high", "medium", "low", "parts not analysed", "CPU s"]
    return table(head, rows)


def summary(report: Path) -> list[str]:
    """Files, lines, findings by severity and what was not analysed, of one report."""
    told = json.loads(report.read_bytes())["summary"]
    levels = [told["by_severity"][level] for level in ("critical", "high", "medium", "low")]
    missing = sum(told["not_analysed"].values())
    return [f"{number:,}" for number in (told["files"], told["lines"], *levels, missing)]


def version(project: Path) -> str:
    """The version that the newest entry of the package's changelog gives, without the epoch."""
    try:
        with (project / "debian" / "changelog").open(errors="replace") as file:
            first = file.readline()
    except OSError:
        return ""
    return first.partition("(")[2].partition(")")[0].rpartition(":")[2]


def findings(scans: Path) -> Iterator[Finding]:
    """Every finding of every report, once per rule and line."""
    seen = set()
    for report in sorted(scans.glob("*.json")):
        only = PARTS.get(report.stem, (".", ""))[1]
        for item in json.loads(report.read_bytes())["findings"]:
            if only and item["language"] != only:
                continue
            place = item["location"]
            key = (report.stem, place["path"], place["line"], item["rule_id"])
            if key in seen or ".pc/" in place["path"]:
                continue
            seen.add(key)
            rest = (item["language"], item["rule_id"], item["severity"], item["mode"], item["probability"] or 0.0)
            yield Finding(report.stem, place["path"], place["line"], *rest)


def drawn(every: list[Finding], count: int, seed: int) -> list[Finding]:
    """``count`` findings, in equal parts by language; inside a language the rules take turns in random order."""
    pools: dict[str, dict[str, list[Finding]]] = defaultdict(lambda: defaultdict(list))
    for found in sorted(every):
        pools[found.language][found.rule].append(found)
    sizes = sorted((sum(map(len, rules.values())), language) for language, rules in pools.items())
    sample: list[Finding] = []
    for number, (size, language) in enumerate(sizes):  # what a small language cannot give, the others do
        part = min((count - len(sample)) // (len(sizes) - number), size)
        rules = pools[language]
        chance = random.Random(f"{seed} {language}")
        order = sorted(rules)
        chance.shuffle(order)
        for pool in rules.values():
            chance.shuffle(pool)
        turns = (rules[rule].pop() for _ in range(part) for rule in order if rules[rule])
        sample += islice(turns, part)
    return sample


def shares(verdicts: Path) -> str:
    """The share confirmed by language, severity, mode, band of probability and rule, with Wilson's 95 % interval."""
    with verdicts.open(newline="") as file:
        rows = list(csv.DictReader(file))
    unknown = {row["verdict"] for row in rows} - set(VERDICTS)
    if unknown:
        sys.exit(f"{verdicts}: unknown verdicts {sorted(unknown)}; use one of {', '.join(VERDICTS)}")
    groups: tuple[tuple[str, Callable[[dict[str, Any]], str]], ...] = (
        ("language", lambda row: row["language"]),
        ("severity", lambda row: row["severity"]),
        ("mode", lambda row: row["mode"]),
        ("rank", thirds(rows)),
        ("probability", band),
        ("rule", lambda row: row["rule"]),
    )
    return "\n\n".join(share(name, key, rows) for name, key in groups)


def share(name: str, key: Callable[[dict[str, Any]], str], rows: list[dict[str, Any]]) -> str:
    """One table: how many of each verdict, and the confirmed share, in the groups that ``key`` makes and in all."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        counts[key(row)][row["verdict"]] += 1
    lines = []
    whole: Counter[str] = Counter(row["verdict"] for row in rows)
    for group, count in [*sorted(counts.items()), ("all", whole)]:
        number = count.total()
        part = proportion("confirmed", count["confirmed"], number)
        interval = f"{part.estimate:.2f} ({part.low:.2f} to {part.high:.2f})"
        lines.append([group, str(number), *(str(count[verdict]) for verdict in VERDICTS), interval])
    return table([name, "read", *VERDICTS, "confirmed share"], lines)


def thirds(rows: list[dict[str, Any]]) -> Callable[[dict[str, Any]], str]:
    """Names the third of the sample that a finding lies in when the likeliest come first (ties by place)."""
    ordered = sorted(rows, key=lambda row: (-float(row["probability"]), row["project"], row["path"], int(row["line"])))
    names = ("first third", "middle third", "last third")
    place = {id(row): names[number * 3 // len(rows)] for number, row in enumerate(ordered)}
    return lambda row: place[id(row)]


def band(row: dict[str, Any]) -> str:
    """The band that the ranker's probability of a finding lies in."""
    low = max(edge for edge in BANDS if edge <= float(row["probability"]))
    high = min(edge for edge in BANDS if edge > low)
    return f"{low:.2f} to {min(high, 1.0):.2f}"


if __name__ == "__main__":
    raise SystemExit(main())
