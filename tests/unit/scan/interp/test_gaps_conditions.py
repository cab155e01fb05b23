"""What conditions tell: guards on fields that are read again, patterns, prefixes, and calls that do not come back."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Lines = Callable[[str, str, int], list[int]]

FLASK = """import os, re, sys
from flask import Flask, abort, request
app = Flask(__name__)
ALLOWED = ["a", "b"]
WORD = re.compile("^[a-z]+$")
LINES = re.compile("^[a-z]+$", re.MULTILINE)
@app.route("/")
def view():
"""
EXPRESS = """const cp = require('child_process'); const app = require('express')(); const ALLOWED = ['a', 'b'];
const WORD = /^[a-z]+$/;
app.get('/', (req, res) => { const x = req.query.x;
"""
SERVLET = """import java.util.*; import java.util.regex.*; import javax.servlet.http.*; class Code extends HttpServlet {
  static final Set<String> OK = Set.of("a", "b"); static final Pattern WORD = Pattern.compile("[a-z]+");
  public void doGet(HttpServletRequest req, HttpServletResponse res) throws Exception {
    String x = req.getParameter("x");"""


def python(body: str) -> str:
    return FLASK + "".join(f"    {line}\n" for line in body.splitlines())


def javascript(body: str) -> str:
    return EXPRESS + body + "\n});\n"


def java(body: str) -> str:
    return SERVLET + "\n" + body + "\n}}\n"


@pytest.mark.parametrize("call", ["abort(400)", "sys.exit(1)", "os._exit(1)", "exit()"])
def test_what_follows_a_call_that_does_not_return_is_not_reached(lines: Lines, call: str) -> None:
    code = python(f'a = request.args["a"]\nif a not in ALLOWED:\n    {call}\nos.system(a)')
    assert lines("python", code, 78) == []


def test_a_call_that_returns_ends_nothing(lines: Lines) -> None:
    assert lines("python", python('a = request.args["a"]\nif a not in ALLOWED:\n    print(a)\nos.system(a)'), 78) == [
        12
    ]


def test_a_handler_runs_after_a_call_that_raises_instead_of_returning(lines: Lines) -> None:
    code = python('a = request.args["a"]\ntry:\n    abort(400)\nexcept Exception:\n    os.system(a)')
    assert lines("python", code, 78) == [13]


def test_java_and_javascript_have_calls_that_do_not_return(lines: Lines) -> None:
    assert lines("javascript", javascript("if (!ALLOWED.includes(x)) { process.exit(1); }\ncp.exec(x);"), 78) == []
    code = java('if (!OK.contains(x)) System.exit(1);\nRuntime.getRuntime().exec("sh -c " + x);')
    assert lines("java", code, 78) == []


@pytest.mark.parametrize(
    "test", ["/^[a-z]+$/.test(req.query.x)", "req.query.x === 'home'", "ALLOWED.includes(req.query.x)"]
)
def test_a_field_tested_before_it_is_read_again_is_harmless_inside_the_branch_only(lines: Lines, test: str) -> None:
    code = javascript(f"if ({test}) {{\ncp.exec(req.query.x);\ncp.exec(req.query.y);\n}}\ncp.exec(req.query.x);")
    assert lines("javascript", code, 78) == [6, 8]


def test_a_field_tested_in_a_conditional_expression_is_harmless_in_its_arm(lines: Lines) -> None:
    code = javascript("const c = ALLOWED.includes(req.query.c) ? req.query.c : 'a';\ncp.exec(c);")
    assert lines("javascript", code, 78) == []


def test_a_tested_field_is_no_longer_harmless_when_its_variable_is_another(lines: Lines) -> None:
    code = javascript("let q = req.query;\nif (ALLOWED.includes(q.x)) {\nq = req.body;\ncp.exec(q.x);\n}")
    assert lines("javascript", code, 78) == [7]


def test_a_tested_field_is_no_longer_harmless_when_it_is_written(lines: Lines) -> None:
    code = javascript("const q = req.query;\nif (ALLOWED.includes(q.x)) {\nq.x = req.body.y;\ncp.exec(q.x);\n}")
    assert lines("javascript", code, 78) == [7]


def test_what_holds_on_one_way_only_does_not_hold_where_ways_meet(lines: Lines) -> None:
    code = javascript("if (req.body.z) {\nif (!ALLOWED.includes(req.query.x)) return;\n}\ncp.exec(req.query.x);")
    assert lines("javascript", code, 78) == [7]


def test_python_reads_by_key_and_by_getter_are_places_too(lines: Lines) -> None:
    code = python('if request.args["a"] in ALLOWED:\n    os.system(request.args["a"])')
    assert lines("python", code, 78) == []
    body = 'if request.args.get("a") in ALLOWED:\n    os.system(request.args.get("a"))'
    assert lines("python", python(body + '\n    os.system(request.args.get("b"))'), 78) == [11]


def test_java_getters_with_the_same_constant_are_one_place(lines: Lines) -> None:
    run = 'Runtime.getRuntime().exec("sh -c " + req.getParameter("{}"));'
    body = f'if (OK.contains(req.getParameter("x"))) {{\n{run.format("x")}\n{run.format("y")}\n}}'
    assert lines("java", java(body), 78) == [7]


@pytest.mark.parametrize(
    "test", ["WORD.test(x)", "x.match(WORD)", "new RegExp('^[a-z]+$').test(x)", "RegExp(WORD).test(x)"]
)
def test_a_constant_javascript_pattern_guards_what_it_matches(lines: Lines, test: str) -> None:
    assert lines("javascript", javascript(f"if ({test}) {{\ncp.exec(x);\n}}\ncp.exec(x);"), 78) == [7]


@pytest.mark.parametrize("pattern", ["/^[a-z]+$/m", "/^[a-z]+|x$/", "/[a-z]+/", "new RegExp(req.query.p)"])
def test_a_pattern_that_need_not_match_the_whole_text_guards_nothing(lines: Lines, pattern: str) -> None:
    assert lines("javascript", javascript(f"if ({pattern}.test(x)) {{\ncp.exec(x);\n}}"), 78) == [5]


def test_a_compiled_python_pattern_guards_what_it_matches(lines: Lines) -> None:
    body = 'a = request.args["a"]\nif WORD.match(a):\n    os.system(a)\nif LINES.match(a):\n    os.system(a)'
    assert lines("python", python(body), 78) == [13]


@pytest.mark.parametrize("test", ["WORD.matcher(x).matches()", 'Pattern.matches("[a-z]+", x)', 'x.matches("[a-z]+")'])
def test_a_java_pattern_that_matches_in_full_guards_the_text(lines: Lines, test: str) -> None:
    run = 'Runtime.getRuntime().exec("sh -c " + x);'
    assert lines("java", java(f"if ({test}) {{\n{run}\n}}\n{run}"), 78) == [8]


def test_a_java_matcher_that_finds_a_part_guards_nothing(lines: Lines) -> None:
    run = 'Runtime.getRuntime().exec("sh -c " + x);'
    body = f"Matcher m = WORD.matcher(x);\nif (m.find()) {{\n{run}\n}}\nif (m.matches()) {{\n{run}\n}}"
    assert lines("java", java(body), 78) == [7]


@pytest.mark.parametrize("test", ["x.indexOf('/x/') !== 0", "x.lastIndexOf('/x/', 0) !== 0"])
def test_text_found_at_the_start_is_a_prefix(lines: Lines, test: str) -> None:
    assert lines("javascript", javascript(f"if ({test}) return;\nres.redirect(x);"), 601) == []


def test_text_found_elsewhere_is_no_prefix(lines: Lines) -> None:
    assert lines("javascript", javascript("if (x.indexOf('/x/') === 1)\nres.redirect(x);"), 601) == [5]
