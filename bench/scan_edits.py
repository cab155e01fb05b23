"""Whether a scan after an edit gives what a scan from the start gives, over many edits of a real code base.

    python bench/scan_edits.py CORPUS [--edits 30] [--seed 1] [--fraction 1]

A Python code base is copied, and edited at random: lines of functions' bodies put in, removed, changed or moved, and
functions added at the end of files; some edits go anywhere in a file.  After each edit the tree is scanned twice: with
what is known from the scan before, and with lowered files only, so that everything is analysed.  All results must be
equal, byte for byte; the exit status is 1 if they are not.  Prints how many edits could use what was known, and the CPU
seconds of both.
"""

from __future__ import annotations

import argparse
import ast
import random
import resource
import statistics
import sys
import tempfile
from pathlib import Path

import msgspec
from corpus import copied, sources
from measure import machine, table

from glasshouse.scan.cache import Cache
from glasshouse.scan.kept import Kept
from glasshouse.scan.run import discovered, scan_files
from glasshouse.scan.settings import ScanSettings
from glasshouse.scan.stored import settings_key


def scanned(tree: Path, folder: Path, key: bytes) -> tuple[bytes, bool, float]:
    """The results, whether what was known under ``key`` was of use, and CPU seconds, those of processes included."""
    before = cpu()
    settings = ScanSettings(languages=("python",), cache_dir=folder, ignore_files=False)
    files, problems = discovered([tree], settings)
    with Cache(folder) as cache:
        kept = Kept(cache, settings_key(settings), key)
        found = list(scan_files(files, problems, settings, None, kept).all())
    return msgspec.json.encode(found), kept.used, cpu() - before


def cpu() -> float:
    """CPU seconds of this process and of those it has waited for."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(used.ru_utime + used.ru_stime for used in map(resource.getrusage, kinds))


def edited(text: str, chance: random.Random) -> str:
    """The text after one edit; four of five are inside a function."""
    lines = text.split("\n")
    at = chance.randrange(len(lines))
    functions = [item for item in ast.walk(ast.parse(text)) if isinstance(item, ast.FunctionDef)]
    if functions and chance.random() < 0.8:
        function = chance.choice(functions)
        at = chance.choice(function.body).lineno - 1
    indent = lines[at][: len(lines[at]) - len(lines[at].lstrip())]
    kind = chance.randrange(6)
    if kind == 0:
        lines.insert(at, f"{indent}# a comment\n{indent}again = str(len('{at}'))")
    elif kind == 1:
        del lines[at]
    elif kind == 2:
        lines.insert(at, f"{indent}os.system(open(input()).read())")
    elif kind == 3:
        lines[at] = lines[at].replace("self", "other").replace("None", "''")
    elif kind == 4:
        lines.insert(at, f"{indent}eval(str({at}))\n\n")
    else:
        lines += ["", f"def added_at_{at}(text):", "    return eval(str(text))", ""]
    return "\n".join(lines)


def compare(tree: Path, work: Path, options: argparse.Namespace) -> tuple[str, int]:
    """The table, and how many results differed."""
    chance = random.Random(options.seed)
    files = [file for file in sources(tree, "python") if file.stat().st_size > 1_000]
    scanned(tree, work / "cache", b"known")
    used: list[float] = []
    unused: list[float] = []
    full: list[float] = []
    different = 0
    for number in range(options.edits):
        file = chance.choice(files)
        original = file.read_text()
        try:
            file.write_text(edited(original, chance))
        except SyntaxError:  # an earlier edit has broken it
            continue
        results, reused, seconds = scanned(tree, work / "cache", b"known")
        (used if reused else unused).append(seconds)
        expected, _, seconds = scanned(tree, work / "cache", f"from the start {number}".encode())
        full.append(seconds)
        if results != expected:
            different += 1
            print(f"DIFFERENT after an edit of {file.relative_to(tree)}", file=sys.stderr)
    rows = [
        ["edits that could use what was known", str(len(used)), seconds_of(used)],
        ["edits that could not", str(len(unused)), seconds_of(unused)],
        ["the same trees from the start", str(len(full)), seconds_of(full)],
        ["results that differ", str(different), ""],
    ]
    return table(["", "count", "CPU seconds, median (range)"], rows), different


def seconds_of(values: list[float]) -> str:
    """Median and range."""
    return f"{statistics.median(values):.2f} ({min(values):.2f}-{max(values):.2f})" if values else ""


def main() -> int:
    """Measure and print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--edits", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--fraction", type=float, default=1.0, help="of the code base: its first files")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        tree = copied(options.corpus, "python", work / "corpus", options.fraction)
        text, different = compare(tree, work, options)
    what = f"{options.corpus.resolve().name}, {options.fraction:.0%}, {options.edits} edits, seed {options.seed}"
    print(f"{machine()}; {what}\n")
    print(text)
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
