"""The example shop: every weak place is found under its CWE, and no safe twin is reported."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHOP = ROOT / "examples" / "shop"
EXPECTED: dict[str, list[dict[str, Any]]] = json.loads((SHOP / "expected.json").read_text())
Place = tuple[str, int, int, frozenset[int]]  # file, first line, last line, CWEs


def cwes(rule: dict[str, Any]) -> frozenset[int]:
    """The CWE numbers that a SARIF rule names in its tags or relationships."""
    texts = [*rule.get("properties", {}).get("tags", ())]
    texts += ["cwe-" + str(each["target"]["id"]).lower().removeprefix("cwe-") for each in rule.get("relationships", ())]
    return frozenset(int(found[1]) for text in texts if (found := re.search(r"cwe-0*(\d+)", text.lower())))


@pytest.fixture(scope="module")
def reported(tmp_path_factory: pytest.TempPathFactory) -> list[Place]:
    """What the installed command reports on the shop, read from its SARIF output."""
    command = [sys.executable, "-m", "glasshouse", "scan", str(SHOP), "--format", "sarif", "--no-cache"]
    home = tmp_path_factory.mktemp("home")
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=home, check=False)
    assert done.returncode == 0, done.stderr
    places = []
    for run in json.loads(done.stdout)["runs"]:
        rules = run["tool"]["driver"]["rules"]
        for result in run["results"]:
            where = result["locations"][0]["physicalLocation"]
            region = where["region"]
            first = region["startLine"]
            uri = where["artifactLocation"]["uri"].removeprefix("examples/shop/")
            places.append((uri, first, region.get("endLine", first), cwes(rules[result["ruleIndex"]])))
    return places


def name(place: dict[str, Any]) -> str:
    """How a place is called in the test's name."""
    return f"{place['file']}:{place['line']}"


def overlap(place: dict[str, Any], found: Place) -> bool:
    """Whether a reported place lies on a listed one."""
    return bool(found[0] == place["file"] and found[1] <= place["end_line"] and found[2] >= place["line"])


@pytest.mark.parametrize("place", EXPECTED["weak"] + EXPECTED["safe"], ids=name)
def test_a_listed_place_is_where_the_list_says(place: dict[str, Any]) -> None:
    lines = (SHOP / place["file"]).read_text().splitlines()
    assert place["code"] in (lines[place["line"] - 1].strip(), lines[place["end_line"] - 1].strip())


@pytest.mark.parametrize("weak", EXPECTED["weak"], ids=name)
def test_a_weak_place_is_reported_under_its_cwe(weak: dict[str, Any], reported: list[Place]) -> None:
    here = [found for found in reported if overlap(weak, found)]
    assert any(found[3] & set(weak["cwe"]) for found in here), f"{weak['title']}: {here or 'nothing reported'}"


@pytest.mark.parametrize("safe", EXPECTED["safe"], ids=name)
def test_a_safe_twin_is_not_reported(safe: dict[str, Any], reported: list[Place]) -> None:
    assert [found for found in reported if overlap(safe, found)] == []


def test_the_table_of_the_shop_names_every_weak_place() -> None:
    table = (SHOP / "README.md").read_text()
    assert [weak for weak in EXPECTED["weak"] if f"`{weak['file']}:{weak['end_line']}`" not in table] == []
