"""Calls: what library functions do, functions of the same file, and functions nobody knows."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from glasshouse.scan import ir
from glasshouse.scan.memory import (
    api,
    bounds,
    extremes,
    lengths,
    lifetime,
    misuse,
    objects,
    printing,
    reading,
    refine,
    suggest,
)
from glasshouse.scan.memory.evaluate import havoc, read, region_of, write
from glasshouse.scan.memory.following import interesting
from glasshouse.scan.memory.names import ALL, element_type
from glasshouse.scan.memory.values import (
    FREED,
    GONE,
    LIVE,
    MAYBE,
    NONNULL,
    NOWHERE,
    NUMBERS,
    STRONG,
    Region,
    State,
    V,
    of_number,
    symbol,
)

if TYPE_CHECKING:
    from glasshouse.scan.memory.engine import Engine
    from glasshouse.scan.memory.program import FunctionFacts


class Call:
    """One call with its arguments evaluated."""

    __slots__ = ("args", "name", "operands", "span", "target")

    def __init__(self, name: str, operands: list[Any], args: list[V], span: int, target: Any) -> None:
        self.name = name
        self.operands = operands
        self.args = args
        self.span = span
        self.target = target

    def arg(self, number: int) -> V:
        return self.args[number] if 0 <= number < len(self.args) else V()

    def operand(self, number: int) -> Any:
        return self.operands[number] if 0 <= number < len(self.operands) else NOWHERE


METHOD_LOCKS = {"lock": "unlock", "unlock": "unlock", "lock_shared": "unlock_shared", "unlock_shared": "unlock_shared"}
Effect = Callable[["Engine", State, Call], "V | None"]


def call(engine: Engine, ins: ir.Instr, state: State) -> list[State]:
    """Run a call instruction; the states after it (none when it does not return)."""
    if ins[0] == ir.CALL_METHOD:
        _, span, target, obj, name, operands, _ = ins
        base = read(engine, state, obj, span)
        lifetime.dereference(engine, state, base, obj, span)
        if name.isupper():
            suggest.macro_writes(engine, state, name, operands)  # a macro that makes the name of a field
        args = [read(engine, state, operand, span) for operand in operands]
        if name in METHOD_LOCKS and not args:
            made = Call(METHOD_LOCKS[name], [obj], [base], span, target)
            (misuse.take_method if name.startswith("lock") else misuse.drop_lock)(engine, state, made)
        state.temps[target] = method(engine, state, base, name, args)
        return [state]
    _, span, target, callee, operands, _ = ins
    name = callee if callee.__class__ is str else ""
    suggest.macro_writes(engine, state, name, operands)
    args = [read(engine, state, operand, span) for operand in operands]
    if not name:
        state.temps[target] = unknown_call(engine, state, Call("", operands, args, span, target))
        return [state]
    name, operands, args = resolve(engine, state, name, operands, args)
    return dispatch(engine, state, Call(name, operands, args, span, target))


def resolve(
    engine: Engine, state: State, name: str, operands: list[Any], args: list[V]
) -> tuple[str, list[Any], list[V]]:
    """Macros that stand for another function, and variables that hold one."""
    for _ in range(5):
        macro = engine.facts.macros.get(name)
        if macro is None:
            break
        name, slots = macro
        if slots is not None:
            chosen = [int(slot) if slot.isdigit() and int(slot) < len(operands) else None for slot in slots]
            operands = [NOWHERE if at is None else operands[at] for at in chosen]
            args = [V() if at is None else args[at] for at in chosen]
    held = state.env.get(name)
    if held is not None and held.func:
        name = held.func
    return name, operands, args


def dispatch(engine: Engine, state: State, made: Call) -> list[State]:
    name = made.name
    callee = engine.facts.callee(name)
    if name in api.NO_RETURN and name not in engine.facts.by_name:
        return []
    own = callee is not None and callee.owner is engine.facts
    if (callee is not None and callee.never_returns) or (not own and suggest.never_returns(name)):
        return []
    if callee is None and name in engine.facts.ends:
        return []
    if suggest.checks(name):
        for operand in made.operands:
            refine.looked_at(engine, state, operand)
    if made.operands and (name in api.ASSERTS or suggest.asserts(name)):
        holds = not name.startswith("BUG") and not name.startswith("BUILD")
        after = refine.assume(engine, state, made.operands[0], holds, True)
        return [after] if after is not None else []
    if callee is None and "::" in name and name.removeprefix("std").startswith("::"):
        short = name.rpartition("::")[2]
        if short in misuse.SINKS or short in EFFECTS:
            name = made.name = short
    misuse.at_call(engine, state, made)
    effect = EFFECTS.get(name)
    if effect is None and callee is None and "::" in name:
        name = name.rpartition("::")[2]
        effect = EFFECTS.get(name)
        if effect is not None:
            made.name = name
    if callee is not None and followed(engine, callee, effect):
        if not own:
            for number, value in enumerate(made.args):
                used_freed(engine, state, value, made.operand(number), made.span)
        results = engine.inline(callee, state, made) if interesting(state, made, callee) else None
        if results is not None:
            states = []
            for after, value in results:
                after.temps[made.target] = value
                states.append(after)
            return states
        if effect is None:
            state.temps[made.target] = unknown_call(engine, state, made)
            return [state]
    if effect is not None:
        result = effect(engine, state, made)
        state.temps[made.target] = result if result is not None else V()
        return [state]
    state.temps[made.target] = unknown_call(engine, state, made)
    return [state]


def followed(engine: Engine, callee: FunctionFacts, effect: Effect | None) -> bool:
    """Whether a function is taken for what its text says; one of another file only if its name is not known."""
    if effect is None:
        return True
    return callee.owner is engine.facts and callee.function is not engine.frame.function


def unknown_call(engine: Engine, state: State, made: Call) -> V:
    """A function of which nothing is known: it may write what it can reach, and keep what it is given."""
    if engine.frame.measured and made.args:
        pointer = made.arg(0)
        lengths.read_by(engine, state, made.name, pointer, made.span, lifetime.shown(pointer, made.operand(0)))
    borrows = made.name in api.BORROWS or made.name.startswith(api.BORROWING)
    for number, value in enumerate(made.args):
        region = value.reg
        if region is None or region.kind == "literal":
            continue
        used_freed(engine, state, value, made.operand(number), made.span)
        if not borrows:
            taint, source = bounds.content_taint(state, value) if value.type.startswith("char") else (0, "")
            lifetime.escape(state, value)
            havoc(state, value)
            if taint & STRONG and not suggest.cleans(made.name):
                state.heap[region] = {ALL: V().having(taint=taint, source=source)}  # rewritten where it lies
        elif region not in state.heap and region.kind == "stack":
            state.heap[region] = {ALL: V()}
    result = V()
    result.sym = symbol()
    result.name = f"{made.name}()" if made.name else ""
    suggest.by_name(engine, state, made, result)
    callee = engine.facts.callee(made.name)
    if callee is not None and callee.finds and result.null != MAYBE:
        result.null, result.why, result.born = MAYBE, f"?`{made.name}`", made.span
    returns = callee.function.returns if callee is not None else engine.facts.prototypes.get(made.name, "")
    if returns:
        result.type = engine.facts.resolved(returns)
    return result


def used_freed(engine: Engine, state: State, value: V, operand: Any, span: int) -> None:
    region = value.reg
    if region is not None:
        status = state.status.get(region)
        if status is not None and status[0] in (FREED, lifetime.MOVED):
            sure = "high" if status[0] == FREED else "medium"
            engine.report("use-after-free", span, lifetime.shown(value, operand), "", sure)
            state.status[region] = (GONE, span)


def method(engine: Engine, state: State, base: V, name: str, args: list[V]) -> V:
    """A C++ method or a function in a table: keeps what it is given."""
    for value in args:
        if value.reg is not None and value.reg.kind != "literal":
            lifetime.escape(state, value)
            havoc(state, value)
    if name == "width" and args:
        state.facts["width", base.reg.name if base.reg is not None else base.name] = args[0].const() or 0
    if name in objects.PUTS and args:
        objects.put(state, base, args)
        return base
    if name in objects.GIVES:
        return objects.given(state, base)
    result = V()
    result.sym = symbol()
    return result


# --- effects ----------------------------------------------------------------------------------------------------------


def allocate(spec: api.Alloc) -> Effect:
    def effect(engine: Engine, state: State, made: Call) -> V:
        region = Region("stack" if spec.family == "stack" else "heap", target_name(engine, made), None, made.span)
        region.family, region.zeroed = spec.family, spec.zeroed
        if spec.size >= 0:
            size = made.arg(spec.size)
            if spec.number >= 0:
                size = product(made.arg(spec.number), size)
            misuse.allocation_size(engine, state, made, size, spec)
            misuse.text_size(engine, made, size)
            sized(region, size)
        if made.name in ("realloc", "krealloc"):
            old = made.arg(0)
            lifetime.moved(engine, state, old, region, made.span)
            region.zeroed = True
        if spec.size < 0 or made.name in ("kmemdup", "memdup_user", "strdup"):
            region.zeroed = False
            if made.arg(0).reg is not None:
                used_freed(engine, state, made.arg(0), made.operand(0), made.span)
            copied = V()
            copied.taint, copied.source = bounds.content_taint(state, made.arg(0))
            state.heap[region] = {ALL: copied}
            text = bounds.text_length(state, made.arg(0)) if "strdup" in made.name else None
            if text is not None:
                state.texts[region] = text
        pointer = V()
        pointer.reg = region
        if spec.size >= 0 and made.arg(spec.size).size_of.endswith("*"):
            pointer.size_of = made.arg(spec.size).size_of
        pointer.null = MAYBE if spec.fails else NONNULL
        pointer.why = f"`{made.name}`" if spec.fails else ""
        pointer.born = made.span
        pointer.type = "char*" if "str" in made.name else ""
        if spec.family != "stack":
            state.status[region] = (LIVE, made.span)
        return pointer

    return effect


def target_name(engine: Engine, made: Call) -> str:
    return ""


def product(a: V, b: V) -> V:
    x, y = a.const(), b.const()
    if x is not None and y is not None:
        return of_number(x * y).having(size_of=b.size_of, parts=("*", a, b))
    result = V()
    result.taint, result.source = a.taint | b.taint, a.source or b.source
    result.parts = ("*", a, b)
    result.checked = True  # the function itself guards the product
    return result


def sized(region: Region, size: V) -> None:
    """Bytes, and elements where the size is a product with a type's size."""
    region.size = size
    region.count = size
    parts = size.parts
    if parts is not None and parts[0] == "*":
        for one, other in ((parts[1], parts[2]), (parts[2], parts[1])):
            if one.size_of:
                region.count = other
                unit = one.const()
                if unit is None:
                    region.unit, region.size = -1, other
                else:
                    region.unit = unit
                return
    elif size.size_of and size.const() is None:
        region.unit, region.size, region.count = -1, NUMBERS[1], NUMBERS[1]


def open_resource(closer: str, pointer: bool) -> Effect:
    def effect(engine: Engine, state: State, made: Call) -> V:
        region = Region("resource", "", None, made.span)
        region.family = closer
        value = V()
        value.reg = region
        value.born = made.span
        if pointer:
            value.null, value.why, value.type = MAYBE, f"`{made.name}`", "FILE*"
        else:
            value.type, value.lo = "int", -1
        state.status[region] = (LIVE, made.span)
        return value

    return effect


def deallocate(argument: int, family: str) -> Effect:
    def effect(engine: Engine, state: State, made: Call) -> V:
        value = made.arg(argument)
        if value.reg is None and value.const() is None and refine.steady(engine, state, made.operand(argument)):
            region_of(state, value, made.operand(argument))  # what is freed twice must be known again
        lifetime.free(engine, state, value, made.operand(argument), family, made.span, made.name)
        return V()

    return effect


def copying(spec: api.Copy) -> Effect:
    def effect(engine: Engine, state: State, made: Call) -> V:
        for number in (spec.dst, spec.src):
            if number >= 0:
                lifetime.dereference(engine, state, made.arg(number), made.operand(number), made.span)
        bounds.copy(engine, state, made.name, spec, made.args, made.operands, made.span)
        if made.name in ("copy_to_user", "__copy_to_user"):
            objects.unwritten(engine, state, made)
        target, source = made.arg(spec.dst), made.arg(spec.src)
        if spec.dst >= 0 and target.reg is not None:
            content = V()
            if spec.src >= 0:
                content.taint, content.source = bounds.content_taint(state, source)
            elif made.name in ("memset", "bzero") and made.arg(1).const() == 0 and target.idx is None:
                content = NUMBERS[0]
            if spec.append or made.name in ("strncpy", "memcpy", "memmove"):
                have = state.field(target.reg, ALL)
                if have is not None and have.taint:
                    content = content.having(taint=content.taint | have.taint, source=content.source or have.source)
            if made.name in ("memset", "wmemset"):
                fill_text(state, target, made)
            state.heap[target.reg] = {ALL: content}
        return target if spec.dst == 0 else V()

    return effect


def fill_text(state: State, target: V, made: Call) -> None:
    """``memset(p, 'A', n)`` and a NUL at n is text of length n."""
    region = target.reg
    if region is not None and made.arg(1).const() == 0 and target.idx is None:
        state.texts[region] = NUMBERS[0]


def filling(spec: api.Fill) -> Effect:
    def effect(engine: Engine, state: State, made: Call) -> V:
        target = made.arg(spec.dst)
        length = (
            made.arg(spec.length)
            if spec.length >= 0
            else product(made.arg(1), made.arg(2))
            if spec.length == -2
            else None
        )
        lifetime.dereference(engine, state, target, made.operand(spec.dst), made.span)
        name = lifetime.shown(target, made.operand(spec.dst))
        if length is not None:
            bounds.span_check(engine, state, made.name, target, length, NUMBERS[0], made.span, write=True, name=name)
            if made.name in ("copy_from_user", "__copy_from_user", "read", "recv", "copy_from_sockptr"):
                bounds.outside_length(engine, made.name, length, made.span, target)
        content = V()
        content.taint, content.source = STRONG, spec.kind
        if target.reg is not None:
            state.texts.pop(target.reg, None)
            state.heap[target.reg] = {ALL: content}
        result = V()
        result.sym = symbol()
        if spec.text:
            result.reg, result.null, result.type, result.idx = target.reg, 0, target.type, target.idx
            if target.reg is not None and length is not None and length.hi is not None:
                state.texts[target.reg] = V().having(lo=0, hi=max(length.hi - 1, 0), reach=True, taint=STRONG)
        elif length is not None and made.name not in ("copy_from_user", "__copy_from_user", "_copy_from_user"):
            result.hi, result.reach, result.lo = length.hi, length.hi is not None, -1
            result.below = (length.sym, length.off) if length.sym else None
            result.type = "ssize_t"
        return result

    return effect


def scan(engine: Engine, state: State, made: Call) -> V:
    printing.scanned(engine, state, made)
    value = V()
    value.sym = symbol()
    value.type = "int"
    return value


def lock(engine: Engine, state: State, made: Call) -> V:
    misuse.take_lock(engine, state, made, api.LOCKS[made.name])
    return V()


def unlock(engine: Engine, state: State, made: Call) -> V:
    misuse.drop_lock(engine, state, made)
    return V()


def try_lock(engine: Engine, state: State, made: Call) -> V:
    value = V()
    value.sym = symbol()
    return value


def taken(engine: Engine, state: State, made: Call) -> V:
    """``get_user(x, from)``: a macro that writes the variable it is given."""
    operand = made.operand(0)
    if operand.__class__ is str:
        content = V()
        content.taint, content.source, content.sym = STRONG, "user-space data", symbol()
        write(engine, state, operand, content, made.span)
    return V().having(sym=symbol(), type="int")


def nothing(engine: Engine, state: State, made: Call) -> V:
    """Leaves its arguments as they are: ``va_start(list, last)`` does not touch the last parameter."""
    return V()


def vla(engine: Engine, state: State, made: Call) -> V:
    """A variable-length array."""
    text = made.arg(0).text or ""
    length = made.arg(1)
    region = Region("stack", "", None, made.span)
    region.family = "$vla"
    region.count = length
    element = element_type(text.removeprefix("static "))
    unit = engine.facts.size_of(element)
    region.unit = unit or -1
    region.size = length if unit in (1, None) else None
    at = length.const()
    if unit and at is not None:
        region.size = of_number(at * unit)
    region.type = text
    misuse.stack_size(engine, state, made, length)
    value = V()
    value.reg, value.null, value.type = region, NONNULL, element + "*"
    return value


def swallow(engine: Engine, state: State, made: Call) -> V:
    """``operator new`` in its two forms."""
    array = made.name.endswith("[]")
    text = made.arg(1 if array else 0).text or ""
    region = Region("heap", "", None, made.span)
    region.family = "new[]" if array else "new"
    size = engine.facts.size_of(text)
    count = made.arg(0) if array else NUMBERS[1]
    region.count = count
    at = count.const()
    region.unit = size or -1
    region.size = of_number(at * (size or 1)) if at is not None else None
    region.zeroed = engine.facts.size_of(text) is None or not array
    for value in made.args[2:]:
        lifetime.escape(state, value)
    if array and size == 1:
        misuse.text_size(engine, made, count)
    if array:
        misuse.array_new(engine, made, count)
    state.status[region] = (LIVE, made.span)
    pointer = V()
    pointer.reg, pointer.null, pointer.type, pointer.born = region, NONNULL, text + "*", made.span
    return pointer


def borrow(engine: Engine, state: State, made: Call) -> V:
    """Looks at its arguments; text functions dereference them."""
    for number, value in enumerate(made.args):
        if made.name.startswith(("str", "wcs", "mem")) and (value.reg is not None or value.null == MAYBE):
            lifetime.dereference(engine, state, value, made.operand(number), made.span)
        elif value.reg is not None:
            used_freed(engine, state, value, made.operand(number), made.span)
        region = value.reg
        if region is not None and region.kind == "stack" and region not in state.heap:
            state.heap[region] = {ALL: V()}
    if made.name in ("memcmp", "bcmp"):
        for number in (0, 1):
            name = lifetime.shown(made.arg(number), made.operand(number))
            bounds.span_check(
                engine, state, made.name, made.arg(number), made.arg(2), NUMBERS[0], made.span, write=False, name=name
            )
    value = V()
    value.sym = symbol()
    first = made.arg(0)
    if made.name in ("strchr", "strrchr", "strstr", "memchr", "wcschr", "strpbrk"):
        value.reg, value.type, value.null = first.reg, "char*", MAYBE
        value.why = f"?`{made.name}`"
        value.born = made.span
        value.idx = V().having(lo=0)
        value.taint, value.source = first.taint, first.source
    return value


def printed(engine: Engine, state: State, made: Call) -> V:
    return printing.printed(engine, state, made)


def _table() -> dict[str, Effect]:
    table: dict[str, Effect] = dict.fromkeys(api.BORROWS, borrow)
    table.update(dict.fromkeys(("strchr", "strrchr", "strstr", "memchr", "wcschr", "strpbrk"), borrow))
    for name, opening in api.RESOURCES.items():
        if opening[0]:
            table[name] = open_resource(*opening)
    table.update({name: reading.convert(argument) for name, argument in api.CONVERSIONS.items()})
    table.update({name: copying(copy) for name, copy in api.COPIES.items()})
    table.update({name: filling(fill) for name, fill in api.FILLS.items()})
    table.update({name: reading.source_effect(text or "outside data") for name, text in api.SOURCES.items() if text})
    table.update({name: allocate(spec) for name, spec in api.ALLOCATORS.items()})
    table.update({name: deallocate(*spec) for name, spec in api.DEALLOCATORS.items()})
    table.update(dict.fromkeys(("strlen", "wcslen", "strnlen"), reading.length_of))
    table.update({name: reading.translated(argument) for name, argument in api.TRANSLATIONS.items()})
    table.update(dict.fromkeys(api.SCANNERS, scan))
    table.update(dict.fromkeys(api.PRINTERS, printed))
    table.update(dict.fromkeys(api.LOCKS, lock))
    table.update(dict.fromkeys(api.UNLOCKS, unlock))
    table.update(dict.fromkeys(api.TRY_LOCKS, try_lock))
    table["kasprintf"] = allocate(api.ALLOCATORS["kasprintf"])
    table.update(dict.fromkeys(objects.MAKERS, objects.made_text))
    table["getline"] = objects.line_reader(table["getline"])
    table["$vla"] = vla
    table.update(dict.fromkeys(("get_user", "__get_user"), taken))
    table.update(extremes.effects())
    table.update(dict.fromkeys(("va_start", "va_end", "va_copy"), nothing))
    table["operator new"] = table["operator new[]"] = swallow
    return table


EFFECTS = _table()
