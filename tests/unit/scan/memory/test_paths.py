"""The path engine: states stay apart where it matters, join where it does not, and loops end."""

from __future__ import annotations

import pytest

from glasshouse.scan.language.c import CFrontEnd
from glasshouse.scan.language.interface import LowerLimits
from glasshouse.scan.memory.checks import analyse_file

FRONT_END = CFrontEnd()


def checks(body: str, parameters: str = "int a, int b, char *s") -> set[str]:
    """What is reported, certain or weak, in a function with this body."""
    text = f"#include <stdlib.h>\nstatic int g;\nint f({parameters}) {{ {body} }}\n"
    file = FRONT_END.lower(text.encode(), "a.c", LowerLimits())
    assert not file.errors
    return {item.check for item in analyse_file(file)}


def test_an_argument_that_a_macro_makes_up_is_unknown() -> None:
    text = b"#define relax() assert(0)\nint f(int a) { if (a) relax(); return a; }\n"
    file = FRONT_END.lower(text, "a.c", LowerLimits())
    assert analyse_file(file) == []
    assert file.notes == []


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("char *p = malloc(4); if (!p) return 0; if (a) free(p); if (!a) free(p); return 1;", set()),
        ("char *p = malloc(4); if (!p) return 0; if (a) free(p); if (a) return 1; free(p); return 2;", set()),
        (
            "char *p = malloc(4); if (!p) return 0; if (a) free(p); if (b) free(p); return 2;",
            {"double-free", "memory-leak"},
        ),
        ("char *p = 0; if (a == 5) p = s; if (a != 5) return 0; return *p;", set()),
        ("int n; switch (a) { case 1: n = 1; break; case 2: n = 2; break; default: n = 3; } return n;", set()),
        ("int n; switch (a) { case 1: n = 1; break; case 2: n = 2; } return n;", {"uninitialised-variable"}),
        ("int n; while (1) { n = a; break; } return n;", set()),
        ("int n; for (;;) { if (a--) { n = 1; break; } } return n;", set()),
        ("char *p = malloc(4); if (!p) goto out; p[0] = 1; free(p); return 1; out: return 0;", set()),
        ("char *p = malloc(4); if (!p || a) goto out; p[0] = 1; free(p); return 1; out: return 0;", {"memory-leak"}),
    ],
)
def test_correlated_branches_are_told_apart(body: str, expected: set[str]) -> None:
    assert checks(body) == expected


@pytest.mark.parametrize(
    ("index", "expected"),
    [("0", set()), ("9", set()), ("10", {"buffer-overflow"}), ("-1", {"buffer-underwrite"})],
)
def test_constant_indexes_are_compared_with_the_size(index: str, expected: set[str]) -> None:
    assert checks(f"int t[10]; t[{index}] = a; return 0;") == expected


@pytest.mark.parametrize("bound", ["<", "<=", "!="])
def test_a_loop_that_counts_past_the_end_is_found(bound: str) -> None:
    found = checks(f"int t[10]; int i; for (i = 0; i {bound} 10; i++) t[i] = a; return 0;")
    assert ("buffer-overflow" in found) == (bound == "<=")


def test_a_symbolic_length_bounds_its_own_allocation() -> None:
    start = "int *p = malloc(a * sizeof(int)); int i; if (!p) return 0; "
    assert "buffer-overflow" not in checks(start + "for (i = 0; i < a; i++) p[i] = 0; free(p); return 1;")
    assert "buffer-overflow" in checks(start + "for (i = 0; i <= a; i++) p[i] = 0; free(p); return 1;")


@pytest.mark.parametrize("nesting", [1, 4, 8])
def test_nested_loops_end(nesting: int) -> None:
    body = "for (a = 0; a < 9; a++) {" * nesting + "g += a;" + "}" * nesting
    assert checks(f"{body} return g;") == set()


def test_many_independent_branches_end() -> None:
    body = "".join(f"char *p{n} = malloc(3); if (p{n}) free(p{n});" for n in range(30))
    assert checks(f"{body} return 0;") == set()


def test_recursion_in_the_scanned_code_ends() -> None:
    text = (
        "#include <stdlib.h>\nint g(char *p); int f(char *p) { return g(p); } int g(char *p) { free(p); return f(p); }"
    )
    analyse_file(FRONT_END.lower(text.encode(), "a.c", LowerLimits()))
