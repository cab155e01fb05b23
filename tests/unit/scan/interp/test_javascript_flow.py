"""Control flow, checks, modules and web frameworks in JavaScript."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Reaches = Callable[[str], bool]
Lines = Callable[[str, str, int], list[int]]
Program = Callable[[dict[str, str], int], list[str]]


def test_a_branch_that_cannot_be_taken_is_not_followed(runs: Reaches) -> None:
    assert not runs("if (1 > 2) execSync(data);")


@pytest.mark.parametrize(("case", "expected"), [("a", True), ("b", False)])
def test_a_switch_on_a_constant_enters_one_case(runs: Reaches, case: str, expected: bool) -> None:
    code = f"let c;\nswitch ('{case}') {{ case 'a': c = data; break; case 'b': c = 'ls'; break; }}\nexecSync(c);"
    assert runs(code) is expected


def test_switch_cases_fall_through(runs: Reaches) -> None:
    assert runs("let c = 'ls';\nswitch ('a') { case 'a': c = data; case 'b': execSync(c); }")


def test_a_loop_of_known_length_runs_that_often(runs: Reaches) -> None:
    assert not runs("let c = data;\nfor (let i = 0; i < 2; i++) c = 'ls';\nexecSync(c);")
    assert not runs("let c = 'ls';\nfor (let i = 0; i < 1; i++) { execSync(c); c = data; }")
    assert runs("let c = 'ls';\nfor (let i = 0; i < 2; i++) { execSync(c); c = data; }")


def test_a_labelled_break_leaves_the_labelled_block(runs: Reaches) -> None:
    assert not runs("let c = data;\nout: { for (;;) { c = 'ls'; break out; } }\nexecSync(c);")


def test_a_caught_error_carries_what_was_thrown(runs: Reaches) -> None:
    assert runs("try { throw data; } catch (e) { execSync(e); }")


@pytest.mark.parametrize(
    "check",
    [
        "data === 'ls'",
        "['ls', 'pwd'].includes(data)",
        "/^[a-z]+$/.test(data)",
        "!/[^a-z0-9_/-]/.test(data)",
        "typeof data === 'number'",
        "isValidName(data)",
    ],
)
def test_a_check_makes_its_own_branch_safe(runs: Reaches, check: str) -> None:
    assert not runs(f"if ({check}) execSync('ls ' + data);")
    assert runs(f"if ({check}) ; else execSync('ls ' + data);")


@pytest.mark.parametrize(
    "check", ["/[a-z]+/.test(data)", "data !== 'ls'", "typeof data === 'string'", "data.length > 3"]
)
def test_a_check_that_lets_anything_through_protects_nothing(runs: Reaches, check: str) -> None:
    assert runs(f"if ({check}) execSync('ls ' + data);")


def test_an_early_return_protects_what_follows(runs: Reaches) -> None:
    assert not runs("function run(c) { if (!/^[a-z]+$/.test(c)) return; execSync(c); }\nrun(data);")


def test_removing_everything_outside_an_allow_list_is_safe(runs: Reaches) -> None:
    assert not runs("execSync('ls ' + data.replace(/[^a-z]/g, ''));")
    assert runs("execSync('ls ' + data.replace(/[a-z]/g, ''));")


def test_the_program_itself_is_not_given_from_outside(lines: Lines) -> None:
    code = "require('child_process').execSync('ls ' + process.argv[{}]);"
    assert lines("javascript", code.format(1), 78) == []
    assert lines("javascript", code.format(2), 78) == [1]


# --- files ------------------------------------------------------------------------------------------------------------

SHELL = "const { execSync } = require('child_process');\n"


@pytest.mark.parametrize(
    ("library", "use"),
    [
        ("exports.run = (c) => execSync(c);", "require('./lib').run(process.argv[2]);"),
        ("module.exports = { run(c) { execSync(c); } };", "require('./lib').run(process.argv[2]);"),
        ("module.exports = (c) => execSync(c);", "require('./lib.js')(process.argv[2]);"),
        ("exports.run = (c) => execSync(c);", "const { run } = require('./lib');\nrun(process.argv[2]);"),
        ("export function run(c) { execSync(c); }", "import { run } from './lib.js';\nrun(process.argv[2]);"),
        ("export default function (c) { execSync(c); }", "import run from './lib';\nrun(process.argv[2]);"),
        ("export const run = (c) => execSync(c);", "import * as lib from './lib';\nlib.run(process.argv[2]);"),
        (
            "export class Job { run(c) { execSync(c); } }",
            "import { Job } from './lib';\nnew Job().run(process.argv[2]);",
        ),
    ],
)
def test_functions_of_other_files_are_followed(program: Program, library: str, use: str) -> None:
    assert program({"lib.js": SHELL + library, "main.js": use}, 78) == ["lib.js:2"]


def test_an_index_file_stands_for_its_folder(program: Program) -> None:
    files = {
        "lib/index.js": SHELL + "exports.run = (c) => execSync(c);",
        "main.js": "require('./lib').run(process.argv[2]);",
    }
    assert program(files, 78) == ["lib/index.js:2"]


def test_a_file_may_export_what_another_exports(program: Program) -> None:
    files = {
        "run.js": SHELL + "export const run = (c) => execSync(c);",
        "lib.js": "export { run } from './run.js';",
        "main.js": "import { run } from './lib.js';\nrun(process.argv[2]);",
    }
    assert program(files, 78) == ["run.js:2"]


# --- frameworks -------------------------------------------------------------------------------------------------------

EXPRESS = "const express = require('express');\nconst { exec } = require('child_process');\nconst app = express();\n"


@pytest.mark.parametrize(
    "handler",
    [
        "app.get('/', (req, res) => { exec(req.query.c); });",
        "app.get('/', function (a, b) { exec(a.query.c); });",
        "app.post('/', auth, async (req, res) => { exec(req.body.c); });",
        "const router = express.Router(); router.get('/', (q, r) => { exec(q.query.c); }); app.use(router);",
        "app.route('/').get((q, r) => { exec(q.query.c); });",
        "app.use([check, (q, r, next) => { exec(q.headers.c); }]);",
        "const handler = (q, r) => { exec(q.params.c); }; app.get('/:c', handler);",
        "app.get('/', ({ query: { c } }, res) => { exec(c); });",
    ],
)
def test_every_way_to_register_a_handler_is_known(lines: Lines, handler: str) -> None:
    assert lines("javascript", EXPRESS + handler, 78) == [4]


@pytest.mark.parametrize(
    ("use", "expected"),
    [
        ("User.findOne({ name: req.body.name });", True),
        ("User.findOne({ name: String(req.body.name) });", False),
        ("User.findOne({ name: '' + req.body.name });", False),
        ("User.findOne({ name: { $eq: req.body.name } });", False),
        ("User.findOne({ name: req.params.name });", False),
        ("User.findOne({ name: JSON.parse(req.params.name) });", True),
        ("if (typeof req.body.name === 'string') User.findOne({ name: req.body.name });", False),
        ("const name = req.body.name;\nif (typeof name !== 'string') return;\nUser.findOne({ name });", False),
    ],
)
def test_only_data_that_may_be_an_object_changes_a_document_query(lines: Lines, use: str, expected: bool) -> None:
    code = "const User = require('mongoose').model('User', {});\n"
    code += EXPRESS + f"app.post('/:name', (req, res) => {{ {use} }});"
    assert bool(lines("javascript", code, 943)) is expected
