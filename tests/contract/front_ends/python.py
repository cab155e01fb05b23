"""Python."""

from __future__ import annotations

from tests.contract.front_ends.case import DEEP, Case

from glasshouse.scan.language.python import PythonFrontEnd

SAMPLE = b'''
import a.b as c, d
from .e import (f, g as h)
__all__ = ["K"]

@c.route("/x", methods=["GET"])
async def view(request, i: "int" = 3, *args, flag: Optional[a.B] = None, **kw) -> str | None:
    """doc"""
    global G
    x, *y, (z, w.q) = request.GET["a"][1:], 2
    x += f"a{x!r}{{b{y:>10}{z:d}" "tail\\n" b"\\xff"
    if a and not b or isinstance(x, (str, m.B)):
        return os.path.join(x, y).strip().a
    elif x < 3 < y: pass
    else:
        with open(x, mode="r") as f, g() as (h, i):
            z = [k.a for k in f if k if k.b and k.c for j in k]
    try: del a.b, a[1], q
    except (A, B.c) as e: raise X from e
    except E, v: print >>f, "s"
    finally: exec "code" in ns
    while x is not None:
        if y: break
    else: b = (n := 5) if c else -1
    match x, y:
        case [1, *rest] if rest: pass
        case P(x=q) | None: f(q)
        case {"k": v, **r}: pass
        case _: await foo(*a, k=lambda q, r=1: q + r, **d)

class K(Base, mod.C[int], metaclass=M):
    x: int = 1
    @property
    def p(self): return super().p
    @p.setter
    def p(self, v): yield from v
    m = {"a": 1, **b, c: [1, *d]}; `x`
'''
NESTED = {
    "open parentheses": "(" * DEEP,
    "parentheses": "x = " + "(" * DEEP + ")" * DEEP,
    "negations": "x = " + "-" * DEEP + "1",
    "conditionals": "a if b else " * 9_000 + "c",
    "lambdas": "lambda: " * 9_000 + "1",
    "targets": "(" * 9_000 + "a" + ",)" * 9_000 + " = x",
    "comprehensions": "[" * 900 + "x" + " for x in y]" * 900,
    "ifs": "\n".join(" " * i + "if a and b or c:" for i in range(600)) + "\n" + " " * 600 + "pass",
    "functions": "\n".join(" " * i + "def f():" for i in range(600)) + "\n" + " " * 600 + "pass",
    "patterns": "match x:\n case " + "[" * 5_000 + "a" + "]" * 5_000 + ": pass",
    "templates": "f'{" * 3_000,
}
CHAINS = {
    "calls": "x = a" + ".b()" * 20_000,
    "members": "x = a" + ".a" * DEEP,
    "additions": "x = " + "a + " * DEEP + "1",
    "conjunctions": "x = " + "a and " * DEEP + "1",
    "comparisons": "a < " * DEEP + "b",
    "assignments": "a = " * 20_000 + "b",
    "elif arms": "if a: pass\n" + "elif b == 1: pass\n" * 9_000,
    "decorators": "@a\n" * 5_000 + "def f(): pass",
}

CASE = Case(
    PythonFrontEnd(),
    {"a.py": SAMPLE},
    "%s",
    NESTED,
    CHAINS,
    50_000,
    "def t():\n  x = [" + "1," * 20_000 + "1]\ndef m():\n  f()\n",
    "x = f(1)\ny = = 2\ndef b():\n  f()\n",
)
