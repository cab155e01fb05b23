"""Modules and classes coming to life: running bodies once, resolving imports, globals and declared types."""

from __future__ import annotations

from typing import TYPE_CHECKING

from glasshouse.scan.interp import attributes, enclosing
from glasshouse.scan.interp.frame import Frame
from glasshouse.scan.interp.php import scope as php_scope
from glasshouse.scan.interp.python_builtins import CONSTANTS
from glasshouse.scan.interp.units import STATE, local
from glasshouse.scan.interp.values import (
    NOT_CONST,
    UNKNOWN,
    ClassRef,
    FuncRef,
    ModuleRef,
    Obj,
    Value,
    join,
    with_taint,
    without,
)
from glasshouse.scan.program import Cls, Fn, Module, external_path

if TYPE_CHECKING:
    from glasshouse.scan.interp.machine import Machine
    from glasshouse.scan.interp.summary import Summary

MODULE_STEPS = 400_000
MAX_NESTING = 5  # classes inside one another
ENCLOSED = frozenset(["javascript", "go"])  # languages whose inner functions see the variables around them
NUMERIC = frozenset(
    """int float bool complex decimal.Decimal uuid.UUID UUID datetime date long short byte double boolean Integer Long
    Short Byte Double Float Boolean java.lang.Integer java.lang.Long java.lang.Short java.lang.Byte java.lang.Double
    java.lang.Float java.lang.Boolean java.util.UUID java.math.BigInteger java.math.BigDecimal number bigint""".split()
)
SETTING_UP = ("prepare", "initialize", "setup")  # what web frameworks call before a handler's methods
PLAIN = frozenset(["str", "string", "any", "object", "unknown", "void", "java.lang.String", "java.lang.Object", "var"])
WRAPPER_TYPES = frozenset(["Optional", "Annotated", "Final", "ClassVar", "Required", "NotRequired"])
LIST_TYPES = frozenset(["list", "List", "Sequence", "MutableSequence", "Tuple", "tuple", "Iterable", "Collection"])
CONTAINER_TYPES = frozenset(["dict", "list", "set", "tuple"])


class Modules:
    """See the module docstring."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.program = machine.program
        self.frames: dict[int, Frame] = {}
        self.builtins: dict[str, Value] = {}
        self.unbound: dict[str, Value] = {}  # Python names that nothing in their file defines
        self.states: dict[Cls, dict[str, Value]] = {}
        self.names: dict[Fn, frozenset[str]] = {}
        self.around: dict[Fn, dict[str, Value]] = {}  # see `enclosing`

    # --- bodies -------------------------------------------------------------------------------------------------

    def ensure(self, module: Module) -> dict[str, Value]:
        """The module's global variables; runs its body the first time."""
        if module.env is not None:
            return module.env
        running = self.frames.get(module.index)
        if running is not None:
            return running.env
        if not module.functions:
            module.env = {}
            return module.env
        from glasshouse.scan.interp.findings import Root

        machine = self.machine
        fn = module.functions[0]
        if not machine.budget.fits(fn):
            return {}
        saved = machine.isolated(Root(fn, True), MODULE_STEPS)
        frame = machine.new_frame(fn, None, None)
        self.frames[module.index] = frame
        if module.language == "javascript":
            exports = Obj("dict", (module.index, 0), open=False)
            machine.heap[exports] = {}
            frame.env["$exports"] = Value(refs=(exports,))
        frame.run()
        module.env = frame.env
        machine.base.update(machine.heap)
        machine.rejoin(saved)
        return module.env

    def run_class_body(self, frame: Frame, cls: Cls) -> None:
        anew = cls.ran and self.machine.units.frozen and local(cls)
        if cls.ran and not anew:
            return
        cls.ran = True
        if not 0 <= cls.ir.body < len(cls.module.functions):
            return
        if anew:
            self.machine.unit.writes.append([cls, "", cls.attrs])
        fn = cls.module.functions[cls.ir.body]
        body = self.machine.new_frame(fn, None, frame)
        if cls.module.language == "java":
            body.env[cls.ir.name] = Value(refs=(ClassRef(cls, frame),))
        body.run()
        body.env.pop(cls.ir.name, None)
        cls.attrs = body.env

    def ensure_class(self, cls: Cls) -> None:
        """A class that is used before its definition was run."""
        if cls.ran:
            return
        from glasshouse.scan.interp.findings import Root

        machine = self.machine
        if not machine.budget.fits(cls.module.functions[0]):
            return
        saved = machine.isolated(Root(cls.module.functions[0], True))
        frame = self.frames.get(cls.module.index) or machine.new_frame(cls.module.functions[0], None, None)
        self.run_class_body(frame, cls)
        machine.base.update(machine.heap)
        machine.rejoin(saved)

    def inner_class(self, cls: Cls, name: str) -> Cls | None:
        for other in cls.module.classes:
            if other.ir.name == name and other.ir.parent == cls.index:
                return other
        return None

    # --- names --------------------------------------------------------------------------------------------------

    def global_value(self, frame: Frame, name: str) -> Value:
        module = frame.module
        if module.language == "php":
            return php_scope.value_of(frame, name)
        if module.language in ENCLOSED:
            around = enclosing.value(self, frame, name)
            if around is not None:
                return around
        env = module.env
        if env is None:
            env = self.ensure(module)
        found = env.get(name)
        if found is not None:
            return found
        if module.language == "java":
            return self.java_name(frame, name)
        if module.language == "go":
            return self.go_name(frame, name)
        cls = module.simple.get(name)
        if cls is not None and cls.ir.parent < 0:
            return Value(refs=(ClassRef(cls),))
        if module.language == "python":
            for star in module.stars:
                target = self.program.python_module(module, star.module, star.level)
                if target is not None:
                    value = self.ensure(target).get(name)
                    if value is not None:
                        return value
        known = self.unbound if module.language == "python" else self.builtins
        found = known.get(name)
        if found is None:
            path = self.machine.matcher(frame).unbound(name) if module.language == "python" else name
            found = known[name] = Value(path=path)
        return found

    def go_name(self, frame: Frame, name: str) -> Value:
        """A name of the package: of this file or one beside it."""
        cls = frame.module.simple.get(name)
        if cls is not None:
            return Value(refs=(ClassRef(cls),))
        entry = frame.module.imports.get(name)
        if entry is not None:
            return self.import_value(frame.module, entry.module, "", 0)
        for other in self.program.package_of(frame.module) if name[:1] != "$" else ():
            value = self.ensure(other).get(name) if other is not frame.module else None
            if value is not None:
                return value
        return self.builtins.setdefault(name, Value(path=name))

    def java_name(self, frame: Frame, name: str) -> Value:
        if name.endswith(".this"):
            resolved = self.program.type_of(frame.module, name[:-5])
            if isinstance(resolved, Cls):
                return self.outer_this(frame, resolved)
            return UNKNOWN
        if not name[:1].isupper():
            entry = frame.module.imports.get(name)
            if entry is not None and entry.static:
                return self.static_member(frame.module, entry.module, entry.name)
            if name in frame.module.simple:
                return Value(refs=(ClassRef(frame.module.simple[name]),))
            return self.static_on_demand(frame, name)
        resolved = self.program.type_of(frame.module, name)
        if isinstance(resolved, Cls):
            return Value(refs=(ClassRef(resolved),))
        cls: Cls | None = frame.fn.cls
        while cls is not None:
            for item in self.program.supers(cls)[0]:
                inner = self.inner_class(item, name)
                if inner is not None:
                    return Value(refs=(ClassRef(inner),))
                if name in item.attrs:
                    return item.attrs[name]
            cls = cls.module.classes[cls.ir.parent] if cls.ir.parent >= 0 else None
        entry = frame.module.imports.get(name)
        if entry is not None and entry.static:
            return self.static_member(frame.module, entry.module, entry.name)
        return Value(path=resolved)

    def static_member(self, module: Module, owner: str, name: str) -> Value:
        resolved = self.program.type_of(module, owner)
        if isinstance(resolved, Cls):
            self.ensure_class(resolved)
            if name in resolved.attrs:
                return resolved.attrs[name]
            methods = resolved.methods.get(name)
            if methods:
                return Value(refs=(FuncRef(methods[0]),))
        return Value(path=f"{owner}.{name}")

    def static_on_demand(self, frame: Frame, name: str) -> Value:
        """What ``import static a.b.C.*`` brings: from the program, else from the one library class or a known one."""
        outside: list[str] = []
        for star in frame.module.stars if name[:1] != "$" else ():
            if star.static:
                resolved = self.program.type_of(frame.module, star.module)
                if not isinstance(resolved, Cls):
                    outside.append(f"{star.module}.{name}")
                    continue
                self.ensure_class(resolved)
                if name in resolved.attrs or name in resolved.methods:
                    return self.static_member(frame.module, star.module, name)
        if len(outside) > 1:
            known = self.machine.matcher(frame).calls
            outside = [path for path in outside if path in known]
        return Value(path=outside[0] if outside else name)

    def outer_this(self, frame: Frame, cls: Cls) -> Value:
        """The enclosing instance: the frame's, if we are still inside it."""
        outer: Frame | None = frame
        while outer is not None:
            this, own = outer.this, outer.fn.cls
            if this is not None and own is not None and (own is cls or cls in self.program.supers(own)[0]):
                return this
            for _ in range(MAX_NESTING):
                this = next((r.outer for r in this.refs if r.__class__ is Obj), None) if this is not None else None
                if this is None:
                    break
                if any(r.__class__ is Obj and r.cls and cls in self.program.supers(r.cls)[0] for r in this.refs):
                    return this
            outer = outer.closure
        return Value(refs=(Obj("instance", (cls.module.index, cls.ir.span), cls, open=True),))

    def set_global(self, frame: Frame, name: str, value: Value) -> None:
        running = self.frames.get(frame.module.index)
        env = running.env if running is not None and frame.module.env is None else frame.module.env
        if env is None:
            env = self.ensure(frame.module)
        have = env.get(name)
        concrete = self.machine.root.concrete
        if value.taint and not concrete:
            value = with_taint(value, {k: v for k, v in value.taint.items() if k.kind != "param"} or None)
        self.machine.assign(env, name, value if have is None or concrete else join(have, value))

    def names_of(self, fn: Fn) -> frozenset[str]:
        """Which of ``arguments`` and ``this`` a function's code names."""
        found = self.names.get(fn)
        if found is None:
            text = repr(fn.ir.body) if len(fn.ir.body) < 500 else ""
            found = self.names[fn] = frozenset(name for name in ("arguments", "this") if f"'{name}'" in text)
        return found

    # --- imports ------------------------------------------------------------------------------------------------

    def import_value(self, module: Module, target_name: str, name: str, level: int) -> Value:
        target = self.program.find_module(module, target_name, level)
        if module.language == "python":
            return self.python_import(module, target, target_name, name, level)
        if module.language == "java":
            return self.java_import(module, target_name, name)
        if module.language == "go":
            found = self.program.go_package(module, target_name)
            return Value(refs=tuple(ModuleRef(item) for item in found)) if found else Value(path=target_name)
        if target is None:
            return Value(path=external_path("javascript", target_name, name))
        return self.script_import(target, name)

    def python_import(self, module: Module, target: Module | None, target_name: str, name: str, level: int) -> Value:
        if target is None:
            if name:
                inner = self.program.python_module(module, f"{target_name}.{name}".strip("."), level)
                if inner is not None:
                    return Value(refs=(ModuleRef(inner),))
            path = f"{target_name}.{name}".strip(".") if name else target_name or name
            return CONSTANTS.get(path) or Value(path=path)
        if not name:
            return Value(refs=(ModuleRef(target),))
        found = self.module_attr(target, name)
        return found if found is not None else Value(path=f"{target_name}.{name}")

    def java_import(self, module: Module, target_name: str, name: str) -> Value:
        if name:
            return self.static_member(module, target_name, name)
        resolved = self.program.type_of(module, target_name)
        if isinstance(resolved, Cls):
            return Value(refs=(ClassRef(resolved),))
        return Value(path=target_name)

    def script_import(self, target: Module, name: str) -> Value:
        env = self.ensure(target)
        exports = env.get("$exports", UNKNOWN)
        if not name:
            return exports
        found: Value | None = None
        for ref in exports.refs:
            if ref.__class__ is Obj or ref.__class__ is FuncRef:
                key = ref if ref.__class__ is Obj else ref.fn  # type: ignore[union-attr]
                value = (self.machine.fields(key) or {}).get(name)
                if value is not None:
                    found = value if found is None else join(found, value)
        if found is None and name == "default":
            return exports
        return found if found is not None else UNKNOWN

    def import_star(self, frame: Frame, target_name: str, level: int) -> None:
        target = self.program.find_module(frame.module, target_name, level)
        if target is not None:
            for name, value in self.ensure(target).items():
                if name[:1] not in "_$":
                    frame.env.setdefault(name, value)

    def module_attr(self, module: Module, name: str) -> Value | None:
        env = self.ensure(module)
        found = env.get(name)
        if found is not None:
            return found
        if module.language == "go" and name in module.simple:
            return Value(refs=(ClassRef(module.simple[name]),))
        if module.language == "python":
            inner = self.program.python_module(module, f"{module.name}.{name}", 0)
            if inner is not None and inner.name == f"{module.name}.{name}":
                return Value(refs=(ModuleRef(inner),))
        return None

    # --- types --------------------------------------------------------------------------------------------------

    def is_numeric(self, module: Module, text: str) -> bool:
        if text in NUMERIC:
            return True
        resolved = self.program.type_of(module, text)
        return isinstance(resolved, str) and resolved in NUMERIC

    def typed(self, module: Module, text: str, value: Value) -> Value:
        """The value, known to be of a declared type."""
        if text.endswith("[]") or not text:
            return value
        if "[" in text and module.language == "python":
            outer, _, inner = text.partition("[")
            last = outer.rpartition(".")[2]
            if last in WRAPPER_TYPES:
                text = inner.rstrip("]").split(",")[0].strip()
            elif last in LIST_TYPES and not value.path and value.const is NOT_CONST:
                return Value(NOT_CONST, value.taint, value.refs, "list")
        resolved = self.program.type_of(module, text)
        if module.language == "python" and resolved.__class__ is str and text.isidentifier():
            resolved = self.annotated(module, text) or resolved
        if isinstance(resolved, Cls):
            if any(ref.__class__ is FuncRef or (ref.__class__ is Obj and ref.cls is not None) for ref in value.refs):
                return value
            label = next((ref.label for ref in value.refs if ref.__class__ is Obj), None)
            obj = Obj("instance", (module.index, 0), resolved, open=True, label=label)
            return Value(value.const, value.taint, (obj, *value.refs), value.path)
        if resolved in NUMERIC:
            taint = without(value.taint, ~self.machine.numeric)
            return Value(value.const, taint, (), "") if value.taint else value
        for ref in value.refs:
            if ref.__class__ is FuncRef or (ref.__class__ is Obj and (ref.library or ref.kind in CONTAINER_TYPES)):
                return value
        if (
            resolved in PLAIN
            or (value.path and not value.path.endswith("()"))
            or value.const is not NOT_CONST
            or resolved in CONTAINER_TYPES
        ):
            return value
        return Value(value.const, value.taint, value.refs, resolved)

    def annotated(self, module: Module, name: str) -> Cls | str | None:
        """The type behind an alias: ``Session = Annotated[AsyncSession, Depends(session)]``."""
        value = (module.env or {}).get(name)
        if value is None or not value.refs or not value.path.endswith("Annotated[]"):
            return None
        for ref in value.refs:
            first = (self.machine.fields(ref) or {}).get(0) if ref.__class__ is Obj else None
            if first is not None:
                return next((item.cls for item in first.refs if item.__class__ is ClassRef), first.path or None)
        return None

    def instance_field(self, frame: Frame, obj: Obj, name: str) -> Value | None:
        """A field of an instance that nothing here has set: what constructors leave in it, or its declared type."""
        for cls in self.program.supers(attributes.seen_as(frame, obj))[0]:
            if obj.open:
                state = self.state_of(cls)
                if name in state and not (cls.module.language == "go" and state[name].const is not NOT_CONST):
                    return state[name]  # Go has no constructors: its fields begin as zero, until they are set
            for field, text in cls.ir.fields:
                if field == name and text:
                    return self.typed(cls.module, text, UNKNOWN)
        return None

    def state_of(self, cls: Cls) -> dict[str, Value]:
        """Fields as the constructors leave them: types, constants, references, real sources; no parameters."""
        machine, key = self.machine, (STATE, cls)
        found = self.states.get(cls)
        if found is not None:
            machine.unit.needs.add(key)
            return found
        held: dict[str, Value] | None = machine.units.passing(key)
        if held is not None:
            return held
        if machine.units.under_way(key):
            return {}
        machine.units.begin(key)
        found = self.constructed(cls)
        machine.settle(machine.units.end(found))
        return found

    def constructed(self, cls: Cls) -> dict[str, Value]:
        from glasshouse.scan.interp.construction import CONSTRUCTORS

        found: dict[str, Value] = {}
        makers = list(cls.methods.get(CONSTRUCTORS[cls.module.language], ()))
        for name in SETTING_UP if cls.module.language == "python" and self.program.supers(cls)[1] else ():
            makers += cls.methods.get(name, ())
        if 0 <= cls.ir.init < len(cls.module.functions):
            makers.append(cls.module.functions[cls.ir.init])
        for fn in makers:
            summary = self.machine.summary_of(fn)
            if summary is None:
                continue
            copies: dict[Obj, Obj] = {}
            for param, name, value in summary.effects:
                if param.cls is cls and name.__class__ is str and name != "*":
                    plain = self.without_parameters(value, summary, copies)
                    have = found.get(name)
                    found[name] = plain if have is None else join(have, plain)
        return found

    def without_parameters(self, value: Value, summary: Summary, copies: dict[Obj, Obj]) -> Value:
        """The value without parameters' data; objects that hold such data are replaced by copies that do not."""
        taint = {label: mark for label, mark in (value.taint or {}).items() if label.kind != "param"} or None
        refs = []
        for ref in value.refs:
            if ref.__class__ is Obj and ref in summary.fresh:
                made = copies.get(ref)
                if made is None:
                    made = copies[ref] = ref.copy()
                    self.machine.base[made] = {
                        name: self.without_parameters(item, summary, copies) for name, item in summary.heap[ref].items()
                    }
                refs.append(made)
            elif not (ref.__class__ is Obj and ref in summary.params and ref.cls is None):
                refs.append(ref)
        return Value(value.const, taint, tuple(refs), value.path)
