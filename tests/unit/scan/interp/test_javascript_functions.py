"""Functions in JavaScript: closures, `this`, classes, prototypes, callbacks, promises, generators."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from glasshouse.scan.language.interface import LowerLimits
from glasshouse.scan.languages import front_end

Reaches = Callable[[str], bool]
Lines = Callable[[str, str, int], list[int]]


def test_an_inner_function_sees_the_variables_around_it(runs: Reaches) -> None:
    assert runs("function outer(value) { function inner() { execSync(value); } inner(); }\nouter(data);")


def test_a_returned_closure_keeps_its_variables(runs: Reaches) -> None:
    code = "const make = (value) => () => value;\nconst bad = make(data), good = make('ls');\nexecSync({}());"
    assert runs(code.format("bad"))
    assert not runs(code.format("good"))


def test_missing_arguments_take_their_defaults(runs: Reaches) -> None:
    assert not runs("function run(command = 'ls') { execSync(command); }\nrun();")
    assert runs("function run(command = data) { execSync(command); }\nrun();")


def test_rest_parameters_and_arguments_hold_what_was_passed(runs: Reaches) -> None:
    assert runs("function run(...all) { execSync(all[1]); }\nrun('ls', data);")
    assert not runs("function run(...all) { execSync(all[0]); }\nrun('ls', data);")
    assert runs("function run() { execSync(arguments[0]); }\nrun(data);")


@pytest.mark.parametrize(
    "call",
    ["run.call(null, data)", "run.apply(null, [data])", "run.bind(null)(data)", "Reflect.apply(run, null, [data])"],
)
def test_functions_can_be_called_through_their_methods(runs: Reaches, call: str) -> None:
    assert runs(f"function run(command) {{ execSync(command); }}\n{call};")


def test_methods_of_a_class_share_the_fields_of_their_object(runs: Reaches) -> None:
    code = """
        class Job {
          constructor(command) { this.command = command; }
          run() { execSync(this.command); }
        }
        new Job(%s).run();
        """
    assert runs(code % "data")
    assert not runs(code % "'ls'")


def test_a_subclass_runs_the_constructor_above_it(runs: Reaches) -> None:
    assert runs(
        """
        class Base { constructor(command) { this.command = command; } }
        class Job extends Base { constructor(command) { super(command); } run() { execSync(this.command); } }
        new Job(data).run();
        """
    )


def test_an_overriding_method_is_the_one_that_runs(runs: Reaches) -> None:
    assert not runs(
        """
        class Base { value() { return data; } }
        class Job extends Base { value() { return 'ls'; } }
        execSync(new Job().value());
        """
    )


def test_a_class_inside_a_function_sees_its_variables(runs: Reaches) -> None:
    assert runs(
        """
        function outer(value) {
          class Job { command() { return value; } }
          execSync(new Job().command());
        }
        outer(data);
        """
    )


def test_getters_run_when_they_are_read(runs: Reaches) -> None:
    assert runs("class Job { get command() { return data; } }\nexecSync(new Job().command);")


def test_methods_of_a_prototype_work_on_their_object(runs: Reaches) -> None:
    code = """
        function Job(command) { this.command = command; }
        Job.prototype.run = function () { execSync(this.command); };
        new Job(%s).run();
        """
    assert runs(code % "data")
    assert not runs(code % "'ls'")


def test_a_prototype_may_have_a_prototype(runs: Reaches) -> None:
    code = """
        function Base() { this.safe = 'ls'; }
        Base.prototype.get = function () { return this.%s; };
        function Job() { this.command = data; }
        Job.prototype = new Base();
        execSync(new Job().get());
        """
    assert runs(code % "command")
    assert not runs(code % "safe")


def test_methods_of_an_object_literal_see_it_as_this(runs: Reaches) -> None:
    assert runs("const job = { command: data, run() { execSync(this.command); } };\njob.run();")


def test_an_arrow_function_keeps_the_outer_this(runs: Reaches) -> None:
    assert runs("function Job(c) { this.c = c; const run = () => execSync(this.c); run(); }\nnew Job(data);")


def test_decorators_of_the_program_are_applied(runs: Reaches) -> None:
    assert runs(
        """
        function logged(method) { return function (...args) { execSync(args[0]); return method.apply(this, args); }; }
        class Job { @logged run(command) {} }
        new Job().run(data);
        """
    )


def test_callbacks_get_what_their_caller_passes(runs: Reaches) -> None:
    assert runs("function each(value, callback) { callback(value); }\neach(data, (item) => execSync(item));")
    assert not runs("function each(value, callback) { callback('ls'); }\neach(data, (item) => execSync(item));")


def test_timers_call_their_function(runs: Reaches) -> None:
    assert runs("setTimeout(() => execSync(data), 10);")


def test_a_promise_hands_on_what_it_is_resolved_with(runs: Reaches) -> None:
    assert runs("new Promise((resolve) => resolve(data)).then((value) => execSync(value));")
    assert not runs("new Promise((resolve) => resolve('ls')).then((value) => execSync(value));")


def test_a_rejected_promise_hands_its_reason_to_catch(runs: Reaches) -> None:
    code = "new Promise((resolve, reject) => reject(data)).{}((value) => execSync(value));"
    assert runs(code.format("catch"))
    assert not runs(code.format("then"))


def test_results_of_then_go_down_the_chain(runs: Reaches) -> None:
    assert runs("Promise.resolve(data).then((v) => v + '!').then((v) => execSync(v));")
    assert not runs("Promise.resolve(data).then(() => 'ls').then((v) => execSync(v));")


def test_await_gives_what_a_promise_was_resolved_with(runs: Reaches) -> None:
    assert runs(
        """
        const later = (value) => new Promise((resolve) => setTimeout(() => resolve(value), 1));
        async function main() { execSync(await later(data)); }
        main();
        """
    )


@pytest.mark.parametrize(("index", "expected"), [(0, False), (1, True)])
def test_promise_all_keeps_the_order(runs: Reaches, index: str | int, expected: bool) -> None:
    code = f"async function main() {{ const all = await Promise.all(['ls', data]); execSync(all[{index}]); }}\nmain();"
    assert runs(code) is expected


def test_promisified_functions_give_what_they_call_back_with(runs: Reaches) -> None:
    assert runs(
        """
        const { promisify } = require('util');
        function load(value, callback) { callback(null, value); }
        promisify(load)(data).then((value) => execSync(value));
        """
    )


def test_a_promisified_external_function_is_still_that_function(lines: Lines) -> None:
    code = "const util = require('util'), cp = require('child_process');\nutil.promisify(cp.exec)(process.argv[2]);"
    assert lines("javascript", code, 78) == [2]


def test_a_generator_gives_what_it_yields(runs: Reaches) -> None:
    assert runs("function* all() { yield data; }\nfor (const item of all()) execSync(item);")


@pytest.mark.parametrize(
    "code",
    [
        "const list = [];\nlist.push = list.push;\nlist.push({0});\nexecSync(list[0]);",
        "const a = [], b = [];\na.push = b.push;\nb.push = a.push;\na.push({0});\nexecSync({0});",
    ],
)
def test_a_method_put_back_on_the_object_it_was_taken_off_is_that_method(runs: Reaches, code: str) -> None:
    assert runs(code.format("data"))
    assert not runs(code.format("'ls'"))


KINDS = {
    "Store<User>": "Store",
    "Readonly<Store>": "Store",
    "Store | null": "Store",
    "undefined | Store<User>": "Store",
    "Array<Store<User>>": "Store[]",
    "ns.Store<A, B>": "ns.Store",
    "Store | Other": "",
    "{ a: Store }": "",
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_declared_type_is_what_it_is_of_whatever_it_holds(kind: str) -> None:
    file = front_end("javascript").lower(f"function f(value: {kind}) {{}}".encode(), "a.ts", LowerLimits())
    assert not file.errors
    assert file.functions[-1].params[0].type == KINDS[kind]
