"""The peers we compare with: how each is run on a tree, and its results as SARIF.

Neither a peer nor its rules belong to this repository; the scripts take their places as arguments.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from measure import Run, measured

SEMGREP_FOLDERS = {
    "python": ("python",),
    "javascript": ("javascript", "typescript"),
    "java": ("java",),
    "c": ("c",),
    "go": ("go",),
    "php": ("php",),
}


def security_rules(checkout: Path, language: str, target: Path) -> int:
    """Write one file with the checkout's rules of category `security` for the language; how many there are."""
    paths = [path for folder in SEMGREP_FOLDERS[language] for path in sorted((checkout / folder).rglob("*.y*ml"))]
    chosen: list[dict[str, Any]] = []
    for path in paths:
        document = yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)
        rules = document.get("rules", []) if isinstance(document, dict) else []
        chosen += [rule for rule in rules if (rule.get("metadata") or {}).get("category") == "security"]
    if not chosen:
        raise SystemExit(f"no security rules for {language} below {checkout}")
    target.write_text(json.dumps({"rules": chosen}))
    return len(chosen)


def semgrep_command(executable: Path, config: Path, tree: Path, output: Path, jobs: int) -> list[str]:
    """The command that scans a tree offline into a SARIF file."""
    options = ["--metrics=off", "--disable-version-check", "--no-git-ignore", "--quiet", "-j", str(jobs)]
    return [str(executable), "scan", *options, "--config", str(config), "--sarif", "--output", str(output), str(tree)]


def semgrep(executable: Path, config: Path, tree: Path, output: Path, jobs: int) -> Run:
    """Scan a tree; everything in it, for which the working directory gets an empty ignore file."""
    (output.parent / ".semgrepignore").write_text("")
    return measured(semgrep_command(executable, config, tree, output, jobs), cwd=output.parent)


def bandit(executable: Path, tree: Path, output: Path) -> Run:
    """Scan a Python tree; the result is turned into SARIF."""
    raw = output.with_suffix(".json")
    run = measured([str(executable), "-r", "-q", "-f", "json", "-o", str(raw), str(tree)])
    output.write_text(json.dumps(_bandit_sarif(json.loads(raw.read_text())["results"])))
    return run


def flawfinder(executable: Path, tree: Path, output: Path) -> Run:
    """Scan a C tree; flawfinder writes SARIF itself."""
    run = measured([str(executable), "--sarif", "--dataonly", str(tree)])
    output.write_bytes(run.stdout)
    return run


def clang_commands(executable: Path, kernel: Path, build: Path, objects: Sequence[str]) -> list[list[str]]:
    """What runs the clang analyzer on files of a kernel, from the commands that its build would compile them with.

    ``build`` is a configured build of the tree ``kernel`` (``make O=build CC=clang allmodconfig prepare``); files that
    the configuration leaves out have no command.
    """
    made = subprocess.run(
        ["make", "-C", str(kernel), f"O={build}", f"CC={executable}", "-k", "-n", "V=1", *objects],
        check=False,
        capture_output=True,
        text=True,
    )
    found = []
    for line in made.stdout.splitlines():
        match = COMPILE.search(line)
        if match is not None and match[2] in objects:
            flags = [word for word in shlex.split(match[1]) if not word.startswith("-Wp,-MMD")]
            source = shlex.split(match[3])[-1]
            found.append([str(executable), *flags, "--analyze", "-Xclang", "-analyzer-output=text", source])
    return found


COMPILE = re.compile(r";\s+\S*clang\S* (-[^;]*?) -c -o (\S+\.o) ([^;]+\.c)\s*;")
"""The command that make would run (it also prints it, in quotes)."""


def cppcheck(executable: Path, tree: Path, output: Path) -> Run:
    """Scan a C tree with the checks that need no build; the XML result is turned into SARIF."""
    raw = output.with_suffix(".xml")
    checks = ["--enable=warning,portability,performance", "--inconclusive", "--xml", "--quiet"]
    run = measured([str(executable), *checks, f"--output-file={raw}", str(tree)])
    output.write_text(json.dumps(_cppcheck_sarif(ET.parse(raw).getroot())))
    return run


def _cppcheck_sarif(root: ET.Element) -> dict[str, Any]:
    """cppcheck's errors with place and CWE."""
    converted = []
    for error in root.iter("error"):
        place = error.find("location")
        if place is not None and error.get("cwe"):
            line = int(place.get("line", "1"))
            converted.append(
                {
                    "ruleId": error.get("id", ""),
                    "message": {"text": error.get("msg", "")},
                    "level": "warning",
                    "properties": {"tags": [f"CWE-{error.get('cwe')}"]},
                    "locations": [_place(place.get("file", ""), line, line)],
                }
            )
    return {"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "cppcheck", "rules": []}}, "results": converted}]}


def _bandit_sarif(results: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Bandit's results with place and CWE."""
    converted = [
        {
            "ruleId": each["test_id"],
            "message": {"text": each["issue_text"]},
            "level": "warning",
            "properties": {"tags": [f"CWE-{(each.get('issue_cwe') or {}).get('id', 0)}"]},
            "locations": [_place(each["filename"], min(each["line_range"]), max(each["line_range"]))],
        }
        for each in results
    ]
    return {"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "bandit", "rules": []}}, "results": converted}]}


def _place(uri: str, first: int, last: int) -> dict[str, Any]:
    return {"physicalLocation": {"artifactLocation": {"uri": uri}, "region": {"startLine": first, "endLine": last}}}
