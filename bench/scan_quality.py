"""How well a scan tells weak code from safe code, on labelled places, beside semgrep and bandit in the same run.

    python bench/scan_quality.py --truth DIR --root SOURCES [--languages python,java]
        [--semgrep EXE --semgrep-rules CHECKOUT] [--bandit EXE] [--flawfinder EXE] [--cppcheck EXE]

DIR holds `ground_truth.csv` and its scorer `score_sarif.py`; SOURCES the source files that the labels speak of, one
folder per language.  Prints Markdown: totals, macro over CWE families, by source and by CWE.  Youden's J is TPR - FPR;
0 is guessing.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import peers
from measure import Run, machine, measured, table

LANGUAGES = ("python", "javascript", "java", "c", "go", "php")
COUNTS = ("TP", "FP", "FN", "TN", "TPR", "FPR", "J")
NEEDED = ("ground_truth.csv", "score_sarif.py")
HOW_TO_OBTAIN = """\
The labelled set is not part of this repository: its files belong to others.  What is needed:
  --truth DIR   a folder with ground_truth.csv (columns case_id, language, file, start_line, end_line, cwe, label,
                source) and score_sarif.py, which scores a SARIF file against it
  --root DIR    the source files, written by `python materialise.py --mirrors MIRRORS --out DIR` from git mirrors of the
                public repositories that its README names (CodeQL query tests, xAST, SVEN, llm-vul, CVE fixes)"""


@dataclass(frozen=True)
class Score:
    """One tool's result on one language."""

    language: str
    tool: str
    wall_s: float
    facts: dict[str, Any]


def main() -> int:
    """Scan, score, print."""
    options = arguments()
    lacking = missing(options.truth, options.root)
    if lacking:
        print(f"missing: {', '.join(lacking)}\n\n{HOW_TO_OBTAIN}", file=sys.stderr)
        return 2
    scores = [score for language in options.languages.split(",") for score in scored(language, options)]
    print(f"{machine()}\n")
    print(totals(scores))
    for score in scores:
        if score.tool == "glasshouse" or options.all:
            print(f"\n{details(score, 'source')}\n\n{details(score, 'cwe')}")
    return 0


def missing(truth: Path | None, root: Path | None) -> list[str]:
    """What has to be obtained first."""
    lacking = [str(truth / name) for name in NEEDED if not (truth / name).exists()] if truth else ["--truth"]
    if root is None or not root.is_dir():
        lacking.append(str(root or "--root"))
    return lacking


def scored(language: str, options: argparse.Namespace) -> Iterator[Score]:
    """Glasshouse's score on a language, then each peer's."""
    tree = options.root / language
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        output = work / "result.sarif"
        run = glasshouse(tree, language, output, options)
        yield Score(language, "glasshouse", run.wall_s, facts(output, language, options))
        if options.semgrep and options.semgrep_rules:
            config = work / "rules.json"
            peers.security_rules(options.semgrep_rules, language, config)
            run = peers.semgrep(options.semgrep, config, tree, output, options.jobs)
            yield Score(language, "semgrep CE", run.wall_s, facts(output, language, options))
        for name, run_peer in (("flawfinder", peers.flawfinder), ("cppcheck", peers.cppcheck)):
            executable = getattr(options, name)
            if executable and language == "c":
                run = run_peer(executable, tree, output)
                yield Score(language, name, run.wall_s, facts(output, language, options))
        if options.bandit and language == "python":
            run = peers.bandit(options.bandit, tree, output)
            yield Score(language, "bandit", run.wall_s, facts(output, language, options))


def glasshouse(tree: Path, language: str, output: Path, options: argparse.Namespace) -> Run:
    """Scan a tree into a SARIF file."""
    command = [sys.executable, "-m", "glasshouse", "scan", str(tree), "--lang", language, "--format", "sarif"]
    command += ["--output", str(output), "--no-cache", "--allow-incomplete", "--no-config", "--no-ignore-files"]
    run = measured([*command, "--no-ignores", "--mode", options.mode, "--jobs", str(options.jobs)])
    if run.status not in (0, 1):
        raise SystemExit(f"glasshouse scan {tree} ended with {run.status}")
    return run


def facts(sarif: Path, language: str, options: argparse.Namespace) -> dict[str, Any]:
    """The scorer's figures."""
    document = json.loads(sarif.read_text())
    for run in document["runs"]:
        for result in run.get("results", []):
            for location in result.get("locations", []):
                artifact = location["physicalLocation"]["artifactLocation"]
                artifact["uri"] = below_root(artifact["uri"], language, options.root)
    sarif.write_text(json.dumps(document))
    figures = sarif.with_suffix(".figures")
    scorer, truth = options.truth / "score_sarif.py", options.truth / "ground_truth.csv"
    command = [sys.executable, str(scorer), str(sarif), str(truth), "--language", language]
    command += ["--root", str(options.root), "--by", "source", "--by", "cwe"]
    subprocess.run([*command, "--quiet", "--json", str(figures)], check=True, stdout=subprocess.DEVNULL)
    loaded = json.loads(figures.read_text())
    assert isinstance(loaded, dict)
    return loaded


def below_root(uri: str, language: str, root: Path) -> str:
    """The path as the labels write it: below the root, language first (the matcher wants it whole)."""
    name = uri.removeprefix("file://").removeprefix(f"{root.resolve()}/").removeprefix(f"{root}/")
    return name if name.startswith(f"{language}/") else f"{language}/{name}"


def totals(scores: list[Score]) -> str:
    """One row per tool and language, with how far Glasshouse is ahead of the peer."""
    ours = {score.language: youden(score) for score in scores if score.tool == "glasshouse"}
    rows = []
    for score in scores:
        ahead = "" if score.tool == "glasshouse" else f"{ours[score.language] - youden(score):+.3f}"
        macro = number(score.facts["macro_youden"])
        pairs = f"{score.facts['pairs_right']}/{score.facts['pairs']}"
        counted = counts(score.facts["total"])
        rows.append([score.language, score.tool, *counted, macro, pairs, ahead, f"{score.wall_s:.1f}"])
    return table(["language", "tool", *COUNTS, "macro J", "pairs", "glasshouse ahead by", "seconds"], rows)


def details(score: Score, by: str) -> str:
    """A table of one grouping."""
    rows = [[name, *counts(row)] for name, row in score.facts["by"][by].items()]
    return f"### {score.language}, {score.tool}, by {by}\n\n" + table([by, *COUNTS], rows)


def counts(row: dict[str, Any]) -> list[str]:
    """The cells under COUNTS."""
    return [str(row[key]) for key in COUNTS[:4]] + [number(row[key]) for key in ("TPR", "FPR", "youden")]


def youden(score: Score) -> float:
    """J over all cases of the language."""
    value = score.facts["total"]["youden"]
    return float("nan") if value is None else float(value)


def number(value: float | None) -> str:
    """A rate, or a dash where there is nothing to divide by."""
    return "-" if value is None else f"{value:.3f}"


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--truth", type=Path, help="folder of ground_truth.csv and score_sarif.py")
    parser.add_argument("--root", type=Path, help="the labelled source files")
    parser.add_argument("--languages", default=",".join(LANGUAGES))
    parser.add_argument("--mode", default="both", choices=("application", "library", "both"))
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--semgrep", type=Path, metavar="EXE")
    parser.add_argument("--semgrep-rules", type=Path, metavar="CHECKOUT", help="a checkout of the community rules")
    parser.add_argument("--bandit", type=Path, metavar="EXE")
    parser.add_argument("--flawfinder", type=Path, metavar="EXE")
    parser.add_argument("--cppcheck", type=Path, metavar="EXE")
    parser.add_argument("--all", action="store_true", help="details of the peers too")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
