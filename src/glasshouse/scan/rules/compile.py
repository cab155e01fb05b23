"""``python -m glasshouse.scan.rules.compile``: check all built-in rule files and write what is generated from them.

Without arguments it writes ``data/compiled.msgpack``; ``--check`` only checks (optionally one section, by name);
``--docs`` also writes the reference pages below ``docs/reference``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from glasshouse.scan.rules import loader
from glasshouse.words.errors import RuleError

DOCS = Path(__file__).parents[4] / "docs" / "reference"


def main(arguments: Sequence[str]) -> int:
    """Process status: 0 done, 2 a rule file is wrong."""
    names = [word for word in arguments if not word.startswith("--")]
    try:
        if "--check" in arguments:
            return _check(names or list(loader.EVERYTHING))
        _write(loader.COMPILED, loader.compile_shipped())
        if "--docs" in arguments:
            _write_docs()
    except RuleError as error:
        print(error.diagnostics(), file=sys.stderr)
        return error.exit_code
    return 0


def _check(languages: Sequence[str]) -> int:
    status = 0
    for language in languages:
        try:
            loaded = loader.load_rules([language])
        except RuleError as error:
            print(error.diagnostics(), file=sys.stderr)
            status = error.exit_code
        else:
            print(f"{language}: {len(loaded.rules)} rules, {len(loaded.models)} model files")
    return status


def _write_docs() -> None:
    from glasshouse.scan.rules.reference import format_page, rules_page

    DOCS.mkdir(parents=True, exist_ok=True)
    _write(DOCS / "rules.md", rules_page(loader.load_rules(loader.EVERYTHING)).encode())
    _write(DOCS / "rules-format.md", format_page().encode())


def _write(path: Path, content: bytes) -> None:
    temporary = path.with_name(path.name + ".new")
    temporary.write_bytes(content)
    os.replace(temporary, path)
    print(f"wrote {path}")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
