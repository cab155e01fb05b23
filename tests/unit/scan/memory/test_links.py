"""What files of C say about each other is held against what was found in each alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from glasshouse.scan.run import scan_tree
from glasshouse.scan.settings import ScanSettings
from glasshouse.words.finding import Finding

TABLE = '#include "table.h"\nint pick(int *table, int n) { int t[4]; return t[n]; }\n'
CALLER = '#include "table.h"\nint main(void) { int n; n = 2; return pick(0, n); }\n'
HEAD = '#include "memory.h"\n#include <stdlib.h>\n'
WRAPPER = HEAD + "void *must_alloc(int n) { void *p = malloc(n); if (!p) abort(); return p; }\n"
MAY_FAIL = HEAD + "void *must_alloc(int n) { return n > 9 ? 0 : malloc(n); }\n"
USER = '#include "memory.h"\nint use(void) { char *p = must_alloc(4); p[0] = 1; return 0; }\n'


def rules_found(folder: Path, mode: str = "both", **files: str) -> set[str]:
    for name, text in files.items():
        (folder / f"{name}.c").write_text(text)
    found = scan_tree([folder], ScanSettings(jobs=1, mode=mode))  # type: ignore[arg-type]
    return {item.rule_id for item in found if isinstance(item, Finding)}


def test_who_calls_a_function_from_another_file_says_what_is_passed(tmp_path: Path) -> None:
    assert "c-outside-index" in rules_found(tmp_path, table=TABLE)
    assert "c-outside-index" not in rules_found(tmp_path, table=TABLE, caller=CALLER)
    assert "c-outside-index" in rules_found(tmp_path, "library", table=TABLE, caller=CALLER)


def test_pieces_that_include_nothing_of_a_program_are_not_taken_for_one(tmp_path: Path) -> None:
    piece = TABLE.replace('#include "table.h"\n', "")
    assert "c-outside-index" in rules_found(tmp_path, table=piece, caller=CALLER)


@pytest.mark.parametrize(
    ("wrapper", "found"), [(WRAPPER, ""), (MAY_FAIL, "c-unchecked-allocation"), ("", "c-unchecked-result")]
)
def test_what_another_file_never_gives_as_null_need_not_be_tested(tmp_path: Path, wrapper: str, found: str) -> None:
    names = {"c-unchecked-allocation", "c-unchecked-result"}
    assert rules_found(tmp_path, wrapper=wrapper, user=USER) & names == {found} - {""}
