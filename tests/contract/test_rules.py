"""Every rule reports its positive snippets and stays silent on its negative ones.

The snippets of one language are laid out in a tree, each in a folder of its own, and scanned together once.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from glasshouse.scan import ScanSettings, scan_tree
from glasshouse.scan.rules.examples import file_name
from glasshouse.scan.rules.loader import LANGUAGES, load_rules
from glasshouse.words.finding import Finding, NotAnalysed

RULES = load_rules().rules
CASES = [
    pytest.param(rule.id, side, index, id=f"{rule.id}-{side}-{index}")
    for rule in RULES.values()
    for side in ("positive", "negative")
    for index in range(len(getattr(rule.tests, side)))
]


@pytest.fixture(scope="module")
def reported(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """Rules reported per snippet folder."""
    found: dict[str, set[str]] = {}
    for language in LANGUAGES:
        root = tmp_path_factory.mktemp(language)
        for rule in RULES.values():
            if rule.languages[0] != language:
                continue
            for side in ("positive", "negative"):
                for index, snippet in enumerate(getattr(rule.tests, side)):
                    folder = root / f"{rule.id}.{side}.{index}"
                    folder.mkdir()
                    (folder / file_name(rule, snippet)).write_text(snippet, encoding="utf-8")
        if not any(root.iterdir()):
            continue
        for result in scan_tree([root], ScanSettings(cache_dir=None, jobs=1)):
            if isinstance(result, Finding):
                found.setdefault(Path(result.location.path).parts[-2], set()).add(result.rule_id)
            elif isinstance(result, NotAnalysed):
                found.setdefault(Path(result.path).parts[-2], set()).add(f"not analysed: {result.reason}")
    return found


@pytest.mark.parametrize(("rule_id", "side", "index"), CASES)
def test_a_rule_reports_what_its_examples_say(
    rule_id: str, side: str, index: int, reported: dict[str, set[str]]
) -> None:
    """Positive examples yield a finding of the rule, negative ones none of it."""
    seen = reported.get(f"{rule_id}.{side}.{index}", set())
    assert (rule_id in seen) == (side == "positive"), f"reported: {sorted(seen)}"


@pytest.mark.parametrize("rule_id", sorted(RULES))
def test_examples_are_complete_files_that_parse(rule_id: str, reported: dict[str, set[str]]) -> None:
    """A syntax error in an example would make a negative one pass for the wrong reason."""
    rule = RULES[rule_id]
    for side in ("positive", "negative"):
        for index in range(len(getattr(rule.tests, side))):
            seen = reported.get(f"{rule_id}.{side}.{index}", set())
            assert not [text for text in seen if text.startswith("not analysed")], seen
