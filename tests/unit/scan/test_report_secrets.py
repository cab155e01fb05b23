"""No finding shows a secret, whichever finding it is that hides it."""

from __future__ import annotations

from pathlib import Path

import msgspec

from glasshouse.scan import ScanSettings, scan_tree
from glasshouse.words.finding import Finding

TOKEN = "AKIAQYLPMN5HHH" + "FPZAM2"


def shown(folder: Path, code: str) -> tuple[set[str], str]:
    """The rules reported, and all text of the findings."""
    (folder / "code.py").write_text(code, encoding="utf-8")
    found = [item for item in scan_tree([folder], ScanSettings(jobs=1)) if isinstance(item, Finding)]
    return {item.rule_id for item in found}, msgspec.json.encode(found).decode()


def test_other_findings_on_the_line_of_a_secret_do_not_show_it(tmp_path: Path) -> None:
    rules, text = shown(tmp_path, f'import os\nos.system(input() + "{TOKEN}")\n')
    assert rules == {"gen-aws-access-key", "py-command-injection"}
    assert TOKEN not in text


def test_steps_of_a_way_through_the_line_of_a_secret_do_not_show_it(tmp_path: Path) -> None:
    rules, text = shown(tmp_path, f'import os\ncommand = input() + "{TOKEN}"\nos.system(command)\n')
    assert "py-command-injection" in rules
    assert TOKEN not in text


def test_a_secret_outside_quotes_is_hidden_too(tmp_path: Path) -> None:
    rules, text = shown(tmp_path, f'x = "hello"  # the key is {TOKEN}, take care\n')
    assert rules == {"gen-aws-access-key"}
    assert TOKEN not in text


def test_a_secret_in_a_text_that_goes_on_in_the_next_line_is_hidden(tmp_path: Path) -> None:
    rules, text = shown(tmp_path, f'x = "hello", """a {TOKEN} b\n"""\n')
    assert rules == {"gen-aws-access-key"}
    assert TOKEN not in text
