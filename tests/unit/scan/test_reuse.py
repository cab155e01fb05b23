"""After an edit, a scan that reuses what it knows finds what a scan from the start finds, unit by unit."""

from __future__ import annotations

import random
import re
import shutil
import textwrap
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from glasshouse.scan import interp
from glasshouse.scan.alignment import aligned
from glasshouse.scan.cache import Cache
from glasshouse.scan.discover import SourceFile
from glasshouse.scan.interp.budget import MODULE_BASE_STEPS
from glasshouse.scan.kept import Kept
from glasshouse.scan.language.interface import LowerLimits
from glasshouse.scan.languages import front_end
from glasshouse.scan.moves import Record
from glasshouse.scan.outcomes import Details
from glasshouse.scan.run import discovered, scan_files, scan_tree
from glasshouse.scan.settings import ScanSettings
from glasshouse.words.finding import Result

SHOP = Path(__file__).parents[3] / "examples" / "shop"
KEY = b"one tree"


def from_the_start(tree: Path) -> bytes:
    return msgspec.json.encode(list(scan_tree([tree], ScanSettings(jobs=1))))


class Scans:
    """Scans of one tree, one after the other, with what they know of each other."""

    def __init__(self, tree: Path, cache: Path) -> None:
        self.tree = tree
        self.cache = cache
        self.reused = False  # whether the last scan has reused anything

    def scan(self) -> bytes:
        """The results after whatever has happened to the tree; checked against a scan from the start, unit by unit."""
        results, record, self.reused = self._scan(self.cache)
        fresh = self.cache.with_name("fresh")
        shutil.rmtree(fresh, ignore_errors=True)
        expected, full, _ = self._scan(fresh)
        assert results == expected
        assert units(record) == units(full)
        return results

    def _scan(self, folder: Path) -> tuple[bytes, Record | None, bool]:
        chosen = ScanSettings(jobs=1, cache_dir=folder)
        files: Sequence[SourceFile]
        files, problems = discovered([self.tree], chosen)
        with Cache(folder) as cache:
            kept = Kept(cache, b"", KEY)
            found: list[Result] = list(scan_files(files, problems, chosen, None, kept).all())
            blob = cache.get_many("analysis", [KEY]).get(KEY)
        record = msgspec.msgpack.decode(blob, type=Record) if blob is not None else None
        return msgspec.json.encode(found), record, kept.used


def units(record: Record | None) -> dict[int, object]:
    """Every unit of an analysis with everything it looked at and found; ways written out."""
    if record is None:
        return {}
    steps = record.outcome.steps

    def way(position: int) -> list[tuple[int, int, str]]:
        found: list[tuple[int, int, str]] = []
        pending = [position]
        while pending and len(found) < 50:
            number = pending.pop()
            if number >= 0:
                file, span, text, before, inner = steps[number]
                found.append((file, span, text))
                pending += [before, inner]
        return found

    told: dict[int, object] = {}
    for row in record.outcome.units:
        more = row.details or Details()
        tables = (more.flows, more.guesses, more.weak, more.reads)
        flows = [
            sorted(repr((msgspec.structs.replace(flow, step=0), way(flow.step))) for flow in each) for each in tables
        ]
        flows.append(sorted(repr((msgspec.structs.replace(row, step=0), way(row.step))) for row in more.kept))
        facts = [msgspec.to_builtins(fact) for fact in more.facts]
        looked = row.touched, row.needs, row.called, more.entries, more.checked, more.capped, more.widened, row.cost
        told[row.key] = looked, flows, facts
    return told


@pytest.fixture(scope="module", autouse=True)
def lowered_once() -> None:
    """The recursion that lowering takes stays allowed; Hypothesis must not find that it has changed in a test."""
    front_end("python").lower(b"x = 1", "a.py", LowerLimits())


# --- generated programs ----------------------------------------------------------------------------------------------

HEAD = """\
import os, sys
from flask import Flask, g, request
from {other} import f{n}, C{n}
import {other}
app = Flask(__name__)
table = {{}}
last = ""
"""
STATEMENTS = (
    "x = request.args['q']",
    "x = sys.argv[1]",
    "os.system(x)",
    "os.system('ls ' + str(x))",
    "x = f{n}(x)",
    "x = {other}.f{n}(x)",
    "return x",
    "return f{n}('a')",
    "global last; last = x",
    "x = last",
    "g.kept = x",
    "x = g.kept",
    "table['k'] = x; x = table",
    "x = C{n}(x).m{n}()",
    "x = C{n}(x).field",
    "x.m{n}()",
    "x = (lambda y: f{n}(y))(x)",
    "x = [f{n}(y) for y in x]",
    "app.route('/a')(f{n})",
    "C{n}.shared = x",
    "if x == 'a':\n        x = 'b'\n    else:\n        os.popen(x)",
    "for y in x:\n        x = f{n}(y)",
    "try:\n        x = f{n}(x)\n    except ValueError:\n        eval(x)",
    "class L:\n        a = x\n        def go(self): return f{n}(self.a)\n    x = L().go()",
    "def inner(y):\n        nonlocal x\n        x = y\n        return f{n}(y)\n    x = inner(x)",
    "eval(getattr(x, 'f{n}'))",
    "x = added{n}(x)",
    "x = {other}.added{n}(x)",
    "x = getattr({other}, 'add' + 'ed{n}')(x)",
    "x = C{n}(x).more{n}()",
    "C{n}(x).more{n}(x)",
    "x = x + N{n}",
    "eval({other}.N{n})",
    "os.system(getattr({other}, 'N' + '{n}'))",
    "N{n}.system(x)",
    "x = {other}['add' + 'ed{n}'](x)",
    "x = C{n}['N' + '{n}']",
)
BINDINGS = (
    "N{n} = 'a'",
    "N{n} = 1",
    "import os as N{n}",
    "from os import system as N{n}",
    "import {other} as N{n}",
    "N{n} = f1('a')",
    "N{n} = 2; N{n} = 3",
    "N{n}: str = ''",
)
NUMBERS = st.integers(0, 3)
MODULES = ("a", "b", "c")
Statement = tuple[int, int, int]
Parts = tuple[int, list[tuple[str, list[Statement]]], list[list[Statement]], list[Statement]]
BODY = st.lists(st.tuples(st.integers(0, len(STATEMENTS) - 1), NUMBERS, st.integers(0, 2)), max_size=4)
FUNCTION = st.tuples(st.sampled_from(["", "@app.route('/')\n", "@f1\n", "@staticmethod\n"]), BODY)
MODULE = st.tuples(NUMBERS, st.lists(FUNCTION, min_size=4, max_size=4), st.lists(BODY, min_size=4, max_size=4), BODY)
PROGRAM = st.lists(MODULE, min_size=3, max_size=3)
EDIT = st.tuples(
    st.sampled_from(
        ["body", "body", "method", "lines", "add", "more", "bind", "bind", "decorator", "base", "module", "import"]
    ),
    st.integers(0, 2),
    NUMBERS,
    BODY,
)


def written(body: Sequence[Statement], indent: int = 4) -> str:
    lines = [STATEMENTS[kind].format(n=number, other=MODULES[other]) for kind, number, other in body] or ["pass"]
    return textwrap.indent("\n".join(lines).replace("\n    ", "\n"), " " * indent) + "\n"


class Source:
    """A module that can be edited."""

    def __init__(self, number: int, parts: Parts) -> None:
        self.number = number
        self.imported, functions, self.methods, self.last = parts
        self.decorators = [decorator for decorator, _ in functions]
        self.functions = [body for _, body in functions]
        self.base = (number + 1) % 3
        self.lines = 0
        self.added: list[list[Statement]] = []
        self.more: dict[int, list[Statement]] = {}
        self.bound: dict[int, str] = {}

    def text(self) -> str:
        parts = [HEAD.format(other=MODULES[(self.number + 1) % 3], n=self.imported), "# line\n" * self.lines]
        parts += [f"{binding}\n" for _, binding in sorted(self.bound.items())]
        for n, body in enumerate(self.functions):
            parts.append(f"{self.decorators[n]}def f{n}(x):\n{written(body)}")
        for n, body in enumerate(self.methods):
            base = f"({MODULES[self.base]}.C{(n + 1) % 4})" if n % 2 else ""
            parts.append(f"class C{n}{base}:\n    def __init__(self, x):\n        self.field = x\n")
            if n in self.more:
                parts.append(f"    def more{n}(self, x=''):\n{written(self.more[n], 8)}")
            parts.append(f"    def m{n}(self, x=''):\n{written(body, 8)}")
        for n, body in enumerate(self.added):
            parts.append(f"def added{n}(x):\n{written(body)}")
        parts.append("def main(x):\n" + written(self.last) + "main(sys.argv)\n")
        return "".join(parts)

    def edit(self, kind: str, number: int, body: list[Statement]) -> None:
        if kind == "body":
            self.functions[number] = body
        elif kind == "method":
            self.methods[number] = body
        elif kind == "lines":
            self.lines = number
        elif kind == "add":
            self.added = [*self.added, body] if len(self.added) < number else self.added[:-1]
        elif kind == "more":
            self.more = {n: have for n, have in self.more.items() if n != number} | (
                {} if number in self.more else {number: body}
            )
        elif kind == "bind":
            self.bound.pop(number, None)
            for statement, *_ in body[:1]:
                binding = BINDINGS[statement % len(BINDINGS)]
                self.bound[number] = binding.format(n=number, other=MODULES[(self.number + 1) % 3])
        elif kind == "decorator":
            self.decorators[number] = "@f2\n" if self.decorators[number] == "" else ""
        elif kind == "base":
            self.base = number % 3
        elif kind == "module":
            self.last = body
        else:
            self.imported = number


@given(PROGRAM, st.lists(EDIT, min_size=1, max_size=4))
@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], deadline=None)
def test_after_any_edits_a_generated_program_is_told_as_from_the_start(
    tmp_path_factory: pytest.TempPathFactory, program: list[Parts], edits: list[tuple[str, int, int, list[Statement]]]
) -> None:
    tree = tmp_path_factory.mktemp("tree")
    scans = Scans(tree, tmp_path_factory.mktemp("cache") / "kept")
    sources = [Source(number, parts) for number, parts in enumerate(program)]

    def write() -> None:
        for name, source in zip(MODULES, sources, strict=True):
            (tree / f"{name}.py").write_text(source.text())

    write()
    scans.scan()
    for kind, module, number, body in edits:
        sources[module].edit(kind, number, body)
        write()
        scans.scan()
    shutil.rmtree(tree)


# --- the example shop ------------------------------------------------------------------------------------------------


def edited(text: str, chance: random.Random) -> str:
    """The text after a small edit somewhere: a line repeated, removed, emptied, moved or put in."""
    lines = text.split("\n")
    at = chance.randrange(len(lines))
    indent = lines[at][: len(lines[at]) - len(lines[at].lstrip())]
    kind = chance.randrange(5)
    if kind == 0:
        lines.insert(at, lines[at])
    elif kind == 1:
        del lines[at]
    elif kind == 2:
        lines.insert(at, "")
    elif kind == 3:
        other = chance.randrange(len(lines))
        lines[at], lines[other] = lines[other], lines[at]
    else:
        lines.insert(at, f"{indent}again = str(1);")
    return "\n".join(lines)


@pytest.mark.parametrize("language", ["python", "javascript", "java"])
def test_after_edits_of_lines_the_example_is_told_as_from_the_start(language: str, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    shutil.copytree(SHOP / language, tree)
    scans = Scans(tree, tmp_path / "kept")
    scans.scan()
    chance, reused = random.Random(3), 0
    files = [file for file in sorted(tree.rglob("*")) if file.suffix in (".py", ".js", ".ts", ".java")]
    for _ in range(8):
        file = chance.choice(files)
        file.write_text(edited(file.read_text(), chance))
        scans.scan()
        reused += scans.reused
    assert reused >= 1


WEB = """\
import os
from flask import Flask, request
app = Flask(__name__)

@app.route("/")
def index():
    return run(request.args["q"])

def run(text):
    return os.popen(text).read()

def harmless(text):
    return len(text)
"""


@pytest.fixture
def scans(tmp_path: Path) -> Scans:
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "web.py").write_text(WEB)
    found = Scans(tmp_path / "tree", tmp_path / "kept")
    assert b"py-command-injection" in found.scan()
    return found


def test_a_flaw_put_into_the_body_of_a_called_function_is_found(scans: Scans) -> None:
    (scans.tree / "web.py").write_text(WEB.replace("return os.popen(text).read()", "return len(text)"))
    assert b"py-command-injection" not in scans.scan()
    assert scans.reused
    (scans.tree / "web.py").write_text("# moved\n" + WEB)
    assert b"py-command-injection" in scans.scan()
    assert scans.reused


def test_what_one_handler_keeps_is_followed_into_another_whichever_is_edited(scans: Scans) -> None:
    writer = "from flask import g, request\n\ndef load():\n    g.name = {}\n"
    (scans.tree / "web.py").write_text("import os\nfrom flask import g\n\ndef show():\n    os.system(g.name)\n")
    (scans.tree / "load.py").write_text(writer.format("request.args['n']"))
    assert b"py-command-injection" in scans.scan()
    (scans.tree / "load.py").write_text("# moved\n" + writer.format("'a'"))
    assert b"py-command-injection" not in scans.scan()
    assert scans.reused
    (scans.tree / "load.py").write_text(writer.format("request.args['n']"))
    assert b"py-command-injection" in scans.scan()
    assert scans.reused


HANDLER = """\
const { execSync } = require('child_process');
exports.show = (request, reply) => {
  execSync('a ' + request.query.n);
};
"""
BUILD = """\
const shown = require('./show');
function build() {
  const app = require('fastify')();
  app.get('/', %s, shown.show);
  return app;
}
module.exports = build;
"""


def test_a_handler_is_judged_by_the_checks_of_its_route_when_these_are_edited(scans: Scans) -> None:
    checked = "{ schema: { query: { type: 'object', properties: { n: { type: 'integer' } } } } }"
    (scans.tree / "show.js").write_text(HANDLER)
    told = {}
    for options in (checked, "{}", checked.replace("integer", "string"), checked):
        (scans.tree / "build.js").write_text(BUILD % options)
        found = scans.scan()
        told[options] = b"js-command-injection" in found
        (scans.tree / "show.js").write_text("// moved\n" + (scans.tree / "show.js").read_text())
        assert (b"js-command-injection" in scans.scan()) == told[options]
        assert scans.reused
    assert list(told.values()) == [False, True, True]


def test_functions_inside_a_body_may_come_and_go(scans: Scans) -> None:
    inner = "def inner(x):\n        return os.popen(x)\n    return (lambda y: inner(y))(text)"
    (scans.tree / "web.py").write_text(WEB.replace("return os.popen(text).read()", inner))
    assert b"py-command-injection" in scans.scan()
    assert scans.reused
    (scans.tree / "web.py").write_text(WEB)
    scans.scan()
    assert scans.reused


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("def harmless(text):", "def harmless(text, more=1):"),
        ("def harmless(text):", "def os(text):"),
        ("def harmless(text):", "@app.route('/b')\ndef renamed(text):"),
        ("def harmless(text):", "def popen(text):\n    return 1\n\ndef harmless(text):"),
        ("import os\n", "import os\nimport jwt\n"),
        ("import os\n", "import os\nimport web as me\n"),
        ("import os\n", "import os\nkey = len('x')\n"),
        ("import os\n", "import os\npassword = 'x'\n"),
        ('@app.route("/")', '@app.route("/a")'),
        ("def run(text):", "class K:\n    pass\n\ndef run(text):"),
    ],
)
def test_other_edits_are_analysed_from_the_start(old: str, new: str, scans: Scans) -> None:
    (scans.tree / "web.py").write_text(WEB.replace(old, new))
    scans.scan()
    assert not scans.reused


def test_a_new_file_is_analysed_from_the_start(scans: Scans) -> None:
    (scans.tree / "other.py").write_text("import web\nweb.run(input())\n")
    scans.scan()
    assert not scans.reused


# --- definitions that come and go ------------------------------------------------------------------------------------

MORE = "def run(text):\n    return shout(text)\n\ndef shout(text):\n    return os.popen(text).read()\n"
SHELL = """\
class Shell:
    def say(self, text):
        return text

    def shout(self, text):
        return os.popen(text).read()

"""
WITH_SHELL = WEB.replace("def run(text):\n    return os.popen(text).read()\n", SHELL + "def run(text):\n    return 1\n")


def test_a_new_function_is_found_where_the_same_edit_calls_it_and_may_go_again(scans: Scans) -> None:
    reused = []
    for text in (
        WEB.replace("def run(text):\n    return os.popen(text).read()\n", MORE),
        WEB.replace("def run(text):\n    return os.popen(text).read()\n", MORE).replace("shout(text)\n", "text\n"),
        WEB.replace("return os.popen(text).read()", "return text"),
        WEB + "def last(text):\n    return run(text) + shout(text)\n\ndef shout(text):\n    return eval(text)\n",
        WEB,
    ):
        (scans.tree / "web.py").write_text(text)
        scans.scan()
        reused.append(scans.reused)
    assert reused == [True] * 5


def test_a_new_method_is_found_where_later_edits_call_it(scans: Scans) -> None:
    reused = []
    (scans.tree / "web.py").write_text(WITH_SHELL.replace(SHELL, SHELL[: SHELL.index("    def shout")]))
    scans.scan()
    for text in (
        WITH_SHELL,
        WITH_SHELL.replace("return 1", "return Shell().shout(text)"),
        WITH_SHELL.replace("return 1", "return Shell.shout(Shell(), text)"),
        WITH_SHELL,
        WITH_SHELL.replace(SHELL, SHELL[: SHELL.index("    def shout")]),
    ):
        (scans.tree / "web.py").write_text(text)
        scans.scan()
        reused.append(scans.reused)
    assert reused == [True] * 5


def test_a_new_function_of_a_file_that_another_imports_whole_is_reused_until_that_other_names_it(scans: Scans) -> None:
    other = "from web import *\n\ndef f(x):\n    return x\n"
    (scans.tree / "other.py").write_text(other)
    scans.scan()
    (scans.tree / "web.py").write_text(WEB + "def shout(text):\n    return os.popen(text).read()\n")
    scans.scan()
    reused = [scans.reused]
    (scans.tree / "other.py").write_text(other.replace("return x", "return str(x)"))
    scans.scan()
    reused.append(scans.reused)
    (scans.tree / "other.py").write_text(other.replace("return x", "return shout(x)"))
    scans.scan()
    assert [*reused, scans.reused] == [True, True, False]


@pytest.mark.parametrize(
    ("other", "reused"),
    [
        ("import web\n\ndef f(x):\n    return web.shout(x)\n", True),
        ("import web\n\ndef f(x):\n    return getattr(web, 'sh' + 'out')(x)\n", True),
        ("import web\n\ndef f(x):\n    return web, 'say, shout'\n", True),
        ("class Other:\n    def shout(self):\n        return 1\n", True),
        ("def f(x):\n    from web import shout\n    return shout(x)\n", False),
        ("import web\n\nprint(getattr(web, 'sh' + 'out')(input()))\n", False),
        ("class Shout:\n    name = 'shout'\n", False),
        ("KNOWN = 'say, shout'\n", True),
        ("KNOWN = 'shout'\n", False),
        ("import shout\n\nclass K(shout.Base):\n    word = shout.word\n", True),
        ("import web\n\nclass K(web.shout):\n    pass\n", False),
    ],
)
def test_what_names_a_new_function_is_run_again_if_it_is_a_function(other: str, reused: bool, scans: Scans) -> None:
    (scans.tree / "other.py").write_text(other)
    scans.scan()
    for text in (WEB + "def shout(text):\n    return os.popen(text).read()\n", WEB):
        (scans.tree / "web.py").write_text(text)
        scans.scan()
        assert scans.reused == reused


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("app = ", "import subprocess\napp = "),
        ("import os\n", "import os, sys\nfrom json import loads\nNAME = 'a'\n"),
        ("import os\n", "import os\nQUIET = None\n"),
    ],
)
def test_constants_and_imports_at_the_top_may_come_change_and_go(old: str, new: str, scans: Scans) -> None:
    start = WEB.replace("return len(text)", "return subprocess.run(NAME + text, shell=not QUIET)")
    reused = []
    for text in (
        start,
        start.replace(old, new),
        start.replace(old, new.replace("'a'", "'b'").replace("None", "1")),
        start,
    ):
        (scans.tree / "web.py").write_text(text)
        scans.scan()
        reused.append(scans.reused)
    assert reused == [True] * 4


# --- programs that take many steps -----------------------------------------------------------------------------------

DEEP = 7  # calls inside one another, each of which calls the next twice with data of a request


def busy(views: int) -> str:
    """A file whose entry points take steps that grow with their number."""
    chain = "".join(f"def b{n}(x):\n    return b{n + 1}(x + 'a') + b{n + 1}(x + 'b')\n" for n in range(DEEP))
    entries = "".join(f"@app.route('/{n}')\ndef v{n}():\n    return b0(request.args['a'])\n" for n in range(views))
    head = "import web\nfrom flask import Flask, request\napp = Flask(__name__)\n"
    return f"{head}{chain}def b{DEEP}(x):\n    return x\n{entries}"


def spent(record: Record | None) -> int:
    """Steps of all units of the first file."""
    assert record is not None
    return sum(row.cost.get(0, 0) for row in record.outcome.units)


def test_a_file_near_what_its_analysis_may_cost_does_not_end_reuse(scans: Scans) -> None:
    (scans.tree / "busy.py").write_text(busy(60))
    scans.scan()
    _, record, _ = scans._scan(scans.cache)
    assert MODULE_BASE_STEPS * 0.7 < spent(record) < MODULE_BASE_STEPS
    (scans.tree / "web.py").write_text(WEB.replace("return os.popen(text).read()", "return len(text)"))
    assert b"py-command-injection" not in scans.scan()
    assert scans.reused
    (scans.tree / "busy.py").write_text(busy(60).replace("return b0(", "return web.run(", 1))
    scans.scan()
    assert scans.reused


def test_of_a_file_over_what_its_analysis_may_cost_only_its_users_end_reuse(scans: Scans) -> None:
    apart = WEB.replace("return os.popen(text).read()", "return len(text)")
    uses = "import busy\n" + WEB.replace("return os.popen(text).read()", "return busy.b0(text)")
    (scans.tree / "busy.py").write_text(busy(100))
    assert b"too many steps" in scans.scan()
    reused = []
    for text in (apart, uses, uses.replace("busy.b0(text)", "busy.b1(text)")):
        (scans.tree / "web.py").write_text(text)
        assert b"too many steps" in scans.scan()
        reused.append(scans.reused)
    (scans.tree / "busy.py").write_text(busy(100).replace("return x\n", "return x + 'c'\n"))
    scans.scan()
    assert [*reused, scans.reused] == [True, False, False, False]


# --- what an edit is -------------------------------------------------------------------------------------------------


def edit_of(old: str, new: str) -> bool:
    """Whether an edit is plain."""
    lower = front_end("python").lower
    return aligned(lower(old.encode(), "a.py", LowerLimits()), lower(new.encode(), "a.py", LowerLimits())) is not None


@pytest.mark.parametrize(
    ("old", "new", "plain"),
    [
        ("def f(x):\n    return 1\n", "\n\ndef f(x):\n    return 2\n", True),
        ("def f(x):\n    return 1\ny = f(1)\n", "def f(x):\n    return 1\ny = f(2)\n", False),
        ("def f(x):\n    return 1\n", "def f(x):\n    return True\n", True),
        ("a = 1\nb = f(a, 2)\n", "a = 1\nb = f(a,\n  2)\n", True),
        ("a = 1; b = 2\n", "a = 1\nb = 2\n", False),
        ("class A:\n    x = 1\n", "class A:\n    x = 2\n", False),
        ("class A:\n    def f(self): return 1\n", "class A:\n    def f(self): return 2\n", True),
        ("class A:\n    def f(self): return 1\n", "class A:\n    def g(self): return 1\n", True),
        ("a = 1\nb = 2\n", "a = 1\ndef f(x=2): return 1\nb = 2\n", True),
        ("class A: pass\n", "class A: pass\ndef f(): return 1\n", True),
        ("a = 1\nb = c(3)\n", "a = 1\ndef f(): return 1\nb = c(4)\n", False),
        ("from a import b\n", "def f(): pass\nfrom .a import b\n", False),
        ("a = 1\n", "a = 1\n@b\ndef f(): return 1\n", False),
        ("a = 1\n", "a = 1\nif a:\n    def f(): return 1\n", False),
        ("def f(): return 1\n", "def f(): return 1\ndef f(): return 2\n", False),
        ("class A: pass\n", "class A:\n    def __len__(self): return 1\n", False),
        ("class A: pass\n", "class A:\n    @property\n    def f(self): return 1\n", False),
        ("class A(B): pass\n", "class A(C): pass\n", False),
        ("def f(x): pass\n", "def f(y): pass\n", False),
        ("def f(x: int): pass\n", "def f(x: str): pass\n", False),
        ("def f(): pass\ndef g(): pass\n", "def g(): pass\ndef f(): pass\n", False),
    ],
)
def test_an_edit_is_plain_if_only_bodies_and_plain_definitions_differ(old: str, new: str, plain: bool) -> None:
    assert edit_of(old, new) is plain


def test_a_changed_constant_of_equal_value_is_a_change() -> None:
    lower = front_end("python").lower
    old, new = (lower(f"def f():\n    return {value}\n".encode(), "a.py", LowerLimits()) for value in ("1", "True"))
    found = aligned(old, new)
    assert found is not None
    assert found.changed == {1}


def test_a_function_that_modules_call_may_change_if_that_leaves_the_same_state(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    code = "def told(x):\n    return 1\n\ndef kept(x):\n    return 2\n\ntold('a')\nlimit = kept('a')\n"
    (tree / "a.py").write_text(code)
    scans = Scans(tree, tmp_path / "kept")
    scans.scan()
    (tree / "a.py").write_text(code.replace("return 1", "# more\n    eval(x)\n    return 1"))
    scans.scan()
    assert scans.reused
    (tree / "a.py").write_text(code.replace("return 2", "return 3"))
    scans.scan()
    assert not scans.reused


def test_a_named_function_inside_a_php_function_is_known_to_all_and_its_coming_no_plain_edit() -> None:
    lower = front_end("php").lower
    codes = ("function f() { return 1; }", "function f() { function g() { return 2; } return 1; }")
    old, new = (lower(f"<?php\n{code}\n".encode(), "a.php", LowerLimits()) for code in codes)
    assert aligned(old, new) is None
    closure = "function f() { return function () { return 2; }; }"
    assert aligned(old, lower(f"<?php\n{closure}\n".encode(), "a.php", LowerLimits())) is not None


# --- what units say of themselves ------------------------------------------------------------------------------------

LOOKING = {  # where the interpreter looks into code; each place tells the unit at work, or is used by one that does
    "budget.py": 1,
    "command_lines.py": 2,  # both after telling the unit
    "conditions.py": 1,
    "construction.py": 1,
    "declared_data.py": 4,  # of the function that is run, and of class bodies for which a frame is made
    "enclosing.py": 2,
    "frame.py": 1,
    "host_tests.py": 1,  # of the function that is run
    "javascript/builtins.py": 1,
    "javascript/route_checks.py": 1,  # after telling the unit
    "javascript/fields.py": 1,  # for the report, from everything that was found
    "modules.py": 2,  # of the function that is run
    "predicates.py": 3,
}


def test_the_places_where_the_interpreter_looks_into_code_are_known() -> None:
    """A new one must add the function to ``touched``, or edits of it would go unnoticed."""
    folder = Path(interp.__file__).parent
    found = {
        file.relative_to(folder).as_posix(): len(re.findall(r"\b(?:fn|maker)\.ir\.body\b", file.read_text()))
        for file in folder.rglob("*.py")
    }
    assert {name: count for name, count in found.items() if count} == LOOKING


LOADER = """\
import java.io.*;
class Loader extends ObjectInputStream {
    Loader(InputStream in) { super(in); }
    protected Class<?> resolveClass(ObjectStreamClass desc) {
        return Class.forName(desc.getName());
    }
}
"""
READER = """\
import java.io.*;
import javax.servlet.http.*;
public class Reader extends HttpServlet {
    public void doPost(HttpServletRequest request, HttpServletResponse response) throws Exception {
        Object found = new Loader(request.getInputStream()).readObject();
    }
}
"""


def test_a_test_of_classes_put_into_a_stream_is_noticed_where_the_stream_is_read(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "Loader.java").write_text(LOADER)
    (tree / "Reader.java").write_text(READER)
    scans = Scans(tree, tmp_path / "kept")
    before = scans.scan()
    (tree / "Loader.java").write_text(
        LOADER.replace(
            "return Class", 'if (!desc.getName().equals("A")) throw new RuntimeException();\n        return Class'
        )
    )
    assert scans.scan() != before
    assert scans.reused
