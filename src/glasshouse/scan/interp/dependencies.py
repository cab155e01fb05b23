"""Parameters that FastAPI fills by calling another function: ``Depends(get_session)``.

That function's own parameters are filled as those of the entry point are, with data of the request.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from glasshouse.scan import ir
from glasshouse.scan.interp import attributes, declared_data, elements
from glasshouse.scan.interp.arguments import Arguments
from glasshouse.scan.interp.values import NONE, UNKNOWN, ClassRef, FuncRef, Obj, Value

if TYPE_CHECKING:
    from glasshouse.scan.interp.frame import Frame
    from glasshouse.scan.rules import schema

DEPTH = 8  # functions running inside one another
MAKERS = ("fastapi.Depends", "fastapi.Security", "fastapi.param_functions.Depends", "fastapi.params.Depends")
WRITTEN = re.compile(r"\b(?:Depends|Security)\(\s*([A-Za-z_][\w.]*)")
CALLED = "dependency"  # kind of the object that stands for ``Depends(...)``, and its field


def depends(frame: Frame, given: Arguments, span: int) -> Value | None:
    """What ``Depends(function)`` gives: the function, to be called later."""
    function = given.pos[0] if given.pos else given.kw.get(CALLED, UNKNOWN)
    obj = frame.machine.new_obj(CALLED, frame, span)
    frame.machine.heap[obj] = {CALLED: function}
    return Value(refs=(obj,))


def provided(frame: Frame, entry: schema.Entry, param: ir.Param) -> Value | None:
    """What the framework passes for a parameter that depends on a function; None for other parameters."""
    if param.name == "form" and frame.fn.ir.name == "form_valid":
        return declared_data.submitted(frame, param)
    function, type_of = dependency(frame, param)
    if function is None:
        return None
    result: Value | None = None
    for ref in function.refs:
        if ref.__class__ is FuncRef:
            result = called(frame, entry, ref)
        elif ref.__class__ is ClassRef:
            result = made(frame, entry, ref)
        elif ref.__class__ is Obj and ref.cls is not None:
            fn = frame.machine.program.find_method(ref.cls, "__call__")
            result = called(frame, entry, FuncRef(fn, None, Value(refs=(ref,)))) if fn is not None else None
    if result is None:
        return None
    if type_of is not None and not result.refs and result.path[-2:] in ("", "()"):
        instances = tuple(
            Obj("instance", (frame.module.index, param.span), ref.cls, open=True)
            for ref in type_of.refs
            if ref.__class__ is ClassRef
        )
        return Value(taint=result.taint, refs=instances, path=type_of.path)
    return frame.machine.modules.typed(frame.module, param.type, result) if type_of is None else result


def dependency(frame: Frame, param: ir.Param) -> tuple[Value | None, Value | None]:
    """The function a parameter depends on, and its type where an alias (``SessionDep``) says it."""
    found = WRITTEN.search(declared_data.annotated(param))
    if found is not None:
        return named(frame, found[1]), None
    default = declared_data.default_of(frame, param) if param.has_default else None
    if default is not None and any(ins[0] == ir.CALL for ins in default[3]):
        if frame.exec(default[3]):
            function = function_of(frame, frame.val(default[4]))
            if function is not None:
                return own_type(frame, param) if function is UNKNOWN else function, None
    if param.type.isidentifier() and param.type not in frame.module.simple:
        for ref in frame.machine.global_value(frame, param.type).refs:
            if ref.__class__ is Obj and ref.kind == "tuple":
                fields = frame.machine.fields(ref) or {}
                for item in fields.values():
                    function = function_of(frame, item)
                    if function is not None:
                        return function, fields.get(0)
    return None, None


def own_type(frame: Frame, param: ir.Param) -> Value:
    """The class that ``paging: Paging = Depends()`` makes an instance of."""
    cls = frame.machine.program.type_of(frame.module, param.type)
    return UNKNOWN if isinstance(cls, str) else Value(refs=(ClassRef(cls),))


def function_of(frame: Frame, value: Value) -> Value | None:
    for ref in value.refs:
        if ref.__class__ is Obj and ref.kind == CALLED:
            return (frame.machine.fields(ref) or {}).get(CALLED)
    return None


def named(frame: Frame, name: str) -> Value:
    """The value of a dotted name in the module."""
    head, *rest = name.split(".")
    value = frame.machine.global_value(frame, head)
    for part in rest:
        value = attributes.get_attr(frame, value, part, 0)
    return value


def called(frame: Frame, entry: schema.Entry, ref: FuncRef) -> Value | None:
    """The result of a function whose parameters the framework fills."""
    from glasshouse.scan.interp import sources

    machine = frame.machine
    fn = ref.fn
    if len(machine.stack) >= DEPTH or fn in machine.stack or not machine.budget.fits(fn):
        return None
    machine.note_call(frame, fn)
    new = machine.new_frame(fn, ref.this, ref.frame)
    height = machine.budget.height(fn)
    machine.stack.append(fn)
    machine.budget.enter(height)
    sources.bind_entry(machine, new, entry)
    result = new.run()
    machine.budget.frames -= height
    machine.stack.pop()
    if fn.ir.flags & ir.GENERATOR:
        return elements.element(frame, result, "values", fn.ir.span)
    return UNKNOWN if result is NONE else result


def made(frame: Frame, entry: schema.Entry, ref: ClassRef) -> Value:
    """An instance whose constructor's parameters the framework fills."""
    cls = ref.cls
    obj = Obj("instance", (cls.module.index, cls.ir.span), cls, open=False)
    frame.machine.heap[obj] = {}
    fn = frame.machine.program.find_method(cls, "__init__")
    this = Value(refs=(obj,))
    if fn is not None:
        called(frame, entry, FuncRef(fn, ref.frame, this))
    return this
