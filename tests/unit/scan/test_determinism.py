"""The same tree gives the same report, byte for byte: any number of jobs, any directory order, any hash seed."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from tests.unit.scan.pathological_programs import PROGRAMS

from glasshouse.scan.run import scan_tree
from glasshouse.scan.settings import ScanSettings

SHOP = Path(__file__).parents[3] / "examples" / "shop"

SCAN = """
import sys
from pathlib import Path
import msgspec
from glasshouse.scan.run import scan_tree
from glasshouse.scan.settings import ScanSettings
results = list(scan_tree([Path(sys.argv[1])], ScanSettings(jobs=1)))
sys.stdout.buffer.write(msgspec.json.encode(results))
"""
CHOSEN = ("itself.py", "diamonds.py", "generators.py", "Hierarchy.java", "nested_callbacks.js")


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example shop and programs with many ways through them."""
    folder = tmp_path_factory.mktemp("tree")
    for file in sorted(SHOP.rglob("*")):
        if file.is_file():
            place = folder / "shop" / file.relative_to(SHOP)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(file.read_bytes())
    for name in CHOSEN:
        (folder / name).write_text(PROGRAMS[name])
    return folder


def scanned(folder: Path, jobs: int = 1) -> bytes:
    return msgspec.json.encode(list(scan_tree([folder], ScanSettings(jobs=jobs))))


@pytest.fixture(scope="module")
def expected(tree: Path) -> bytes:
    found = scanned(tree)
    assert found.count(b'"rule_id"') > 50
    return found


def test_the_number_of_jobs_does_not_change_the_result(tree: Path, expected: bytes) -> None:
    assert scanned(tree, jobs=2) == expected


def test_a_second_scan_in_the_same_process_gives_the_same_result(tree: Path, expected: bytes) -> None:
    assert scanned(tree) == expected


@pytest.mark.parametrize("seed", ["0", "1", "4294967295"])
def test_the_hash_seed_does_not_change_the_result(seed: str, tree: Path, expected: bytes) -> None:
    variables = os.environ | {"PYTHONHASHSEED": seed}
    done = subprocess.run(
        [sys.executable, "-c", SCAN, str(tree)], env=variables, capture_output=True, check=True, timeout=60
    )
    assert done.stdout == expected


def test_the_order_of_directory_entries_does_not_change_the_result(tree: Path, expected: bytes, tmp_path: Path) -> None:
    """Files made in another order (most file systems list them by hash or by age)."""
    files = [file for file in sorted(tree.rglob("*")) if file.is_file()]
    random.Random(7).shuffle(files)
    again = tmp_path / "tree"
    for file in files:
        place = again / file.relative_to(tree)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(file.read_bytes())
    assert scanned(again) == expected
