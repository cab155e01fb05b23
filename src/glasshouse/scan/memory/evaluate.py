"""What each instruction does to the state of a path."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from glasshouse.scan import ir
from glasshouse.scan.memory import bounds, lifetime, numbers, objects
from glasshouse.scan.memory.names import ALL, address_of, declared, element_type, field_of, read_global, size_value
from glasshouse.scan.memory.program import LoopFacts
from glasshouse.scan.memory.values import (
    LIVE,
    NONNULL,
    NULL,
    NUMBERS,
    STRONG,
    UNKNOWN,
    WEAK,
    Region,
    State,
    V,
    of_number,
    symbol,
)

if TYPE_CHECKING:
    from glasshouse.scan.memory.engine import Engine


def read(engine: Engine, state: State, operand: Any, span: int) -> V:
    """The value of an operand; reading a variable that was not written is reported."""
    if operand.__class__ is int:
        if operand < 0:
            return engine.frame.consts[-1 - operand]
        return state.temps.get(operand) or V()
    value = state.env.get(operand)
    if value is None:
        return read_global(engine, state, operand)
    if value.home is not None:
        return load(engine, state, value.home, 0, span, operand, value.type)
    if value.uninit:
        sure = value.uninit == 1
        engine.report("uninitialised-variable", span, operand, "", "high" if sure else "medium")
        value = state.env[operand] = value.having(uninit=0)
    return value


def write(engine: Engine, state: State, name: Any, value: V, span: int) -> None:
    """Assign to a variable or temporary."""
    env = state.env
    if name.__class__ is int:
        state.temps[name] = value
        return
    have = env.get(name)
    if have is None:
        if name[0] != "$":
            name = "@" + name
            if value.reg is not None:
                lifetime.escape(state, value)
            have = env.get(name)
    elif have.home is not None:
        text = have.home.type
        state.set_field(
            have.home, 0, numbers.converted(engine, value, text, span) if text and text != value.type else value
        )
        return
    text = engine.frame.types.get(name, "")
    if value.size_of and value.size_of == text and value.reg is not None:  # `T *p = malloc(sizeof(p))`
        engine.report("sizeof-pointer", span, name, "the allocation", "high")
    if text and text != value.type:
        value = numbers.converted(engine, value, text, span)
    if value.uninit and name[0] != "$":
        value = value.having(uninit=0)
    env[name] = value


def op_declare(engine: Engine, ins: ir.Instr, state: State) -> None:
    _, span, name, text = ins
    if text.startswith("static "):
        made = declared(engine, name, text[7:], "global", span)
        made.uninit = 0
        engine.frame.statics.add(name)
    else:
        made = declared(engine, name, text, "stack", span)
    engine.frame.types[name] = made.type
    state.env[name] = made
    if name in engine.facts.functions[engine.frame.index].addressed:
        address_of(engine, state, name, span)


def op_move(engine: Engine, ins: ir.Instr, state: State) -> None:
    _, span, target, source = ins
    value = read(engine, state, source, span)
    if target.__class__ is str:
        have = state.env.get(target)
        if have is not None and have.reg is not None and have.type.endswith("]") and have.home is None:
            fill_array(state, have.reg, value)
            return
        if have is not None and have.home is not None and value.items is not None:
            if fill_record(engine, state, have.home, value):
                return
    write(engine, state, target, value, span)


def fill_array(state: State, region: Region, value: V) -> None:
    """``char a[n] = "..."`` and ``= {...}``."""
    content = V()
    if value.text is not None and region.kind != "$vla":
        state.texts[region] = of_number(len(value.text))
        if region.size is None:
            region.size, region.unit = of_number(len(value.text) + 1), 1
    elif value.reg is not None and region.size is None:
        region.size, region.unit = value.reg.size, value.reg.unit
    elif value.lo is None and value.reg is None:
        state.texts[region] = NUMBERS[0]
    state.heap[region] = {ALL: content}


def fill_record(engine: Engine, state: State, region: Region, value: V) -> bool:
    """``struct reader r = {data, size}`` and ``= {.data = data}``; whether the fields are known."""
    fields = engine.facts.records.get(region.type)
    assert value.items is not None
    values, names = value.items
    if not fields or "#" in fields or "?" in fields or len(values) > len(fields):
        return False
    content = {ALL: NUMBERS[0]}  # the others are zero
    for name, item in zip(names.split(",") if names else fields, values, strict=False):
        if name in fields and not fields[name].endswith("]") and item.items is None:
            content[name] = numbers.converted(engine, item, engine.facts.resolved(fields[name]), 0)
    state.heap[region] = content
    return True


def op_attr(engine: Engine, ins: ir.Instr, state: State) -> None:
    _, span, target, obj, name = ins
    base = read(engine, state, obj, span)
    lifetime.dereference(engine, state, base, obj, span)
    if base.idx is not None:
        bounds.element(engine, base, span, obj, write=False)
    region = region_of(state, base, obj)
    state.temps[target] = load(engine, state, region, name, span, "", field_type(engine, base, name))


def field_type(engine: Engine, base: V, name: str) -> str:
    return field_of(engine.facts, base, name)


def region_of(state: State, base: V, operand: Any) -> Region:
    """The region a pointer points to; an unknown pointer gets one, so that equal pointers share it."""
    if base.reg is not None:
        return base.reg
    made = Region("unknown", base.name or (operand if isinstance(operand, str) else ""))
    if base.const() is None:
        base.reg = made
    return made


def load(engine: Engine, state: State, region: Region, key: Any, span: int, name: str, text: str) -> V:
    """What a region holds under a key; reading what was never written is reported."""
    fields = state.heap.get(region)
    found = None
    if fields is not None:
        found = fields.get(key)
        if found is None:
            every = fields.get(ALL) if not text.endswith("]") else None  # an array is memory, whatever it holds
            whole = not text or is_record_text(text)  # may be an array, or is a record in the record
            if every is not None and every.const() is not None and whole and not isinstance(key, int):
                found = every.having(lo=None, hi=None, null=UNKNOWN, sym=symbol())
            elif every is not None:
                found = (
                    every
                    if every.const() is not None
                    else every.having(type=text or every.type, reg=None, sym=symbol())
                )
            if found is not None and found is not every:
                numbers.not_negative(found)
                if found.taint & STRONG:
                    numbers.any_of_type(found)
                if (
                    key.__class__ is not tuple
                    and key != ALL
                    and (found.type.endswith("*") or numbers.width(found.type) is not None)
                ):
                    state.set_field(region, key, found)  # the next read gives the same number
    elif region.kind in ("stack", "heap") and not region.zeroed and region.parent is None and not text.endswith("]"):
        if not text and not isinstance(key, (int, tuple)) and key != ALL:
            pass  # may be an array, of which the address is taken
        elif is_record_text(text) or region.type in engine.facts.borrowed:
            pass
        elif region.kind == "stack" or region.family in ("malloc", "new", "kfree", "new[]", "stack"):
            engine.report("uninitialised-memory", span, name or region.name or "memory", "", "medium")
            state.heap[region] = {ALL: V()}
    if found is not None and found.uninit:
        engine.report(
            "uninitialised-variable", span, name or region.name, "", "high" if found.uninit == 1 else "medium"
        )
        found = found.having(uninit=0)
        state.set_field(region, key, found)
    if found is not None:
        return found
    made = V()
    made.type = text
    made.sym = symbol()
    made.name = f"{region.name}->{key}" if isinstance(key, str) and key != ALL else region.name
    if text.endswith("]"):
        piece = region.piece(str(key))
        if piece.size is None and not piece.type:
            sized = declared(engine, str(key), text, "field", span)
            if sized.reg is not None and not text.endswith(("[0]", "[1]")):  # these go on behind the record
                piece.size, piece.unit, piece.count = sized.reg.size, sized.reg.unit, sized.reg.count
            piece.type = text
        made.reg, made.null = piece, NONNULL
    if made.reg is not None or is_record_text(text) or text in engine.facts.records:
        pass  # memory inside the memory, whatever it holds
    elif region.zeroed and region.kind == "heap" and (text or isinstance(key, int)):
        made = NUMBERS[0]
    else:
        root = region.root()
        if root.kind == "param":
            made.taint, made.source = WEAK, f"data of parameter `{root.name}`"
        numbers.bound_by_type(made)
    if region.kind != "literal":
        state.set_field(region, key, made)
    return made


def is_record_text(text: str) -> bool:
    return text.startswith(("struct ", "union ", "class ")) and not text.endswith("*")


def havoc(state: State, value: V) -> None:
    """What a pointer points to is unknown and written from now on."""
    region = value.reg
    if region is None:
        return
    state.texts.pop(region, None)
    content = V()
    have = state.field(region, 0)
    if have is not None and have.type:
        content.type = have.type
    if region.root().kind == "param":
        content.taint, content.source = WEAK, f"data of parameter `{region.root().name}`"
    state.heap[region] = {ALL: content}
    forget_above(state, region, content.having(type=""))


def forget_above(state: State, region: Region, content: V) -> None:
    """Memory that holds a field of which nothing is known any more."""
    for _ in range(6):
        parent = region.parent
        if parent is None:
            return
        if parent not in state.heap:
            state.heap[parent] = {ALL: V()}
        elif state.heap[parent].get(ALL) is not None:
            for name, piece in parent.pieces.items():
                if piece is region:
                    state.set_field(parent, name, content)
                    break
        region = parent


def op_addr(engine: Engine, ins: ir.Instr, state: State) -> None:
    _, span, target, obj, name = ins
    base = read(engine, state, obj, span)
    lifetime.dereference(engine, state, base, obj, span, address=True)
    region = region_of(state, base, obj)
    made = V()
    text = field_type(engine, base, name)
    made.type = text + "*" if text and not text.endswith("]") else text
    made.null = NONNULL
    made.reg = region.piece(name)
    state.temps[target] = made


def op_set_attr(engine: Engine, ins: ir.Instr, state: State) -> None:
    _, span, obj, name, source = ins
    value = read(engine, state, source, span)
    base = read(engine, state, obj, span)
    lifetime.dereference(engine, state, base, obj, span)
    if base.idx is not None:
        bounds.element(engine, base, span, obj, write=True)
    region = region_of(state, base, obj)
    if value.reg is not None:
        lifetime.stored(state, region, value)
    text = field_type(engine, base, name)
    if text and value.type != text:
        value = numbers.converted(engine, value, text, span)
    state.set_field(region, name, value)


def op_item(engine: Engine, ins: ir.Instr, state: State) -> None:
    _, span, target, obj, key = ins
    base = read(engine, state, obj, span)
    index = read(engine, state, key, span)
    lifetime.dereference(engine, state, base, obj, span)
    bounds.access(engine, state, base, index, span, obj, write=False)
    region = region_of(state, base, obj)
    element = element_type(base.type)
    place = position(base, index)
    if base.taint and region.kind in ("unknown", "param") and region not in state.heap:
        content = V()
        content.taint = base.taint
        content.source = f"data of {base.source}" if base.source.startswith("parameter") else base.source
        state.heap[region] = {ALL: content}
    if element.endswith("]"):  # an array of arrays: the element is itself memory
        made = V()
        made.type, made.null, made.reg = element, NONNULL, region.piece("[]")
        state.temps[target] = made
        return
    name = obj if isinstance(obj, str) else ""
    value = load(engine, state, region, place, span, name, element)
    if element and not value.type and value.const() is None:
        value = numbers.bounded(value, element)
    state.temps[target] = value


def position(base: V, index: V) -> Any:
    """The key of an element: its number where that is known."""
    at = index.const()
    start = 0 if base.idx is None else base.idx.const()
    if at is None or start is None:
        return ALL
    return at if start == 0 else (start, at)


def op_set_item(engine: Engine, ins: ir.Instr, state: State) -> None:
    _, span, obj, key, source = ins
    value = read(engine, state, source, span)
    base = read(engine, state, obj, span)
    index = read(engine, state, key, span)
    lifetime.dereference(engine, state, base, obj, span)
    bounds.access(engine, state, base, index, span, obj, write=True)
    region = region_of(state, base, obj)
    if value.reg is not None:
        lifetime.stored(state, region, value)
    place = position(base, index)
    if value.const() == 0 and region in state.texts and isinstance(place, int):
        state.texts[region] = index
    elif value.const() == 0 and isinstance(place, int):
        state.texts[region] = index
    if place == ALL:
        content = V()
        content.taint, content.source = value.taint, value.source
        for have in state.heap.get(region, {}).values():
            content.taint, content.source = content.taint | have.taint, content.source or have.source
        if value.reg is not None:
            lifetime.escape(state, value)  # it lies at some place there
        state.heap[region] = {ALL: content}
    else:
        element = element_type(base.type)
        if element and value.type != element:
            value = numbers.converted(engine, value, element, span)
        state.set_field(region, place, value)


def op_binop(engine: Engine, ins: ir.Instr, state: State) -> None:
    _, span, target, operator, left, right = ins
    a = read(engine, state, left, span)
    if operator == ">>" and right.__class__ is str and a.const() is None and numbers.width(a.type) is None:
        objects.extracted(engine, state, a, left, right)
    b = read(engine, state, right, span)
    if operator in ("<<", ">>") and streaming(engine, state, ins, a, b):
        state.temps[target] = a if operator == "<<" else numbers.binary(engine, state, operator, a, b, span)
    elif operator == "+" and (objects.holds_text(a) or objects.holds_text(b)):
        state.temps[target] = objects.joined(state, a, b)
    elif operator == "/" and (objects.is_path(a) or objects.is_path(b)):
        state.temps[target] = objects.joined(state, a, b)
    else:
        state.temps[target] = numbers.binary(engine, state, operator, a, b, span)


def streaming(engine: Engine, state: State, ins: ir.Instr, a: V, b: V) -> bool:
    """``stream << text`` and ``cin >> string``: whether it was one of them; the variable holds the text afterwards."""
    _, span, _, operator, left, right = ins
    if not objects.holds_text(a if operator == "<<" else b):
        return False
    name = objects.root(engine, left)
    if name is None:
        return False
    if operator == "<<":
        write(engine, state, name, objects.streamed_in(state, read(engine, state, name, span), b), span)
        return True
    if name not in objects.INPUTS or right.__class__ is not str:
        return False
    write(engine, state, right, objects.read_word(b), span)
    return True


def op_unop(engine: Engine, ins: ir.Instr, state: State) -> None:
    _, span, target, operator, source = ins
    if operator == "&" and source.__class__ is str:
        state.temps[target] = address_of(engine, state, source, span)
        return
    if operator.startswith("sizeof"):
        state.temps[target] = size_value(engine, state, source, operator)
        return
    if operator == "?":
        state.temps[target] = V()
        return
    value = read(engine, state, source, span)
    at = value.const()
    made = V()
    if operator == "-" and not value.real:
        if at is not None:
            made = of_number(-at)
        else:
            made.lo = -value.hi if value.hi is not None else None
            made.hi = -value.lo if value.lo is not None else None
            made.taint, made.source = value.taint, value.source
    elif operator == "!":
        made.lo, made.hi = 0, 1
        if at is not None:
            made = NUMBERS[int(not at)]
        elif value.null in (NULL, NONNULL):
            made = NUMBERS[int(value.null == NULL)]
    elif operator == "~" and at is not None:
        made = of_number(~at)
    elif operator == "+":
        made = value
    state.temps[target] = made


def op_cast(engine: Engine, ins: ir.Instr, state: State) -> None:
    _, span, target, text, source = ins
    value = read(engine, state, source, span)
    state.temps[target] = numbers.cast(engine, value, engine.facts.resolved(text))


def op_make(engine: Engine, ins: ir.Instr, state: State) -> None:
    _, span, target, kind, items = ins
    values = [read(engine, state, item, span) for item in items]
    for value in values:
        if value.reg is not None:
            lifetime.escape(state, value)
    made = V()
    made.reg = Region("global", "", None, span)
    made.null = NONNULL
    if len(items) and items:
        made.reg.count = of_number(len(items))
    state.heap[made.reg] = {ALL: V()}
    made.reg = None
    made.items = tuple(values), kind[5:]
    state.temps[target] = made


def op_new(engine: Engine, ins: ir.Instr, state: State) -> None:
    _, span, target, _cls, args, _ = ins
    for arg in args[1:]:
        lifetime.escape(state, read(engine, state, arg, span))
    if len(args) > 1 and args[0].__class__ is str:
        objects.constructed(engine, state, _cls, read(engine, state, args[1], span), span)
    if args and isinstance(args[0], str) and args[0] in state.env:
        state.env[args[0]] = state.env[args[0]].having(uninit=0)
        if len(args) > 1 and objects.holds_text(read(engine, state, args[0], span)):
            taint, source = bounds.content_taint(state, read(engine, state, args[1], span))
            write(engine, state, args[0], objects.text(taint, source), span)
    state.temps[target] = V()


SIMPLE: dict[int, Any] = {
    ir.MOVE: op_move,
    ir.ATTR: op_attr,
    ir.SET_ATTR: op_set_attr,
    ir.ITEM: op_item,
    ir.SET_ITEM: op_set_item,
    ir.BINOP: op_binop,
    ir.UNOP: op_unop,
    ir.DECLARE: op_declare,
    ir.CAST: op_cast,
    ir.ADDR: op_addr,
    ir.MAKE: op_make,
    ir.NEW: op_new,
}


def widen(engine: Engine, state: State, facts: LoopFacts, cond: Any) -> State:
    """What a loop changes is unknown in later rounds, except for the direction in which it counts."""
    env = state.env
    for name in facts.assigned:
        value = env.get(name)
        key = name
        if value is None:
            key = "@" + name
            value = env.get(key)
        if value is None:
            continue
        if value.home is not None:
            have = state.field(value.home, 0)
            if have is not None:
                state.set_field(value.home, 0, _widened(have, name, facts))
            continue
        env[key] = _widened(value, name, facts)
    return state


def _widened(value: V, name: str, facts: LoopFacts) -> V:
    made = V()
    made.type = value.type
    made.name = value.name
    made.taint, made.source = value.taint, value.source
    made.sym = symbol()
    made.checked = value.checked or bool(value.taint and value.hi is not None and value.const() is None)
    if value.reg is not None and (name in facts.up or name in facts.down):
        made.reg, made.null = value.reg, value.null
        start = value.idx or NUMBERS[0]
        made.idx = V().having(lo=start.lo if name in facts.up else None, hi=start.hi if name in facts.down else None)
    elif name in facts.up:
        made.lo = value.lo
        made.reach = value.reach
    elif name in facts.down:
        made.hi = value.hi
        made.reach = value.reach
    elif value.reg is not None and value.reg.kind in ("heap", "stack", "resource"):
        return value
    return made


def forget_all(engine: Engine, state: State) -> State:
    state.heap = {}
    return state


def held(state: State) -> list[Region]:
    return [region for region, (what, _) in state.status.items() if what == LIVE]
