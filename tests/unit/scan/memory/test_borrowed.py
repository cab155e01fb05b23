"""C++: what points into a container, a temporary or a moved pointer must not be used once that has changed or gone."""

from __future__ import annotations

import pytest

from glasshouse.scan.language.c import CFrontEnd
from glasshouse.scan.language.interface import LowerLimits
from glasshouse.scan.memory.checks import analyse_file

ITERATE = "for (auto it = v.begin(); it != v.end(); ++it)"
BODIES = {
    f"{ITERATE} {{ if (*it) v.erase(it); }}": {"borrowed"},
    f"{ITERATE} {{ if (*it) {{ v.erase(it); break; }} }}": set(),
    f"{ITERATE} {{ if (*it) {{ v.erase(it); return; }} }}": set(),
    "for (auto it = v.begin(); it != v.end();) { if (*it) it = v.erase(it); else ++it; }": set(),
    "for (auto &x : v) { if (x) v.push_back(x); }": {"borrowed"},
    "for (auto &x : v) { if (x) { v.push_back(x); break; } }": set(),
    "for (auto &x : v) { if (x) w.push_back(x); }": set(),
    "int &a = v[0]; v.push_back(1); use(a);": {"borrowed"},
    "int a = v[0]; v.push_back(1); use(a);": set(),
    "int &a = v[0]; w.push_back(1); use(a);": set(),
    "auto it = l.begin(); l.push_back(1); use(it);": set(),
    "auto it = l.begin(); l.erase(it); use(it);": {"borrowed"},
    "auto it = l.begin(); auto next = l.end(); l.erase(it); use(next);": set(),
    "auto it = v.begin(); v.clear(); it = v.begin(); use(it);": set(),
    "const char *p = (s + t).c_str(); use(p);": {"borrowed"},
    "const char *p = s.c_str(); use(p);": set(),
    "const char *p = s.c_str(); s += t; s.append(t); use(p);": {"borrowed"},
    "std::string_view p = s + t; use(p);": {"borrowed"},
    "std::string_view p = s; use(p);": set(),
    "take(std::move(o)); use(o->n);": {"null-dereference"},
    "take(std::move(o)); o.reset(new item); use(o.get());": set(),
    "use(o->n); take(std::move(o));": set(),
    "take(std::move(o)); o = make(); use(o->n);": set(),
}
HEAD = """struct item { int n; };
void use(int); void take(std::unique_ptr<item>); std::unique_ptr<item> make();
"""
PARAMETERS = (
    "std::vector<int> &v, std::vector<int> &w, std::list<int> &l, std::string s, std::string t, std::unique_ptr<item> o"
)


def checks(text: str) -> set[str]:
    file = CFrontEnd().lower(text.encode(), "a.cpp", LowerLimits())
    assert not file.errors
    found = {item.check for item in analyse_file(file)}
    assert not file.notes
    return found


@pytest.mark.parametrize("body", BODIES)
def test_what_is_borrowed_ends_with_what_it_was_taken_from(body: str) -> None:
    assert checks(f"{HEAD}void f({PARAMETERS}) {{ {body} }}\n") == BODIES[body]


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        ('std::string_view f() { std::string s = "a" + g(); return s; }', {"stack-address-returned"}),
        ('std::string_view f() { static std::string s = "a" + g(); return s; }', set()),
        ("std::string_view f(std::string_view s) { return s; }", set()),
        ('std::string f() { std::string s = "a" + g(); return s; }', set()),
        ("int *f() { int *p = new int(3); delete p; return p; }", {"use-after-free"}),
        ("int *f() { int *p = new int(3); delete p; p = nullptr; return p; }", set()),
    ],
)
def test_what_is_returned_outlives_the_function(function: str, expected: set[str]) -> None:
    assert checks(f"std::string g();\n{function}\n") == expected
