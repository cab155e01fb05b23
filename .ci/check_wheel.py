"""Checks that the installed distribution carries every data file that the source tree has."""

from __future__ import annotations

import sys
from importlib.metadata import files
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent / "src"
BUILT = {  # made by scripts/build_hook.py
    "glasshouse/scan/rules/data/compiled.msgpack",
    "glasshouse/guard/misuse/data/libglasshouse_native.so",
}
IGNORED = {".pyc", ".so", ".c"}


def missing() -> list[str]:
    """Paths below ``src/`` that the installation lacks."""
    installed = {str(path) for path in files("glasshouse") or ()}
    wanted = (path for path in SOURCE.rglob("*") if path.is_file() and path.suffix not in IGNORED)
    names = {*BUILT, *(path.relative_to(SOURCE).as_posix() for path in wanted)}
    return sorted(names - installed)


def main() -> int:
    """1 and a list when something is missing."""
    lost = missing()
    for name in lost:
        print(f"not in the wheel: {name}", file=sys.stderr)
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
