"""The PHP front end on broken, huge and deep input: it never raises, and what it leaves out it says."""

# ruff: noqa: E501 - programs as text

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glasshouse.scan import ir
from glasshouse.scan.ir import File, Function
from glasshouse.scan.language.interface import LowerLimits
from glasshouse.scan.language.php import PhpFrontEnd

FRONT_END = PhpFrontEnd()
DEEP = 50_000
WRITES = {
    ir.ATTR,
    ir.ITEM,
    ir.CALL,
    ir.CALL_METHOD,
    ir.NEW,
    ir.BINOP,
    ir.UNOP,
    ir.MAKE,
    ir.CLOSURE,
    ir.CAST,
    ir.TEMPLATE,
}
SAMPLE = rb"""<!doctype html><p title="<?= $a, $b ?>"><?php
namespace App; use Foo\Bar as Baz; use Q\{A, B as C}; use function X\y; const Z = 1; declare(strict_types=1);
$a = $_GET['x'] ?? "d"; $b = &$a; [$p, 'k' => $q] = f(); list($m, , $n) = g(); $s .= 'y'; $t ??= 2;
echo "hi $a {$b['k']} ${c} $o->p $r[0] {$o->m()}\n", 'x\'y', `ls $a`; print $a;
$h = <<<EOT
 Hello $a
EOT;
function &foo(int $x, ?string &$y = null, string|int ...$rest): array { static $k = 1; global $db; return [$x, ...$rest, 'a' => $y]; }
$f = function ($x) use ($a, &$b): void { yield $x; yield 'k' => $x; yield from g(); }; $g = static fn(int $x): int => $x + 1;
#[Route('/x', methods: ['GET'])]
abstract class K extends \Base implements I, J { use T1, T2 { foo as bar; } const A = 1; private static ?int $s = 1; public $f = [1];
  public function __construct(private readonly string $n, $m = 2) {} abstract function z();
  static function st() { return static::A . self::$s . parent::x() . new static; } }
interface I2 extends I {} trait T {} enum Suit: string { case H = 'h'; public static function q() {} }
$r = match(true) { $a > 1, $b => 'x', default => throw new E }; $o?->x?->y(); $cls::$s; $o->$prop; $o->{$x . 'y'}(); $fn(...$args, name: 3);
include 'a.php'; require_once __DIR__ . '/b.php'; try { throw new E; } catch (A | B $e) { } finally { }
foreach ($x as $k => &$v): ?> <b class=<?= $v ?>></b> <?php endforeach; foreach ($x as [$d, $e]) { continue; }
if ($a): elseif ($b): else: endif; if ($a) x(); elseif ($b) y(); else if ($c) z(); else w();
for ($i = 0, $j = 1; $i < 3; $i++) { while (1): break 2; endwhile; } do { } while ($a); switch ($a) { case 1: break; default: continue 2; }
$x = (int) $a; @f(); exit($a); unset($a[1]); isset($a['x'], $b); empty($a); clone $o; $a instanceof K; $$v = ${'a' . $b};
!$a and $b or $c xor $d; goto end; end: $y = new class($a) extends K { }; $a ?: $b; --$j; $a['x'][]['y'] = &$z; $o->a->b['c'] = 1;
preg_match('/x/', $a, $m); array_push($xs, 1, 2); fill($a); define('N', 2); compact('a'); printf("%s", $a); foo(...); eval($x);
?> tail
"""
NESTED = {
    "parentheses": "$x = " + "(" * DEEP + "1" + ")" * DEEP + ";",
    "blocks": "{" * DEEP + "}" * DEEP,
    "branches": "if ($a) {" * DEEP + "}" * DEEP,
    "calls": "$x = " + "f(" * DEEP + ")" * DEEP + ";",
    "closures": "$x = " + "function () { return " * 5_000 + "1" + ";}" * 5_000 + ";",
    "arrays": "$x = " + "[" * DEEP + "]" * DEEP + ";",
    "lists": "[" * 5_000 + "$a" + "]" * 5_000 + " = $x;",
    "variables by name": "$x = " + "$" * DEEP + "p;",
}
CHAINS = {
    "method calls": "$a" + "->b()" * DEEP + ";",
    "properties": "$x = $a" + "->b" * DEEP + ";",
    "elements": "$x = $a" + "[1]" * DEEP + ";",
    "sums": "$x = $a" + " + $a" * DEEP + ";",
    "texts": "$x = $a" + " . $a" * 1_500 + ";",
    "else-if arms": "if ($a) { b(); } else " * 5_000 + "{ c(); }",
}


def lower(code: str, limits: LowerLimits | None = None) -> File:
    return FRONT_END.lower(code.encode(), "a.php", limits or LowerLimits())


def inside(statements: str) -> str:
    return "<?php function m() {\n" + statements + "\n}\n"


def encoded(file: File) -> bytes:
    return msgspec.msgpack.encode(file)


def function(file: File, name: str) -> Function:
    return next(each for each in file.functions if each.name == name)


@pytest.mark.parametrize("kind", NESTED)
def test_deep_nesting_is_cut_with_a_note(kind: str) -> None:
    file = lower(inside(NESTED[kind]))
    assert any("nesting limit" in note for note in file.notes) or file.errors
    assert msgspec.msgpack.decode(encoded(file), type=File) == file


@pytest.mark.parametrize("kind", CHAINS)
def test_long_chains_are_lowered_whole(kind: str) -> None:
    file = lower(inside(CHAINS[kind]))
    assert file.notes == []
    assert len(encoded(file)) > 3_000


def test_a_huge_table_caps_its_function_and_the_next_function_is_whole() -> None:
    limits = LowerLimits(max_function_nodes=1_000)
    file = lower("<?php function t() { $x = [" + "1," * 20_000 + "1]; }\nfunction m() { f(); }", limits)
    assert function(file, "t").capped
    assert not function(file, "m").capped
    assert [instruction[0] for instruction in function(file, "m").body] == [ir.CALL]


def test_the_time_limit_ends_lowering() -> None:
    file = lower(inside("f();\n" * 1_000), LowerLimits(max_seconds=-1.0))
    assert any("time limit" in note for note in file.notes)


def test_a_syntax_error_is_reported_and_the_rest_is_lowered() -> None:
    file = lower("<?php\nfunction a() { $x = = ; }\nfunction b() { f(); }\n")
    assert [ir.unpack_span(span)[0] for span in file.errors][:1] == [2]
    assert [instruction[0] for instruction in function(file, "b").body] == [ir.CALL]


def test_methods_of_a_class_that_does_not_parse_are_lowered_with_it() -> None:
    file = lower(
        "<?php\nclass K { public $a = 1; function b() { f(); }\nfunction c() { if ($x { } }\nfunction d() { g(); }\n"
    )
    assert file.errors
    assert function(file, "b").cls == 0
    assert [cls.name for cls in file.classes] == ["K"]


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_mutated_source_never_raises_and_can_be_encoded(data: st.DataObject) -> None:
    source = bytearray(SAMPLE)
    for _ in range(data.draw(st.integers(1, 6))):
        start = data.draw(st.integers(0, len(source)))
        end = min(len(source), start + data.draw(st.integers(0, 30)))
        change = data.draw(st.sampled_from(["delete", "duplicate", "insert", "truncate", "move"]))
        if change == "delete":
            del source[start:end]
        elif change == "duplicate":
            source[start:start] = source[start:end]
        elif change == "insert":
            source[start:start] = data.draw(st.text(max_size=6)).encode("utf-8", "replace")
        elif change == "truncate":
            del source[start:]
        else:
            source += source[start:end]
    file = FRONT_END.lower(bytes(source).decode("utf-8", "replace").encode(), "a.php", LowerLimits())
    assert msgspec.msgpack.decode(encoded(file), type=File) == file


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_give_a_file(source: bytes) -> None:
    encoded(FRONT_END.lower(source.decode("utf-8", "replace").encode(), "a.php", LowerLimits()))


def test_lowering_is_deterministic() -> None:
    assert encoded(FRONT_END.lower(SAMPLE, "a.php", LowerLimits())) == encoded(
        FRONT_END.lower(SAMPLE, "a.php", LowerLimits())
    )


def written_temporaries(block: list[Any]) -> Iterator[int]:
    """The temporaries that the instructions of a block (and of the blocks in it) write."""
    for instruction in block:
        if instruction[0] in WRITES and isinstance(instruction[2], int):
            yield instruction[2]
        for field in instruction[2:]:
            if isinstance(field, list):
                yield from nested_temporaries(field)


def nested_temporaries(field: list[Any]) -> Iterator[int]:
    if field and isinstance(field[0], list) and len(field[0]) > 2 and isinstance(field[0][0], int):
        yield from written_temporaries(field)
        return
    for part in field:
        if isinstance(part, list):
            yield from nested_temporaries(part)


def test_every_temporary_is_written_by_one_instruction() -> None:
    for each in FRONT_END.lower(SAMPLE, "a.php", LowerLimits()).functions:
        written = list(written_temporaries(each.body))
        assert len(written) == len(set(written)), each.qualname
