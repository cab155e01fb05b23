"""Buffers that come with their length, checks that wrap, memory that moved: what counts and what does not."""

from __future__ import annotations

import pytest

from glasshouse.scan.language.c import CFrontEnd
from glasshouse.scan.language.interface import LowerLimits
from glasshouse.scan.memory.checks import analyse_file

FRONT_END = CFrontEnd()


def checks(body: str, parameters: str = "const unsigned char *data, unsigned int len") -> set[str]:
    text = f"#include <stdlib.h>\n#include <string.h>\nint f({parameters}) {{ {body} }}\n"
    file = FRONT_END.lower(text.encode(), "a.c", LowerLimits())
    assert not file.errors
    return {item.check for item in analyse_file(file)}


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("if (len < 4) return 0; return data[4];", True),
        ("if (len < 5) return 0; return data[4];", False),
        ("if (len < 4) return 0; data += 2; len -= 2; return data[2];", True),
        ("unsigned i = f2(); if (i >= len) return 0; data += i; if (i + 2 > len) return 0; return data[1];", False),
        ("if (len < 4) return 0; data += 2; len -= 2; return data[1];", False),
        ("unsigned i; for (i = 0; i <= len; i++) if (data[i] == 7) return 1; return 0;", True),
        ("unsigned i; for (i = 0; i < len; i++) if (data[i] == 7) return 1; return 0;", False),
        ("unsigned i; for (i = 0; i + 1 < len; i++) if (data[i + 1] == 7) return 1; return 0;", False),
        ("unsigned i; for (i = 0; i < len; i++) if (data[i + 1] == 7) return 1; return 0;", True),
        ("unsigned i = 2; while (i < len) { char n = data[i++]; if (i + n > len) break; return data[i]; }", False),
    ],
)
def test_a_buffer_is_held_against_what_its_length_was_compared_with(body: str, found: bool) -> None:
    assert ("measured-access" in checks(body)) == found


def test_text_may_be_read_up_to_its_end_character() -> None:
    body = "unsigned i; for (i = 0; i < len; i++) if (data[i + 1] == 7) return 1; return 0;"
    assert "measured-access" not in checks(body, "const char *data, unsigned int len")


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("if (n > len - 8) return 1; return 0;", True),
        ("if (len < 8 || n > len - 8) return 1; return 0;", False),
        ("if ((len - 8) <= 10) return 1; return 0;", False),  # a range in one comparison wraps on purpose
        ("unsigned a = head[0], b = head[1]; if (a + b > len) return 1; return 0;", True),
        ("unsigned a = head[0], b = head[1]; if (a > 99 || a + b > len) return 1; return 0;", False),
        ("unsigned char a = head[0], b = head[1]; if (a + b > len) return 1; return 0;", False),
        ("if (len + n > 100) return 1; return 0;", False),  # sums of arguments are as a rule sizes that exist
    ],
)
def test_a_bounds_check_may_wrap_only_where_nothing_bounds_its_parts(body: str, found: bool) -> None:
    assert ("wrapping-check" in checks(body, "const unsigned *head, unsigned int len, unsigned int n")) == found


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("char *q = s; char *p = realloc(s, 9); if (!p) return 0; p[0] = 1; q[0] = 1; free(p); return 1;", True),
        ("char *q = s; char *p = realloc(s, 9); if (!p) { q[0] = 1; return 0; } p[0] = 1; free(p); return 1;", False),
        ("s = realloc(s, 9); if (!s) return 0; s[0] = 1; free(s); return 1;", False),
        ("char *q = s; char *p = my_realloc(s, 9); if (!p) return 0; q[0] = 1; return 1;", True),
    ],
)
def test_memory_that_realloc_moved_is_not_used_by_its_old_name(body: str, found: bool) -> None:
    assert ("use-after-free" in checks(body, "char *s")) == found


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("int t[8], i; for (i = 0; i < n; i++) t[i] = 0; return 0;", True),
        ("int t[8], i; if (n > 8) return 1; for (i = 0; i < n; i++) t[i] = 0; return 0;", False),
        ("int t[8], i; for (i = 0; i < n && i < 8; i++) t[i] = 0; return 0;", False),
    ],
)
def test_a_bound_that_nothing_bounds_bounds_nothing(body: str, found: bool) -> None:
    assert ("outside-index" in checks(body, "int n")) == found


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("unsigned char c; if (recv(0, &c, 1, 0) != 1) return 0; int n = c * 256; return n;", False),
        ("unsigned char c; if (recv(0, &c, 1, 0) != 1) return 0; unsigned char n = c * 2; return n;", True),
    ],
)
def test_narrow_operands_overflow_only_where_the_result_is_narrow_too(body: str, found: bool) -> None:
    assert ("integer-overflow" in checks(body, "void")) == found


def test_being_unlike_one_text_makes_no_name_a_good_one() -> None:
    body = 'if (strcmp(name, "a") == 0) name = "b"; char *p = join_path("/x", name); return open_file(p);'
    assert "path-traversal" in checks(body, "const char *name")
    assert "path-traversal" not in checks("if (!good(name)) return 0; " + body, "const char *name")


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("memcpy(out, data + 8, len - 8); return 0;", True),
        ("if (len < 8) return 1; memcpy(out, data + 8, len - 8); return 0;", False),
    ],
)
def test_a_length_that_may_wrap_below_zero_bounds_nothing(body: str, found: bool) -> None:
    parameters = "char *out, const unsigned char *data, unsigned int len"
    assert ("outside-length" in checks(body, parameters)) == found
