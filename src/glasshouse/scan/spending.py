"""Whether an outcome can be used after an edit, seen from what the analysis may cost.

Every unit says how many steps it took, and for which module.  As long as all units of a module together, and what was
dropped on the way because of cycles, stay within its allowance, no limit was met in whatever order they ran.  Units of
a module that is *over* its allowance depend on that order: they, and all that use them, can only stay as they are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from itertools import chain

from glasshouse.scan.interp.budget import MAX_FRAMES, MODULE_BASE_STEPS
from glasshouse.scan.interp.machine import Machine
from glasshouse.scan.interp.units import MODULES, most_remade
from glasshouse.scan.outcomes import Outcome, UnitRow

BASE = MODULES  # the number of the unit that runs all modules


def reusable(machine: Machine, outcomes: Sequence[Outcome], rows: Sequence[UnitRow]) -> bool:
    """Whether something can be made of the outcomes (with these units, each once) after an edit.

    The depth of calls depends on the order of units: twice as much must fit.
    """
    for outcome in outcomes:
        if not outcome.settled or outcome.failed or outcome.cut or 2 * outcome.deepest > MAX_FRAMES:
            return False
    functions = sum(len(module.functions) for module in machine.program.modules)
    return sum(row.details.remade for row in rows if row.details is not None) <= most_remade(functions)


def modules_over(machine: Machine, rows: Iterable[UnitRow], exhausted: Iterable[int]) -> list[int]:
    """Modules whose units may have been cut short, or could be in another order; those that were are ``exhausted``."""
    spent: dict[int, int] = defaultdict(int)
    for row in rows:
        for index, steps in row.cost.items():
            spent[index] += steps
        if row.details is not None:
            for index, steps in row.details.dropped.items():
                spent[index] += 2 * steps
    modules, budget = machine.program.modules, machine.budget
    over = set(exhausted)
    over.update(
        index
        for index, steps in spent.items()
        if steps > MODULE_BASE_STEPS and steps > budget.allowance(modules[index])
    )
    return sorted(over)


def of_modules(rows: Collection[UnitRow], modules: Iterable[int]) -> list[int]:
    """The units that took steps for some of the modules."""
    wanted = set(modules)
    if not wanted:
        return []
    dropped = {row.key: row.details.dropped for row in rows if row.details is not None}
    return [row.key for row in rows if not wanted.isdisjoint(chain(row.cost, dropped.get(row.key, ())))]
