"""Go."""

from __future__ import annotations

from tests.contract.front_ends.case import DEEP, Case

from glasshouse.scan.language.go import GoFrontEnd

SAMPLE = b"""package a
import ("os"; x "os/exec"; . "fmt"; "m/v2")
type A struct { B; *C; n, m string; f func(int) string; q [2]string; e struct{ z int } }
type I interface { Speak(s string) (string, error); E }
const ( K = iota; L )
var g, h = 1, "\\u0041"
func init() { g++ }
func (a *A) M(p, q string, r ...int) (res string, err error) {
  defer func() { if r := recover(); r != nil { err = r.(error) } }()
  go a.M("x", "y")
  x, m := []string{"a", 2: "b"}, map[string]T{"k": {A: 1}}
  for i := 0; i < 3; i++ { continue }
  for k, v := range m { _, _ = k, v }
  for range 3 { break }
  if v, ok := m["x"]; ok { f(v) } else if b || c && d { } else { }
  switch t := y.(type) { case string, int: f(t); default: }
  switch z := 1; z { case 1, 2: fallthrough; case 3: break; default: }
  switch { case a > b: }
  select { case v := <-ch: f(v); case ch <- 1: ; default: }
outer:
  for { break outer }
  goto end
  a.n, x[0] = f(x[1:2], *p, &q, y.(string)), `raw`
  *p, s := 'a', fmt.Sprintf("%s %d %%", q, 0x1F)
end:
  return G[int](3), nil
}
"""
NESTED = {
    "parentheses": "x := " + "(" * DEEP + "1" + ")" * DEEP,
    "blocks": "{" * DEEP + "}" * DEEP,
    "branches": "if a {" * DEEP + "}" * DEEP,
    "calls": "x := " + "f(" * DEEP + ")" * DEEP,
    "function literals": "x := " + "func() int { return " * 5_000 + "1" + "}" * 5_000,
    "literals": "x := " + "[]T{" * DEEP + "}" * DEEP,
    "pointers": "x := " + "*" * DEEP + "p",
}
CHAINS = {
    "method calls": "a" + ".b()" * DEEP,
    "fields": "x := a" + ".b" * DEEP,
    "sums": "x := a" + " + a" * DEEP,
    "else-if arms": "if a { b() } else " * 5_000 + "{ c() }",
}

CASE = Case(
    GoFrontEnd(),
    {"a.go": SAMPLE},
    "package a\nfunc m() {\n%s\n}\n",
    NESTED,
    CHAINS,
    50_000,
    "package a\nfunc t() { x := []int{" + "1," * 20_000 + "1} }\nfunc m() { f() }",
    "package a\nfunc a() { x := := }\nfunc b() { f() }\n",
)
