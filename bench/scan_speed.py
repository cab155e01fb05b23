"""How fast a scan is: cold, with nothing changed, after one edited file; memory; beside semgrep in the same run.

    python bench/scan_speed.py CORPUS --language python [--semgrep EXE --semgrep-rules CHECKOUT]
    python bench/scan_speed.py CORPUS --language java --sizes          cost against lines of code, three sizes
    python bench/scan_speed.py CORPUS --language python --double-rules    cost when every rule is there twice

The corpus is copied first; only the copy is edited.  Times are medians of --repeat runs; the kinds of run alternate.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import peers
import yaml
from corpus import Size, add_constant, add_function, add_import, copied, edit_body, size, sources, to_edit
from measure import Run, machine, measured, median, table

EDITS: dict[str, Callable[[Path, str], None]] = {
    "a function's body edited": edit_body,
    "a function added": add_function,
}
PYTHON_EDITS: dict[str, Callable[[Path, str], None]] = {"a constant added": add_constant, "an import added": add_import}
SIZES = (0.25, 0.5, 1.0)


def scan(tree: Path, work: Path, options: argparse.Namespace, *more: str, memory: bool = False) -> Run:
    """One scan of the tree into a SARIF file."""
    command = [sys.executable, "-m", "glasshouse", "scan", str(tree), "--lang", options.language, "--format", "sarif"]
    command += ["--output", str(work / "report.sarif"), "--allow-incomplete", "--no-config", "--no-ignore-files"]
    run = measured([*command, "--fail-on", "never", "--jobs", str(options.jobs), *more], memory=memory)
    if run.status != 0:
        raise SystemExit(f"glasshouse scan ended with {run.status}: {' '.join(command)}")
    return run


def each_kind(tree: Path, work: Path, options: argparse.Namespace) -> dict[str, list[Run]]:
    """Repeated runs of each kind; every repetition starts from an empty cache and the unedited tree."""
    runs: dict[str, list[Run]] = defaultdict(list)
    edited = tree / options.edit if options.edit else to_edit(tree, options.language)
    original = edited.read_text()
    edits = EDITS | PYTHON_EDITS if options.language == "python" else EDITS
    for repetition in range(options.repeat):
        cache = ("--cache-dir", str(work / f"cache{repetition}"))
        runs["cold"].append(scan(tree, work, options, *cache))
        if options.cold:
            continue
        runs["nothing changed"].append(scan(tree, work, options, *cache))
        for kind, edit in edits.items():
            edit(edited, options.language)
            runs[kind].append(scan(tree, work, options, *cache))
            edited.write_text(original)
            scan(tree, work, options, *cache)
    return runs


def compare(tree: Path, work: Path, options: argparse.Namespace) -> str:
    """The main table."""
    lines = size(sources(tree, options.language)).lines
    runs = each_kind(tree, work, options)
    peak = scan(tree, work, options, "--cache-dir", str(work / "cache-memory"), memory=True).peak_mb
    peer = semgrep(tree, work, options)
    rows = []
    for kind in runs:
        run = median(runs[kind])
        spread = f"{min(each.wall_s for each in runs[kind]):.2f}-{max(each.wall_s for each in runs[kind]):.2f}"
        ratio = [f"{peer.wall_s / run.wall_s:.1f}x", f"{peer.cpu_s / run.cpu_s:.1f}x"] if peer else ["-", "-"]
        rows.append(
            [
                f"glasshouse, {kind}",
                f"{run.wall_s:.2f}",
                spread,
                f"{run.cpu_s:.2f}",
                f"{lines / run.cpu_s:,.0f}",
                *ratio,
            ]
        )
    if peer:
        rows.append(
            ["semgrep CE", f"{peer.wall_s:.2f}", "", f"{peer.cpu_s:.2f}", f"{lines / peer.cpu_s:,.0f}", "1.0x", "1.0x"]
        )
    head = ["run", "wall s", "range", "CPU s", "lines per CPU s", "faster than semgrep", "less CPU than semgrep"]
    return table(head, rows) + f"\n\nPeak memory of a cold scan, all processes together: {peak:.0f} MB."


def per_cpu(run: Run, lines: int) -> tuple[str, str]:
    """CPU seconds, and lines read in one of them."""
    return f"{run.cpu_s:.2f}", f"{lines / run.cpu_s:,.0f}"


def semgrep(tree: Path, work: Path, options: argparse.Namespace) -> Run | None:
    """The peer on the same tree, when it was named."""
    if not (options.semgrep and options.semgrep_rules):
        return None
    config = work / "rules.json"
    count = peers.security_rules(options.semgrep_rules, options.language, config)
    print(f"semgrep with {count} rules", file=sys.stderr)
    return peers.semgrep(options.semgrep, config, tree, work / "semgrep.sarif", options.jobs or os.cpu_count() or 1)


def sizes(work: Path, options: argparse.Namespace) -> str:
    """Cold scans of three sizes: the cost of a line must not grow."""
    rows, first = [], 0.0
    for fraction in SIZES:
        tree = copied(options.corpus, options.language, work / f"part{fraction}", fraction)
        measure = size(sources(tree, options.language))
        run = median([scan(tree, work, options, "--no-cache") for _ in range(options.repeat)])
        cost = run.cpu_s / measure.lines * 1e6
        first = first or cost
        figures = [f"{run.wall_s:.2f}", f"{run.cpu_s:.2f}", f"{cost:.1f}", f"{cost / first:.2f}"]
        rows.append([f"{measure.files:,}", f"{measure.lines:,}", *figures])
    return table(["files", "lines", "wall s", "CPU s", "CPU us per line", "against the smallest"], rows)


def double_rules(tree: Path, work: Path, options: argparse.Namespace) -> str:
    """Cold scans with every rule once and with every rule twice, alternating."""
    extra = work / "again.yaml"
    count = write_again(extra)
    once, twice = [], []
    for _ in range(options.repeat):
        once.append(scan(tree, work, options, "--no-cache"))
        twice.append(scan(tree, work, options, "--no-cache", "--rule-path", str(extra)))
    a, b = median(once), median(twice)
    rows = [
        [f"{count} rules", f"{a.wall_s:.2f}", f"{a.cpu_s:.2f}", "1.00"],
        [f"{2 * count} rules", f"{b.wall_s:.2f}", f"{b.cpu_s:.2f}", f"{b.cpu_s / a.cpu_s:.2f}"],
    ]
    return table(["rules", "wall s", "CPU s", "cost"], rows)


def write_again(target: Path) -> int:
    """A rule file that holds every shipped rule under another id; how many rules there are."""
    import glasshouse.scan.rules

    data = Path(glasshouse.scan.rules.__file__).parent / "data"
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    rules = []
    for path in sorted(data.rglob("*.yaml")):
        document = yaml.load(path.read_bytes(), Loader=loader)
        rules += [{**rule, "id": f"{rule['id']}-again"} for rule in document.get("rules", [])]
    target.write_text(json.dumps({"rules": rules}))
    return len(rules)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--language", required=True, choices=("python", "javascript", "java"))
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=0, help="0 (the default): one per core")
    parser.add_argument("--edit", metavar="FILE", help="the file to edit, relative to the corpus")
    parser.add_argument("--cold", action="store_true", help="cold scans only")
    parser.add_argument("--sizes", action="store_true")
    parser.add_argument("--double-rules", action="store_true")
    parser.add_argument("--semgrep", type=Path, metavar="EXE")
    parser.add_argument("--semgrep-rules", type=Path, metavar="CHECKOUT", help="a checkout of the community rules")
    return parser.parse_args()


def main() -> int:
    """Measure and print Markdown."""
    options = arguments()
    if not options.corpus.is_dir() or not sources(options.corpus, options.language):
        print(f"no {options.language} files below {options.corpus}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        tree = copied(options.corpus, options.language, work / "corpus")
        measure: Size = size(sources(tree, options.language))
        print(f"{machine()}; jobs: {options.jobs or 'one per core'}, median of {options.repeat}\n")
        amount = f"{measure.files:,} files, {measure.lines:,} lines, {measure.size_bytes / 1e6:.1f} MB"
        print(f"{options.corpus.resolve().name}: {amount}\n")
        if options.sizes:
            print(sizes(work, options))
        elif options.double_rules:
            print(double_rules(tree, work, options))
        else:
            print(compare(tree, work, options))
    return 0


if __name__ == "__main__":
    sys.exit(main())
