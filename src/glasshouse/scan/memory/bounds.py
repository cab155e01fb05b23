"""Accesses and copies against the sizes of the memory they touch."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from glasshouse.scan.memory import lengths
from glasshouse.scan.memory.api import Copy
from glasshouse.scan.memory.lifetime import shown
from glasshouse.scan.memory.values import NUMBERS, STRONG, WEAK, Region, State, V, of_number

if TYPE_CHECKING:
    from glasshouse.scan.memory.engine import Engine


def access(engine: Engine, state: State, base: V, index: V, span: int, operand: Any, *, write: bool) -> None:
    """``base[index]`` is read or written."""
    from glasshouse.scan.memory.names import element_type

    region = base.reg
    name = shown(base, operand)
    if engine.frame.measured:
        lengths.access(engine, state, base, index, span, name, write=write)
    if not write and index.const() is not None and "length" not in state.facts:
        unmeasured(engine, state, base, index, span, name)
    if region is None or region.kind in ("param", "unknown") or (region.size is None and region.count is None):
        outside_index(engine, base, index, span, name, write)
        return
    unit = engine.facts.size_of(element_type(base.type)) if base.type else region.unit
    if region.unit == -1:
        unit = 1
    if not unit:
        return
    at = index if unit == 1 and base.idx is None else _offset(base.idx or NUMBERS[0], index, unit)
    if at.lo is not None and at.lo < 0 and (at.reach or (at.hi is not None and at.hi < 0) or index.taint & STRONG):
        engine.report(
            "buffer-underwrite" if write else "buffer-underread",
            span,
            name,
            str(at.lo),
            "high" if (at.hi or 0) < 0 else "medium",
        )
        return
    size = region.size.const() if region.size is not None else None
    if size is not None:
        if at.hi is not None and at.hi + unit > size and (at.reach or (at.lo is not None and at.lo + unit > size)):
            engine.report(
                "buffer-overflow" if write else "buffer-overread",
                span,
                name,
                f"{size}",
                "high" if at.lo == at.hi else "medium",
            )
            return
        if one_past(index, at, unit, size):
            engine.report("buffer-overflow" if write else "buffer-overread", span, name, f"{size}", "medium")
            return
        if index.hi is None and index.upto is not None:
            strong = bool(index.upto[0] & STRONG)
            if strong or f"`{region.root().name}`" not in index.upto[1]:  # a record's own count of its elements
                sure = "medium" if strong else "low"
                engine.report("outside-index", span, name, index.upto[1], sure, weak=not strong)
            return
    elif symbolic(region, index, base):
        engine.report("buffer-overflow" if write else "buffer-overread", span, name, "its length", "medium")
        return
    outside_index(engine, base, index, span, name, write)


def element(engine: Engine, base: V, span: int, operand: Any, *, write: bool) -> None:
    """``base->field`` where base points to an element of an array: ``items[i].field``."""
    region, at = base.reg, base.idx
    if region is None or at is None or not region.type.endswith("]") or region.size is None or at.const() is not None:
        return
    size = region.size.const()
    check = "buffer-overflow" if write else "buffer-overread"
    if size is None or region.unit <= 0:
        return
    if at.hi is None:
        if at.taint & STRONG and not at.checked:
            engine.report("outside-index", span, region.name, at.source, "medium")
    elif at.hi >= size and at.reach:
        engine.report(check, span, region.name, f"{size}", "medium")


TOPS = frozenset([127, 255, 32767, 65535])  # of types: nobody compared with them


def one_past(index: V, at: V, unit: int, size: int) -> bool:
    """Data was compared with the number of elements, and may be equal to it: ``if (i > 8) return; a[i]`` of 8."""
    if not index.taint or at.hi is None or at.hi != size or index.hi in TOPS or index.hi in index.ne:
        return False
    return at.lo is not None and at.lo >= 0 and size >= 2 * unit and not index.checked


BUFFERS = re.compile(
    r"(?i)(^|[_>.])(data|buf|buffer|payload|pkt|packet|msg|frame|req|bytes|input|body|ptr|bp|cp|in)\d*$"
)


def unmeasured(engine: Engine, state: State, base: V, index: V, span: int, name: str) -> None:
    """Contents of a buffer that came in by a parameter are read before any length was looked at."""
    region = base.reg
    at = index.const()
    if region is None or at is None or at <= 0 or region.size is not None or engine.frame.caller is not None:
        return
    root = region.root()
    if root.kind not in ("param", "unknown") or not BUFFERS.search(name):
        return
    if not base.type.endswith("*") and (base.type or engine.facts.kernel):
        return
    if base.taint & WEAK or root.kind == "param":
        engine.report("unmeasured-read", span, name, str(at), "low", weak=True)
        state.facts["length"] = True


def symbolic(region: Region, index: V, base: V) -> bool:
    """An index that equals or can reach the symbolic number of elements."""
    count = region.count
    if count is None or not count.sym or base.idx is not None:
        return False
    if index.sym == count.sym and index.off >= count.off:
        return True
    return index.below is not None and index.below[0] == count.sym and index.below[1] >= count.off and index.reach


SEQUENCES = re.compile(
    r"[*\]]$|^(const )?(std::)?(vector|array|basic_string|w?string|string_view|span|deque|QByteArray|QVector|QList)\b"
)


def looked_up(engine: Engine, base: V) -> bool:
    """Whether ``base[key]`` of C++ may well be a map: a key that a caller passes is then no index."""
    return engine.facts.cpp and not SEQUENCES.search(base.type)


def outside_index(engine: Engine, base: V, index: V, span: int, name: str, write: bool) -> None:
    """An index from outside that nothing bounds."""
    if not index.taint or index.const() is not None or index.checked:
        return
    if not index.taint & STRONG and looked_up(engine, base):
        return
    strong = bool(index.taint & STRONG)
    no_top = index.hi is None and index.below is None
    no_bottom = index.lo is None or index.lo < 0
    if strong and (no_top or no_bottom):
        engine.report("outside-index", span, name, index.source, "high" if no_top and write else "medium")
    elif not strong and no_top and lengths.free(engine, index):
        engine.report("outside-index", span, name, index.source, "low", weak=True)


def _offset(start: V, index: V, unit: int) -> V:
    made = V()
    made.lo = start.lo + index.lo * unit if start.lo is not None and index.lo is not None else None
    made.hi = start.hi + index.hi * unit if start.hi is not None and index.hi is not None else None
    made.reach = start.reach and index.reach
    made.taint = start.taint | index.taint
    return made


def room(value: V) -> int | None:
    """Bytes from where the pointer points to the end of its memory (None unknown)."""
    region = value.reg
    if region is None or region.size is None or (region.unit == -1 and region.size.const() is None):
        return None
    size = region.size.const()
    if size is None or region.unit == -1:
        return None
    if value.idx is None:
        return size
    if value.idx.lo is None or value.idx.const() is None:
        return None
    return size - value.idx.lo


def text_length(state: State, value: V) -> V | None:
    """Length of the text a pointer points to."""
    if value.text is not None:
        return of_number(len(value.text))
    if value.reg is None:
        return None
    found = state.texts.get(value.reg)
    if found is not None and value.idx is not None:
        at, shift = found.const(), value.idx.const()
        return of_number(max(at - shift, 0)) if at is not None and shift is not None else None
    return found


def copy(engine: Engine, state: State, callee: str, spec: Copy, args: list[V], operands: list[Any], span: int) -> None:
    """A function that moves bytes."""
    target = args[spec.dst] if 0 <= spec.dst < len(args) else None
    source = args[spec.src] if 0 <= spec.src < len(args) else None
    if spec.text:
        if target is not None and source is not None:
            text_copy(engine, state, callee, spec, target, source, span)
        return
    if not 0 <= spec.length < len(args):
        return
    length = args[spec.length]
    if spec.scale > 1:
        length = _offset(NUMBERS[0], length, spec.scale).having(
            parts=("*", length, of_number(spec.scale)), source=length.source, checked=length.checked, reach=length.reach
        )
    start = NUMBERS[0]
    if spec.append and target is not None:
        start = text_length(state, target) or V()
    if target is not None:
        span_check(
            engine, state, callee, target, length, start, span, write=True, name=shown(target, operands[spec.dst])
        )
        terminated(state, callee, target, source, length, start)
    if source is not None and callee in ("strncpy", "wcsncpy", "strncat", "wcsncat"):
        before_start(engine, source, callee, span, write=False, name=shown(source, operands[spec.src]))
    elif source is not None:
        span_check(
            engine, state, callee, source, length, NUMBERS[0], span, write=False, name=shown(source, operands[spec.src])
        )
    outside_length(engine, callee, length, span, target)
    if callee in ("strncpy", "strncat", "memcpy", "strlcpy", "wcsncpy") and target is not None and source is not None:
        size_of_source(engine, callee, length, source, target, span)


def terminated(state: State, callee: str, target: V, source: V | None, length: V, start: V) -> None:
    """What is known of the text in the destination afterwards."""
    region = target.reg
    if region is None:
        return
    if callee in ("strncat", "wcsncat", "strlcpy", "strlcat"):
        state.texts.pop(region, None)
        return
    if callee in ("memset", "wmemset"):
        state.texts.pop(region, None)
        return
    found = text_length(state, source) if source is not None else None
    if found is not None and found.hi is not None and length.lo is not None and found.hi < length.lo:
        state.texts[region] = found
    else:
        state.texts.pop(region, None)


def span_check(
    engine: Engine, state: State, callee: str, pointer: V, length: V, start: V, span: int, *, write: bool, name: str
) -> None:
    """``length`` bytes at ``pointer`` (after ``start``)."""
    check = "buffer-overflow" if write else "buffer-overread"
    space = room(pointer)
    region = pointer.reg
    if before_start(engine, pointer, callee, span, write=write, name=name) or more_elements(region, pointer, length):
        if region is not None and region.unit == -1:
            engine.report(check, span, name, callee, "high")
        return
    if space is not None:
        low = (length.lo or 0) + (start.lo or 0)
        if length.lo is not None and low > space and length.size_of.endswith("#") is False:
            engine.report(check, span, name, callee, "high")
            return
        if length.hi is not None and length.reach and length.hi + (start.hi or 0) > space:
            engine.report(check, span, name, callee, "medium")
            return
    elif (
        region is not None
        and region.size is not None
        and length.sym
        and region.size.sym == length.sym
        and length.off > region.size.off
    ):
        engine.report(check, span, name, callee, "medium")


def before_start(engine: Engine, pointer: V, callee: str, span: int, *, write: bool, name: str) -> bool:
    """A pointer to a place before its memory."""
    region, at = pointer.reg, pointer.idx
    if region is None or at is None or at.hi is None or at.hi >= 0 or region.kind not in ("stack", "heap", "global"):
        return False
    engine.report("buffer-underwrite" if write else "buffer-underread", span, name, callee, "high")
    return True


def more_elements(region: Region | None, pointer: V, length: V) -> bool:
    """Memory counted in elements of unknown size, and a length of more of the same elements."""
    if region is None or region.unit != -1 or region.count is None or pointer.idx is not None or length.parts is None:
        return False
    held = region.count.const()
    if held is None or length.parts[0] != "*":
        return False
    for one, other in ((length.parts[1], length.parts[2]), (length.parts[2], length.parts[1])):
        count = other.const()
        if one.size_of and one.const() is None and count is not None and count > held:
            return True
    return False


def outside_length(engine: Engine, callee: str, length: V, span: int, target: V | None) -> None:
    """A length from outside that nothing bounds."""
    if length.checked or length.const() is not None or length.strlen_of is not None:
        return
    if (
        target is not None
        and target.reg is not None
        and target.reg.size is not None
        and target.reg.size.sym
        and target.reg.size.sym == length.sym
    ):
        return
    if length.parts is not None and length.parts[0] == "-" and lengths.wraps_below(engine, *length.parts[1:]):
        strong = bool(length.taint & STRONG)
        engine.report("outside-length", span, callee, length.source, "medium" if strong else "low", weak=not strong)
        return
    signed = length.lo is None
    if length.taint & STRONG and ((length.hi is None and length.below is None) or signed):
        engine.report("outside-length", span, callee, length.source, "high")
    elif (
        length.taint
        and length.hi is None
        and length.below is None
        and target is not None
        and target.reg is not None
        and target.reg.kind in ("stack", "field")
        and target.reg.size is not None
    ):
        engine.report("outside-length", span, callee, length.source, "low", weak=True)


def size_of_source(engine: Engine, callee: str, length: V, source: V, target: V, span: int) -> None:
    """A bound taken from the source bounds nothing."""
    if length.strlen_of is not None and source.reg is not None and length.strlen_of is source.reg:
        if callee in ("strncpy", "strncat", "wcsncpy") and target.reg is not None and target.reg.kind != "heap":
            engine.report("bound-of-source", span, callee, "", "medium")


def text_copy(engine: Engine, state: State, callee: str, spec: Copy, target: V, source: V, span: int) -> None:
    """``strcpy`` and ``strcat``."""
    for pointer, write in ((target, True), (source, False)):
        if before_start(engine, pointer, callee, span, write=write, name=shown(pointer, "")):
            return
    length = text_length(state, source)
    start = text_length(state, target) if spec.append else NUMBERS[0]
    space = room(target)
    name = shown(target, "")
    region = target.reg
    if region is not None and length is not None:
        total = V()
        if start is not None and start.hi is not None and length.hi is not None:
            total.hi = (start.hi + length.hi + 1) * spec.scale
            total.lo = ((start.lo or 0) + (length.lo or 0) + 1) * spec.scale
        elif length.lo is not None:
            total.lo = (length.lo + 1) * spec.scale
        if space is not None and total.lo is not None and total.lo > space:
            engine.report("buffer-overflow", span, name, callee, "high")
        elif space is not None and total.hi is not None and total.hi > space and length.reach:
            engine.report("buffer-overflow", span, name, callee, "medium")
        if start is not None:
            state.texts[region] = V().having(
                lo=None if total.lo is None else total.lo // spec.scale - 1,
                hi=None if total.hi is None else total.hi // spec.scale - 1,
                reach=True,
            )
    elif region is not None:
        state.texts.pop(region, None)
        unbounded(engine, state, callee, target, source, span, space)
    exact_allocation(engine, callee, target, source, span)


def unbounded(engine: Engine, state: State, callee: str, target: V, source: V, span: int, space: int | None) -> None:
    """Text of unknown length goes into memory of a fixed size."""
    region = target.reg
    if region is None:
        return
    taint, origin = content_taint(state, source)
    fixed = region.size is not None and region.size.const() is not None
    if taint & STRONG and (fixed or region.kind in ("stack", "field", "global")):
        engine.report("unbounded-copy", span, callee, origin, "high")
    elif fixed and region.kind in ("stack", "field", "global", "heap") and not source.checked and space is not None:
        if (
            source.reg is not None
            and source.reg.size is not None
            and source.reg.size.hi is not None
            and source.reg.size.hi <= space
        ):
            return
        engine.report(
            "unbounded-copy",
            span,
            callee,
            origin or "text of unknown length",
            "low" if not taint else "medium",
            weak=True,
        )


def content_taint(state: State, value: V) -> tuple[int, str]:
    """Taint of a value and of the text it points to."""
    taint, origin = value.taint, value.source
    region = value.reg
    for _ in range(3):
        if region is None:
            break
        fields = state.heap.get(region)
        if fields is not None:
            for inner in fields.values():
                if inner.taint & ~taint:
                    taint |= inner.taint
                    origin = inner.source if inner.taint & STRONG or not origin else origin
        region = region.parent
    return taint, origin


def exact_allocation(engine: Engine, callee: str, target: V, source: V, span: int) -> None:
    """``malloc(strlen(s))`` has no room for the NUL that ``strcpy`` writes."""
    region = target.reg
    if region is None or region.kind != "heap" or region.size is None or target.idx is not None:
        return
    size = region.size
    if size.strlen_of is not None and size.strlen_of is source.reg and size.parts is None and size.const() is None:
        engine.report("no-room-for-nul", span, callee, "", "high")
