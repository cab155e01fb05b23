"""Regions that did not parse: the outermost ones, in source order, bounded in number and in time."""

from __future__ import annotations

import time

import tree_sitter_c
from tree_sitter import Language, Parser

from glasshouse.scan import ir
from glasshouse.scan.language.parsing import broken, node_span

PARSER = Parser(Language(tree_sitter_c.language()))


def spans(source: str, **options: float) -> list[tuple[int, ...]]:
    """What is broken, as first line and column."""
    found = broken(PARSER.parse(source.encode()).root_node, node_span, **options)  # type: ignore[arg-type]
    return [ir.unpack_span(each)[:2] for each in found]


def test_what_parses_is_not_broken() -> None:
    assert spans("int f(void) { return 1; }") == []


def test_each_region_is_told_once_and_in_order() -> None:
    assert [line for line, _ in spans("int a = ;\nint f(void) { @@@ ((( ; }\nint b = ;\n")] == [1, 2, 3]


def test_a_token_that_the_parser_supplied_counts_only_where_it_is_asked_for() -> None:
    source = "int f(void) { return 1 }"
    assert len(spans(source)) == 1
    assert spans(source, missing=False) == []


def test_many_regions_and_a_late_hour_end_the_search() -> None:
    source = "int a = ;\n" * 50
    assert len(spans(source, limit=7)) == 7
    assert spans(source, until=time.monotonic() - 1) == []
