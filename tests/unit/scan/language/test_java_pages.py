"""JSP pages: scriptlets, declarations, expressions and expression-language holes keep their places."""

from __future__ import annotations

from tests.unit.scan.language.java_lowering import function, lower, shown

from glasshouse.scan import ir


def page(text: str) -> list[str]:
    """The lines of a page's body without the declarations of the implicit objects."""
    lines = shown(lower(text, "a.jsp").functions[0])
    return [line for line in lines if not line.startswith("DECLARE") or "javax.servlet" not in line]


def test_implicit_objects_have_their_servlet_types() -> None:
    lines = shown(lower("<html></html>", "a.jsp").functions[0])
    assert "DECLARE request javax.servlet.http.HttpServletRequest" in lines
    assert "DECLARE out javax.servlet.jsp.JspWriter" in lines


def test_a_scriptlet_is_code_and_an_expression_is_printed() -> None:
    assert page('<p><% String n = request.getParameter("n"); %></p><%= n %>') == [
        "CALL_METHOD %0 request getParameter ['n'] []",
        "DECLARE n String",
        "MOVE n %0",
        "CALL_METHOD %1 out print [n] []",
    ]


def test_page_text_inside_a_branch_is_a_statement() -> None:
    assert page("<% if (ok) %> yes <% else { %> no <%= x %> <% } %>") == [
        "IF ok",
        "  --",
        "  CALL_METHOD %0 out print [x] []",
    ]


def test_a_page_declaration_is_a_function() -> None:
    file = lower("<%! String f(String a) { return a; } %>\n<%= f(1) %>", "a.jsp")
    assert shown(function(file, "f")) == ["RETURN a"]


def test_page_imports_are_imports() -> None:
    file = lower('<%@ page import="java.util.List, java.io.*" %>', "a.jsp")
    assert [(each.local, each.module) for each in file.imports] == [("List", "java.util.List"), ("*", "java.io")]


def test_an_expression_language_hole_is_printed() -> None:
    assert page("<b>${param.name}</b>") == ["CALL %0 $el ['param.name'] []", "CALL_METHOD %1 out print [%0] []"]


def test_a_hole_in_a_custom_tag_is_not_page_output_unless_escaping_is_off() -> None:
    assert page('<c:out value="${param.a}"/>') == []
    assert page('<c:if test="${param.a}">x</c:if>') == []
    assert page('<c:out value="${param.a}" escapeXml="false"/>')[0] == "CALL %0 $el ['param.a'] []"


def test_comments_of_a_page_are_not_code() -> None:
    assert page("<%-- <% f(); %> --%>") == []


def test_positions_of_a_page_are_those_of_the_source() -> None:
    file = lower("<html>\n<body>\n  <%= name %>\n", "a.jsp")
    printed = file.functions[0].body[-1]
    line, column, *_ = ir.unpack_span(printed[1])
    assert (line, column) == (3, 2)
