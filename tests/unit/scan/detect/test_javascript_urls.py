"""Checks of addresses and message origins."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.scan.detect.javascript_source import hits, lines

from glasshouse.scan.detect.javascript.urls import alternatives


@pytest.mark.parametrize(
    "test",
    [
        "url.indexOf('javascript:') === 0",
        "url.startsWith('javascript:')",
        "new URL(url).protocol === 'javascript:'",
        "/^javascript:/i.test(url)",
        "url.match(/^(javascript|data):/)",
    ],
)
def test_refusing_only_some_script_schemes_is_reported(test: str) -> None:
    assert len(hits("incomplete-url-scheme-check", f"function f(url) {{ if ({test}) return ''; return url; }}")) == 1


def test_refusing_all_script_schemes_is_silent() -> None:
    text = "function f(u) { if (/^(javascript|data|vbscript):/i.test(u)) return ''; return u; }"
    assert hits("incomplete-url-scheme-check", text) == []


@pytest.mark.parametrize(
    "test",
    [
        "url.indexOf('shop.example.com') > -1",
        "url.includes('https://shop.example.com')",
        "url.indexOf('https://shop.example.com') === 0",
        "url.endsWith('example.com')",
        "url.includes('.example.com')",
    ],
)
def test_a_host_found_somewhere_in_an_address_proves_nothing(test: str) -> None:
    assert len(hits("incomplete-url-substring-check", f"exports.f = (url) => {test};")) == 1


@pytest.mark.parametrize(
    "test",
    [
        "url.indexOf('https://shop.example.com/') === 0",
        "url.endsWith('.example.com')",
        "['shop.example.com'].includes(url)",
        "allowedHosts.includes('shop.example.com')",
        "url.includes('secure')",
        "url.indexOf('index.html') > -1",
    ],
)
def test_a_whole_host_or_another_text_is_silent(test: str) -> None:
    assert hits("incomplete-url-substring-check", f"exports.f = (url) => {test};") == []


@pytest.mark.parametrize(
    "pattern",
    [
        r"/^https?:\/\/test.example.com\//",
        r"/^(https?:)?\/\/((service|www).)?example.com(?=$|\/)/",
        r"/^https:\/\/[a-z]+.example\.com$/",
        r"/^http:\/\/(www).example.com$/",
    ],
)
def test_an_open_dot_in_a_host_is_reported(pattern: str) -> None:
    assert len(hits("unescaped-hostname-regexp", f"exports.f = (url) => {pattern}.test(url);")) == 1


@pytest.mark.parametrize(
    "pattern",
    [r"/^https?:\/\/test\.example\.com\//", r"/^.*\.example\.com$/", r"/^https:\/\/.+\.example\.com$/", r"/a.com/"],
)
def test_escaped_dots_and_wildcards_are_silent(pattern: str) -> None:
    assert hits("unescaped-hostname-regexp", f"exports.f = (url) => {pattern}.test(url);") == []


@pytest.mark.parametrize(
    "pattern",
    [
        r"/https?:\/\/good\.com/",
        r"/good\.example\.com/",
        r"/^https:\/\/good\.com/",
        r"/^good\.com|other\.com/",
        r"/(https:\/\/www\.)?good\.com/",
    ],
)
def test_a_host_pattern_without_anchors_is_reported(pattern: str) -> None:
    assert len(hits("missing-regexp-anchor", f"exports.f = (url) => {pattern}.test(url);")) == 1


@pytest.mark.parametrize("pattern", [r"/^https?:\/\/good\.com\//", r"/^good\.com$/", r"/\.good\.com$/", r"/one|two/"])
def test_an_anchored_pattern_is_silent(pattern: str) -> None:
    assert hits("missing-regexp-anchor", f"exports.f = (url) => {pattern}.test(url);") == []


def test_a_host_pattern_used_for_replacing_is_silent() -> None:
    assert hits("missing-regexp-anchor", r"exports.f = (s) => s.replace(/https:\/\/good\.com/, '');") == []


def test_a_message_handler_must_look_at_the_origin_also_in_functions_it_calls() -> None:
    listen = "window.addEventListener('message', (e) => {body});"
    checked = "function ok(e) { return e.origin === 'x'; }\n" + listen.replace("{body}", "{ if (ok(e)) run(e.data); }")
    unchecked = "function go(e) { run(e.data); }\n" + listen.replace("{body}", "go(e)")
    assert hits("missing-origin-check", checked) == []
    assert lines("missing-origin-check", unchecked) == [2]


@given(st.text(alphabet="ab|()[]\\^$", max_size=20))
def test_the_alternatives_put_together_again_give_the_pattern(pattern: str) -> None:
    assert "|".join(alternatives(pattern)) == pattern
