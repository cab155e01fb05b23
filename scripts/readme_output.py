"""Puts what `glasshouse scan examples/shop` really prints into README.md, shortened to one finding and the summary."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMMAND = "glasshouse scan examples/shop"
SHOWN = "examples/shop/python/shop/catalogue.py:15"
BLOCK = re.compile(rf"(?<=```\n\$ {re.escape(COMMAND)}\n).*?(?=```\n)", re.DOTALL)
LEFT_OUT = "..."


def output() -> str:
    """The report as a terminal without colour shows it."""
    command = [sys.executable, "-m", *COMMAND.split(), "--no-cache", "--no-config", "--color", "never"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout


def shortened(report: str) -> str:
    """One finding in full and the first lines of the summary."""
    paragraphs = report.rstrip("\n").split("\n\n")
    finding = next(each for each in paragraphs if SHOWN in each.split("\n")[1])
    before = [] if finding == paragraphs[0] else [LEFT_OUT]
    return "\n".join([*before, finding, LEFT_OUT, *paragraphs[-1].split("\n")[:2]]) + "\n"


def main() -> int:
    """Write the block."""
    readme = ROOT / "README.md"
    text = shortened(output())
    readme.write_text(BLOCK.sub(lambda _: text, readme.read_text(), count=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
