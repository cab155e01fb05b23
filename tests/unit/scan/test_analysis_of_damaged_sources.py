"""No source text, however damaged, makes lowering, analysis or report fail."""

# ruff: noqa: E501 - programs as text

from __future__ import annotations

import functools
import time
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasshouse.scan import lowered
from glasshouse.scan.analysis import analyse
from glasshouse.scan.discover import SourceFile
from glasshouse.scan.report import Reporter
from glasshouse.scan.rules.loader import RuleSet
from glasshouse.words.finding import Finding

PYTHON = b"""
import os, sqlite3
from flask import Flask, request
app = Flask(__name__)
TABLE = {"a": [1, (2, "x")], **dict(b=3)}

class Base:
    kind = "base"
    def __init__(self, name, *rest, key=None, **more):
        self.name, (self.first, *self.rest) = name, rest or [1, 2]
        self.more = {**more, "k": lambda q=name: q + self.name}
    @property
    def shown(self): return f"<{self.name!r:>10}>" + "%s" % self.kind
    @staticmethod
    def make(x): return Base(x, key=x)

class Sub(Base):
    def __init__(self, *a, **k): super().__init__(*a, **k)
    def run(self, text):
        def inner(y):
            nonlocal text
            text = text + y
            return text
        try:
            for i, item in enumerate([text, inner("b"), *self.rest]):
                if not item or i > 3: continue
                while item:
                    item = item[1:]
                    if item == "q": break
                else: yield item
        except (ValueError, KeyError) as error: raise RuntimeError(error) from error
        else: self.name = text
        finally: os.system("echo " + self.name)
        match text:
            case "a" | "b": return 1
            case [x, *ys] if x: return ys
            case {"k": v}: return v
            case _: pass

def gen(x):
    got = yield from Sub(x).run(x)
    yield [z for z in (got or []) if z for z in z], {k: v for k, v in TABLE.items()}

@app.route("/<name>")
async def view(name):
    value = request.args.get("q", "") if name else request.form["q"]
    with open(value) as file, sqlite3.connect("x") as db:
        db.execute("select " + value); await view(file.read())
    del TABLE["a"]; x = y = Sub(value).more["k"]()
    os.system(x); list(map(lambda t: os.system(t), gen(y))); exec(value.strip().replace("a", "b"))
    return (n := value) and n[::-1] * 3 + str(1 << 4)
"""
JAVASCRIPT = b"""
import fs, {readFile as rf} from 'fs'; const cp = require('child_process'); const app = require('express')();
const {a, b: [c, d = a, ...e], ...z} = require('./other'), table = {x: 1, ['y' + a]: [2, ...e], get g() { return this.x }};
class Base { static n = 1; #p = table; constructor(x, ...r) { this.x = x; this.f = this.run.bind(this, r) } get v() { return this.#p }
  run(r, q) { return `${this.x} ${r} ${q?.y ?? z}` } }
class Sub extends Base { constructor() { super(...arguments); } run(...xs) { return super.run(xs, xs[0]) + [...xs].map(y => y.z).join() } }
function* gen(x) { const got = yield* [x, x.y]; for (const k in x) { yield k } return got }
async function main(req, res) {
  let t = req.query.a || '', n = 0;
  outer: for (let i = 0; i < 10; i++) { for (const w of gen(t)) { if (w == i) continue outer; if (!w) break outer; t += w } }
  do { n++; if (n > 3) break } while (n < t.length);
  switch (t) { case 'a': n = 1; case 'b': { t = 'b'; break } default: t = t + n }
  try { await new Promise((ok, no) => cp.exec(t, (err, out) => err ? no(err) : ok(out))).then(x => res.send(x)).catch(console.log) }
  catch ({message}) { throw new Error(message) } finally { fs.readFileSync(t) }
  const s = new Sub(t, n); s.more = {s, t}; s.more.s.more.t = s; delete s.more.t;
  document.body.innerHTML = s.run(t) + /a+$/.test(t); eval(s.f(typeof t)); (function () { return this })().x = t;
  return (() => ({...s, t}))(), t ? void 0 : [t, , n]
}
app.get('/', main); app.use((q, r, next) => main(q, r)); module.exports = {main, Base}; export default class extends Sub {}
"""
JAVA = b"""
package a.b; import java.util.*; import java.util.function.*; import java.io.*; import javax.servlet.http.*;
public class Main extends HttpServlet { static final Map<String, List<String>> M = new HashMap<>(); int[] xs = {1, 2}; { xs[0] = 3; }
  enum Kind { A("a"), B("b") { String t() { return "c"; } }; final String s; Kind(String s) { this.s = s; } String t() { return s; } }
  interface Op<T> { T run(T x) throws Exception; default T twice(T x) throws Exception { return run(run(x)); } }
  record Pair(String l, int r) { Pair { l = l + r; } }
  static class Node { Node next = this; String v; Node(String v) { this.v = v; } Node with(String w) { next.v = w; return this; } }
  protected void doGet(HttpServletRequest q, HttpServletResponse p) throws Exception {
    String a = q.getParameter("a"), b = null; StringBuilder s = new StringBuilder(); int i = 0;
    outer: for (String w : a.split(",")) { for (int k = 0, m = 1; k < 3; k++, m += k) { if (k == i) continue outer; if (w.isEmpty()) break outer; s.append(w); } }
    while (i++ < 4) { b = i > 2 ? a : "x"; } do { i--; } while (i > 0);
    switch (a) { case "a": b = "1"; case "b": b += a; break; default: b = switch (i) { case 1, 2 -> "z"; default -> { yield a + 1; } }; }
    Op<String> f = x -> x + a; Supplier<Node> g = () -> new Node(a); Function<String, Node> h = Node::new;
    try (Reader r = new FileReader(a); InputStream in = null) { Runtime.getRuntime().exec(f.twice(a)); }
    catch (IOException | RuntimeException e) { throw new Exception(e); } finally { p.getWriter().print(s.toString()); }
    Object o = new Object() { public String toString() { return b + Main.this.xs[0]; } };
    if (o instanceof String t && !t.isEmpty()) { M.computeIfAbsent(t, k -> new ArrayList<>()).add((String) o); }
    synchronized (this) { Runtime.getRuntime().exec(g.get().with(a).next.v + h.apply(b).v + Kind.B.t() + new Pair(a, 1).l()); }
    assert a != null : "no"; int[][] z = new int[3][]; z[i] = new int[]{i << 2, ~i, -i}; M.get("a").stream().map(String::trim).forEach(System.out::println);
  } }
"""
GO = b"""
package main
import ("database/sql"; "fmt"; "net/http"; "os"; "os/exec"; "strings")
type inner struct { text string; m map[string][]string }
type outer struct { inner; *http.Request; name string; f func(string) string }
type named interface { Name() string }
func (o *outer) Name() string { defer func() { if r := recover(); r != nil { o.name = r.(string) } }(); return o.name + o.text }
func (o outer) with(s string) outer { o.name = s; return o }
func two(s string, rest ...string) (a string, err error) { a = s + strings.Join(rest, ","); return }
func gen(c chan<- string, xs []string) { for i, x := range xs { if i > 3 { break }; c <- x }; close(c) }
func handle(db *sql.DB) http.HandlerFunc {
  return func(w http.ResponseWriter, r *http.Request) {
    q, c := r.FormValue("q"), make(chan string, 2)
    go gen(c, []string{q, "a", 3: "b"}); v := <-c
    o := outer{name: v, inner: inner{m: map[string][]string{"k": {q}}}, f: func(s string) string { return s + q }}
    p := &o.name; *p = o.f(*p); var n named = &o
    switch t := any(q).(type) { case string: v = t; fallthrough; case int: v += "x"; default: }
outer: for { select { case x, ok := <-c: if !ok { break outer }; v += x; default: goto end } }
end: a, err := two(v, o.m["k"]...)
    if err != nil || a == "" { panic(fmt.Errorf("%w %s", err, a)) }
    db.Query("select " + o.with(a).Name() + n.Name()); exec.Command("sh", "-c", v[1:]).Run(); fmt.Fprintf(w, "<b>%s %d", a, len(q))
  } }
func main() { x := os.Args; exec.Command("sh", "-c", x[1]).Run(); http.HandleFunc("/", handle(nil)) }
"""
PHP = rb"""<html><title><?= $title ?? $_GET['t'] ?></title><?php
namespace App; use Foo\Bar as Baz;
interface Named { function name(); } trait Loud { function loud() { return $this->text . '!'; } }
abstract class Base implements Named { use Loud; public $text = 'a'; static $last = []; const K = 'k';
  function __construct(protected string $n = '', ...$rest) { $this->rest = $rest; self::$last[] = $n; }
  static function make($x) { return new static($x, $x); } function __invoke(&$x) { $x = $this->n; return $x; } }
class Sub extends Base { function name() { return parent::loud() . static::K . $this->rest[0]; } }
function gen(array $xs) { foreach ($xs as $k => &$x) { $got = yield $k => $x; if ($got) continue; } yield from [1, ...$xs]; }
function fill(&$out, $v = [1, 'a' => 2]) { global $db; static $n = 0; $out['x'][] = $v; $n++; return [$out, 'k' => $v]; }
$q = $_POST['q']; [$a, 'k' => $b] = fill($c, $q); list(, $d) = explode(',', $q); $e = &$q; $e .= "x{$c['x'][0]} $a[0] ${b}";
$f = function ($x) use ($q, &$e) { return fn($y) => $x . $y . $q; }; $g = $f($a)($b); $m = 'name'; $o = Sub::make($g);
foreach (gen([$a, $b]) as $k => [$x, $y]): switch ($x) { case 'a': $s = 1; case 'b': break 2; default: $s = match (true) { $x > $y, $q => $x, default => null }; } endforeach;
for ($i = 0; $i < 9; $i++) { while ($q) { if (!$q || $i > 3) break 2; $q = substr($q, 1); } do { $i--; } while ($i); }
try { if (preg_match('/^(\w+)$/', $q, $mm)) { system("ls '$mm[1]' " . escapeshellarg($q)); } throw new \Exception($q); }
catch (A | \Exception $z) { echo $z->getMessage(), "<a href=$q>"; } finally { mysqli_query($db, "select $q " . sprintf('%s %d', $q, $q)); }
$$k = $o?->$m(); $o->p->q['r'] = clone $o; unset($o->p['x'], $q[0]); include "v/$q.php"; include 'a.php'; eval($o($q)); array_map('system', [$q]);
$h = <<<EOT
 <script>$q</script> {$o->name()}
EOT;
echo $h, `ls $q`; print_r(compact('q') + $_COOKIE); extract($_GET); exit("bye $q"); ?></html>
"""
SEEDS = {
    "python": (PYTHON, "a.py"),
    "javascript": (JAVASCRIPT, "a.js"),
    "java": (JAVA, "Main.java"),
    "go": (GO, "main.go"),
    "php": (PHP, "a.php"),
}
TOKENS = [
    b"(",
    b")",
    b"[",
    b"{",
    b"}",
    b"'",
    b'"',
    b"\n",
    b":",
    b";",
    b",",
    b"=",
    b"\\",
    b"*",
    b"...",
    b"\xff",
    b"\x00",
    b"return ",
    b"0",
]


@functools.cache
def rules(language: str) -> RuleSet:
    return lowered.rules_for(language, (), (), None)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("damaged")


def damaged(seed: bytes, data: st.DataObject) -> bytes:
    """The seed with some pieces cut, doubled, moved, exchanged or put in."""
    source = bytearray(seed)
    for _ in range(data.draw(st.integers(1, 6))):
        start = data.draw(st.integers(0, len(source)))
        end = min(len(source), start + data.draw(st.integers(0, 80)))
        match data.draw(st.sampled_from(["cut", "double", "insert", "move", "line", "truncate"])):
            case "cut":
                del source[start:end]
            case "double":
                source[end:end] = source[start:end]
            case "insert":
                source[start:start] = data.draw(st.sampled_from(TOKENS))
            case "move":
                piece = bytes(source[start:end])
                del source[start:end]
                place = data.draw(st.integers(0, len(source)))
                source[place:place] = piece
            case "line":
                lines = bytes(source).split(b"\n")
                first, second = (data.draw(st.integers(0, len(lines) - 1)) for _ in range(2))
                lines[first], lines[second] = lines[second], lines[first]
                source = bytearray(b"\n".join(lines))
            case "truncate" if start > len(source) // 2:
                del source[start:]
    return bytes(source)


def findings(language: str, path: str, source: bytes, folder: Path) -> list[Finding]:
    """Lower, analyse and report one text in this process."""
    file = folder / path
    file.write_bytes(source)
    status = file.stat()
    task = lowered.Task(
        SourceFile(path, str(file), status.st_size, status.st_mtime_ns, language, True), 2_000_000, 20.0, (), (), None
    )
    result = lowered.decode(lowered.lower_task(task))
    if result.file is None:
        return []
    analysis = analyse([result.file], {language: rules(language)})
    assert [problem for problem in analysis.problems if problem.code == "error"] == []
    reporter = Reporter(analysis, lambda _: source.split(b"\n"), "both")
    found = reporter.findings([(0, hit) for hit in result.hits], rules(language).rules)
    msgspec.json.encode(found)
    return found


@pytest.mark.parametrize("language", SEEDS)
def test_the_seeds_are_sound_and_weak(language: str, tmp_path: Path) -> None:
    seed, path = SEEDS[language]
    assert findings(language, path, seed, tmp_path)


@pytest.mark.parametrize("language", SEEDS)
@given(data=st.data())
def test_a_damaged_source_is_analysed_without_an_error_in_bounded_time(
    language: str, folder: Path, data: st.DataObject
) -> None:
    seed, path = SEEDS[language]
    start = time.process_time()
    findings(language, path, damaged(seed, data), folder)
    assert time.process_time() - start < 5
