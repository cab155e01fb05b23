"""What a cold scan of a large C tree costs, beside flawfinder and cppcheck in the same run.

    python bench/scan_c_speed.py linux/net [--flawfinder EXE] [--cppcheck EXE] [--repeat 2] [--jobs 2]
        [--clang EXE --kernel-build BUILD] [--clang-files 40]

All rules, no cache.  cppcheck runs with the checks that need no build, and may take many times as long.  The clang
analyzer needs a configured build of the tree above (``make O=BUILD CC=EXE allmodconfig prepare``); it runs on some
files drawn at random, and its CPU time is extrapolated by their lines to all ``.c`` files of the tree.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from pathlib import Path

import peers
from corpus import size, sources
from measure import Run, machine, measured, median, table


def main() -> int:
    """Measure, print."""
    options = arguments()
    lines = size(sources(options.tree, "c")).lines
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "report.sarif"
        runs = [glasshouse(options, output, memory=number == 0) for number in range(options.repeat)]
        own = median(runs)
        rows.append(row("glasshouse, all rules", own, lines, own, runs[0].peak_mb))
        for name, run_peer in (("flawfinder", peers.flawfinder), ("cppcheck", peers.cppcheck)):
            executable = getattr(options, name)
            if executable:
                rows.append(row(name, run_peer(executable, options.tree, output), lines, own, 0.0))
    if options.clang and options.kernel_build:
        rows.append(clang(options, lines, own))
    print(f"{machine()}; {options.tree.name}: {lines:,} lines\n")
    print(table(["tool", "wall s", "CPU s", "lines per CPU s", "CPU beside glasshouse", "memory MB"], rows))
    return 0


def glasshouse(options: argparse.Namespace, output: Path, *, memory: bool) -> Run:
    """One scan; ``memory`` adds a little time."""
    command = [sys.executable, "-m", "glasshouse", "scan", str(options.tree), "--lang", "c", "--format", "sarif"]
    command += ["--output", str(output), "--no-cache", "--no-config", "--allow-incomplete", "--quiet"]
    run = measured([*command, "--fail-on", "never", "--jobs", str(options.jobs)], memory=memory)
    if run.status != 0:
        raise SystemExit(f"glasshouse scan ended with {run.status}")
    return run


def clang(options: argparse.Namespace, lines: int, own: Run) -> list[str]:
    """The clang analyzer with its default checks on a sample, extrapolated."""
    tree = options.tree.resolve()
    files = sorted(tree.rglob("*.c"))
    kernel = next(folder for folder in tree.parents if (folder / "Kconfig").is_file())
    chosen = random.Random(20261127).sample(files, min(options.clang_files, len(files)))
    objects = [str(path.relative_to(kernel).with_suffix(".o")) for path in chosen]
    done, seconds = 0, 0.0
    analysed = 0
    for command in peers.clang_commands(options.clang, kernel, options.kernel_build.resolve(), objects):
        run = measured(command, cwd=options.kernel_build)
        if run.status == 0:
            analysed += 1
            seconds += run.cpu_s
            done += line_count(Path(command[-1]))
    if not analysed:
        raise SystemExit("no file of the sample could be compiled: is the build configured and prepared?")
    whole = seconds * sum(map(line_count, files)) / done
    name = f"clang analyzer, from {analysed} of {len(chosen)} files drawn ({done:,} lines, {seconds:.0f} CPU s)"
    return [name, "-", f"{whole:,.0f}", f"{lines / whole:,.0f}", f"{whole / own.cpu_s:.1f}x", "-"]


def line_count(path: Path) -> int:
    return path.read_bytes().count(b"\n")


def row(name: str, run: Run, lines: int, own: Run, peak_mb: float) -> list[str]:
    """One line of the table."""
    memory = f"{peak_mb:.0f}" if peak_mb else "-"
    speed = f"{lines / run.cpu_s:,.0f}"
    return [name, f"{run.wall_s:.1f}", f"{run.cpu_s:.1f}", speed, f"{run.cpu_s / own.cpu_s:.2f}x", memory]


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tree", type=Path)
    parser.add_argument("--flawfinder", type=Path, metavar="EXE")
    parser.add_argument("--cppcheck", type=Path, metavar="EXE")
    parser.add_argument("--clang", type=Path, metavar="EXE")
    parser.add_argument("--kernel-build", type=Path, metavar="BUILD")
    parser.add_argument("--clang-files", type=int, default=40)
    parser.add_argument("--repeat", type=int, default=2)
    parser.add_argument("--jobs", type=int, default=2)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
