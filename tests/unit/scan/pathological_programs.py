"""Valid programs that try to make the analysis slow, deep or large; by file name."""

# ruff: noqa: E501 - programs as text

from __future__ import annotations

from collections.abc import Callable

PROGRAMS: dict[str, str] = {}
FLASK = "import os\nfrom flask import Flask, request\napp=Flask(__name__)\n"
VIEW = "@app.route('/')\ndef v():\n return {}\n"
EXPRESS = "const cp=require('child_process');const app=require('express')();\n"


def program(name: str) -> Callable[[Callable[[], str]], Callable[[], str]]:
    """Registers the text that a function makes under a file name."""

    def add(make: Callable[[], str]) -> Callable[[], str]:
        PROGRAMS[name] = make()
        return make

    return add


def each(template: str, count: int, first: int = 0) -> str:
    """The template for each number; ``@`` is the number, ``@+`` the next one."""
    return "".join(template.replace("@+", str(n + 1)).replace("@", str(n)) for n in range(first, count))


@program("classes.php")
def _() -> str:
    chain = each("class C@ extends C@+ { function m(&$x) { parent::m($x); return $this->n($x); } }\n", 300)
    return f"<?php {chain}class C300 {{ function m(&$x) {{ $x = $_GET['a']; }} function n($x) {{ echo $x; }} }} (new C0)->m($z);"


@program("page.php")
def _() -> str:
    return each("<p class=<?= $_GET['a@'] ?>><?php $s .= $_GET['a@'] . 'x'; ?></p>\n", 500) + "<?= $s ?>"


# --- long tables and long bodies ------------------------------------------------------------------------------------


@program("switch.js")
def _() -> str:
    return f"exports.f=function(x){{ let y=''; switch(x){{\n{each('case @: y += `a@`; break;' + chr(10), 2000)}}}\nreturn y }}"


@program("falling_switch.js")
def _() -> str:
    return f"exports.f=function(x){{ let y=''; switch(x){{\n{each('case @: y += x.a@;' + chr(10), 2000)}}}\nreturn y }}"


@program("Switch.java")
def _() -> str:
    return (
        'class A { public String f(int x){ String y=""; switch(x){\n'
        + each('case @: y += "a@"; break;\n', 2000)
        + "default: y=null; }\n return y; }}\n"
    )


@program("match.py")
def _() -> str:
    return "def f(x):\n match x:\n" + each("  case @: y='@'\n", 1500) + " return y\n"


@program("table.py")
def _() -> str:
    return "T=[\n" + each(" ('k@', @, ['a',@]),\n", 5000) + "]\ndef f(k):\n for a,b,c in T:\n  if a==k: return b\n"


@program("table.js")
def _() -> str:
    return "const T=[\n" + each(" {k:'k@', v:@, w:['a',@]},\n", 5000) + "];\nexports.f=k=>T.find(x=>x.k===k)\n"


@program("Table.java")
def _() -> str:
    return (
        "class A { static final String[][] T={\n"
        + each(' {"k@", "v@"},\n', 5000)
        + "};\n String f(int k){ return T[k][0]; } }\n"
    )


@program("appended.py")
def _() -> str:
    return "T=[]\nD={}\n" + each("T.append('k@')\nD['k@']=@\n", 3000) + "def f(k):\n return T[k], D[k]\n"


@program("fields.js")
def _() -> str:
    return "const o={};\n" + each("o.k@ = function(a){ return a+@ };\n", 2500) + "module.exports=o\n"


@program("variables.py")
def _() -> str:
    return "def f(x):\n" + each(" v@ = x.a@\n if v@: v@ = g(v@)\n", 2000) + " return x\n"


@program("tries.py")
def _() -> str:
    return "def f(x):\n" + each(" try:\n  v@ = g(x.a@)\n except E: raise\n", 1500) + " return x\n"


@program("one_try.py")
def _() -> str:
    return "def f(x):\n try:\n" + each("  v@ = h(x.a@); h(v@)\n", 2500) + " except E: pass\ndef h(x): return x\n"


@program("sum.py")
def _() -> str:
    return "def f(x):\n s='a'\n" + each(" s = s + 'abcdefghij@' + x.y@\n", 2000) + " return s\n"


@program("secrets.py")
def _() -> str:
    return each("password@ = 'hunter2@xYz9'\n", 2000)


# --- texts and numbers that grow ------------------------------------------------------------------------------------


@program("growing.py")
def _() -> str:
    return (
        "def f():\n s='x'\n" + " s = s + s\n" * 60 + " return s\n"
        "def g():\n a=3000000000*'x'\n b='x'*3000000000\n c=[0]*10**12\n d=2**10**9\n e=10**10**10\n f=1<<10**10\n"
        " g='a'.ljust(10**10)\n h='q'.replace('', 'x'*60)*10**9\n i='%1000000000d' % 3\n j=f'{1:>1000000000}'\n"
        " k='{:>1000000000}'.format(1)\n l=list(range(10**10))\n m=bytes(10**10)\n return a+b\n"
    )


@program("growing.js")
def _() -> str:
    return (
        "let s='x';" + "s = s + s;\n" * 60 + "s+=s.repeat(1e9);\ns=s.padStart(1e9);\ns=Array(1e9).fill('x').join('');\n"
        "let n=10n**1000000000n;\nn=1<<1e9;\nn=9**9**9**9;\nmodule.exports=s"
    )


@program("growing_lists.py")
def _() -> str:
    return (
        "a=[1]\n"
        + "a=[*a, *a]\n" * 60
        + "d={'a':1}\n"
        + "d={**d, 'b': d, 'c': [d, d]}\n" * 200
        + "b=[1]\n"
        + "b=[b,b]\n" * 200
    )


@program("growing_objects.js")
def _() -> str:
    return "let a={x:1};\n" + each("a={...a, k@: a, l@: [...Object.keys(a), a]};\n", 500) + "module.exports=a"


@program("nested_data.py")
def _() -> str:
    return (
        FLASK
        + "@app.route('/')\ndef f():\n  y=[request.args['a']]\n"
        + "  y={'a':y,'b':[y,y]}\n" * 100
        + "  g(y); os.system(y)\ndef g(z):\n  os.system(z)\n  return g(z['a'])\n"
    )


# --- calls ----------------------------------------------------------------------------------------------------------


@program("mutual.py")
def _() -> str:
    body = "".join(
        f"def f{n}(x):\n  if x: return f{(n + 1) % 200}(x+'a') + f{(n * 7 + 3) % 200}(x)\n  os.system(x)\n  return x\n"
        for n in range(200)
    )
    return FLASK + body + VIEW.format("f0(request.args['a'])")


@program("chain.py")
def _() -> str:
    return (
        FLASK
        + VIEW.format("f0(request.args['a'])")
        + each("def f@(x):\n  return f@+(x)\n", 300)
        + "def f300(x):\n  os.system(x)\n"
    )


@program("chain_of_constructors.py")
def _() -> str:
    return each("class C@:\n  def __init__(self,x):\n    self.a=C@+(x)\n    self.b=self.a.b\n", 1500)


@program("ChainOfFields.java")
def _() -> str:
    return each("class C@ { static String x = C@+.x; }\n", 1500)


@program("chain_of_nested_blocks.js")
def _() -> str:
    return "".join(
        f"function f{n}(x){{\n" + "if(x.a)\n " * 250 + f" return f{n + 1}(x);\n return x }}\n" for n in range(60)
    )


@program("chain_of_nested_loops.js")
def _() -> str:
    return "".join(
        f"function f{n}(x){{\n" + "while(x.a)\n " * 120 + f" return f{n + 1}(x);\n return x }}\n" for n in range(60)
    )


@program("callbacks.js")
def _() -> str:
    return (
        EXPRESS
        + each("function c@(x, cb){ return cb(x, y=>c@+(y, cb)) }\n", 1000)
        + "function c1000(x, cb){ return c0(x, cb) }\n"
        + "app.get('/',(q,r)=>{ c0(q.query.a, (x,k)=>{ r.send(x); k(x) }) })\n"
    )


@program("callbacks.py")
def _() -> str:
    return (
        FLASK
        + each("def c@(x, cb):\n  return cb(x, lambda y: c@+(y, cb))\n", 1000)
        + VIEW.format("c0(request.args['a'], lambda x,k: k(x))")
    )


@program("nested_callbacks.js")
def _() -> str:
    opened = each("fs.readFile(q.query.a@,(e@,d@)=>{ cp.exec(d@);\n", 80)
    return EXPRESS + "app.get('/',(q,r)=>{ " + opened + "})" * 80 + "})"


@program("exponential.py")
def _() -> str:
    return (
        FLASK
        + each("def f@(x):\n  return f@+(x+'a') + f@+(x+'b')\n", 40)
        + "def f40(x):\n  os.system(x)\n  return x\n"
        + VIEW.format("f0(request.args['a'])")
    )


@program("exponential.js")
def _() -> str:
    return (
        EXPRESS
        + each("const f@ = (x,cb)=> { f@+(x+'a', y=>cb(y+1)); f@+(x+'b', y=>cb(y)) }\n", 40)
        + "function f40(x,cb){ cp.exec(x); return cb(x) }\napp.get('/',(q,r)=>f0(q.query.a, z=>r.send(z)))\n"
    )


@program("exponential_methods.py")
def _() -> str:
    method = "  def f@(self,x):\n    self.a = x\n    for q in x:\n      self.f@+(q); self.f@+(x)\n    return self.f@+(self.a)\n"
    return (
        FLASK
        + "class K:\n"
        + each(method, 40)
        + "  def f40(self,x):\n    os.system(x)\n"
        + VIEW.format("K().f0(request.args['a'])")
    )


@program("many_entries.py")
def _() -> str:
    return (
        FLASK
        + each("def f@(x):\n  for a in x:\n    f@+(x+'a'+a)\n  return f@+(x+'a') + f@+(x+'b')\n", 40)
        + "def f40(x):\n  os.system(x)\n  return x\n"
        + "".join(f"@app.route('/{n}')\ndef v{n}():\n return f0(request.args['a'])\n" for n in range(120))
    )


@program("decorators.py")
def _() -> str:
    wrapper = "def d@(f):\n  def w(*a, **k):\n    return f(*a, **k)\n  return w\n"
    return each(wrapper, 60) + "".join(f"@d{n}\n" for n in range(60)) + "def f(x): return x\n" + "f(1)\n" * 100


@program("generators.py")
def _() -> str:
    return each("def g@(x):\n  for a in g@+(x):\n    for b in g@+(a):\n      yield from g@+(b)\n", 100)


# --- loops and jumps ------------------------------------------------------------------------------------------------


@program("loops.py")
def _() -> str:
    head = "".join(" " * (n + 1) + f"for a{n} in range(int(x)):\n" for n in range(12))
    return (
        FLASK
        + "@app.route('/')\ndef v():\n x=request.args['a']\n t={}\n"
        + head
        + " " * 13
        + "t['a']=x+str(t); os.system(x)\n"
    )


@program("loops.js")
def _() -> str:
    opened = each("while(x.a@ < 3){ y += x.b@; if (y) continue;\n", 12)
    return "exports.f=function(x){ let t={}, y='';\n" + opened + "t[y]=x; y=t[x];" + "}" * 12 + "return y}"


@program("labels.js")
def _() -> str:
    opened = "".join(
        f"L{n}: for(;;){{ if(x.a{n}) break L{n}; if (y.b) continue L{max(0, n - 3)};"
        f" switch(x){{ case {n}: y=y.c; default: y=x; }}\n"
        for n in range(25)
    )
    return "exports.f=function(x){ let y=x;\n" + opened + "}" * 25 + " return y }"


@program("nested_tries.py")
def _() -> str:
    opened = "".join(" " * (n + 1) + "try:\n" for n in range(30))
    closed = "".join(
        " " * (n + 1)
        + "except E as e:\n"
        + " " * (n + 2)
        + "x = h(x, e)\n"
        + " " * (n + 1)
        + "finally:\n"
        + " " * (n + 2)
        + "k(x)\n"
        for n in reversed(range(30))
    )
    return "def f(x):\n" + opened + " " * 31 + "g(x)\n" + closed


# --- classes and references ----------------------------------------------------------------------------------------


@program("hierarchy.py")
def _() -> str:
    levels = "".join(
        f"class C{n}(C{n - 1}):\n def __init__(self, a):\n  super().__init__(a); self.a{n}=a\n def n{n}(self,x): return self.m(x)\n"
        for n in range(1, 200)
    )
    return FLASK + "class C0:\n def m(self,x): os.system(x)\n" + levels + VIEW.format("C199(1).n150(request.args['a'])")


@program("Hierarchy.java")
def _() -> str:
    return "class C0 { void m(String x) throws Exception { Runtime.getRuntime().exec(x); } }\n" + "".join(
        f"class C{n} extends C{n - 1} {{ String a{n}; C{n}(String a){{ super(a); this.a{n}=a; }} void n{n}(String x){{ m(x); }} }}\n"
        for n in range(1, 200)
    )


@program("diamonds.py")
def _() -> str:
    method = " def m(self, x): return super().m(x)\n"
    levels = each(f"class L@(A@):\n{method}class R@(A@):\n{method}class A@+(L@,R@):\n{method}", 30)
    return "class A0: pass\n" + levels + "def f(x): return A30().m(x)\n"


@program("cyclic_classes.py")
def _() -> str:
    return "class A(A): pass\nclass B(C): pass\nclass C(B):\n def m(self): return self.m()\nclass D(D.E): pass\nC().m()\nB().n()\n"


@program("methods.py")
def _() -> str:
    return "class A:\n" + "".join(
        f" def m{n}(self, x):\n  self.a{n} = x\n  return self.m{(n * 3 + 1) % 600}(self.a{(n * 5 + 2) % 600})\n"
        for n in range(600)
    )


@program("itself.py")
def _() -> str:
    return (
        FLASK
        + "a={}\na['a']=a\nl=[a]\nl.append(l)\na['l']=l\nclass N:\n def __init__(self):\n  self.n=self; self.f=self.g\n"
        " def g(self, x):\n  self.n.n.n.x = x\n  return self.n.n.n.f(x)\n"
        "@app.route('/')\ndef v():\n n=N(); a['n']=n\n n.g(request.args['a'])\n os.system(n.n.n.n.x)\n"
    )
