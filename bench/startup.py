"""How long a user waits before anything happens: `--help`, and a cold scan of one small file.

    python bench/startup.py [--repeat 15] [--bandit EXE] [--semgrep EXE]

The bare interpreter is the yardstick; a peer's `--help` is timed alternately in the same run.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from measure import Run, machine, measured, median, table

ONE_FILE = """\
import subprocess
import sys


def convert(name):
    subprocess.run("convert " + name, shell=True)


convert(sys.argv[1])
"""


def commands(work: Path, options: argparse.Namespace) -> dict[str, list[str]]:
    """What is timed."""
    file = work / "one.py"
    file.write_text(ONE_FILE)
    ours = [sys.executable, "-m", "glasshouse"]
    scan = [*ours, "scan", str(file), "--no-cache", "--no-config", "--fail-on", "never"]
    found = {
        "bare interpreter": [sys.executable, "-c", "pass"],
        "glasshouse --help": [*ours, "--help"],
        "glasshouse scan, one file, cold": scan,
    }
    for peer in ("bandit", "semgrep"):
        if getattr(options, peer):
            found[f"{peer} --help"] = [str(getattr(options, peer)), "--help"]
    if options.bandit:
        found["bandit, one file"] = [str(options.bandit), "-q", "--exit-zero", str(file)]
    return found


def timed(named: dict[str, list[str]], repeat: int) -> dict[str, list[Run]]:
    """Repeated runs of each command, alternating; the first round warms the disk cache and does not count."""
    runs: dict[str, list[Run]] = {name: [] for name in named}
    for repetition in range(repeat + 1):
        for name, command in named.items():
            run = measured(command)
            if run.status != 0:
                raise SystemExit(f"{name} ended with {run.status}")
            if repetition:
                runs[name].append(run)
    return runs


def rows(runs: dict[str, list[Run]]) -> Sequence[Sequence[str]]:
    """Median wall and CPU time, and the ratio to the bare interpreter."""
    bare = median(runs["bare interpreter"]).wall_s
    found = []
    for name, each in runs.items():
        run = median(each)
        found.append([name, f"{run.wall_s * 1000:.0f}", f"{run.cpu_s * 1000:.0f}", f"{run.wall_s / bare:.1f}x"])
    return found


def main() -> int:
    """Measure and print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=15)
    parser.add_argument("--bandit", type=Path, metavar="EXE")
    parser.add_argument("--semgrep", type=Path, metavar="EXE")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        runs = timed(commands(Path(folder), options), options.repeat)
    print(f"{machine()}; median of {options.repeat}\n")
    print(table(["command", "wall ms", "CPU ms", "against the bare interpreter"], rows(runs)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
