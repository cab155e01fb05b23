"""C and C++ front end: whatever the bytes, it answers; what it lowers is well formed; macros do not stop it."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from glasshouse.scan import ir
from glasshouse.scan.language.c import CFrontEnd, is_cpp
from glasshouse.scan.language.interface import LowerLimits
from glasshouse.scan.memory.checks import analyse_file
from glasshouse.scan.memory.program import walk

FRONT_END = CFrontEnd()
WORDS = [
    *"int char * p n ; { } ( ) [ ] if else while for do switch case default : goto out out: return = < + -".split(),
    *"-> . & && || ! malloc free strcpy 1 0 0x10 , struct s sizeof break continue new delete [10] ...".split(),
    *('"s%s"', "'a'", "#if", "#else", "#endif", "\n", "#define"),
]


def lowered(text: str, path: str = "a.c", **limits: int) -> ir.File:
    return FRONT_END.lower(text.encode(), path, LowerLimits(**limits))


def check(file: ir.File) -> None:
    """Every temporary is written once, every constant exists, and the analysis answers."""
    for function in file.functions:
        written: set[int] = set()
        for ins in walk(function.body):
            assert ins[0] in ir.OP_NAMES
            assert ins[1] >= 0
            for field in ins[2:]:
                if isinstance(field, int) and ins[0] not in (ir.SET_ATTR, ir.SET_ITEM, ir.IF):
                    assert -len(function.consts) <= field < function.temps
            if ins[0] in (ir.BINOP, ir.UNOP, ir.CALL, ir.ATTR, ir.ITEM) and isinstance(ins[2], int):
                assert ins[2] not in written
                written.add(ins[2])
    analyse_file(file)
    assert not [note for note in file.notes if "Error" in note]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=60), st.booleans())
@example(["int", "{"], False)
def test_any_sequence_of_words_is_answered(words: list[str], cpp: bool) -> None:
    check(lowered("int f(int n) { " + " ".join(words) + " }", "a.cpp" if cpp else "a.c"))


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_answered(data: bytes) -> None:
    text = data.decode("latin-1").replace("\0", " ")
    check(lowered(text))


@pytest.mark.parametrize(
    "text",
    [
        "int f(void){return " + "(" * 50_000 + "1" + ")" * 50_000 + ";}",
        "int f(void){" + "{" * 20_000 + "}" * 20_000 + "}",
        "int f(int a){return " + "a+" * 5_000 + "1;}",
        "int f(int a){return " + "a&&" * 5_000 + "1;}",
        "int f(int a){" + "if(a)g();else " * 5_000 + "h();}",
        "int f(int a){switch(a){" + "".join(f"case {n}:" for n in range(3_000)) + "g();}}",
        "int a" + "[1]" * 5_000 + ";int f(void){int *" + "*" * 5_000 + "p; return *p;}",
        "int f(void){return " + "*" * 20_000 + "p;}",
        "struct s{" * 3_000,
        "int f(int n){" + "for(;;){" * 300 + "g(n);" + "}" * 300 + "}",
        "int f(int n){"
        + "".join(f"if(n=={n})goto l{n};" for n in range(500))
        + "".join(f"l{n}:g();" for n in range(500))
        + "}",
    ],
    ids=[
        "parentheses",
        "blocks",
        "sum",
        "and",
        "else-if",
        "cases",
        "declarators",
        "stars",
        "records",
        "loops",
        "gotos",
    ],
)
def test_deep_nesting_and_long_chains_are_answered(text: str) -> None:
    check(lowered(text))


KERNEL = "#include <linux/slab.h>\n"


@pytest.mark.parametrize(
    "text",
    [
        "#define A(p) f(" + "p " * 3_000 + ";\n",
        KERNEL + "\n" * 300_000,
        KERNEL + "\n{\n" * 100_000,
        KERNEL + "int f(void)\n{\n" + "\tint a;\n" * 20_000 + "}\n",
        KERNEL + "int f(void)\n{\n" + "\tif (!a) g();\n" * 20_000 + "}\n",
        'void f(char *p) { scanf("' + "%[" * 100_000 + '", p); }',
        "a (" * 50_000,
        "; \n" * 100_000,
    ],
    ids=["macro", "newlines", "braces", "declarations", "tests", "scanf", "heads", "statements"],
)
def test_text_made_to_slow_down_patterns_is_answered_in_time(text: str) -> None:
    started = time.process_time()
    check(lowered(text))
    check(lowered(text, "a.h"))
    assert time.process_time() - started < 8


def test_a_line_of_megabytes_is_answered() -> None:
    check(lowered('int f(char *p){g("' + "a" * 3_000_000 + '");free(p);}'))


def test_a_function_past_the_node_limit_is_lowered_in_part_and_says_so() -> None:
    file = lowered("int f(int n){" + "free(n);" * 500 + "}int h(int *p){return p[0];}", max_function_nodes=300)
    capped = {function.name: function.capped for function in file.functions}
    assert capped["f"]
    assert not capped["h"]


def test_regions_that_do_not_parse_are_told_and_the_rest_is_lowered() -> None:
    file = lowered("int f(void) { return a[; }\nint g(int *p) { return p[0]; }\n")
    assert file.errors
    assert "g" in [function.name for function in file.functions]


@pytest.mark.parametrize(
    "text",
    [
        "static int __init f(struct s __user *p) { return p->n; }",
        "int f(int *p) { likely(p[0]); return 0; }",
        "int f(struct l *l) { struct l *p; list_for_each_entry(p, &l->head, node) { g(p->n); } return 0; }",
        "EXPORT_SYMBOL(f);\nint f(int *p) { return p[0]; }",
    ],
)
def test_kernel_macros_do_not_hide_a_function(text: str) -> None:
    file = lowered(text)
    assert not file.errors
    assert file.functions[-1].name == "f"


def test_a_header_is_cpp_only_when_it_looks_so() -> None:
    assert not is_cpp("a.h", b"struct s { int n; };\nint f(void);\n")
    assert is_cpp("a.h", b"namespace n {\nclass C { };\n}\n")


def test_short_circuit_conditions_test_the_second_term_only_after_the_first() -> None:
    file = lowered("int f(struct s *p) { if (p && p->n) return 1; return 0; }")
    assert [item.check for item in analyse_file(file)] == []
