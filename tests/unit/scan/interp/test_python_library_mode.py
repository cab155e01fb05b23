"""Library mode in Python: parameters are weak sources, and built statements count even when nobody knows their data."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Lines = Callable[[str, str, int], list[int]]
Guessed = Callable[[str, int], list[str]]


def test_a_parameter_of_a_public_function_is_a_weak_source_only(lines: Lines, weak: Guessed) -> None:
    code = "import os\ndef run(name):\n    os.system('ls ' + name)\n"
    assert lines("python", code, 78) == []
    assert weak(code, 78) == ["parameter `name` of `run`"]


def test_a_parameter_that_is_checked_is_no_source(weak: Guessed) -> None:
    assert weak("import os\ndef run(name):\n    if name in ('a', 'b'):\n        os.system(name)\n", 78) == []


def test_a_function_that_the_program_calls_is_judged_by_its_callers(weak: Guessed) -> None:
    assert weak("import os\ndef run(name):\n    os.system(name)\nrun('ls')\n", 78) == []


def test_a_sink_in_a_called_function_is_reported_for_the_public_caller(weak: Guessed) -> None:
    code = "import os\ndef run(name):\n    inner(name)\ndef inner(text):\n    os.system(text)\n"
    assert weak(code, 78) == ["parameter `name` of `run`"]


def test_a_decorator_from_outside_does_not_count_as_a_caller(weak: Guessed) -> None:
    assert weak("import os\nfrom web import protected\n@protected\ndef run(name):\n    os.system(name)\n", 78) == [
        "parameter `name` of `run`"
    ]


SELECT = "SELECT a FROM t WHERE name = "


@pytest.mark.parametrize(
    "statement",
    [
        f"\"{SELECT}'%s'\" % name",
        f"\"{SELECT}'{{}}'\".format(name)",
        f"f\"{SELECT}'{{name}}'\"",
        f'"{SELECT}\'" + name + "\'"',
        f"\"{SELECT}'%(n)s'\" % dict(n=name)",
    ],
)
def test_a_statement_built_from_a_parameter_is_reported_where_unknown_code_runs_it(
    weak: Guessed, statement: str
) -> None:
    assert weak(f"def find(db, name):\n    return db.exec({statement})\n", 89) == ["parameter `name` of `find`"]


def test_a_constant_statement_with_parameters_is_not_reported(weak: Guessed) -> None:
    assert weak(f"def find(db, name):\n    return db.exec('{SELECT}?', (name,))\n", 89) == []


def test_a_built_text_that_is_no_statement_is_not_reported(weak: Guessed) -> None:
    assert weak("def find(db, name):\n    return db.exec('hello ' + name)\n", 89) == []


def test_a_statement_that_is_only_logged_is_not_reported(weak: Guessed) -> None:
    assert weak(f"def find(log, name):\n    log.info(\"{SELECT}'%s'\" % name)\n", 89) == []


def test_a_field_of_the_receiver_in_a_statement_is_a_guess(weak: Guessed) -> None:
    code = f"""
        class User:
            def load(self, db):
                return db.execute("{SELECT}'%s'" % self.name)
        """
    assert weak(code, 89) == ["a value of unknown origin"]


def test_the_result_of_an_unknown_call_in_a_statement_is_a_guess(weak: Guessed) -> None:
    assert weak(f"from app import who, db\ndef find():\n    db.execute(\"{SELECT}'%s'\" % who())\n", 89) == [
        "a value of unknown origin"
    ]


@pytest.mark.parametrize(
    "value",
    [
        "','.join('?' * len(names))",
        "', '.join('?' for _ in names)",
        "', '.join(['%s'] * len(names))",
        "'asc' if len(names) > 1 else 'desc'",
        "len(names)",
        "int(names)",
        "LIMIT",
        "settings.LIMIT",
    ],
)
def test_constants_numbers_and_placeholders_in_a_statement_are_harmless(weak: Guessed, value: str) -> None:
    code = f"from app import settings, db\nLIMIT = 3\ndef find(names):\n    db.execute('{SELECT}%s' % ({value}))\n"
    assert weak(code, 89) == []


def test_a_table_name_of_unknown_origin_is_not_guessed_at(weak: Guessed) -> None:
    assert weak("from app import db, table\ndef find():\n    db.execute('SELECT a FROM %s' % table())\n", 89) == []


def test_a_value_from_an_allow_list_in_a_statement_is_harmless(weak: Guessed) -> None:
    code = f"""
        from app import who, db
        def find():
            name = who()
            if name not in ('a', 'b'):
                raise ValueError
            db.execute("{SELECT}'%s'" % name)
        """
    assert weak(code, 89) == []


def test_a_function_called_after_cleaning_makes_data_harmless(weak: Guessed) -> None:
    code = "from app import {0}\ndef read(name):\n    return open({0}(name))\n"
    assert weak(code.format("sanitize_path"), 22) == []
    assert weak(code.format("unsafe_path"), 22) == ["parameter `name` of `read`"]


def test_a_name_from_a_star_import_is_found_in_the_module_it_is_known_from(weak: Guessed) -> None:
    assert weak("from subprocess import *\ndef run(name):\n    Popen(name, shell=True)\n", 78) == [
        "parameter `name` of `run`"
    ]


def test_html_text_made_of_a_parameter_is_a_guess_unless_escaped(weak: Guessed) -> None:
    assert weak("def title(name):\n    return '<h1>%s</h1>' % name\n", 79) == ["parameter `name` of `title`"]
    assert weak("import html\ndef title(name):\n    return '<h1>%s</h1>' % html.escape(name)\n", 79) == []
