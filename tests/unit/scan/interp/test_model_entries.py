"""Calls that the models name as making data harmless, or as passing it on: each beside a twin without it."""

from __future__ import annotations

import functools

import pytest
from tests.unit.scan.interp.many import told_in

SQL, COMMAND, XSS, PATH, REDIRECT, SSRF, HEADER, CODE, XPATH, ZIP = 89, 78, 79, 22, 601, 918, 113, 94, 643, 22

HEADS = {
    "java": """import java.io.*; import java.net.*; import java.sql.*; import java.util.*;
import javax.servlet.http.*; import javax.xml.xpath.*; import org.owasp.esapi.*; import org.apache.commons.lang3.*;
import org.springframework.web.bind.annotation.*;
@RestController public class Code {
  Connection db; HttpServletResponse response; Validator validator; Encoder encoder; XPath xpath; Hosts hosts;
""",
    "python": """import asyncio, os, base64, email.utils, pathvalidate
from bson import ObjectId
from flask import Flask, request, Response
app = Flask(__name__)
def command(text): os.system(text)
""",
    "php": "<?php\n",
    "javascript": """const express = require('express'), { execSync } = require('child_process'), fs = require('fs');
const ssrfcheck = require('ssrfcheck'), inside = require('is-path-inside'), axios = require('axios');
const app = express();
""",
}
SINKS = {
    ("java", SQL): 'db.createStatement().executeQuery("select 1 from t where a = \'" + x + "\'");',
    ("java", COMMAND): 'Runtime.getRuntime().exec("ls " + x);',
    ("java", PATH): 'new FileInputStream("/srv/" + x);',
    ("java", REDIRECT): "response.sendRedirect(x);",
    ("java", XPATH): 'xpath.evaluate("//a[b=\'" + x + "\']", response);',
    ("python", COMMAND): 'os.system("ls " + x)',
    ("python", PATH): 'open("/srv/" + x)',
    ("php", COMMAND): 'system("ls " . $x);',
    ("php", PATH): 'readfile("/srv/" . $x);',
    ("php", CODE): 'eval("return " . $x . ";");',
    ("php", XSS): 'echo "<p>" . $x . "</p>";',
    ("php", REDIRECT): 'header("Location: " . $x);',
    ("php", SQL): 'mysqli_query($db, "select 1 from t order by " . $x);',
    ("javascript", COMMAND): "execSync('ls ' + x);",
    ("javascript", PATH): "fs.readFileSync('/srv/' + x, () => 0);",
    ("javascript", SSRF): "axios.get(x);",
}
CASES = {  # language, weakness, what is done to the data first, whether it is told
    ("java", SQL, "x = encoder.encodeForSQL(null, x);"): False,
    ("java", SQL, "x = encoder.encodeForXPath(x);"): True,
    ("java", XPATH, "x = encoder.encodeForXPath(x);"): False,
    ("java", XPATH, "x = encoder.encodeForOS(null, x);"): True,
    ("java", COMMAND, "x = encoder.encodeForOS(null, x);"): False,
    ("java", COMMAND, "x = Base64.getEncoder().encodeToString(x.getBytes());"): False,
    ("java", COMMAND, "x = new String(Base64.getDecoder().decode(x));"): True,
    ("java", PATH, 'x = validator.getValidFileName("n", x, null, false);'): False,
    ("java", PATH, 'if (!validator.isValidInput("n", x, "t", 9, false)) return null;'): False,
    ("java", PATH, 'if (validator.isValidInput("n", x, "t", 9, false)) return null;'): True,
    ("java", COMMAND, "if (!StringUtils.isAlphanumeric(x)) return null;"): False,
    ("java", COMMAND, "if (StringUtils.isAlphanumeric(x)) return null;"): True,
    ("java", COMMAND, "if (!StringUtils.isNotBlank(x)) return null;"): True,
    ("java", PATH, "if (!hosts.isAllowed(x)) return null;"): False,
    ("java", PATH, "if (hosts.isAllowed(x)) return null;"): True,
    ("java", REDIRECT, "if (new URI(x).isAbsolute()) return null;"): False,
    ("java", COMMAND, 'x = Optional.of(x).orElseGet(() -> "a");'): True,
    ("python", COMMAND, "x = str(ObjectId(x))"): False,
    ("python", COMMAND, "x = str(dict(a=x))"): True,
    ("python", PATH, "if not pathvalidate.is_valid_filename(x): return"): False,
    ("python", PATH, "if pathvalidate.is_valid_filename(x): return"): True,
    ("php", COMMAND, "$x = escapeshellcmd($x);"): False,
    ("php", CODE, "$x = var_export($x, true);"): False,
    ("php", CODE, "$x = trim($x);"): True,
    ("php", COMMAND, "$x = filter_input(INPUT_GET, 'x', FILTER_VALIDATE_INT);"): False,
    ("php", COMMAND, "$x = filter_input(INPUT_GET, 'x', FILTER_SANITIZE_STRING);"): True,
    ("php", XSS, "$x = filter_input(INPUT_GET, 'x', FILTER_SANITIZE_SPECIAL_CHARS);"): False,
    ("php", PATH, "if (validate_file($x) !== 0) { return; }"): False,
    ("php", PATH, "if (validate_file($x)) { return; }"): False,
    ("php", PATH, "if (!validate_file($x)) { return; }"): True,
    ("php", PATH, "if (!file_exists($x)) { return; }"): True,
    ("php", COMMAND, "$x = sanitize_key($x);"): False,
    ("php", PATH, "$x = sanitize_file_name($x);"): False,
    ("php", COMMAND, "$x = wp_unslash($x);"): True,
    ("php", REDIRECT, "$x = wp_validate_redirect($x);"): False,
    ("php", SQL, "$x = sanitize_sql_orderby($x);"): False,
    ("php", COMMAND, "$x = wp_insert_post($x);"): False,
    ("php", COMMAND, "$x = get_taxonomy($x)->name;"): False,
    ("php", XSS, "$y = load($x); if (!is_wp_error($y)) { return; } $x = $y->get_error_message();"): False,
    ("php", XSS, "$y = load($x); if (is_wp_error($y)) { return; } $x = $y->get_error_message();"): True,
    ("php", REDIRECT, "$x = add_query_arg('a', $x, admin_url('a.php'));"): False,
    ("php", REDIRECT, "$x = add_query_arg(array('a' => $x), 'upload.php');"): False,
    ("php", REDIRECT, "$x = add_query_arg('a', 'b', $x);"): True,
    ("php", XSS, "$x = add_query_arg('a', $x, 'upload.php');"): True,
    ("javascript", SSRF, "if (!ssrfcheck.isSSRFSafeURL(x)) return;"): False,
    ("javascript", SSRF, "if (ssrfcheck.isSSRFSafeURL(x)) return;"): True,
    ("javascript", PATH, "if (!inside(x, '/srv')) return;"): False,
    ("javascript", PATH, "if (inside(x, '/srv')) return;"): True,
    ("javascript", COMMAND, "x = btoa(x);"): False,
    ("javascript", COMMAND, "x = atob(x);"): True,
    ("javascript", COMMAND, "if (isNaN(x)) return;"): False,
    ("javascript", COMMAND, "if (!isNaN(x)) return;"): True,
    ("javascript", COMMAND, "if (!Number.isInteger(x)) return;"): False,
    ("javascript", COMMAND, "x = [x].flatMap(y => [y]).join(' ');"): True,
    ("javascript", COMMAND, "const o = {}; Object.defineProperty(o, 'a', { value: x }); x = o.a;"): True,
}  # fmt: skip


@functools.cache
def told(language: str) -> dict[str, set[int]]:
    between = "\n    " if language == "python" else " "
    bodies = {
        f"c{number}": f"{done}{between}{SINKS[language, weakness]}"
        for number, (named, weakness, done) in enumerate(CASES)
        if named == language
    }
    return told_in(language, HEADS[language], bodies)


@pytest.mark.parametrize("number", range(len(CASES)), ids=[f"{a}-{b}-{c}" for a, b, c in CASES])
def test_a_call_that_a_model_names_does_what_the_model_says(number: int) -> None:
    language, weakness, _ = list(CASES)[number]
    assert (weakness in told(language)[f"c{number}"]) is list(CASES.values())[number]
