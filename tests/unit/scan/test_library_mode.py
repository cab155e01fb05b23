"""What rules say of parameters of exported functions: some only when asked, some not of whole paths."""

from __future__ import annotations

from pathlib import Path

import pytest

from glasshouse.scan.run import scan_tree
from glasshouse.scan.settings import ScanSettings
from glasshouse.words.finding import Finding

FETCH = "import requests\n\ndef fetch(address):\n    return requests.get(f'http://{address}/status')\n"
QUERY = "def rows(cursor, table):\n    return cursor.execute(f'select * from {table}')\n"
READ = "def text_of({name}):\n    with open({name}) as file:\n        return file.read()\n"
JOIN = "def text_of({name}):\n    with open('/srv/notes/' + {name}) as file:\n        return file.read()\n"


def found(folder: Path, text: str, mode: str) -> set[str]:
    (folder / "a.py").write_text(text)
    results = scan_tree([folder], ScanSettings(jobs=1, mode=mode))  # type: ignore[arg-type]
    return {item.rule_id for item in results if isinstance(item, Finding)}


@pytest.mark.parametrize(("mode", "told"), [("both", False), ("library", True), ("application", False)])
def test_that_a_caller_chooses_an_address_is_told_only_when_asked(tmp_path: Path, mode: str, told: bool) -> None:
    assert ("py-ssrf" in found(tmp_path, FETCH, mode)) == told


@pytest.mark.parametrize(("mode", "told"), [("both", True), ("library", True), ("application", False)])
def test_that_a_function_builds_a_query_from_a_parameter_is_told(tmp_path: Path, mode: str, told: bool) -> None:
    assert ("py-sql-injection" in found(tmp_path, QUERY, mode)) == told


@pytest.mark.parametrize(
    ("text", "name", "told"),
    [(READ, "path", False), (READ, "output_file", False), (READ, "title", True), (JOIN, "path", True)],
)
def test_a_parameter_that_is_a_whole_path_says_which_file_is_meant(
    tmp_path: Path, text: str, name: str, told: bool
) -> None:
    assert ("py-path-traversal" in found(tmp_path, text.format(name=name), "both")) == told
