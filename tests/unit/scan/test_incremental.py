"""An analysis taken up after an edit finds exactly what a full one finds."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glasshouse.scan import ir
from glasshouse.scan.analysis import Analysis, analyse
from glasshouse.scan.incremental import reuse
from glasshouse.scan.incremental.reuse import Kept
from glasshouse.scan.incremental.warm import WarmTrace
from glasshouse.scan.interp.machine import Machine
from glasshouse.scan.language.interface import LowerLimits
from glasshouse.scan.languages import front_end
from glasshouse.scan.lowered import rules_for
from glasshouse.scan.program import Fn

Tree = dict[str, str]
ENDINGS = {"py": "python", "js": "javascript", "java": "java"}

PYTHON: Tree = {
    "shop/tools.py": """import os
LEVEL = "ls"
SEEN = []
def run(text):
    os.system(text)
def clean(text):
    return int(text)
def down(n, text):
    return down(n - 1, text) if n else text
def note(text):
    SEEN.append(text)
class Base:
    def go(self, text):
        return text
    def stop(self, text):
        return "no"
""",
    "shop/app.py": """from flask import Flask, request
from shop.tools import run, clean, down, note, Base
app = Flask(__name__)
class Child(Base):
    def __init__(self):
        self.query = request.args.get("q")
@app.route("/")
def index():
    text = request.args.get("q")
    run(clean(text))
    run(Child().go(text))
    note(text)
    return down(3, text)
@app.route("/two")
def two():
    run(Child().stop(request.args.get("p")))
    run(down(2, request.args.get("p")))
    return "x"
""",
    "shop/library.py": """from shop import tools
def listing(name):
    tools.run("ls " + name)
def counted(name):
    tools.run(tools.clean(name))
""",
}
JAVASCRIPT: Tree = {
    "lib/tools.js": """const cp = require("child_process");
let last = "";
function run(text) { cp.exec(text); }
function clean(text) { return Number(text); }
class Base { go(text) { return text; } stop(text) { return "no"; } }
function note(text) { last = text; }
module.exports = { run, clean, Base, note };
""",
    "app.js": """const express = require("express");
const { run, clean, Base, note } = require("./lib/tools");
const app = express();
class Child extends Base { constructor(q) { super(); this.q = q; } }
app.get("/", (req, res) => { run(clean(req.query.q)); run(new Child(req.query.q).go(req.query.q));
  note(req.query.q); });
app.get("/two", (req, res) => { run(new Child(1).stop(req.query.p)); });
""",
}
JAVA: Tree = {
    "shop/Tools.java": """package shop;
public class Tools {
  static String LEVEL = "ls";
  public static void run(String text) throws Exception { Runtime.getRuntime().exec(text); }
  public static String clean(String text) { return "" + Integer.parseInt(text); }
}
""",
    "shop/Base.java": """package shop;
public class Base { public String go(String text) { return text; } public String stop(String text) { return "no"; } }
""",
    "shop/App.java": """package shop;
import javax.servlet.http.*;
public class App extends HttpServlet {
  public void doGet(HttpServletRequest req, HttpServletResponse res) throws Exception {
    String text = req.getParameter("q");
    Tools.run(Tools.clean(text));
    Tools.run(new Child().go(text));
    Tools.run(new Child().stop(text));
  }
}
class Child extends Base { }
""",
}
EDITS: dict[str, list[Callable[[Tree], None]]] = {}


def replace(path: str, old: str, new: str) -> Callable[[Tree], None]:
    def edit(tree: Tree) -> None:
        if path in tree:
            tree[path] = tree[path].replace(old, new)

    return edit


def put(path: str, text: str) -> Callable[[Tree], None]:
    return lambda tree: tree.update({path: text})


def remove(path: str) -> Callable[[Tree], None]:
    def edit(tree: Tree) -> None:
        tree.pop(path, None)

    return edit


def prepend(path: str, text: str) -> Callable[[Tree], None]:
    def edit(tree: Tree) -> None:
        if path in tree:
            tree[path] = text + tree[path]

    return edit


EDITS["python"] = [
    replace("shop/tools.py", "return int(text)", "return text"),
    replace("shop/tools.py", "return text\n    def stop", "return 'x'\n    def stop"),
    replace("shop/tools.py", 'return "no"', "return text"),
    replace("shop/tools.py", "def clean", "def cleaned"),
    replace("shop/tools.py", "def cleaned", "def clean"),
    replace("shop/tools.py", "return text", "return int(text)"),
    replace("shop/tools.py", "down(n - 1, text) if n", "note(text) if n"),
    replace("shop/app.py", "class Child(Base)", "class Child(object)"),
    replace("shop/app.py", "class Child(object)", "class Child(Base)"),
    replace("shop/tools.py", 'LEVEL = "ls"', "LEVEL = [1]"),
    prepend("shop/tools.py", "import sys\n"),
    prepend("shop/tools.py", "\n\n"),
    prepend("shop/library.py", "# note\n"),
    put("shop/more.py", "from shop.tools import run\ndef third(text):\n    run(text)\n"),
    remove("shop/more.py"),
    put("shop/app.py", PYTHON["shop/app.py"]),
    put("shop/tools.py", PYTHON["shop/tools.py"]),
    remove("shop/library.py"),
    put("shop/__init__.py", "from shop.tools import *\nfrom shop import app\n"),
    prepend("shop/tools.py", "from shop import library\n"),
]
EDITS["javascript"] = [
    replace("lib/tools.js", "return Number(text)", "return text"),
    replace("lib/tools.js", 'return "no"', "return text"),
    replace("app.js", "extends Base", "extends Object"),
    replace("lib/tools.js", "function clean", "function cleaned"),
    replace("lib/tools.js", 'last = ""', "last = []"),
    prepend("lib/tools.js", "const os = require('os');\n"),
    prepend("app.js", "\n"),
    put("lib/more.js", "const { run } = require('./tools'); exports.third = (x) => run(x);\n"),
    remove("lib/more.js"),
    put("lib/tools.js", JAVASCRIPT["lib/tools.js"]),
    put("app.js", JAVASCRIPT["app.js"]),
]
EDITS["java"] = [
    replace("shop/Tools.java", '"" + Integer.parseInt(text)', "text"),
    replace("shop/Base.java", 'return "no"', "return text"),
    replace("shop/App.java", "extends Base", ""),
    replace("shop/Tools.java", "String clean", "String cleaned"),
    replace("shop/Tools.java", '"ls"', '"l" + "s"'),
    prepend("shop/Tools.java", "\n"),
    prepend("shop/App.java", "// note\n"),
    put(
        "shop/More.java",
        "package shop; public class More { public void third(String x) throws Exception { Tools.run(x); } }",
    ),
    remove("shop/More.java"),
    put("shop/Tools.java", JAVA["shop/Tools.java"]),
    put("shop/App.java", JAVA["shop/App.java"]),
    put("shop/Base.java", JAVA["shop/Base.java"]),
]
TREES = {"python": PYTHON, "javascript": JAVASCRIPT, "java": JAVA}


class Workplace:
    """A tree in memory that is analysed after every edit."""

    def __init__(self) -> None:
        self.files: dict[bytes, ir.File] = {}
        self.kept: bytes | None = None

    def lowered(self, tree: Tree) -> tuple[list[ir.File], list[bytes | None]]:
        files: list[ir.File] = []
        keys: list[bytes | None] = []
        for path in sorted(tree):
            key = hashlib.blake2b(f"{path}\0{tree[path]}".encode()).digest()
            if key not in self.files:
                language = ENDINGS[path.rsplit(".", 1)[-1]]
                self.files[key] = front_end(language).lower(tree[path].encode(), path, LowerLimits())
            files.append(self.files[key])
            keys.append(key)
        return files, keys

    def analyse(self, tree: Tree, warm: bool) -> Analysis:
        files, keys = self.lowered(tree)
        rules = {name: rules_for(name, (), (), None) for name in sorted({file.language for file in files})}
        kept = Kept(b"key", keys, lambda: self.kept, self.save, self.files.get) if warm else None
        return analyse(files, rules, None, kept)

    def save(self, data: bytes) -> None:
        self.kept = data


def told(found: Analysis) -> object:
    """Everything a report is made of, in a form that can be compared."""
    flows = [
        sorted(
            repr((f.rule.id, f.fn.module.path, f.fn.ir.qualname, f.span, f.sink, f.act, f.built, f.label.key(), f.step))
            for f in kind
        )
        for kind in (found.flows, found.library)
    ]
    facts = sorted(repr((f.rule.id, f.fn.module.path, f.span, dict(f.details), f.confidence)) for f in found.facts)
    return flows, facts, found.notes


@pytest.mark.parametrize("language", sorted(TREES))
def test_a_taken_up_analysis_equals_a_full_one_after_each_edit(language: str) -> None:
    for edit in EDITS[language]:
        place, tree = Workplace(), dict(TREES[language])
        place.analyse(tree, True)
        edit(tree)
        assert told(place.analyse(tree, True)) == told(place.analyse(tree, False))


@pytest.mark.parametrize("language", sorted(TREES))
@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_a_taken_up_analysis_equals_a_full_one_after_any_series_of_edits(language: str, data: st.DataObject) -> None:
    place, tree = Workplace(), dict(TREES[language])
    place.analyse(tree, True)
    for edit in data.draw(st.lists(st.sampled_from(EDITS[language]), min_size=1, max_size=5)):
        edit(tree)
        assert told(place.analyse(tree, True)) == told(place.analyse(tree, False))


CHAIN: Tree = {
    "a.py": "def f(x):\n    return x\n",
    "b.py": "from a import f\ndef g(x):\n    return f(x)\n",
    "c.py": "from b import g\ndef h(x):\n    return g(x)\n",
}


def test_nothing_is_run_again_when_nothing_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert again(monkeypatch, lambda tree: None) == []


def test_a_leaf_whose_summary_is_as_before_makes_only_its_own_file_run_again(monkeypatch: pytest.MonkeyPatch) -> None:
    ran = again(monkeypatch, replace("a.py", "    return x", "    y = x\n    return y"))
    assert sorted(ran) == ["d a.py", "m a.py", "s a.py:f"]


def test_a_leaf_whose_summary_changed_makes_its_callers_run_again(monkeypatch: pytest.MonkeyPatch) -> None:
    ran = again(monkeypatch, replace("a.py", "    return x", "    return 1"))
    assert {"s a.py:f", "s b.py:g"} <= set(ran)


def again(monkeypatch: pytest.MonkeyPatch, edit: Callable[[Tree], None]) -> list[str]:
    """The roots that run after an edit."""
    place, tree = Workplace(), dict(CHAIN)
    traces: list[WarmTrace] = []
    make = reuse.warm_trace

    def spy(machine: Machine, kept: Kept) -> WarmTrace | None:
        made = make(machine, kept)
        if made is not None:
            traces.append(made)
        return made

    monkeypatch.setattr(reuse, "warm_trace", spy)
    place.analyse(tree, True)
    edit(tree)
    place.analyse(tree, True)
    assert len(traces) == 1
    ran = []
    for record in traces[0].records.values():
        target = record.target
        where = f"{target.module.path}:{target.ir.name}" if isinstance(target, Fn) else target.path
        ran.append(f"{record.kind} {where}")
    return ran
