"""Functions and packages without their callers: what a parameter may be, and which tests make it harmless."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Lines = Callable[[str, str, int], list[int]]
Guessed = Callable[..., list[str]]

# --- Java -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cwe", "body"),
    [
        (94, "Object run(String text) { return new GroovyShell().evaluate(text); }"),
        (917, "Object run(String text) throws Exception { return Ognl.getValue(text, this); }"),
        (502, "Object run(String text) { return new Yaml().load(text); }"),
        (502, "Object run(String text) { return new XStream().fromXML(text); }"),
    ],
)
def test_code_shown_without_its_imports_means_the_libraries_that_rules_know(weak: Guessed, cwe: int, body: str) -> None:
    assert weak(f"class Shown {{ public {body} }}", cwe, "java") == ["parameter `text` of `Shown.run`"]


def test_a_name_that_the_file_does_not_import_is_of_its_package(weak: Guessed) -> None:
    body = "class Shown { public Object run(String text) { return new GroovyShell().evaluate(text); } }"
    assert weak(f"package own;\n{body}", 94, "java") == []


def test_a_declared_type_is_known_whatever_the_value_comes_from(lines: Lines) -> None:
    code = """class Shown {
      void unpack(Archive archive, File dir) throws IOException {
        ZipEntry entry;
        while ((entry = archive.next()) != null) {
          FileOutputStream out = new FileOutputStream(new File(dir, entry.getName()));
        }
      }
    }"""
    assert lines("java", code, 22) == [5]


SLIP = """class Shown {
  void unpack(ZipEntry entry, File dir) throws IOException {
    String name = entry.getName();
    %s
    FileOutputStream out = new FileOutputStream(%s);
  }
}"""
OUTSIDE = 'new File(dir, name).getCanonicalPath().startsWith(dir.getCanonicalPath() + "/")'


@pytest.mark.parametrize(
    ("test", "opened", "found"),
    [
        ("", "new File(dir, name)", True),
        (f"File file = {OUTSIDE.partition('.')[0]}; if (!file{OUTSIDE[19:]}) throw new IOException();", "file", False),
        (f'if (name.indexOf("..") != -1 && !{OUTSIDE}) throw new IOException();', "new File(dir, name)", False),
        ('if (name.indexOf("..") != -1 && strict) throw new IOException();', "new File(dir, name)", True),
        ('if (name.contains("..") || name.startsWith("/")) throw new IOException();', "new File(dir, name)", False),
    ],
)
def test_either_of_two_tests_may_show_that_a_name_is_harmless(
    lines: Lines, test: str, opened: str, found: bool
) -> None:
    assert bool(lines("java", SLIP % (test, opened), 22)) is found


def test_a_file_that_the_caller_has_opened_or_chosen_is_no_name_from_outside(weak: Guessed) -> None:
    code = "class Shown { public void run(File dir, Path path, String name) { new FileInputStream(%s); } }"
    assert weak(code % "dir", 22, "java") == []
    assert weak(code % "path.toFile()", 22, "java") == []
    assert set(weak(code % "new File(dir, name)", 22, "java")) == {"parameter `name` of `Shown.run`"}


PARSER = """class Shown {
  %s DocumentBuilder parser() throws Exception {
    DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
    %s
    return factory.newDocumentBuilder();
  }
  private void harden(DocumentBuilderFactory factory) throws Exception {
    factory.setFeature("http://apache.org/xml/features/disallow-doctype-decl", true);
  }
}"""


@pytest.mark.parametrize(
    ("access", "step", "found"),
    [
        ("public", "", True),
        ("public", "harden(factory);", False),
        ("private", "", False),  # its callers are seen, and say whether a document is parsed
    ],
)
def test_a_public_function_does_not_give_out_a_parser_that_follows_entities(
    lines: Lines, access: str, step: str, found: bool
) -> None:
    assert bool(lines("java", PARSER % (access, step), 611)) is found


# --- JavaScript -------------------------------------------------------------------------------------------------------

EXEC = "const { exec, execFileSync, spawn } = require('child_process');\n"


@pytest.mark.parametrize(
    ("code", "sources"),
    [
        ("exports.run = (tool, file) => exec(tool + ' ' + file);", ["parameter `file` of `run`"]),
        ("exports.run = (tool, file) => exec([tool, '-i', file].join(' '));", ["parameter `file` of `run`"]),
        ("exports.run = (tool, file) => exec(`${tool} ${file}`);", ["parameter `file` of `run`"]),
        (
            "exports.run = (file) => spawn('convert', [file, 'out'], { shell: true });",
            ["parameter `file` of `run`"],
        ),
        ("exports.run = (command) => exec(command);", []),
        ("exports.run = (command) => exec(command + ' --version');", []),
    ],
)
def test_a_parameter_passed_on_whole_is_a_command_by_intention(weak: Guessed, code: str, sources: list[str]) -> None:
    assert weak(EXEC + code, 78, "javascript") == sources


CLASS = (
    EXEC
    + """class Player {
  constructor(file, options) { %s }
  play() { exec('play ' + this.file); }
}
module.exports = Player;"""
)


@pytest.mark.parametrize(
    ("maker", "found"),
    [
        ("this.file = file;", True),
        ("this.file = options.file || 'none';", True),
        ("const { file: name } = options; this.file = name;", True),
        ("this.file = 'song.mp3';", False),
        ("this.other = file;", False),
    ],
)
def test_a_field_that_the_constructor_takes_from_its_caller_is_a_weak_source(
    weak: Guessed, maker: str, found: bool
) -> None:
    assert weak(CLASS % maker, 78, "javascript") == (["field `file` of `Player.play`"] if found else [])


@pytest.mark.parametrize(
    "test",
    [
        "if (names.indexOf(name) === -1) return;",
        "if (names.indexOf(name) == -1) throw new Error();",
        "if (names.indexOf(name) < 0) return;",
        "if (names.includes(name) === false) return;",
    ],
)
def test_what_a_list_of_constants_holds_is_harmless(weak: Guessed, test: str) -> None:
    code = EXEC + f"const names = ['start', 'stop'];\nexports.run = (name) => {{ {test} exec('service ' + name); }};"
    assert weak(code, 78, "javascript") == []


def test_quotes_are_escaped_by_functions_of_the_program_too(weak: Guessed) -> None:
    code = (
        EXEC
        + """function quote(text) { return "'" + String(text).replace(/'/g, "'\\\\\\\\''") + "'"; }
    exports.run = (name) => exec('inspect ' + %s);"""
    )
    assert weak(code % "quote(name)", 78, "javascript") == []
    assert weak(code % "name", 78, "javascript") != []


FILES = "const fs = require('fs'), path = require('path');\n"


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("exports.read = (file) => fs.readFileSync(file);", False),
        ("exports.read = (dir, name) => fs.readFileSync(path.join(dir, name));", True),
        ("exports.read = (dir, name) => fs.readFileSync(dir + '/' + name);", True),
        (
            "exports.read = (dir, name) => { const p = path.join(dir, name); p.startsWith(dir) && fs.statSync(p); };",
            False,
        ),
    ],
)
def test_a_path_passed_on_whole_is_the_callers_choice_and_a_name_below_a_folder_is_not(
    weak: Guessed, code: str, found: bool
) -> None:
    assert bool(weak(FILES + code, 22, "javascript")) is found


SHOW = EXEC + "%s\nexports.run = (name) => { %s execSync('git show ' + name); };"
SAFE = "/^[a-z]+$/.test(text)"


@pytest.mark.parametrize(
    ("helper", "use", "found"),
    [
        (f"const fits = (text) => {SAFE};", "if (!fits(name)) return;", False),
        (f"function fits(text) {{ if (!text) return false; return {SAFE}; }}", "if (!fits(name)) return;", False),
        (f"function fits(text) {{ if ({SAFE}) return true; return false; }}", "if (!fits(name)) throw Error();", False),
        (f"function fits(text) {{ return {SAFE}; }}", "if (fits(name)) return;", True),
        (f"function fits(text, any) {{ return any || {SAFE}; }}", "if (!fits(name, this.any)) return;", True),
        (f"function checked(text) {{ if (!{SAFE}) throw Error(); return text; }}", "name = checked(name);", False),
        ("function same(text) { return text; }", "name = same(name);", True),
        ("class Names { fits(text) { return /^[a-z]+$/.test(text); } }", "if (!new Names().fits(name)) return;", False),
    ],
)
def test_a_test_may_be_a_function_of_the_program(weak: Guessed, helper: str, use: str, found: bool) -> None:
    code = (SHOW % (helper, use)).replace("{ exec,", "{ execSync, exec,")
    assert bool(weak(code, 78, "javascript")) is found


def test_a_test_may_be_a_method_of_the_program_in_java_and_python(weak: Guessed) -> None:
    java = """class Shown {
      private boolean inside(String name) { return !name.contains("..") && !name.startsWith("/"); }
      public void run(File dir, String name) throws IOException { %s new FileInputStream(new File(dir, name)); }
    }"""
    assert weak(java % "", 22, "java") != []
    assert weak(java % "if (!inside(name)) return;", 22, "java") == []
    python = """import os, re
def fits(name):
    return re.fullmatch('[a-z]+', name)
def run(name):
    %s
    os.system('ls ' + name)
"""
    assert weak(python % "pass", 78) != []
    assert weak(python % "if not fits(name): return", 78) == []


@pytest.mark.parametrize(
    "code",
    [
        (
            "module.exports = (function () { const cp = require('child_process');"
            " function run(file) { cp.exec('open ' + file); } return { run: run }; })();"
        ),
        (
            "var wrapped = function () { var exec = require('child_process').exec;"
            " return { run: function (file) { exec('open ' + file); } }; };\nmodule.exports = wrapped();"
        ),
        (
            "module.exports = function () { const cp = require('child_process');"
            " const open = (file) => cp.exec('open ' + file); return open; }();"
        ),
    ],
)
def test_what_a_wrapper_returns_is_exported(weak: Guessed, code: str) -> None:
    assert len(weak(code, 78, "javascript")) == 1


@pytest.mark.parametrize(
    ("test", "found"),
    [
        ("", True),
        ("if (path.relative(dir, file).startsWith('..')) return;", False),
        ("const rel = path.relative(dir, file); if (rel.startsWith('../')) throw Error();", False),
        ("if (path.relative(dir, file).startsWith('a')) return;", True),
    ],
)
def test_a_relative_path_that_does_not_go_up_stays_below_its_base(weak: Guessed, test: str, found: bool) -> None:
    code = (
        FILES + f"exports.read = (dir, name) => {{ const file = path.join(dir, name); {test} fs.readFileSync(file); }};"
    )
    assert bool(weak(code, 22, "javascript")) is found


def test_a_template_filled_by_replacement_is_text_with_data_in_it(weak: Guessed) -> None:
    assert weak(EXEC + "exports.run = (f) => exec('open {f}'.replace('{f}', f));", 78, "javascript") == [
        "parameter `f` of `run`"
    ]


REFUSING = """class Shown {
  private File dir;
  private void check(File file) throws IOException { %s }
  public void run(String name) throws IOException {
    File file = new File(dir, name);
    check(file);
    new FileInputStream(file);
  }
}"""


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ('if (!file.getCanonicalPath().startsWith(dir.getCanonicalPath() + "/")) throw new IOException();', False),
        ("if (file.isHidden()) throw new IOException();", True),
        ("log(file);", True),
    ],
)
def test_a_function_that_refuses_leaves_its_argument_checked(weak: Guessed, body: str, found: bool) -> None:
    opened = [text for text in weak(REFUSING % body, 22, "java") if "name" in text]
    assert bool(opened) is found


STREAM = """class Shown {
  static class Own extends ObjectInputStream {
    Own(InputStream in) throws IOException { super(in); }
    protected Class<?> resolveClass(ObjectStreamClass given) throws IOException, ClassNotFoundException { %s }
  }
  public Object run(InputStream in) throws Exception { return new Own(in).readObject(); }
}"""


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("return Class.forName(given.getName(), false, loader);", True),
        (
            "if (!known.contains(given.getName())) throw new IOException(); return super.resolveClass(given);",
            False,
        ),
        ("check(given.getName()); return super.resolveClass(given);", False),
    ],
)
def test_a_stream_that_only_loads_classes_elsewhere_refuses_none(weak: Guessed, body: str, found: bool) -> None:
    assert bool(weak(STREAM % body, 502, "java")) is found
