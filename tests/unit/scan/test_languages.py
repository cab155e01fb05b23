"""Which language a file is in."""

from __future__ import annotations

import pytest

from glasshouse.scan.languages import LANGUAGES, front_end, is_declaration, language_of, needs_head
from glasshouse.words.errors import UsageError


@pytest.mark.parametrize(
    ("path", "language"),
    [
        ("a/b.py", "python"),
        ("B.PY", "python"),
        ("a.pyw", "python"),
        ("a.tsx", "javascript"),
        ("a.cjs", "javascript"),
        ("web/view.jspf", "java"),
        ("A.java", "java"),
        ("cmd/main.go", "go"),
        ("SConstruct", "python"),
        ("a.pyi", None),
        ("types.d.ts", None),
        ("readme.md", None),
        (".py", None),
        ("no_extension", None),
    ],
)
def test_the_name_tells_the_language(path: str, language: str | None) -> None:
    assert language_of(path) == language


@pytest.mark.parametrize(
    ("head", "language"),
    [
        (b"#!/usr/bin/python3.11\n", "python"),
        (b"#! /usr/bin/env python2\r\n", "python"),
        (b"#!/usr/bin/env -S node --harmony\n", "javascript"),
        (b"#!/usr/bin/env A=1 nodejs\n", "javascript"),
        (b"#!/bin/sh\n", None),
        (b"#!", None),
        (b"#!/usr/bin/env\n", None),
        (b"import os\n", None),
    ],
)
def test_the_shebang_tells_the_language_of_a_name_without_extension(head: bytes, language: str | None) -> None:
    assert needs_head("tool")
    assert language_of("bin/tool", head) == language


def test_an_extension_wins_over_the_shebang() -> None:
    assert language_of("x.txt", b"#!/usr/bin/python3\n") is None


def test_declarations_are_told_from_code() -> None:
    assert is_declaration("index.d.mts")
    assert not is_declaration("index.mts")


def test_no_extension_belongs_to_two_languages() -> None:
    extensions = [extension for language in LANGUAGES for extension in language.extensions]
    assert len(extensions) == len(set(extensions))


def test_an_unknown_language_has_no_front_end() -> None:
    with pytest.raises(UsageError, match="fortran"):
        front_end("fortran")
