"""New instances: fields, constructors, and what external bases make of the arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from glasshouse.scan import ir
from glasshouse.scan.bodies import instructions
from glasshouse.scan.interp import calls, external
from glasshouse.scan.interp.arguments import NO_ARGUMENTS, Arguments
from glasshouse.scan.interp.go import builtins as go_builtins
from glasshouse.scan.interp.java import builtins as java_builtins
from glasshouse.scan.interp.java import functions as java_functions
from glasshouse.scan.interp.values import (
    NONE,
    NOT_CONST,
    UNKNOWN,
    ClassRef,
    FuncRef,
    Obj,
    Value,
    join,
)
from glasshouse.scan.program import Cls, Fn, pick_overload

if TYPE_CHECKING:
    from glasshouse.scan.interp.frame import Frame


def construct(frame: Frame, cls: Value, given: Arguments, span: int) -> Value:
    """``new cls(...)``."""
    result: Value | None = None
    if "$outer" in given.kw and not cls.refs:
        cls = java_builtins.inner_class(frame, given.kw["$outer"], cls)
    for ref in cls.refs:
        if ref.__class__ is ClassRef:
            item: Value | None = instantiate(frame, ref, given, span)
        elif ref.__class__ is FuncRef:
            obj = Obj("instance", (frame.module.index, span), proto=ref)
            frame.machine.heap[obj] = {}
            this = Value(refs=(obj,))
            returned = calls.invoke(frame, FuncRef(ref.fn, ref.frame, this), given, span)
            item = returned if returned.refs and returned.const is NOT_CONST else this
        else:
            item = None
        if item is not None:
            result = item if result is None else join(result, item)
    if cls.path or result is None:
        outside = external.call(frame, cls.path or "?", None, given, span, new=True)
        result = outside if result is None else join(result, outside)
    return result


def instantiate(frame: Frame, ref: ClassRef, given: Arguments, span: int) -> Value:
    """A new instance: fields, constructors, and what external bases make of the arguments."""
    machine = frame.machine
    cls = ref.cls
    machine.ensure_class(cls)
    classes, outside = machine.program.supers(cls)
    obj = Obj("instance", (frame.module.index, span), cls, open=bool(outside and not harmless(outside)))
    machine.heap[obj] = {}
    if outside and frame.module.language == "java":
        java_builtins.become(frame, obj, outside)
    if cls.ir.parent >= 0 and frame.module.language == "java":
        obj.outer = given.kw.pop("$outer", None) or frame.this
    this = Value(refs=(obj,))
    if ref.frame is not None and ref.frame.fn.ir.kind not in ("module", "class"):
        obj.home = ref.frame
    if cls.ir.flags & ir.ENUM and frame.module.language == "python" and given.pos:
        return this if given.pos[0].taint else given.pos[0]  # what is no member raises
    for item in reversed(classes):
        if 0 <= item.ir.init < len(item.module.functions):
            fn = item.module.functions[item.ir.init]
            calls.invoke(frame, FuncRef(fn, ref.frame if item is cls else obj.home, this), NO_ARGUMENTS, span)
    if frame.module.language == "python":
        made = allocate(frame, ref, given, span)
        if made is not None:
            own = own_instance(made, cls)
            if own is None:
                return made
            obj, this = own, Value(refs=(own,))
    call_constructor(frame, cls, this, given, span, above=False, closure=ref.frame)
    if outside and not harmless(outside):
        base = external.call(frame, outside[0], None, given, span, new=True)
        return Value(taint=base.taint, refs=(obj,), path="")
    if frame.module.language == "go":
        go_builtins.set_fields(frame, obj, given)
        return this
    fields = machine.fields(obj) or {}
    if not fields and (given.pos or given.kw) and not constructor_of(cls, machine, len(given.pos)):
        for index, name in enumerate(name for name, _ in cls.ir.fields):
            if index < len(given.pos):
                machine.write(obj, name, given.pos[index])
        for name, value in given.kw.items():
            machine.write(obj, name, value)
    return this


def allocate(frame: Frame, ref: ClassRef, given: Arguments, span: int) -> Value | None:
    """What the class's own ``__new__`` returns; None if it has none or nothing is known of the result."""
    fn = frame.machine.program.find_method(ref.cls, "__new__", len(given.pos))
    if fn is None:
        return None
    made = calls.invoke(frame, FuncRef(fn, ref.frame, Value(refs=(ref,))), given, span)
    return made if made.refs else None


def own_instance(made: Value, cls: Cls) -> Obj | None:
    for item in made.refs:
        if item.__class__ is Obj and item.cls is cls:
            return item
    return None


def bare_instance(frame: Frame, given: Arguments, span: int) -> Value | None:
    """``object.__new__(cls)`` and ``super().__new__(cls)``: an instance whose constructor has not run."""
    for item in given.pos[0].refs if given.pos else ():
        if item.__class__ is ClassRef:
            obj = Obj("instance", (frame.module.index, span), item.cls)
            frame.machine.heap[obj] = {}
            return Value(refs=(obj,))
    return None


def harmless(outside: list[str]) -> bool:
    return all(name in STATELESS or name.startswith("java.util.function.") for name in outside)


STATELESS = frozenset(
    """object Object java.lang.Object Generic ABC abc.ABC Protocol java.lang.Runnable java.io.Serializable
    java.lang.Comparable java.lang.Cloneable java.lang.AutoCloseable java.lang.Iterable java.lang.Record java.lang.Enum
    java.util.concurrent.Callable java.util.Comparator java.util.Iterator java.lang.CharSequence""".split()
)


CONSTRUCTORS = {
    "python": "__init__",
    "javascript": "constructor",
    "java": "<init>",
    "go": "<init>",
    "php": "__construct",
}


def constructor_of(cls: Cls, machine: Any, arity: int) -> Fn | None:
    name = CONSTRUCTORS[cls.module.language]
    if cls.module.language == "java":
        found = cls.methods.get(name)
        return pick_overload(found, arity) if found else None
    result: Fn | None = machine.program.find_method(cls, name, arity)
    return result


def call_constructor(
    frame: Frame, cls: Cls, this: Value, given: Arguments, span: int, above: bool, closure: Frame | None = None
) -> Value:
    """Run the constructor of ``cls`` (or of the class above it) on ``this``."""
    machine = frame.machine
    if above:
        classes, _ = machine.program.supers(cls)
        if len(classes) < 2:
            return NONE
        cls = classes[1]
        closure = home_of(this)
    fn = constructor_of(cls, machine, len(given.pos))
    if fn is not None:
        if fn.module.language == "java":
            fn = java_functions.overload(frame, fn, given)
        calls.invoke(frame, FuncRef(fn, closure, this), given, span)
    return NONE


def fill_tables(frame: Frame, cls: Cls, this: Value) -> None:
    """Java, PHP: what the constructor of an object that the framework makes puts into its tables of functions."""
    name = CONSTRUCTORS[cls.module.language] if cls.module.language in ("java", "php") else ""
    for fn in cls.methods.get(name, ()):
        frame.machine.unit.touched.add(fn)
        if any(instr[0] == ir.CLOSURE for instr in instructions(fn.ir.body)):
            unknown = [UNKNOWN for _ in fn.ir.params]
            calls.run_in_context(frame, FuncRef(fn, None, this), Arguments(unknown, {}), fn.ir.span)


def home_of(this: Value) -> Frame | None:
    """The frame that the class of an object was defined in, for classes made inside functions."""
    for ref in this.refs:
        if ref.__class__ is Obj and ref.home is not None:
            found: Frame | None = ref.home
            return found
    return None
