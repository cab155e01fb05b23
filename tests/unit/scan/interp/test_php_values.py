"""What PHP code does with data: names belong to the program, variables to functions, arrays are copied."""

# ruff: noqa: E501 - programs as text

from __future__ import annotations

import pytest

from glasshouse.scan.analysis import analyse
from glasshouse.scan.language.interface import LowerLimits
from glasshouse.scan.languages import front_end
from glasshouse.scan.rules.loader import load_rules

HEAD = """<?php
function run($s) { system('echo ' . $s); }
function fill(&$out, $value) { $out = $value; }
function two($s) { return ['first', $s]; }
function each_of(array $xs) { foreach ($xs as $x) { yield $x; } }
interface Named { public function name(); }
trait Loud { public function loud() { return $this->text . '!'; } }
class Plain implements Named {
    use Loud;
    public $text = 'plain';
    public static $last = 'none';
    const KIND = 'kind';
    public function __construct(string $text = '', private array $more = []) { $this->text = $text; }
    public function name() { return $this->text; }
    public function with($text) { $this->text = $text; return $this; }
    public static function make($text) { return new static($text); }
    public function more($key) { return $this->more[$key] ?? 'none'; }
    public function put(&$out, $value) { $out = $value; }
    public function __invoke($x) { return $x; }
}
class Child extends Plain {
    public function __construct($text) { parent::__construct($text); }
    public function name() { return 'child of ' . parent::name(); }
}
"""
REACHED = {
    "a text with variables in it": 'run("a {$data} b");',
    "a here document": "run(<<<T\na $data\nT);",
    "a chain of texts": "run('a' . 'b' . $data);",
    "a text that grows": "$s = 'a'; $s .= $data; run($s);",
    "a format": "run(sprintf('%s', $data));",
    "a property": "$o = new Plain($data); run($o->name());",
    "a property of a promoted parameter": "$o = new Plain('a', ['k' => $data]); run($o->more('k'));",
    "a constructor above": "$o = new Child($data); run($o->name());",
    "a method of a trait": "$o = new Plain($data); run($o->loud());",
    "a static method": "run(Plain::make($data)->text);",
    "a static property": "Plain::$last = $data; run(Plain::$last);",
    "a fluent method": "run((new Plain)->with($data)->name());",
    "an element": "$xs = ['a', $data]; run($xs[1]);",
    "an array that grows": "$xs = []; $xs[] = 'a'; $xs[] = $data; run($xs[1]);",
    "an array that comes to be": "$xs['a']['b'] = $data; run($xs['a']['b']);",
    "a list of targets": "[$a, $b] = two($data); run($b);",
    "a list with keys": "['k' => $b] = ['k' => $data]; run($b);",
    "a loop over pairs": "foreach (['a' => $data] as $k => $v) { run($v); }",
    "an argument by reference": "fill($out, $data); run($out);",
    "an argument that a method takes by reference": "$o = new Plain(); $o->put($out, $data); run($out);",
    "a variable that is another": "$a = 'x'; $b = &$a; $b = $data; run($a);",
    "a generator": "foreach (each_of([$data]) as $x) { run($x); }",
    "a closure with a captured variable": "$f = function () use ($data) { run($data); }; $f();",
    "an arrow function": "$f = fn($x) => $x . $data; run($f('a'));",
    "a function by name": "$f = 'run'; $f($data);",
    "a method by name": "$m = 'name'; $o = new Plain($data); run($o->$m());",
    "call_user_func": "call_user_func('run', $data);",
    "a callback": "array_map(function ($x) { run($x); }, [$data]);",
    "an object that is called": "$o = new Plain(); run($o($data));",
    "an arm of match": "run(match (true) { strlen($x) > 1 => $data, default => 'a' });",
    "a value in place of null": "run($missing ?? $data);",
    "a short conditional": "run($data ?: 'a');",
    "an exception's handler": "try { $s = $data; throw new Exception('x'); } catch (Exception $e) { run($s); }",
    "a case that falls through": "$s = 'a'; switch ($x) { case 1: $s = $data; case 2: run($s); }",
    "a variable by name": "$name = 'data'; run($$name);",
    "compact and extract": "$a = $data; $all = compact('a'); $a = 'x'; extract($all); run($a);",
    "a piece of a split text": "$p = explode(',', $data); run($p[0]);",
    "a joined array": "run(implode(' ', ['a', $data]));",
    "a match of a pattern": "preg_match('/x(.*)/', $data, $m); run($m[1]);",
    "what a null-safe call gives": "$o = new Plain($data); run($o?->name());",
    "quotes around data": "run(\"'$data'\");",
}
NOT_REACHED = {
    "a constant": "run('a');",
    "another element": "$xs = [$data, 'a']; run($xs[1]);",
    "another key": "$xs = ['a' => $data, 'b' => 'c']; run($xs['b']);",
    "a copy of an array": "$xs = ['a']; $ys = $xs; $ys[0] = $data; run($xs[0]);",
    "the first of two": "[$a, $b] = two($data); run($a);",
    "a number": "run((int) $data);",
    "a sum": "run($data + 0);",
    "a format for numbers": "run(sprintf('%d', $data));",
    "what was overwritten": "$s = $data; $s = 'a'; run($s);",
    "what was unset": "$s = $data; unset($s); run($s);",
    "a case that ends": "$s = 'a'; switch (1) { case 1: $s = 'b'; break; case 2: $s = $data; } run($s);",
    "a variable of another function": "function other() { run($data); } other();",
    "text that a pattern lets through": "if (preg_match('/^[a-z]+$/D', $data)) { run($data); }",
    "text that a pattern does not refuse": "if (!preg_match('/[^a-z]/', $data)) { run($data); }",
    "one of a list": "if (in_array($data, ['a', 'b'], true)) { run($data); }",
    "one of a list, tested the other way": "if (!in_array($data, ['a', 'b'])) { exit; } run($data);",
    "a key of a table": "$t = ['a' => 'b']; if (isset($t[$data])) { run($data); }",
    "a comparison": "if ($data === 'a') { run($data); }",
    "an arm of match with constants": "$s = match ($data) { 'a', 'b' => $data, default => 'c' }; run($s);",
    "text without other characters": "run(preg_replace('/[^a-z0-9]/', '', $data));",
    "a quoted word": "run(escapeshellarg($data));",
    "text whose quotes are gone, between quotes": "$s = str_replace(\"'\", '', $data); run(\"'$s'\");",
    "what validation gives": "run(filter_var($data, FILTER_VALIDATE_INT));",
    "what happens after the end": "if ($x) { die('no'); run($data); }",
    "an element that validation let through": "if (ctype_digit($_GET['n'])) { run($_GET['n']); }",
}


def flows(files: dict[str, str]) -> set[str]:
    lowered = [front_end("php").lower(code.encode(), path, LowerLimits()) for path, code in files.items()]
    assert not any(file.errors for file in lowered)
    analysis = analyse(lowered, {"php": load_rules(["php"])})
    assert analysis.problems == ()
    return {flow.rule.id for flow in analysis.flows}


def reaches(statements: str) -> bool:
    """Whether request data in ``$data`` reaches a shell."""
    return "php-command-injection" in flows({"a.php": f"{HEAD}$data = $_GET['d'];\n{statements}\n"})


@pytest.mark.parametrize("way", REACHED)
def test_data_reaches_the_shell_by(way: str) -> None:
    assert reaches(REACHED[way])


@pytest.mark.parametrize("way", NOT_REACHED)
def test_data_does_not_reach_the_shell_by(way: str) -> None:
    assert not reaches(NOT_REACHED[way])


def test_functions_and_classes_of_any_file_are_found_whatever_the_case() -> None:
    library = "<?php namespace App\\Tools; class Shell { static function go($s) { passthru($s); } } function ask() { return $_GET['q']; }"
    main = "<?php namespace App; use App\\Tools\\Shell as Sh; use function App\\Tools\\ask; sh::go(ASK());"
    assert flows({"lib/tools.php": library, "main.php": main}) == {"php-command-injection"}


def test_a_function_that_the_namespace_lacks_is_the_global_one() -> None:
    assert flows({"a.php": "<?php namespace App; passthru($_GET['q']);"}) == {"php-command-injection"}


def test_an_included_file_sees_the_variables_of_the_file_that_includes_it() -> None:
    main = "<?php $title = $_GET['t']; include __DIR__ . '/views/head.php';"
    view = "<html><title><?= $title ?></title>"
    assert flows({"web/main.php": main, "web/views/head.php": view}) == {"php-xss"}


def test_a_page_without_code_is_analysed() -> None:
    assert flows({"a.php": "<p>only a page</p>"}) == set()


def test_a_file_that_includes_itself_ends() -> None:
    assert flows({"a.php": "<?php include 'a.php'; include 'b.php';", "b.php": "<?php include 'a.php';"}) == set()


def test_files_that_all_include_one_another_are_analysed_whole() -> None:
    includes = "".join(f"include 'f{number}.php';\n" for number in range(20))
    files = {f"f{number}.php": f"<?php\n{includes}echo $_GET['x'];" for number in range(20)}
    assert flows(files) == {"php-xss"}  # and no file is reported as analysed only in part


def test_a_global_variable_and_a_constant_of_another_file_are_known() -> None:
    settings = "<?php define('TOOL', $_GET['tool']); $line = $_POST['line'];"
    main = "<?php function go() { global $line; system($line); } function stay() { system($line); } exec(TOOL);"
    found = flows({"settings.php": settings, "main.php": main})
    assert found == {"php-command-injection"}
    assert flows({"main.php": main}) == set()


ADDRESSES = {  # code that sends a request or the browser somewhere, and what is found
    "the whole address": ("curl_init($d);", "php-ssrf"),
    "the host": ("curl_init('https://' . $d);", "php-ssrf"),
    "the host behind an unknown scheme": ("curl_init($scheme . '://' . $d);", "php-ssrf"),
    "what follows the host": ("curl_init('https://a.example/' . $d);", ""),
    "what follows an unknown address": ("curl_init($base . $d);", ""),
    "a redirect": ("header('Location: ' . $d);", "php-open-redirect"),
    "a redirect put together before": ("$h = 'Location: '; $h .= $d; header($h);", "php-open-redirect"),
    "a redirect to a page of the own site": ("header('Location: index.php?next=' . $d);", ""),
    "a function's name": ("$d();", "php-dynamic-call"),
    "what a function gives that data names": ("echo call_user_func($d . '_pages', 1);", "php-dynamic-call"),
    "a function's name that begins so": ("$f = 'action_' . $d; $f();", ""),
}


@pytest.mark.parametrize("place", ADDRESSES)
def test_constant_text_in_front_decides_what_data_can_do(place: str) -> None:
    code, rule = ADDRESSES[place]
    assert flows({"a.php": f"<?php $d = $_GET['d'];\n{code}"}) == ({rule} if rule else set())


ESCAPED = {  # a statement or page, and whether escaped data does harm in it
    "a value between quotes": ("$db->query(\"SELECT * FROM t WHERE a = '$sql'\");", False),
    "a value without quotes": ('$db->query("SELECT * FROM t WHERE a = $sql");', True),
    "a name to sort by": ("$db->query('SELECT * FROM t ORDER BY ' . $sql);", True),
    "a statement that goes on": (
        '$q = "SELECT * FROM t WHERE a = \'" . $sql; $q .= "\' AND b = $sql"; $db->query($q);',
        True,
    ),
    "text of a page": ('echo "<p>$html</p>";', False),
    "an attribute between quotes": ("echo \"<p title='$html'>\";", False),
    "an attribute without quotes": ('echo "<p title=$html>";', True),
    "a handler of events": ("echo \"<p onclick='go($html)'>\";", True),
    "a script": ('echo "<script>x = $html</script>";', True),
    "after a script": ('echo "<script>x</script>$html";', False),
    "the start of an address": ("echo \"<a href='$html'>\";", True),
    "the rest of an address": ("echo \"<a href='/x?y=$html'>\";", False),
    "a page put together first": ('$p = "<p title=$html>"; echo $p;', True),
}


@pytest.mark.parametrize("place", ESCAPED)
def test_escaped_data_does_harm_only_outside_quotes(place: str) -> None:
    code, harm = ESCAPED[place]
    head = "<?php $sql = mysqli_real_escape_string($l, $_GET['a']); $html = htmlspecialchars($_GET['a'], ENT_QUOTES);\n"
    assert bool(flows({"a.php": head + code})) is harm


LARAVEL = """<?php
use Illuminate\\Database\\Eloquent\\Model;
use Illuminate\\Http\\Request;
class User extends Model { }
class UserController extends Controller {
    public function find(Request $request) { return BODY; }
}
"""
REQUESTS = {
    "User::whereRaw('name = ' . $request->name)->get()": {"php-sql-injection"},
    "User::whereRaw('name = ?', [$request->name])->get()": set(),
    "User::whereRaw('name = ' . $request['name'])->get()": {"php-sql-injection"},
    "User::whereRaw('id = ' . $request->integer('id'))->get()": set(),
}


@pytest.mark.parametrize("body", REQUESTS)
def test_fields_and_keys_of_a_request_are_data_and_models_build_statements(body: str) -> None:
    assert flows({"a.php": LARAVEL.replace("BODY", body)}) == REQUESTS[body]


HOSTS = {
    "if (!in_array(parse_url($u, PHP_URL_HOST), ['a.example.org'], true)) { exit; }": set(),
    "$h = parse_url($u, PHP_URL_HOST); if ($h !== 'a.example.org') { exit; }": set(),
    "$p = parse_url($u); if ($p['host'] !== 'a.example.org') { exit; }": set(),
    "$p = parse_url($u); if ($p['scheme'] !== 'https') { exit; }": {"php-ssrf"},
    "$k = 'x' . $u; if ($k !== 'xa') { exit; }": {"php-ssrf"},
    "if (true) { $k = \"$u/\"; if (isset($a[$k]) && $k === 'a/') { exit; } }": {"php-ssrf"},
}


@pytest.mark.parametrize("check", HOSTS)
def test_an_address_whose_host_was_allowed_leads_there(check: str) -> None:
    assert flows({"a.php": f"<?php $u = $_GET['u']; {check} $c = curl_init($u);"}) == HOSTS[check]
