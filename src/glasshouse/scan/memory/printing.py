"""``printf`` and ``scanf``: formats that data decides, output longer than its buffer, input without a width."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from glasshouse.scan.memory import api, bounds, lifetime
from glasshouse.scan.memory.numbers import bounded
from glasshouse.scan.memory.values import NOWHERE, NUMBERS, STRONG, WEAK, State, V, symbol

if TYPE_CHECKING:
    from glasshouse.scan.memory.calls import Call
    from glasshouse.scan.memory.engine import Engine

MAX_FORMAT = 2000  # characters of a format that are looked at
DIRECTIVE = re.compile(
    r"%(?P<flags>[-+ #0']*)(?P<width>\*|\d+)?(?:\.(?P<precision>\*|-?\d*))?"
    r"(?P<size>hh|h|ll|l|L|j|z|t|q|I64)?(?P<kind>[a-zA-Z%])"
)
SCAN = re.compile(r"%(?P<skip>\*)?(?P<width>\d+)?(?P<size>hh|h|ll|l|L|j|z|t|m)?(?P<kind>\[\^?\]?[^\]]*\]|[a-zA-Z%])")


def printed(engine: Engine, state: State, made: Call) -> V:
    """A call of the ``printf`` family."""
    format_at, target_at, size_at = api.PRINTERS[made.name]
    form = made.arg(format_at)
    uses(engine, state, made)
    if len(made.args) > format_at and made.operand(format_at) != NOWHERE:
        check_format(engine, state, made, form, format_at)
    result = V()
    result.type, result.sym = "int", symbol()
    if target_at < 0 or target_at >= len(made.args):
        return result
    target = made.arg(target_at)
    name = lifetime.shown(target, made.operand(target_at))
    scale = 4 if made.name in api.WIDE else 1
    shortest, longest, taint, origin = output_length(state, form, made.args[format_at + 1 :])
    space = bounds.room(target)
    region = target.reg
    if size_at >= 0:
        size = made.arg(size_at)
        if scale > 1:
            size = V().having(
                lo=None if size.lo is None else size.lo * scale,
                hi=None if size.hi is None else size.hi * scale,
                reach=size.reach,
            )
        if size.strlen_of is None or size.const() is not None:
            bounds.span_check(engine, state, made.name, target, size, NUMBERS[0], made.span, write=True, name=name)
        if region is not None:
            state.texts.pop(region, None)
    else:
        if space is not None and shortest is not None and (shortest + 1) * scale > space:
            engine.report("buffer-overflow", made.span, name, made.name, "high")
        elif space is not None and longest is not None and (longest + 1) * scale > space and taint != -1:
            engine.report("buffer-overflow", made.span, name, made.name, "medium")
        elif (
            longest is None
            and region is not None
            and (space is not None or region.kind in ("stack", "field", "global"))
        ):
            if taint > 0 and taint & STRONG:
                engine.report("unbounded-copy", made.span, made.name, origin, "high")
            elif space is not None and taint >= 0:
                engine.report(
                    "unbounded-copy",
                    made.span,
                    made.name,
                    origin or "text of unknown length",
                    "low" if not taint else "medium",
                    weak=True,
                )
        if region is not None and longest is not None:
            state.texts[region] = V().having(lo=shortest or 0, hi=longest, reach=True)
    if region is not None:
        content = V()
        if taint > 0:
            content.taint, content.source, content.built = taint, origin, True
        state.heap[region] = {"*": content}
    return result


def uses(engine: Engine, state: State, made: Call) -> None:
    from glasshouse.scan.memory.calls import used_freed

    for number, value in enumerate(made.args):
        if value.reg is not None:
            used_freed(engine, state, value, made.operand(number), made.span)


def check_format(engine: Engine, state: State, made: Call, form: V, position: int) -> None:
    """A format that is no constant: from outside, or simply not known."""
    if form.text is not None or made.name.startswith("v") or "_v" in made.name:
        if form.text is None:
            taint, origin = bounds.content_taint(state, form)
            if taint & STRONG:
                engine.report("format-string", made.span, made.name, origin, "high")
        return
    taint, origin = bounds.content_taint(state, form)
    last = position == len(made.args) - 1
    if taint & STRONG:
        engine.report("format-string", made.span, made.name, origin, "high")
    elif taint & WEAK and last:
        engine.report("format-string", made.span, made.name, origin, "medium", weak=True)
    elif last and form.reg is None and not form.name.isupper() and form.const() is None:
        engine.report("format-string", made.span, made.name, "a text that is not constant", "low")


def output_length(state: State, form: V, args: list[V]) -> tuple[int | None, int | None, int, str]:
    """(shortest, longest, taint, origin) of the output; longest None: unbounded; taint -1: nothing is known."""
    if form.text is None:
        taint, origin = bounds.content_taint(state, form)
        length = bounds.text_length(state, form)
        hi = length.hi if length is not None else None
        return (length.lo if length is not None else None), hi, taint, origin
    shortest, longest, taint, origin = 0, 0, 0, ""
    end = 0
    number = 0
    bounded_output = True
    for match in DIRECTIVE.finditer(form.text[:MAX_FORMAT]):
        shortest += match.start() - end
        longest += match.start() - end
        end = match.end()
        kind = match["kind"]
        if kind == "%":
            shortest, longest = shortest + 1, longest + 1
            continue
        number += match["width"] == "*"
        number += match["precision"] == "*"
        value = args[number] if number < len(args) else V()
        number += 1
        low, high = directive_length(state, match, kind, value)
        shortest += low
        if high is None:
            bounded_output = False
            more, where = bounds.content_taint(state, value)
            taint |= more
            origin = where or origin
        else:
            longest += high
    rest = len(form.text) - end
    return shortest + rest, longest + rest if bounded_output else None, taint, origin


def directive_length(state: State, match: re.Match[str], kind: str, value: V) -> tuple[int, int | None]:
    """Shortest and longest output of one directive."""
    wide = int(match["width"]) if match["width"] and match["width"].isdigit() else 0
    precision = match["precision"]
    if kind in "sS":
        limit = int(precision) if precision and precision.isdigit() else None
        known = bounds.text_length(state, value)
        low = known.lo or 0 if known is not None else 0
        high = known.hi if known is not None and (known.reach or known.const() is not None) else None
        if limit is not None:
            return min(low, limit), limit if high is None else min(high, limit)
        if precision == "*":
            return 0, 0
        return max(low, wide), None if high is None else max(high, wide)
    if kind in "di":
        length = digits(value)
        return max(1, wide), max(length, wide)
    if kind in "uxXop":
        longest = {"x": 8, "X": 8, "o": 11, "p": 18}.get(kind, 10) * (2 if match["size"] in ("l", "ll") else 1)
        if kind != "p" and value.lo is not None and value.lo >= 0 and value.hi is not None:
            longest = min(longest, len(format(value.hi, {"u": "d"}.get(kind, kind))) + 2 * ("#" in match[0]))
        return max(1, wide), max(longest, wide)
    if kind in "fF":
        places = int(precision) if precision and precision.isdigit() else 6
        return max(2 + places, wide), max(310 + places, wide)
    if kind in "eEgGaA":
        return max(1, wide), max(24, wide)
    if kind in "c":
        return max(1, wide), max(1, wide)
    return 0, 0


def digits(value: V) -> int:
    if value.lo is not None and value.hi is not None:
        return max(len(str(value.lo)), len(str(value.hi)))
    return 20 if value.type in ("long", "long long", "ssize_t", "int64_t") else 11


def scanned(engine: Engine, state: State, made: Call) -> None:
    """Each conversion fills what its argument points to with data from outside."""
    format_at = api.SCANNERS[made.name]
    form = made.arg(format_at).text
    origin = "input that scanf reads"
    if made.name in ("sscanf", "swscanf"):
        taint, found = bounds.content_taint(state, made.arg(0))
        origin = found or "parsed text"
    else:
        taint = STRONG
    number = format_at + 1
    for match in SCAN.finditer((form or "")[:MAX_FORMAT]):
        kind = match["kind"]
        if kind == "%" or match["skip"]:
            continue
        target = made.arg(number)
        if kind[0] in "s[S":
            text_target(engine, state, made, match, target, number, taint, origin)
        else:
            number_target(state, target, kind, match["size"] or "", taint, origin)
        number += 1


def text_target(
    engine: Engine, state: State, made: Call, match: re.Match[str], target: V, number: int, taint: int, origin: str
) -> None:
    from glasshouse.scan.memory.names import ALL

    width = match["width"]
    space = bounds.room(target)
    name = lifetime.shown(target, made.operand(number))
    if match["size"] == "m":
        return
    if width is None:
        source = made.arg(0)
        limit = (
            source.reg.size.hi
            if made.name == "sscanf" and source.reg is not None and source.reg.size is not None
            else None
        )
        if limit is None or space is None or limit > space:
            engine.report("unbounded-input", made.span, made.name, name, "high" if taint & STRONG else "medium")
    elif space is not None and int(width) + 1 > space:
        engine.report("buffer-overflow", made.span, name, made.name, "high")
    if target.reg is not None:
        content = V()
        content.taint, content.source = taint, origin
        state.heap[target.reg] = {ALL: content}
        state.texts.pop(target.reg, None)


def number_target(state: State, target: V, kind: str, size: str, taint: int, origin: str) -> None:
    region = target.reg
    if region is None:
        return
    text = region.type or ""
    value = V()
    value.taint, value.source, value.sym = taint, origin, symbol()
    value = bounded(value, text or ("int" if kind in "dixu" else ""))
    if kind in "feEgaG":
        value = value.having(real=True)
    state.heap[region] = {0: value}
