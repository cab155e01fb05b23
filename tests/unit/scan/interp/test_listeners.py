"""Functions that run at some later time: what they leave behind for the function that registers them, and what not."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from tests.unit.scan.interp.conftest import Lines, rules_of

from glasshouse.scan.analysis import analyse
from glasshouse.scan.interp.heap import Heap
from glasshouse.scan.interp.matcher import Matcher
from glasshouse.scan.interp.values import Bound, FuncRef, Obj, Value
from glasshouse.scan.language.interface import LowerLimits
from glasshouse.scan.languages import front_end

HEAD = "const { execSync } = require('child_process');\nconst http = require('http');\n"
SERVER = HEAD + "http.createServer((req, res) => { take(req, { last: null }); });\n"


@pytest.mark.parametrize("end", ["throw made", "return", "process.exit(1)"])
def test_an_object_made_on_a_way_that_ends_leaves_the_others_to_be_taken_over(lines: Lines, end: str) -> None:
    listener = (
        f"(part) => {{ if (part.length > 9) {{ const made = {{ part }}; made.more = 1; {end}; }} all.push(part); }}"
    )
    code = (
        SERVER
        + f"""function take(req) {{
  const all = [];
  req.on('data', {listener});
  req.on('end', () => {{ execSync(all[0]); }});
}}
"""
    )
    assert lines("javascript", code, 78) == [7]


@pytest.mark.parametrize(
    ("keep", "use"),
    [
        ("last = { text: String(part) }", "last.text"),
        ("held.last = { text: String(part) }", "held.last.text"),
        ("held.last = { inner: { text: String(part) } }", "held.last.inner.text"),
        ("given.last = { text: String(part) }", "given.last.text"),
        ("const made = { text: String(part) }; last = () => made.text", "last()"),
        ("const made = [String(part)]; last = made.slice.bind(made)", "last()[0]"),
    ],
)
def test_an_object_that_a_listener_leaves_where_others_see_it_is_known_with_its_fields(
    lines: Lines, keep: str, use: str
) -> None:
    code = (
        SERVER
        + f"""function take(req, given) {{
  const held = {{}};
  let last = null;
  req.on('data', (part) => {{ {keep}; }});
  req.on('end', () => {{ execSync({use}); }});
}}
"""
    )
    assert lines("javascript", code, 78) == [8]


def around(**variables: Value) -> Any:
    """The frame of a function with these variables."""
    fn = SimpleNamespace(ir=SimpleNamespace(kind="function"))
    module, machine = SimpleNamespace(env={}), SimpleNamespace(ambient={})
    return cast(Any, _Frame(env=variables, this=None, closure=None, fn=fn, module=module, machine=machine))


class _Frame:
    """A namespace that is the same only as itself, and so can be a key."""

    def __init__(self, **fields: object) -> None:
        self.__dict__.update(fields)


def item(*refs: object) -> Value:
    return Value(refs=refs)


def test_of_the_objects_that_later_code_made_only_those_that_something_leads_to_stay() -> None:
    names = "known base_one by_known by_base by_variable by_method by_closure inner own own_inner".split()
    obj = {name: Obj("dict", (0, 0)) for name in names}
    base = {obj["base_one"]: {"old": Value(1)}}
    heap = Heap({obj["known"]: {}})
    later = Heap(heap)
    later[obj["known"]] = {"a": item(obj["by_known"])}
    later[obj["base_one"]] = {"b": item(obj["by_base"])}
    later[obj["by_known"]] = {"c": item(obj["inner"])}
    later[obj["own"]] = {"d": item(obj["own_inner"], obj["known"])}
    for name in [*names[3:7], "inner", "own_inner"]:
        later[obj[name]] = {"text": Value("x")}
    inside = FuncRef(cast(Any, None), around(made=item(obj["by_closure"])))
    frame = around(
        a=item(obj["by_variable"]), b=Value(refs=(Bound(item(obj["by_method"]), "push"),)), c=Value(refs=(inside,))
    )
    heap.take_over(later, base, frame)
    assert {name for name in names if obj[name] not in heap} == {"own", "own_inner"}
    assert set(heap[obj["base_one"]]) == {"old", "b"}


@pytest.mark.parametrize("values", ["['ls', command]", "[{ text: 'ls' }, { text: command }].map((one) => one.text)"])
def test_a_listener_registered_in_a_loop_is_given_the_data_of_every_round(lines: Lines, values: str) -> None:
    code = (
        SERVER
        + f"""function take(req) {{
  const command = process.argv[2];
  for (const each of {values}) {{
    req.on('data', (part) => {{ execSync(each); }});
  }}
}}
"""
    )
    assert lines("javascript", code, 78) == [7]


def test_a_listener_registered_in_a_loop_is_not_looked_at_again_without_news() -> None:
    """Each loop is run several times over; the listeners would be, too, and use up what may be spent on the file."""
    body = "".join(f"    n = n + {number} * n;\n" for number in range(800))
    loops = "".join(f"for (const x{depth} of all) {{ " for depth in range(7))
    code = f"""function take(req, all) {{
  let n = 1;
  {loops}req.on('data', (part) => {{
{body}  }}); {"}" * 7}
}}
require('http').createServer((req, res) => {{ take(req, [1, 2]); }});
"""
    file = front_end("javascript").lower(code.encode(), "code.js", LowerLimits())
    analysis = analyse([file], {"javascript": rules_of("javascript")})
    assert (analysis.problems, analysis.capped) == ((), ())


@pytest.mark.parametrize("language", ["javascript", "python"])
def test_only_the_type_of_an_object_tells_that_functions_are_registered_with_it(language: str) -> None:
    found = rules_of(language)
    owners = Matcher(found.rules.values(), found.models, found.taint_classes, language).registrars
    assert owners
    assert not owners & {"", "*"}  # of a function by itself, and of a method of anything
