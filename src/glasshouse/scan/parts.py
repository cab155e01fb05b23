"""The roots of a large program, run in parts, each in a process of its own.

Every part sees the whole program, with all module bodies run; it makes the summaries it needs itself.  What a root
finds depends on the program only, so parts find together what one run over all roots finds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from glasshouse.scan import ir
from glasshouse.scan.analysis import Progress, interpreted, run_modules, run_roots
from glasshouse.scan.execute import Done, ExecutorLimits, available_cores
from glasshouse.scan.interp.machine import Machine
from glasshouse.scan.interp.units import STATE, SUMMARY, Unit
from glasshouse.scan.outcomes import DECODER, ENCODER, Outcome, outcome_of
from glasshouse.scan.program import Module

MAX_PARTS = 8


class Work(NamedTuple):
    """What forked workers find in their memory."""

    machine: Machine
    parts: list[list[Module]]  # and, after them, the state that all begin with


_work: list[Work] = []


def run(
    machine: Machine,
    progress: Progress | None,
    jobs: int,
    size: int,
    again: Callable[[], Machine],
    keep: Callable[[bytes], None] | None = None,
) -> list[Outcome]:
    """What all units of a program found.  The machine has run all modules; ``again`` makes another one like it.

    ``keep`` gets the state that running the modules left, as data (empty if it cannot be written).

    A program of more than one and a half times ``size`` instructions is run in parts of about ``size``.
    """
    parts = parts_of(machine, size)
    if len(parts) == 1:
        if keep is not None:
            keep(state_of(machine))
        run_roots(machine, parts[0], progress)
        return [outcome_of(machine, [machine.units.open[0], *own_units(machine, parts[0])])]
    found = [outcome_of(machine, machine.units.open)]
    before = machine.budget.cut
    for number, data in enumerate(outcomes(machine, parts, jobs, size, again, keep is not None)):
        if number == len(parts):
            assert keep is not None
            keep(data if isinstance(data, bytes) else b"")
            break
        if isinstance(data, bytes):
            part = DECODER.decode(data)
            part.cut -= before
            found.append(part)
        else:
            reason = f"the analysis of a part of the program ended: {data}"
            failed = {module.index: reason for module in parts[number]}
            found.append(Outcome([], [], failed, {}, 0, 0, False))
        if progress is not None:
            progress(number + 1, len(parts))
    return found


def parts_of(machine: Machine, size: int) -> list[list[Module]]:
    """Modules by part: neighbours together, each part about the same weight."""
    modules = interpreted(machine)
    sizes = [sum(machine.budget.size(fn) for fn in module.functions) for module in modules]
    count = max(1, min(MAX_PARTS, round(sum(sizes) / size)))
    found: list[list[Module]] = [[] for _ in range(count)]
    if count == 1:
        return [modules]
    weights = [machine.budget.weight(module) for module in modules]
    total = max(1, sum(weights))  # files may hold no instruction at all
    done = 0
    for module, weight in zip(modules, weights, strict=True):
        found[min(count - 1, done * count // max(total, 1))].append(module)
        done += weight
    return found


def outcomes(
    machine: Machine, parts: list[list[Module]], jobs: int, size: int, again: Callable[[], Machine], state: bool
) -> Iterator[bytes | str]:
    """What each part found, in order, and after them the state, if wanted; a text says why there is nothing."""
    from glasshouse.scan.worker_pool import WorkerPool, forks  # multiprocessing costs start-up time

    if not forks():  # processes that share no memory would have to be sent the program
        for number in range(len(parts)):
            other = again()
            run_modules(other)
            yield outcome(other, parts_of(other, size)[number])
        if state:
            yield state_of(machine)
        return
    _work[:] = [Work(machine, parts)]
    limits = ExecutorLimits(item_seconds=0, chunks_per_worker=1)
    try:
        with WorkerPool(jobs or available_cores(), limits) as pool:
            for item in pool.map_chunks(run_part, [[number] for number in range(len(parts) + state)]):
                yield item.value if isinstance(item, Done) else item.reason
    finally:
        _work.clear()


def run_part(number: int) -> bytes:
    """One part, in a process that was forked for it."""
    work = _work[0]
    if number == len(work.parts):
        return state_of(work.machine)
    return outcome(work.machine, work.parts[number])


def outcome(machine: Machine, modules: Sequence[Module]) -> bytes:
    """Run the roots of some modules; MessagePack of what there is to tell."""
    run_roots(machine, modules, None)
    return ENCODER.encode(outcome_of(machine, own_units(machine, modules)))


def state_of(machine: Machine) -> bytes:
    """The state that running the modules left, as MessagePack; empty if it cannot be written."""
    from glasshouse.scan.frozen import written

    return written(machine)


def own_units(machine: Machine, modules: Sequence[Module]) -> Iterator[Unit]:
    """Units of some modules, and those that are made only where they are wanted."""
    own = set(modules)
    for (kind, item), unit in machine.units.done.items():
        wanted = kind == STATE or (kind == SUMMARY and item.ir.kind not in ir.CALLED)
        if wanted or (item if item.__class__ is Module else item.module) in own:
            yield unit
