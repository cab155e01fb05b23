"""Java's functional interfaces: running a lambda, a method reference or an object that stands for a function."""

from __future__ import annotations

from typing import TYPE_CHECKING

from glasshouse.scan import ir
from glasshouse.scan.interp.arguments import Arguments
from glasshouse.scan.interp.values import UNKNOWN, Bound, FuncRef, Obj, Value, join

if TYPE_CHECKING:
    from glasshouse.scan.interp.frame import Frame
    from glasshouse.scan.program import Fn

METHODS = frozenset(
    """apply accept test get run call compare applyAsInt applyAsLong applyAsDouble getAsInt getAsLong getAsDouble
    getAsBoolean invoke execute handle""".split()
)  # the one method of well-known functional interfaces
CHAINING = frozenset(["andThen", "compose", "negate", "and", "or", "reversed", "thenComparing"])
TEXT = "java.lang.String."
STATIC_TEXT = frozenset(["valueOf", "format", "join", "copyValueOf"])


def is_function(frame: Frame, value: Value) -> bool:
    """Whether a value can be called: a function, or an object of the program with a method for it."""
    for ref in value.refs:
        if ref.__class__ is FuncRef or ref.__class__ is Bound:
            return True
        if ref.__class__ is Obj and (ref.library == "composed" or only_method(frame, ref, -1) is not None):
            return True
    return False


def call_function(frame: Frame, function: Value, args: list[Value], span: int) -> Value:
    """Call what a functional interface holds."""
    from glasshouse.scan.interp import calls

    given = Arguments(list(args), {})
    result: Value | None = None
    for ref in function.refs:
        item: Value | None = None
        if ref.__class__ is FuncRef:
            item = call_ref(frame, ref, given, span)
        elif ref.__class__ is Obj and ref.library == "composed":
            item = call_composed(frame, ref, args, span)
        elif ref.__class__ is Obj:
            fn = only_method(frame, ref, len(args))
            if fn is not None:
                item = calls.invoke(frame, FuncRef(fn, ref.home, Value(refs=(ref,))), given, span)
        elif ref.__class__ is Bound:
            item = calls.call_value(frame, Value(refs=(ref,)), given, span)
        if item is not None:
            result = item if result is None else join(result, item)
    if result is None and function.path:
        return call_path(frame, function.path, args, span)
    if result is None:
        return calls.call_value(frame, function, given, span)
    return result


def call_ref(frame: Frame, ref: FuncRef, given: Arguments, span: int) -> Value:
    """A lambda or ``Type::method``: of an instance method, the first argument is the receiver."""
    from glasshouse.scan.interp import calls

    fn = ref.fn
    if fn.ir.kind == "method" and ref.this is None and not fn.ir.flags & ir.STATIC and given.pos:
        return calls.call_method(frame, given.pos[0], fn.ir.name, Arguments(given.pos[1:], {}, given.rest), span, None)
    return calls.invoke(frame, ref, given, span)


def call_path(frame: Frame, path: str, args: list[Value], span: int) -> Value:
    """``String::trim`` and the like: a method of the library."""
    from glasshouse.scan.interp import calls

    name = path.rpartition(".")[2]
    if args and ((path.startswith(TEXT) and name not in STATIC_TEXT) or (args[0].refs and len(args) == 1)):
        return calls.call_method(frame, args[0], name, Arguments(args[1:], {}), span, None)
    return calls.call_value(frame, Value(path=path), Arguments(list(args), {}), span)


def only_method(frame: Frame, obj: Obj, arity: int) -> Fn | None:
    """The method that makes an object of the program a function."""
    if obj.cls is None:
        return None
    found: list[Fn] = []
    for cls in frame.machine.program.supers(obj.cls)[0]:
        for name, methods in cls.methods.items():
            for fn in methods:
                if (
                    name in METHODS
                    and not fn.ir.flags & (ir.STATIC | ir.ABSTRACT)
                    and (arity < 0 or len(fn.ir.params) == arity)
                ):
                    found.append(fn)
        if found:
            return found[0]
    return None


def chain(frame: Frame, function: Value, name: str, given: Arguments, span: int) -> Value | None:
    """``f.andThen(g)`` and the other methods of functional interfaces that give a new function."""
    if name not in CHAINING:
        return None
    obj = frame.machine.new_obj("composed", frame, span)
    obj.library = "composed"
    other = given.pos[0] if given.pos else UNKNOWN
    first, second = (other, function) if name == "compose" else (function, other)
    frame.machine.heap[obj] = {"name": Value(name), "first": first, "second": second}
    return Value(refs=(obj,))


def call_composed(frame: Frame, obj: Obj, args: list[Value], span: int) -> Value:
    fields = frame.machine.fields(obj) or {}
    name = fields["name"].const
    inner = call_function(frame, fields["first"], args, span)
    if name in ("andThen", "compose"):
        takes_same = not (inner.refs or inner.taint or inner.path) and inner.const is None  # consumers give nothing
        return call_function(frame, fields["second"], args if takes_same else [inner], span)
    if name in ("and", "or"):
        call_function(frame, fields["second"], args, span)
    return UNKNOWN


def composed(frame: Frame, obj: Obj, value: Value, name: str, given: Arguments, span: int) -> Value | None:
    """A method of a function made by ``chain``."""
    return chain(frame, value, name, given, span) or call_composed(frame, obj, list(given.pos), span)


# --- overloads --------------------------------------------------------------------------------------------------------

NUMBERS = frozenset("int long short byte double float Integer Long Short Byte Double Float Number BigDecimal".split())
ANYTHING = frozenset(["Object", "java.lang.Object", "T", "E", "V", "K", "R", "U"])
TEXTS = frozenset(["String", "CharSequence", "java.lang.String", "Comparable"])


def overload(frame: Frame, fn: Fn, given: Arguments) -> Fn:
    """Of the methods of that name with as many parameters, the one whose types fit the arguments best."""
    if fn.cls is None:
        return fn
    every = fn.cls.methods.get(fn.ir.name, ())
    if len(every) < 2:
        return fn
    count = len(fn.ir.params)
    same = [item for item in every if len(item.ir.params) == count and not any(p.kind == "*" for p in item.ir.params)]
    if len(same) < 2:
        return fn
    return max(same, key=lambda item: fit(frame, item, given))


def fit(frame: Frame, fn: Fn, given: Arguments) -> int:
    return sum(type_fit(frame, fn, param.type, value) for param, value in zip(fn.ir.params, given.pos, strict=False))


def type_fit(frame: Frame, fn: Fn, text: str, value: Value) -> int:
    """How well a value fits a declared type: 3 exactly, 2 by a type above, 1 as anything, 0 unknown, -5 not."""
    if text in ANYTHING:
        return 1
    const = value.const.__class__
    if const is str:
        return 3 if text in TEXTS else -5
    if const is bool:
        return 3 if text in ("boolean", "Boolean") else -5
    if const in (int, float):
        return (3 if text == const.__name__ else 2) if text in NUMBERS else -5
    for ref in value.refs:
        if ref.__class__ is FuncRef:
            return -5 if text in TEXTS or text in NUMBERS or text.endswith("[]") else 2
        if ref.__class__ is not Obj or ref.kind == "param":
            continue
        if ref.cls is not None:
            names = [cls.ir.name for cls in frame.machine.program.supers(ref.cls)[0]]
            last = text.rpartition(".")[2]
            return (3 if names[0] == last else 2) if last in names else -5
        if ref.kind == "list" and not ref.library:
            return 3 if text.endswith("[]") else -5
        if ref.library:
            return -5 if text in TEXTS or text in NUMBERS or text.endswith("[]") else 2
    if value.path:
        resolved = frame.machine.program.type_of(fn.module, text)
        return 3 if resolved == value.path else -1
    if value.taint:
        return 2 if text in TEXTS else -1
    return 0
