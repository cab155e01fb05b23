"""TOML from outside costs time in proportion to its size, whatever its keys are."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasshouse.words.toml_text import MAX_PARTS, plain_toml

LONG = {
    "header": "[a" + ".a" * 500_000 + "]\nb = 1\n",
    "key": "a" + ".a" * 500_000 + " = 1\n",
    "spaced": "a" + " . a" * 200_000 + " = 1\n",
    "quoted": '"a"' + '."a"' * 200_000 + " = 1\n",
    "inline": "x = {a" + ".a" * 500_000 + " = 1}\n",
    "just too long": "a" + ".a" * MAX_PARTS + " = 1\n",
}


@pytest.mark.parametrize("text", LONG.values(), ids=LONG)
def test_a_key_that_nobody_writes_is_refused_at_once(text: str) -> None:
    with pytest.raises(tomllib.TOMLDecodeError, match="parts"):
        plain_toml(text)


@pytest.mark.parametrize(
    "text", ["a" * 2_000_000, '"' * 2_000_000, "a.\n" * 700_000, "'a' 'b' " * 200_000, "-." * 900_000]
)
def test_what_only_looks_like_a_long_key_costs_no_more_than_its_length(text: str) -> None:
    with pytest.raises(tomllib.TOMLDecodeError):
        plain_toml(text)


def test_arrays_in_arrays_without_end_are_no_toml() -> None:
    with pytest.raises(tomllib.TOMLDecodeError, match="deep"):
        plain_toml("a = " + "[" * 200_000)


@given(st.lists(st.sampled_from(["a", ".", " ", "=", "1", '"', "'", "[", "]", "{", "}", "\n", "-", ","]), max_size=60))
def test_what_people_write_reads_as_the_library_reads_it(pieces: list[str]) -> None:
    text = "".join(pieces)
    try:
        wanted = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        with pytest.raises(tomllib.TOMLDecodeError):
            plain_toml(text)
    else:
        assert plain_toml(text) == wanted
