"""What the analysis of one program may cost: steps for each module, and how deep calls nest.

Steps are counted, never timed, so that the same program gives the same result on every machine.  A root (a module
body, an entry point, a summary) has a limit of its own; the roots of one module together have the module's allowance,
and when that is used up, each further root gets only what one plain pass over its own code takes.
"""

from __future__ import annotations

from glasshouse.scan import ir
from glasshouse.scan.bodies import NESTING, blocks_of
from glasshouse.scan.program import Fn, Module

MODULE_BASE_STEPS = 80_000  # real files need up to 60,000
MODULE_STEPS_PER_INSTRUCTION = 20  # on top; real files above the base need up to 32 in all
LAST_STEPS = 400  # for a root of a module that has used up its allowance, and 4 for each of its instructions
MAX_FRAMES = 40_000  # Python frames of nested calls; must stay well below the recursion limit that is set
CALL_FRAMES = 20  # Python frames from one interpreted function to the next, at most
METHOD_CALL = 10  # instructions that one more call of a method is worth: measured, in three languages
BLOCK_FRAMES = 4  # Python frames of one nested block, at most


class Budget:
    """Steps spent by module, and the Python frames in use.  ``cut`` counts calls that were not followed for depth."""

    __slots__ = ("_allowances", "_shapes", "cut", "deepest", "exhausted", "frames", "spent")

    def __init__(self) -> None:
        self.frames = 0
        self.deepest = 0  # frames that have been in use at once
        self.cut = 0
        self.exhausted: dict[Module, int] = {}  # with the number of roots that were cut short
        self.spent: dict[Module, int] = {}
        self._allowances: dict[Module, int] = {}
        self._shapes: dict[Fn, tuple[int, int, int]] = {}

    def size(self, fn: Fn) -> int:
        """Instructions of the function's body."""
        return self._shape(fn)[0]

    def height(self, fn: Fn) -> int:
        """Python frames that one activation of the function takes at most, without the calls it makes."""
        return self._shape(fn)[1]

    def weight(self, module: Module) -> int:
        """What running a module's functions costs, about, as a number of instructions."""
        return sum(size + METHOD_CALL * calls for size, _, calls in map(self._shape, module.functions))

    def enter(self, height: int) -> None:
        """An activation begins."""
        frames = self.frames = self.frames + height
        if frames > self.deepest:
            self.deepest = frames

    def fits(self, fn: Fn) -> bool:
        """Whether one more activation is within the depth; counts those that are not."""
        if self.frames + self.height(fn) <= MAX_FRAMES:
            return True
        self.cut += 1
        return False

    def limit(self, fn: Fn, wanted: int) -> int:
        """Steps for a root: what is wanted, as far as the module's allowance goes."""
        spent = self.spent.get(fn.module, 0)
        if spent + wanted <= MODULE_BASE_STEPS:
            return wanted
        left = self.allowance(fn.module) - spent
        return max(min(wanted, left), LAST_STEPS + 4 * self.size(fn))

    def spend(self, fn: Fn, steps: int, capped: bool) -> None:
        """A root is done."""
        module = fn.module
        spent = self.spent[module] = self.spent.get(module, 0) + steps
        if capped and spent > MODULE_BASE_STEPS and spent >= self.allowance(module):
            self.exhausted[module] = self.exhausted.get(module, 0) + 1

    def allowance(self, module: Module) -> int:
        """Steps that the roots of a module may take together."""
        found = self._allowances.get(module)
        if found is None:
            instructions = sum(self.size(fn) for fn in module.functions)
            found = MODULE_BASE_STEPS + MODULE_STEPS_PER_INSTRUCTION * instructions
            self._allowances[module] = found
        return found

    def _shape(self, fn: Fn) -> tuple[int, int, int]:
        found = self._shapes.get(fn)
        if found is None:
            size, depth, calls = shape(fn.ir.body)
            found = self._shapes[fn] = size, CALL_FRAMES + BLOCK_FRAMES * depth, calls
        return found


def shape(body: ir.Block) -> tuple[int, int, int]:
    """Instructions of a block and the blocks inside it, how deep these nest, and how many call methods."""
    total = depth = calls = 0
    level = [body]
    while level:
        depth += 1
        inner: list[ir.Block] = []
        for block in level:
            total += len(block)
            for ins in block:
                op = ins[0]
                if op == ir.CALL_METHOD:
                    calls += 1
                elif op in NESTING:
                    inner.extend(blocks_of(ins))
        level = inner
    return total, depth, calls
