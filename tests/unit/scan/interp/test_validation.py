"""Values that were checked before they got to a place, in every language: what passed the check is not told.

All functions of a language are analysed together; each case asks for one of them.
"""

from __future__ import annotations

import functools

import pytest
from tests.unit.scan.interp.many import told_in

JAVA = """import java.io.*; import java.nio.file.*; import java.util.*; import java.util.regex.*;
import org.springframework.web.bind.annotation.*;
@RestController public class Code {
  static final Set<String> OK = Set.of("a", "b");
  static final Pattern P = Pattern.compile("[a-z0-9]+");
  boolean letters(String v) {
    for (int i = 0; i < v.length(); i++) { if (!Character.isLetterOrDigit(v.charAt(i))) return false; }
    return true;
  }
  boolean first(String v) {
    for (int i = 0; i < v.length(); i++) { if (!Character.isLetterOrDigit(v.charAt(i))) break; }
    return true;
  }
  static void fail(String v) { throw new IllegalStateException(v); }
  static void warn(String v) { if (v.isEmpty()) throw new IllegalStateException(v); }
  static class Form {
    final String name;
    Form(String name) { this.name = name; }
    boolean isValid() { return OK.contains(name); }
  }
"""
JAVA_CASES = {
    "each_character": ("if (!letters(x)) return null;", False),
    "characters_up_to_the_first_bad_one": ("if (!first(x)) return null;", True),
    "test_not_looked_at": ("letters(x);", True),
    "number": ("int n = Integer.parseInt(x);", False),
    "number_whose_error_is_caught": ("try { Integer.parseInt(x); } catch (NumberFormatException e) { }", True),
    "identifier_or_return": ("try { UUID.fromString(x); } catch (IllegalArgumentException e) { return null; }", False),
    "asserted": ("com.google.common.base.Preconditions.checkArgument(OK.contains(x));", False),
    "asserted_otherwise": ("com.google.common.base.Preconditions.checkArgument(!OK.contains(x));", True),
    "asserted_pattern": ('org.springframework.util.Assert.isTrue(x.matches("[a-z]+"), "bad");', False),
    "some_equal": ("if (OK.stream().noneMatch(x::equals)) throw new IllegalArgumentException();", False),
    "some_equal_in_function": ("if (!OK.stream().anyMatch(o -> o.equals(x))) return null;", False),
    "some_other": ("if (OK.stream().anyMatch(o -> !o.equals(x))) System.out.println();", True),
    "all_characters": ("if (!x.chars().allMatch(Character::isLetterOrDigit)) return null;", False),
    "a_character": ("if (!x.chars().anyMatch(Character::isLetterOrDigit)) return null;", True),
    "helper_that_always_throws": ("if (!OK.contains(x)) fail(x);", False),
    "helper_that_may_throw": ("if (!OK.contains(x)) warn(x);", True),
    "flag_of_an_equal_one": (
        "boolean ok = false; for (String o : OK) { if (o.equals(x)) { ok = true; break; } } if (!ok) return null;",
        False,
    ),
    "flag_of_no_equal_one": (
        "boolean ok = false; for (String o : OK) { if (o.equals(x)) ok = true; } if (ok) return null;",
        True,
    ),
    "flag_of_every_character": (
        (
            "boolean ok = true; for (char c : x.toCharArray()) { if (!Character.isLetter(c)) ok = false; } "
            "if (!ok) return null;"
        ),
        False,
    ),
    "flag_of_some_character": (
        (
            "boolean ok = false; for (char c : x.toCharArray()) { if (Character.isLetter(c)) ok = true; } "
            "if (!ok) return null;"
        ),
        True,
    ),
    "flag_of_the_first_characters": (
        (
            "boolean ok = true; for (char c : x.toCharArray()) { if (c == '.') break; "
            "if (!Character.isLetter(c)) ok = false; } if (!ok) return null;"
        ),
        True,
    ),
    "allowed_in_turn": ("boolean ok = false; for (String o : OK) { if (o.equals(x)) ok = true; }", True),
}
PYTHON = """import os, re, uuid
from flask import Flask, request, abort
app = Flask(__name__)
OK = {"a", "b"}
class Bad(Exception): pass
def stop(text): raise Bad(text)
def warn(text):
    if text == "x": raise Bad(text)
def problem(v):
    if v not in OK: return "bad"
    return None
class Form:
    def __init__(self, x): self.x = x
    def is_valid(self): return self.x in OK
    def is_there(self): return self.x is not None
"""
PYTHON_CASES = {
    "match_is_none": ("m = re.match(r'^[a-z]+$', x)\n    if m is None: return 'no'", False),
    "match_is_not_none": ("m = re.match(r'^[a-z]+$', x)\n    if m is not None: return 'no'", True),
    "loose_match_is_none": ("m = re.match(r'[a-z]+', x)\n    if m is None: return 'no'", True),
    "found_part": ("m = re.search(r'id=([0-9]+)', x)\n    if not m: return\n    x = m.group(1)", False),
    "found_anything": ("m = re.search(r'id=(.+)', x)\n    if not m: return\n    x = m.group(1)", True),
    "number": ("int(x)", False),
    "number_or_not": ("try:\n        int(x)\n    except ValueError:\n        pass", True),
    "identifier": ("try:\n        uuid.UUID(x)\n    except ValueError:\n        abort(400)", False),
    "all_characters": ("if not all(c.isalnum() or c in '-_' for c in x): return", False),
    "some_character": ("if not any(c.isalnum() for c in x): return", True),
    "some_equal": ("if not any(x == o for o in OK): return", False),
    "each_character": ("for c in x:\n        if not c.isalnum() and c not in '-_': raise Bad()", False),
    "each_character_told": ("for c in x:\n        if not c.isalnum(): print(c)", True),
    "first_characters": ("for c in x:\n        if not c.isalnum(): break", True),
    "own_fields": ("f = Form(x)\n    if not f.is_valid(): abort(400)\n    x = f.x", False),
    "own_fields_the_other_way": ("f = Form(x)\n    if f.is_valid(): abort(400)\n    x = f.x", True),
    "own_fields_there": ("f = Form(x)\n    if not f.is_there(): abort(400)\n    x = f.x", True),
    "flag_of_an_equal_one": (
        "ok = False\n    for o in OK:\n        if o != x: continue\n        ok = True\n    if not ok: return",
        False,
    ),
    "flag_set_whatever_comes": ("ok = False\n    for o in OK:\n        ok = True\n    if not ok: return", True),
    "message_or_none": ("e = problem(x)\n    if e is not None: return e", False),
    "no_message": ("e = problem(x)\n    if e is None: return e", True),
    "helper_that_raises": ("if x not in OK: stop('no')", False),
    "helper_that_may_raise": ("if x not in OK: warn('no')", True),
}
PHP = """<?php
function refuse($m) { header('HTTP/1.1 400'); exit; }
"""
PHP_CASES = {
    "each_character": ("foreach (str_split($x) as $c) { if (!ctype_alnum($c)) { die(); } }", False),
    "each_position": ("for ($i = 0; $i < strlen($x); $i++) { if (!ctype_alnum($x[$i])) { return; } }", False),
    "first_positions": ("for ($i = 0; $i < strlen($x); $i++) { if (!ctype_alnum($x[$i])) { break; } }", True),
    "helper_that_exits": ("if (!ctype_alnum($x)) { refuse('no'); }", False),
    "flag_of_an_equal_one": (
        "$ok = false; foreach (['a', 'b'] as $o) { if ($o === $x) { $ok = true; } } if (!$ok) { return; }",
        False,
    ),
    "one_of_constants": ("$ok = false; foreach (['a', 'b'] as $o) { if ($o === $x) { $ok = true; } }", True),
}
JAVASCRIPT = """const express = require('express'), assert = require('assert'), { execSync } = require('child_process');
const app = express();
const OK = ['a', 'b'];
function problem(v) { if (!OK.includes(v)) return 'bad'; return null; }
"""
JAVASCRIPT_CASES = {
    "some_equal": ("if (!OK.some(o => o === x)) return;", False),
    "every_character": ("if (!x.split('').every(c => OK.includes(c))) return;", False),
    "flag_of_an_equal_one": (
        "let ok = false; for (let i = 0; i < OK.length; i++) { if (OK[i] === x) ok = true; } if (!ok) return;",
        False,
    ),
    "asserted": ("assert(OK.includes(x));", False),
    "asserted_there": ("assert(x);", True),
    "matched_part": ("const m = /^id([a-z]+)$/.exec(x); if (!m) return; x = m[1];", False),
    "matched_anything": ("const m = /^([a-z]+)(.*)$/.exec(x); if (!m) return; x = m[2];", True),
    "message_or_null": ("if (problem(x) !== null) return;", False),
}
SINKS = {
    "java": 'Runtime.getRuntime().exec("ls " + x);',
    "python": 'os.system("ls " + x)',
    "php": 'system("ls " . $x);',
    "javascript": "execSync('ls ' + x);",
}
CASES = {"java": JAVA_CASES, "python": PYTHON_CASES, "php": PHP_CASES, "javascript": JAVASCRIPT_CASES}
HEADS = {"java": JAVA, "python": PYTHON, "php": PHP, "javascript": JAVASCRIPT}


@functools.cache
def told(language: str) -> frozenset[str]:
    bodies = {name: f"{check} {SINKS[language]}" for name, (check, _) in CASES[language].items()}
    if language == "python":
        bodies = {name: f"{check}\n    {SINKS[language]}" for name, (check, _) in CASES[language].items()}
    return frozenset(name for name, found in told_in(language, HEADS[language], bodies).items() if 78 in found)


@pytest.mark.parametrize(
    ("language", "case"), [(language, case) for language, cases in CASES.items() for case in cases]
)
def test_what_passed_a_check_is_told_only_if_the_check_lets_harm_pass(language: str, case: str) -> None:
    assert (case in told(language)) is CASES[language][case][1]
