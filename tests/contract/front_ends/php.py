"""PHP."""

# ruff: noqa: E501 - programs as text

from __future__ import annotations

from tests.contract.front_ends.case import DEEP, Case

from glasshouse.scan.language.php import PhpFrontEnd

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

CASE = Case(
    PhpFrontEnd(),
    {"a.php": SAMPLE},
    "<?php function m() {\n%s\n}\n",
    NESTED,
    CHAINS,
    3_000,
    "<?php function t() { $x = [" + "1," * 20_000 + "1]; }\nfunction m() { f(); }",
    "<?php\nfunction a() { $x = = ; }\nfunction b() { f(); }\n",
)
