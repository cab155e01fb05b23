"""What every front end keeps to on broken, huge and deep input: it never raises, and what it leaves out it says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.contract.front_ends import go, java, javascript, php, python
from tests.contract.front_ends.case import Case

from glasshouse.scan import ir
from glasshouse.scan.ir import File, Function
from glasshouse.scan.language.interface import LowerLimits

CASES = {
    "go": go.CASE,
    "java": java.CASE,
    "javascript": javascript.CASE,
    "php": php.CASE,
    "python": python.CASE,
}
SAMPLES = [(case, path) for case in CASES.values() for path in case.samples]
NESTED = [(name, kind) for name, case in CASES.items() for kind in case.nested]
CHAINS = [(name, kind) for name, case in CASES.items() for kind in case.chains]
TIGHT = LowerLimits(max_depth=5, max_function_nodes=60)
FIRST_PLACE = 1 << 36  # spans are larger than any other number in an instruction
WRITES = {
    *[ir.ATTR, ir.ITEM, ir.CALL, ir.CALL_METHOD, ir.NEW, ir.BINOP, ir.UNOP, ir.TEMPLATE, ir.MAKE, ir.CLOSURE, ir.CLASS],
    *[ir.MOVE, ir.IMPORT, ir.YIELD, ir.AWAIT, ir.CAST, ir.IS_TYPE],
}


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]


def stored(file: File) -> bytes:
    """The file as the cache keeps it, from which it must come back as it was."""
    data = msgspec.msgpack.encode(file)
    assert msgspec.msgpack.decode(data, type=File) == file
    return data


def function(file: File, name: str) -> Function:
    return next(each for each in file.functions if each.name == name)


def calls(found: Function) -> list[int]:
    """The operations of calls in a function's body."""
    return [each[0] for each in found.body if each[0] in (ir.CALL, ir.CALL_METHOD)]


@pytest.mark.parametrize(("name", "kind"), NESTED)
def test_deep_nesting_is_cut_and_said(name: str, kind: str) -> None:
    case = CASES[name]
    file = case.lower(case.around % case.nested[kind])
    assert file.notes or file.errors
    stored(file)


@pytest.mark.parametrize(("name", "kind"), CHAINS)
def test_long_chains_are_lowered_whole(name: str, kind: str) -> None:
    case = CASES[name]
    file = case.lower(case.around % case.chains[kind])
    assert file.notes == []
    assert len(stored(file)) > case.smallest_chain


def test_a_huge_table_caps_its_function_and_the_next_function_is_whole(case: Case) -> None:
    file = case.lower(case.table, limits=LowerLimits(max_function_nodes=1_000))
    assert any(each.capped for each in file.functions)
    assert not function(file, "m").capped
    assert len(calls(function(file, "m"))) == 1
    stored(file)


def test_the_time_limit_ends_lowering_and_the_next_file_is_whole(case: Case) -> None:
    late = case.lower(case.table, limits=LowerLimits(max_seconds=-1.0))
    assert any("stopped" in note or "time limit" in note for note in late.notes)
    assert case.lower(case.samples[case.path]).notes == []


def test_the_time_limit_ends_parsing_of_large_files(case: Case) -> None:
    late = case.lower(case.table * 10, limits=LowerLimits(max_seconds=-1.0))
    assert any("parsing" in note for note in late.notes)
    assert [each.capped for each in late.functions] != [""]


def test_what_does_not_parse_is_located_and_the_rest_is_lowered(case: Case) -> None:
    file = case.lower(case.broken)
    assert [ir.unpack_span(span)[0] for span in file.errors][:1] == [2]
    assert len(calls(function(file, "b"))) == 1


@st.composite
def damaged(draw: st.DrawFn) -> tuple[Case, bytes, str]:
    """A sample with a few changes, still valid UTF-8 as whoever reads files sees to it."""
    case, path = draw(st.sampled_from(SAMPLES))
    source = bytearray(case.samples[path])
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(source)))
        end = min(len(source), start + draw(st.integers(0, 60)))
        change = draw(st.sampled_from(["delete", "double", "insert", "truncate", "move"]))
        if change == "delete":
            del source[start:end]
        elif change == "double":
            source[start:start] = source[start:end]
        elif change == "insert":
            source[start:start] = draw(st.text(max_size=6)).encode("utf-8", "replace")
        elif change == "truncate":
            del source[start:]
        else:
            piece = source[start:end]
            del source[start:end]
            source += piece
    return case, bytes(source).decode("utf-8", "replace").encode(), path


@settings(max_examples=300, deadline=None)
@given(damaged(), st.sampled_from([LowerLimits(), TIGHT]))
def test_damaged_source_never_raises(given_source: tuple[Case, bytes, str], limits: LowerLimits) -> None:
    case, source, path = given_source
    stored(case.lower(source, path, limits))


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(SAMPLES),
    st.binary(max_size=300) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace")),
)
def test_any_bytes_give_a_file(sample: tuple[Case, str], source: bytes) -> None:
    case, path = sample
    stored(case.lower(source.decode("utf-8", "replace").encode(), path))


def test_the_same_source_gives_the_same_bytes_whatever_came_before(case: Case) -> None:
    first = {path: stored(case.lower(sample, path)) for path, sample in case.samples.items()}
    case.lower(case.table, limits=LowerLimits(max_seconds=0.0, max_depth=2, max_function_nodes=1))
    case.lower(case.broken)
    assert {path: stored(case.lower(sample, path)) for path, sample in case.samples.items()} == first


def test_every_temporary_is_written_by_one_instruction(case: Case) -> None:
    for path, sample in case.samples.items():
        for each in case.lower(sample, path).functions:
            written = list(temporaries(each.body))
            assert len(written) == len(set(written)), each.qualname
            assert all(0 <= number < each.temps for number in written), each.qualname


def temporaries(block: list[Any]) -> Iterator[int]:
    """Temporaries that a block writes, once for each instruction that does."""
    for field in block:
        if isinstance(field, list):
            if len(field) > 2 and isinstance(field[0], int) and isinstance(field[1], int) and field[1] >= FIRST_PLACE:
                place = 2 if field[0] in WRITES else 3 if field[0] == ir.FOREACH else 0
                if place and isinstance(field[place], int):
                    yield field[place]
            yield from temporaries(field)
