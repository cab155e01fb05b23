"""The manual's pages on rules are those that the rules give."""

from __future__ import annotations

import re
from pathlib import Path

from glasshouse.scan.rules import schema
from glasshouse.scan.rules.loader import EVERYTHING, load_rules
from glasshouse.scan.rules.reference import format_page, rules_page

DOCS = Path(__file__).parents[4] / "docs" / "reference"


def test_the_rules_page_is_up_to_date() -> None:
    """Run `python -m glasshouse.scan.rules.compile --docs` after a change of rules."""
    assert (DOCS / "rules.md").read_text(encoding="utf-8") == rules_page(load_rules(EVERYTHING))


def test_the_format_page_is_up_to_date() -> None:
    """Run `python -m glasshouse.scan.rules.compile --docs` after a change of the schema."""
    assert (DOCS / "rules-format.md").read_text(encoding="utf-8") == format_page()


def test_every_rule_has_a_section() -> None:
    rules = load_rules()
    page = rules_page(rules)
    for rule_id in rules.rules:
        assert f"#### {rule_id}\n" in page


def test_every_struct_of_the_schema_has_a_section() -> None:
    page = format_page()
    for name in ("Rule", "Sink", "Match", "Condition", "Protocol", "Models", "Source", "Entry", "Sanitizer"):
        assert f"## {name}\n" in page
        assert hasattr(schema, name)


def test_html_in_prose_shows_as_text() -> None:
    """Reasons may quote HTML; the page must show it and not contain it."""
    page = rules_page(load_rules(EVERYTHING))
    outside = re.sub(r"```.*?```|`[^`]*`|\\<", "", page, flags=re.DOTALL)
    assert "<script" not in outside.lower()
