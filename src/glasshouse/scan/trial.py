"""Rules tried on the examples that they carry: each positive one must be reported, no negative one."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from glasshouse.scan.rules.examples import Example, examples
from glasshouse.scan.rules.loader import load_rules
from glasshouse.scan.run import scan_tree
from glasshouse.scan.settings import ScanSettings
from glasshouse.words.finding import Finding, NotAnalysed


class Tried(msgspec.Struct, frozen=True):
    """One example and what became of it; ``wrong`` says what is not as the rule promises, empty where all is well."""

    example: Example
    wrong: str


def trial(paths: Sequence[Path]) -> Iterator[Tried]:
    """Every example of the rules in these files or folders, each scanned as a program of its own.

    Raises ``RuleError`` for a file that does not follow the schema.
    """
    shipped = load_rules().rules
    mine = [rule for name, rule in load_rules(extra=paths).rules.items() if name not in shipped]
    laid_out = {f"{number:05}": each for number, each in enumerate(examples(mine))}
    with tempfile.TemporaryDirectory(prefix="glasshouse-rules-") as folder:
        for place, example in laid_out.items():
            file = Path(folder, place, example.file_name)
            file.parent.mkdir()
            file.write_text(example.text, encoding="utf-8", newline="")
        seen = _seen(Path(folder), paths) if laid_out else {}
    for place, example in laid_out.items():
        yield Tried(example, _wrong(example, seen.get(place, {})))


def _seen(folder: Path, paths: Sequence[Path]) -> dict[str, dict[str, str]]:
    """By folder of an example: the rules that were reported there, and under an empty name what was not analysed."""
    found: dict[str, dict[str, str]] = {}
    settings = ScanSettings(rule_paths=tuple(paths), ignore_files=False, inline_ignores=False, jobs=1)
    for result in scan_tree([folder], settings):
        if isinstance(result, Finding):
            where = f"line {result.location.line}"
            found.setdefault(_place(result.location.path), {}).setdefault(result.rule_id, where)
        elif isinstance(result, NotAnalysed):
            found.setdefault(_place(result.path), {})[""] = result.reason
    return found


def _place(path: str) -> str:
    return Path(path).parts[-2] if len(Path(path).parts) > 1 else ""


def _wrong(example: Example, reported: dict[str, str]) -> str:
    if "" in reported:
        return f"is not analysed: {reported['']}"
    if (example.rule in reported) == (example.side == "positive"):
        return ""
    return "is not reported" if example.side == "positive" else f"is reported, at {reported[example.rule]}"
