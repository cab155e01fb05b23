"""What values are known to be: inherited fields, paths, text, lengths, options; and what conditions of rules see."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
import yaml

from glasshouse.scan import ir
from glasshouse.scan.analysis import analyse
from glasshouse.scan.language.interface import LowerLimits
from glasshouse.scan.languages import front_end
from glasshouse.scan.rules.loader import RuleSet
from glasshouse.scan.rules.schema import FixText, Match, Rule, RuleTests

Lines = Callable[[str, str, int], list[int]]

EXPRESS = """const util = require('util'); const User = require('mongoose').model('User', {});
const cp = require('child_process'); const app = require('express')();
app.get('/', (req, res) => { const x = req.query.x;
"""


def javascript(body: str) -> str:
    return EXPRESS + body + "\n});\n"


def matched(language: str, match: str, code: str) -> list[int]:
    """Lines that one pattern rule reports."""
    rule = Rule(
        id="test-rule",
        title="",
        languages=(),
        cwe=(1,),
        owasp="",
        severity="high",
        confidence="high",
        message="",
        why="",
        fix=FixText("", "", ""),
        tests=RuleTests((), ()),
        matches=(msgspec.convert(yaml.safe_load(match), Match),),
    )
    file = front_end(language).lower(code.encode(), "code.py", LowerLimits())
    found = analyse([file], {language: RuleSet({rule.id: rule}, (), (), "")})
    assert found.problems == ()
    return sorted(ir.unpack_span(fact.span)[0] for fact in found.facts)


@pytest.mark.parametrize(
    ("head", "base", "method", "read"),
    [
        ("from http.server import BaseHTTPRequestHandler", "BaseHTTPRequestHandler", "do_GET(self)", "self.path"),
        ("import http.server", "http.server.SimpleHTTPRequestHandler", "do_GET(self)", 'self.headers["a"]'),
        ("from django.views import View", "View", "get(self, request)", 'self.kwargs["a"]'),
        ("from django.views.generic import View", "View", "get(self, request)", 'self.request.GET["a"]'),
        ("import tornado.web", "tornado.web.RequestHandler", "get(self)", "self.request.body"),
    ],
)
def test_a_field_inherited_from_a_known_base_class_is_a_source(
    lines: Lines, head: str, base: str, method: str, read: str
) -> None:
    code = f"import os\n{head}\nclass Handler({base}):\n    def {method}:\n        os.system({read})\n"
    assert lines("python", code, 78) == [5]


def test_a_field_the_class_sets_itself_is_not_the_inherited_one(lines: Lines) -> None:
    code = """import os
from http.server import BaseHTTPRequestHandler
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.path = "/"
        os.system(self.path)
"""
    assert lines("python", code, 78) == []


@pytest.mark.parametrize("path", ['Path("/srv") / name', '"/srv" / Path(name)', 'Path(__file__).parent / "a" / name'])
def test_dividing_a_path_gives_a_path_with_the_data_of_both_sides(lines: Lines, path: str) -> None:
    code = f"""from pathlib import Path
from flask import request
def read():
    name = request.args["a"]
    return ({path}).read_text()
"""
    assert lines("python", code, 22) == [5]


def test_a_quotient_is_a_number(lines: Lines) -> None:
    code = 'import os\nfrom flask import request\nos.system("sleep %s" % (request.args["a"] / 2))\n'
    assert lines("python", code, 78) == []


def test_entering_a_context_of_an_unknown_type_gives_the_thing_itself() -> None:
    code = "import vault\nwith vault.open(1) as box:\n    box.put(2)\n"
    assert matched("python", "{call: ['vault.open().put']}", code) == [3]


def test_a_class_may_give_something_else_when_entered(lines: Lines) -> None:
    code = """import os
from flask import request
class Box:
    def __enter__(self):
        return request.args["a"]
    def __exit__(self, *rest): pass
with Box() as item:
    os.system(item)
"""
    assert lines("python", code, 78) == [8]


def test_a_condition_on_an_assigned_value_may_name_what_it_holds() -> None:
    code = 'HOSTS = ["*"]\nHOSTS = ["a", "*"]\nHOSTS = []\n'
    assert matched("python", "{assign: [HOSTS], where: [{arg: value.0, equals: ['*']}]}", code) == [1]


def test_a_condition_on_an_assigned_attribute_may_name_its_object() -> None:
    code = "import web\napp = web.App()\napp.debug = True\nother.debug = True\n"
    match = "{assign: [debug], where: [{arg: value, equals: [true]}, {arg: self, type: [web.App]}]}"
    assert matched("python", match, code) == [3]


def test_one_condition_of_unless_is_enough() -> None:
    code = "import lib\nlib.f(1, safe=True)\nlib.f(2, quiet=True)\nlib.f(3)\nlib.f(4, safe=True, quiet=True)\n"
    match = "{call: [lib.f], unless: [{arg: safe, equals: [true]}, {arg: quiet, equals: [true]}]}"
    assert matched("python", match, code) == [4]


@pytest.mark.parametrize(
    ("language", "code"),
    [
        ("javascript", "const lib = require('lib');\nlib.f(/a+/g);\nlib.f(/b+/g);\nlib.f(new RegExp('a+', 'g'));\n"),
        ("python", "import re, lib\nlib.f(re.compile('a+'))\nlib.f(re.compile('b+'))\nlib.f(re.compile(r'a+'))\n"),
    ],
)
def test_conditions_see_the_text_of_constant_patterns(language: str, code: str) -> None:
    assert matched(language, "{call: [lib.f], where: [{arg: '0', matches: '^/a[+]/g?$'}]}", code) == [2, 4]


def test_the_length_of_data_is_a_number(lines: Lines) -> None:
    assert lines("javascript", javascript('cp.exec("a " + x.length);\ncp.exec("a " + x.size);'), 78) == [5]
    code = 'import os\nfrom flask import request\nos.system("a %s" % len(request.args["a"]))\n'
    assert lines("python", code, 78) == []


@pytest.mark.parametrize(
    "text", ['"" + x', "`${x}`", '"n".concat(x)', "util.format('%s', x)", "[x].join(',')", "String(x)", "x.trim()"]
)
def test_text_is_no_query_operator(lines: Lines, text: str) -> None:
    assert lines("javascript", javascript(f"User.findOne({{a: {text}}});\nUser.findOne({{a: x}});"), 943) == [5]


def test_what_is_known_to_be_text_is_no_query_operator_on_that_branch(lines: Lines) -> None:
    code = javascript('if (typeof x === "string") {\nUser.findOne({a: x});\n} else {\nUser.findOne({a: x});\n}')
    assert lines("javascript", code, 943) == [7]


@pytest.mark.parametrize(
    ("options", "reported"),
    [
        ("{}", True),
        ("{other: 1}", True),
        ("{...known}", True),
        ("{deep: {}}", True),
        ("{deep: {flag: true}}", False),
        ("{...unknown()}", False),
        ("unknown()", False),
        ("{deep: unknown()}", False),
        ("Object.assign({}, known, {deep: {flag: true}})", False),
    ],
)
def test_a_field_is_absent_only_when_all_fields_are_known(options: str, reported: bool) -> None:
    code = f"const lib = require('lib'); const known = {{a: 1}};\nlib.f({options});\n"
    assert matched("javascript", "{call: [lib.f], where: [{arg: 0.deep.flag, absent: true}]}", code) == [2] * reported


@pytest.mark.parametrize(
    ("options", "reported"),
    [
        ("{...unknown(), flag: true}", True),
        ("{flag: true, ...known}", True),
        ("{flag: true, ...{flag: false}}", False),
        ("{...unknown(), flag: false}", False),
    ],
)
def test_a_key_written_after_a_spread_wins(options: str, reported: bool) -> None:
    code = f"const lib = require('lib'); const known = {{a: 1}};\nlib.f({options});\n"
    assert matched("javascript", "{call: [lib.f], where: [{arg: 0.flag, equals: [true]}]}", code) == [2] * reported


def test_a_key_written_before_an_unknown_spread_or_key_may_be_overwritten() -> None:
    code = """const lib = require('lib');
lib.f({flag: true, ...input()});
const o = {...input(), flag: true}; o[k()] = 1;
lib.f(o);
"""
    assert matched("javascript", "{call: [lib.f], where: [{arg: 0.flag, equals: [true]}]}", code) == []


@pytest.mark.parametrize(
    ("argument", "reported"),
    [("q", True), ("'#' + q", False), ("`#${q}`", False), ("'<b>' + q", True), ("' <b>' + q", True), ("'' + q", True)],
)
def test_a_selector_that_begins_with_constant_text_is_not_taken_as_markup(
    lines: Lines, argument: str, reported: bool
) -> None:
    code = f"const q = location.hash;\n$({argument});\ndocument.write('#' + q);\n"
    assert lines("javascript", code, 79) == [2, 3][not reported :]
