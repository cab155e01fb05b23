"""What selects is not what is selected, a part is not the whole, and what unseen code may have filled is not empty."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from glasshouse.scan import ir
from glasshouse.scan.analysis import analyse
from glasshouse.scan.language.interface import LowerLimits
from glasshouse.scan.languages import front_end
from glasshouse.scan.rules.loader import load_rules

Lines = Callable[[str, str, int], list[int]]

JAVA = """import java.io.*;
import java.net.*;
import java.util.*;
import org.elsewhere.Filler;
class Service { Config config; String name = "a"; String command() { return name; } }
class Config { Home home; }
class Home { String path; Home(String path) { this.path = path; } }
class Watcher { String path; Watcher(String path) { this.path = path; } }
class Code {
  static URL[] of(String path) throws Exception { return new URL[] { new File(path).toURI().toURL() }; }
  public static void main(String[] args) throws Exception {
    String data = System.getProperty("x");
"""


@pytest.fixture
def runs(lines: Lines) -> Callable[[str], bool]:
    """``runs(code)``: whether Java code that has a system property in ``data`` runs it as a command."""
    return lambda code: bool(lines("java", JAVA + code + "\n}\n}\n", 78))


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("FileReader in = new FileReader(data); x = data;", True),
        ('InputStream in = Code.class.getResourceAsStream("/a" + data); x = Filler.text(in);', False),
        (
            "ClassLoader all = URLClassLoader.newInstance(of(data)); x = Filler.text(all.getResourceAsStream(y));",
            False,
        ),
        ("ResourceBundle all = ResourceBundle.getBundle(data); x = Filler.text(all);", False),
    ],
)
def test_the_content_of_a_resource_does_not_come_from_its_name(
    runs: Callable[[str], bool], code: str, expected: bool
) -> None:
    assert runs(f'String x = "", y = "/a"; {code} Runtime.getRuntime().exec(x);') is expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("x = Filler.text(new Home(data));", True),
        ("Config c = new Config(); c.home = new Home(data); x = Filler.text(c);", True),
        (
            "Service s = new Service(); s.config = new Config(); s.config.home = new Home(data); x = Filler.text(s);",
            False,
        ),
        ("Filler f = new Filler(); f.setWatcher(new Watcher(data)); x = f.text();", False),
        ("Filler f = new Filler(); f.setPath(data); x = f.text();", True),
    ],
)
def test_an_object_is_not_made_of_all_that_it_knows(runs: Callable[[str], bool], code: str, expected: bool) -> None:
    assert runs(f'String x = ""; {code} Runtime.getRuntime().exec(x);') is expected


FILLED_JAVA = [
    "Collections.addAll(items, new File(data).list()); for (String item : items) {0}",
    "Filler.fill(items); for (String item : items) {0}",
    "new Filler(items).run(); if (!items.isEmpty()) {0}",
    "Map<String, String> found = new HashMap<>(); Filler.fill(found); for (String item : found.keySet()) {0}",
]


@pytest.mark.parametrize("code", FILLED_JAVA)
def test_an_empty_java_collection_given_to_unseen_code_may_be_filled(runs: Callable[[str], bool], code: str) -> None:
    run = "Runtime.getRuntime().exec(data);"
    assert runs("List<String> items = new ArrayList<>(); " + code.replace("{0}", run))


def test_an_empty_java_collection_that_nobody_gets_stays_empty(runs: Callable[[str], bool]) -> None:
    assert not runs("List<String> items = new ArrayList<>(); for (String i : items) Runtime.getRuntime().exec(data);")


@pytest.mark.parametrize("empty", ["[]", "{}"])
def test_an_empty_python_collection_given_to_unseen_code_may_be_filled(
    reaches: Callable[[str], bool], empty: str
) -> None:
    assert reaches(
        f"import elsewhere\nitems = {empty}\nelsewhere.fill(items)\nfor item in items:\n    os.system(data)\n"
    )
    assert not reaches(f"items = {empty}\nfor item in items:\n    os.system(data)\n")


@pytest.mark.parametrize("empty", ["[]", "new Set()"])
def test_an_empty_javascript_collection_given_to_unseen_code_may_be_filled(lines: Lines, empty: str) -> None:
    code = (
        "const { execSync } = require('child_process'), elsewhere = require('elsewhere');\n"
        "require('express')().get('/', (req, res) => {\n"
        f"  const items = {empty};\n  FILL\n  for (const item of items) execSync(req.query.x);\n}});\n"
    )
    assert lines("javascript", code.replace("FILL", "elsewhere.load(items);"), 78)
    assert not lines("javascript", code.replace("FILL", ""), 78)


def test_only_names_of_archive_entries_make_a_zip_slip(lines: Lines) -> None:
    code = (
        "import java.io.*; import java.util.zip.*;\nclass Code {\n"
        "  void settings(File f) throws IOException {\n    BufferedReader in = new BufferedReader(new FileReader(f));\n"
        "    new File(in.readLine()).mkdirs();\n  }\n"
        "  void unpack(ZipInputStream zip, File to) throws IOException {\n"
        "    ZipEntry entry = zip.getNextEntry();\n    new File(to, entry.getName()).mkdirs();\n  }\n}\n"
    )  # fmt: skip
    file = front_end("java").lower(code.encode(), "Code.java", LowerLimits())
    analysis = analyse([file], {"java": load_rules(["java"])})
    assert [ir.unpack_span(flow.span)[0] for flow in analysis.flows if flow.rule.id == "java-zip-slip"] == [9]
