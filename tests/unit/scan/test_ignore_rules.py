"""Ignore patterns mean what they mean to git, and cost linear time."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasshouse.scan.discover.ignore_rules import IgnoreFile, ignored_by, parse_rules


def ignored(patterns: str, path: str) -> bool:
    """As git does it: a path is ignored when it, or a directory above it, is."""
    chain = (IgnoreFile(0, tuple(parse_rules(patterns.encode(), ".gitignore"))),)
    parts = path.rstrip("/").split("/")
    for depth in range(1, len(parts) + 1):
        directory = depth < len(parts) or path.endswith("/")
        if ignored_by(chain, parts[:depth], directory) is not None:
            return True
    return False


@pytest.mark.parametrize(
    ("patterns", "path", "expected"),
    [
        ("*.log", "a/b/x.log", True),
        ("/x.py", "a/x.py", False),
        ("/x.py", "x.py", True),
        ("doc/frotz", "a/doc/frotz", False),
        ("doc/frotz/", "doc/frotz", False),
        ("doc/frotz/", "doc/frotz/", True),
        ("**/foo", "a/b/foo", True),
        ("**/foo", "foo", True),
        ("a/**/b", "a/b", True),
        ("a/**/b", "a/x/y/b", True),
        ("abc/**", "abc/", False),
        ("abc/**", "abc/x", True),
        ("*.py\n!keep.py", "keep.py", False),
        ("dir/\n!dir/keep.py", "dir/keep.py", True),
        ("\\!x", "!x", True),
        ("\\#x", "#x", True),
        ("#x", "#x", False),
        ("x\\ ", "x ", True),
        ("x  ", "x", True),
        ("a[!b]c", "axc", True),
        ("a[!b]c", "abc", False),
        ("a[]-]c", "a]c", True),
        ("v[[:digit:]].py", "v7.py", True),
        ("a[b", "a[b", False),
        ("a?c", "a/c", False),
        ("\ufeffx.py\r", "x.py", True),
    ],
)
def test_patterns_mean_what_gitignore_says(patterns: str, path: str, expected: bool) -> None:
    assert ignored(patterns, path) is expected


def test_a_pattern_made_to_backtrack_takes_no_time() -> None:
    rules = "\n".join(["*a" * 60 + "b", "**/*a*a*a*a/**/*a*a*a*a/**/x", "*a*/" * 30 + "b"])
    path = "/".join(["a" * 250] * 12)
    start = time.process_time()
    assert not ignored(rules, path)
    assert time.process_time() - start < 0.5


@given(st.binary(max_size=200), st.text(max_size=30))
def test_no_ignore_file_makes_matching_fail(text: bytes, name: str) -> None:
    chain = (IgnoreFile(0, tuple(parse_rules(text, ".gitignore"))),)
    ignored_by(chain, [name or "x"], directory=False)
