"""A team's own rules are tried on the examples that they carry, and the page's examples do what the page says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from glasshouse.scan import ScanSettings, scan_tree
from glasshouse.scan.trial import trial
from glasshouse.words.errors import RuleError
from glasshouse.words.finding import Finding

PAGE = Path(__file__).parents[4] / "docs" / "how-to" / "write-a-rule.md"
MODELS, RULE = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)
PROGRAM = """\
import acme.bus
import acme.db
import acme.html
import acme.paths
import acme.reports
from flask import request


def bus():
    acme.reports.run("select " + acme.bus.receive())


def database():
    acme.db.connect().execute("select " + request.args["c"])


def page():
    return "<p>" + acme.html.clean(request.args["c"]) + "</p>"


def file():
    name = request.args["f"]
    if acme.paths.is_inside(name):
        return open(name).read()
"""


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """The page's two files."""
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "models.yaml").write_text(MODELS)
    (folder / "rule.yaml").write_text(RULE)
    return folder


def test_the_library_and_the_rule_of_the_page_do_what_it_says(tmp_path: Path, rules: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "views.py").write_text(PROGRAM)
    results = scan_tree([tmp_path / "app"], ScanSettings(rule_paths=(rules,), jobs=1))
    found = {(each.function, each.rule_id) for each in results if isinstance(each, Finding)}
    assert found == {("bus", "acme-report-injection"), ("database", "py-sql-injection")}


def test_examples_that_hold_are_all_right(rules: Path) -> None:
    tried = list(trial([rules]))
    assert [(each.example.side, each.wrong) for each in tried] == [("positive", ""), ("negative", "")]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('acme.reports.run("select " + request.args["c"])', "acme.reports.run('select 1')", "is not reported"),
        ('c=request.args["c"])', 'c=1)\n              acme.reports.run(request.args["c"])', "is reported, at line 6"),
        ("def view():", "def view(:", "is not analysed"),
    ],
)
def test_an_example_that_does_not_hold_is_named_with_what_is_wrong(rules: Path, old: str, new: str, said: str) -> None:
    (rules / "rule.yaml").write_text(RULE.replace(old, new))
    assert any(said in each.wrong for each in trial([rules]))


def test_a_rule_file_with_a_fault_is_an_error_and_no_passed_test(rules: Path) -> None:
    (rules / "rule.yaml").write_text(RULE.replace("taint: sql", "tant: sql"))
    with pytest.raises(RuleError):
        list(trial([rules]))
