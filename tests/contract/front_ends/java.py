"""Java, and JSP pages."""

from __future__ import annotations

from tests.contract.front_ends.case import DEEP, Case

from glasshouse.scan.language.java import JavaFrontEnd

SAMPLE = b"""package a.b;
import java.util.*;
@Q("x") public class A<T> extends B implements C {
  static final int X = 1; String[] y = {"a", "\\u0041"};
  @GET public <U> String m(@P("id") List<String> a, int... c) throws E {
    for (int i = 0, j = 1; i < 3; i++, j--) { if (a == null && i > 2 || x()) continue; else y[i] += "b" + 'c'; }
    try (var in = new F(a) { int z; }) { in.read(); } catch (X | Y e) { throw e; } finally { f.g().h(); }
    var r = switch (a) { case String s when s.x() -> { yield 1; } case P(int q, var w) -> 2; default -> c -> c; };
    l: while (true) { break l; } do { x++; } while (a instanceof Z z); synchronized (this) { assert a : "b"; }
    return (String) a.b(this::m, A::new, int[]::new) ? new int[3][] : new int[]{1}[0];
  }
  enum K { R, S(1) { void f() {} }; } record T(int a) { T { } } interface I { default void f() {} }
}
"""
PAGE = b"""<%@ page import="a.B" %><%! int f() { return 1; } %>
<% if (x) { %> ${param.a} <%= y %> <% } %><c:out value="${z}"/>"""
NESTED = {
    "parentheses": ("int x = " + "(" * DEEP + "1" + ")" * DEEP + ";"),
    "blocks": "{" * DEEP + "}" * DEEP,
    "branches": "if (a) {" * DEEP + "}" * DEEP,
    "conditional expressions": "x = " + "a ? b : " * DEEP + "c;",
    "calls": "x = " + "f(" * DEEP + ")" * DEEP + ";",
    "lambdas": "x = " + "a -> " * DEEP + "1;",
    "switches": "switch (a) { case 1: " * 5_000 + "}" * 5_000,
    "handlers": "try {} catch (E e) {" * 5_000 + "}" * 5_000,
    "anonymous classes": "x = " + "new A() { Object x = " * 5_000 + "1" + "; }" * 5_000 + ";",
    "array initialisers": "int[] x = " + "{" * DEEP + "}" * DEEP + ";",
}
CHAINS = {
    "method calls": "a" + ".b()" * DEEP + ";",
    "fields": "x = a" + ".b" * DEEP + ";",
    "sums": "x = a" + " + a" * DEEP + ";",
    "conjunctions": "x = a" + " && a" * DEEP + ";",
    "assignments": "x = " * DEEP + "1;",
    "else-if arms": "if (a) b(); else " * 10_000 + "c();",
}

CASE = Case(
    JavaFrontEnd(),
    {"A.java": SAMPLE, "a.jsp": PAGE},
    "class A { void m() { %s } }",
    NESTED,
    CHAINS,
    100_000,
    "class A { int[] t = {" + "1," * 20_000 + "1}; void m() { f(); } }",
    "class A {\n  void a() { int x = ; }\n  void b() { f(); }\n}",
)
