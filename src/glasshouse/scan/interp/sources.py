"""Where data enters: sources, entry-point parameters, attribute reads; and the small checks rules ask for."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from glasshouse.scan import ir
from glasshouse.scan.interp import (
    access_paths,
    attributes,
    conditions,
    declared_data,
    dependencies,
    elements,
    external,
    stores,
)
from glasshouse.scan.interp.arguments import Arguments
from glasshouse.scan.interp.go import builtins as go_builtins
from glasshouse.scan.interp.javascript import responses as javascript_responses
from glasshouse.scan.interp.models import MatchModel, ReadModel, SourceModel
from glasshouse.scan.interp.values import LITERAL, UNKNOWN, Obj, Step, Taint, Value, join_taint, with_taint, without
from glasshouse.scan.rules import schema

if TYPE_CHECKING:
    from glasshouse.scan.interp.findings import Flow
    from glasshouse.scan.interp.frame import Frame
    from glasshouse.scan.interp.machine import Machine

RANK = {"request": 0, "message": 1, "stdin": 2, "argv": 3, "env": 4, "archive": 5, "file": 6, "database": 7}
TEXT = {
    "request": "data from the HTTP request",
    "argv": "command-line argument",
    "env": "environment variable",
    "stdin": "standard input",
    "file": "file content",
    "archive": "name of an archive's entry",
    "message": "message content",
    "database": "database content",
    "parameter": "parameter",
}


def from_source(machine: Machine, frame: Frame, model: SourceModel, result: Value, span: int, text: str) -> Value:
    """The value of a source: tainted in every class (of a rule's own source: in the rule's class)."""
    machine.root.tainted = True
    place = (frame.module.index, span)
    label = machine.source_label(model.label, model.kind, text, place)
    taint: Taint = {label: (model.mask, Step(place[0], span, text, None))}
    return with_taint(result, join_taint(taint, result.taint))


def apply_read(machine: Machine, frame: Frame, model: ReadModel, value: Value, path: str, span: int) -> Value:
    """An attribute read that rules know."""
    if model.returns:
        value = Value(value.const, value.taint, value.refs, model.returns)
    if model.clean:
        value = with_taint(value, without(value.taint, model.clean))
    if model.store:
        value = stores.read(frame, model.store, path.rpartition(".")[2], value, span)
    for source in model.sources:
        value = from_source(machine, frame, source, value, span, source.text)
    for match in model.matches:
        if span and (not match.imports or any(machine.imports(frame.module, name) for name in match.imports)):
            machine.report_match(frame, match, path, span)
    return value


def better(new: Flow, old: Flow) -> bool:
    """Whether a flow explains a finding better: a less trusted source, then a shorter way."""
    ranks = RANK.get(new.label.source, 9), RANK.get(old.label.source, 9)
    if ranks[0] != ranks[1]:
        return ranks[0] < ranks[1]
    lengths = way_length(new.step), way_length(old.step)
    if lengths[0] != lengths[1]:
        return lengths[0] < lengths[1]
    return flow_order(new) < flow_order(old)


ORDER_STEPS = 60  # compared between two flows


def flow_order(flow: Flow) -> tuple[object, ...]:
    """Decides between flows that are equally good, in whatever order they come and however far lines have moved."""
    way: list[tuple[int, int, str]] = []
    pending = [flow.step]
    while pending and len(way) < ORDER_STEPS:  # never `repr` of a step: steps are linked without bound
        step = pending.pop()
        if step is not None:
            way.append((step.file, step.span, step.text))
            pending += (step.before, step.inner)
    label, confidence = flow.label, flow.confidence or ""
    return label.text, label.place, flow.sink, flow.act, confidence, flow.built, flow.fn.index, way


def way_length(step: Step | None) -> int:
    count = 0
    while step is not None and count < 200:
        count += 1
        step = step.before
    return count


def value_meets(frame: Frame, match: MatchModel, value: Value, owner: Value | None) -> bool:
    """Conditions of an assignment pattern (``value``, ``value.name`` for what it holds, ``self`` for its object)."""
    given = Arguments([], {"value": value})
    if not all(conditions.holds(frame, item, owner, given) for item in match.where):
        return False
    return not any(conditions.holds(frame, item, owner, given) for item in match.unless)


def check_assign_sink(machine: Machine, frame: Frame, target: Value, name: str, value: Value, span: int) -> None:
    """``element.innerHTML = tainted``."""
    matcher = machine.matcher(frame)
    if target.path:
        stores.written(frame, target, name, value, span)
    if not matcher.assign_sinks:
        return
    taint = value.taint if not value.refs else attributes.deep_taint(machine, value)
    if not taint:
        return
    found: list[Any] = []
    if target.path:
        for item in matcher.supers(matcher.normal(target.path)):
            found.extend(matcher.assign_sinks.get(f"{item}.{name}", ()))
    if not found:
        found.extend(matcher.assign_sinks.get(f"*.{name}", ()))
    for sink in found:
        given = Arguments([value], {})
        if not any(conditions.holds(frame, item, target, given) for item in sink.safe_when):
            machine.hit(frame, sink, taint, span, value)


def pseudo_call(machine: Machine, frame: Frame, name: str, values: list[Value], span: int, shown: str = "") -> None:
    """Operations that rules may treat as calls (``$index``, ``$set_key``); ``shown``: the sink's name in messages."""
    model = machine.matcher(frame).calls.get(name)
    if model is not None:
        for sink in model.sinks:
            named = sink._replace(name=shown) if shown else sink
            external.check_sink(frame, named, None, Arguments(values, {}), span)


def field_set(machine: Machine, frame: Frame, owner: Value, name: str, value: Value, span: int) -> None:
    """A field of an object of a library is set: to protocols a call of ``Type.Field=``."""
    model = machine.matcher(frame).call(f"{owner.path}.{name}=")
    if model is not None and model.protocol:
        machine.protocols.apply(frame, model, owner, Arguments([value], {}), Value(), span)


def check_result(frame: Frame, value: Value, ins: Any) -> None:
    """What an entry point returns goes to the framework: sinks of the call that stands for that."""
    machine, entry = frame.machine, frame.returned_to
    if entry is None or not (attributes.deep_taint(machine, value) if value.refs else value.taint):
        return
    if entry.keeps:
        stores.keep(frame, entry.keeps, value, ins[1])
    if entry.result not in machine.matcher(frame).calls:
        return
    at = next((index for index, item in enumerate(frame.block) if item is ins), None)
    text = access_paths.beginning(frame, frame.block, at, ins[2]) if at is not None else None
    content = UNKNOWN
    if any(ref.__class__ is Obj and ref.kind == "tuple" for ref in value.refs):  # body, status, headers
        parts = elements.known_elements(frame, value, "values") or []
        content = next((kind for part in parts[1:] if (kind := javascript_responses.among(frame, part))), UNKNOWN)
        value = elements.get_item(frame, value, Value(0), ins[1])
    known = {"declared": frame.fn.ir.returns, "marks": marks_of(frame.fn), "beginning": text or ""}
    given = Arguments([value], {name: Value(const) for name, const in known.items()})
    given.kw["content"] = content
    for sink in machine.matcher(frame).calls[entry.result].sinks:
        external.check_sink(frame, sink._replace(name="return"), None, given, ins[1])


def marks_of(fn: Any) -> str:
    """The decorators of a function and of its class, by their last names, with the constants they are given."""
    found = []
    for decorator in (*(fn.cls.ir.decorators if fn.cls is not None else ()), *fn.ir.decorators):
        args = [f"{name}={value}" if name else str(value) for name, value in decorator.args]
        name = decorator.name.rsplit(".", 1)[-1]
        found.append(f"{name}({', '.join(args)})" if args else name)
    return ", ".join(found)


# --- entry points ----------------------------------------------------------------------------------------------------


def bind_entry(machine: Machine, frame: Frame, entry: schema.Entry) -> None:
    """Give an entry point's parameters what the framework passes."""
    number = 0
    supplied: set[str] = set()
    if frame.module.language in ("javascript", "python"):
        frame.env[go_builtins.CONTENT] = UNKNOWN  # so that it is known only where every way has set it
    for param in frame.fn.ir.params:
        if param.kind == "self":
            if frame.this is not None:
                frame.env[param.name] = frame.this
            continue
        model = param_model(entry, param, number)
        number += 1
        provided = dependencies.provided(frame, entry, param) if frame.module.language == "python" else None
        if provided is not None:
            frame.env[param.name] = provided
            supplied.add(param.name)
            continue
        if frame.module.language == "php" and param.type not in ("", "int"):
            model = None  # an object that the framework makes
        value = UNKNOWN
        if param.type:
            value = machine.modules.typed(frame.module, param.type, UNKNOWN)
        if model is not None:
            value = entry_value(machine, frame, model, param, value)
            if frame.module.language == "php" and machine.route and param.type in ("", "array", "?array"):
                value = declared_data.route_parts(frame, value, param.span)
        elif value is UNKNOWN or not value.path:
            obj = Obj("param", (frame.module.index, param.span), open=True)
            value = Value(value.const, value.taint, value.refs or (obj,), value.path)
        if param.kind in ("*", "**"):
            obj = Obj("list" if param.kind == "*" else "dict", (frame.module.index, param.span), open=True)
            machine.heap[obj] = {"*": value}
            value = Value(taint=value.taint, refs=(obj,))
        if model is not None or not param.has_default:
            frame.env[param.name] = machine.sensitive(frame, param.name, value, param.span)
            supplied.add(param.name)
    frame.given = supplied


FILLED = frozenset(["String", "String[]", "java.lang.String", "File", "File[]", "java.io.File", "List", "Map"])


def fill_fields(machine: Machine, frame: Frame, kind: schema.SourceKind) -> None:
    """The object whose method is called has been filled from outside: its text fields that have a setter."""
    if frame.this is None or frame.fn.cls is None:
        return
    (obj,) = frame.this.refs
    fields = machine.heap[obj] = dict(machine.fields(obj) or {})
    for cls in machine.program.supers(frame.fn.cls)[0]:
        for name, (setter, *_) in cls.methods.items():
            params = [param for param in setter.ir.params if param.kind != "self"]
            if name[:3] == "set" and len(params) == 1 and params[0].type in FILLED and setter.ir.flags & ir.EXPORTED:
                field = name[3:4].lower() + name[4:]
                place = (cls.module.index, params[0].span)
                taint = brought(machine, kind, f"{TEXT[kind]} (`{field}`)", place, machine.everything)
                fields.setdefault(field, Value(taint=taint, refs=(Obj("param", place, open=True),)))


def brought(machine: Machine, kind: str, text: str, place: tuple[int, int], mask: int) -> Taint:
    """Data that the framework brings to a place, a parameter or a field."""
    machine.root.tainted = True
    label = machine.source_label("source", kind, text, place)
    return {label: (mask, Step(place[0], place[1], text, None))}


def param_model(entry: schema.Entry, param: ir.Param, number: int) -> schema.ParamModel | None:
    names = {f"@{item.name.rsplit('.', 1)[-1]}" for item in param.decorators}
    fallback = None
    for model in entry.params:
        if model.param in names or model.param == param.name or model.param == str(number):
            return model
        if model.param == "*":
            fallback = model
    return fallback


def entry_value(machine: Machine, frame: Frame, model: schema.ParamModel, param: ir.Param, value: Value) -> Value:
    if model.type:
        value = Value(taint=value.taint, refs=value.refs, path=model.type)
    if model.source is None:
        return value
    place = (frame.module.index, param.span)
    text = model.description or f"{TEXT[model.source]} (`{param.name}`)"
    mask = machine.everything & ~declared_data.parameter(frame, param)
    if not mask:
        return value if value.refs else Value(path=LITERAL)
    taint = brought(machine, model.source, text, place, mask)
    refs = value.refs or (Obj("param", place, open=True),)
    return Value(taint=join_taint(value.taint, taint), refs=refs, path=value.path)


def find_entry(machine: Machine, fn: Any) -> schema.Entry | None:
    """The framework entry a function is, by decorator, base class or shape."""
    matcher = machine.matchers[fn.module.language]
    for decorator in fn.ir.decorators:
        for path in decorator_paths(machine, fn.module, decorator.name):
            entry = matcher.decorator_entries.get(path)
            if entry is not None and class_allows(machine, fn, entry):
                return entry
    if fn.cls is not None:
        for entry in matcher.method_entries(fn.ir.name):
            if entry.bases and method_entry(machine, fn, entry):
                return entry
            if by_name_alone(entry) and listed(fn, entry) and fn.ir.flags & ir.STATIC:
                return entry
            if entry.class_decorator and not entry.decorator and not entry.bases:
                if class_allows(machine, fn, entry) and listed(fn, entry):
                    return entry
    return shape_entry(machine, fn, matcher.shaped_entries)


def by_name_alone(entry: schema.Entry) -> bool:
    """An entry that names methods and nothing else: static methods such as Java's ``main``."""
    return bool(entry.methods) and not (
        entry.bases or entry.class_decorator or entry.decorator or entry.registers or entry.shape
    )


def listed(fn: Any, entry: schema.Entry) -> bool:
    return fn.ir.name in entry.methods or ("*" in entry.methods and bool(fn.ir.flags & ir.EXPORTED))


def class_allows(machine: Machine, fn: Any, entry: schema.Entry) -> bool:
    """If an entry names class decorators, the method's class carries one of them."""
    if not entry.class_decorator:
        return True
    if fn.cls is None:
        return False
    for decorator in fn.cls.ir.decorators:
        if any(path in entry.class_decorator for path in decorator_paths(machine, fn.module, decorator.name)):
            return True
    return False


def method_entry(machine: Machine, fn: Any, entry: schema.Entry) -> bool:
    if not listed(fn, entry):
        return False
    matcher = machine.matchers[fn.module.language]
    if any(fnmatchcase(base, wanted) for wanted in entry.bases if wanted[:2] == "*." for base in fn.cls.ir.bases):
        return True
    above = machine.program.supers(fn.cls)[1]
    names = [matcher.normal(item) for item in above]
    return any(matcher.is_below(item, entry.bases) for item in names)


def shape_entry(machine: Machine, fn: Any, entries: list[schema.Entry]) -> schema.Entry | None:
    names = tuple(param.name for param in fn.ir.params if param.kind != "self") if entries else ()
    for entry in entries:
        shape = entry.shape
        if entry.functions:
            fits = fn.ir.name in entry.functions and (names == shape if shape else bool(names))
        elif shape[-1] == "...":
            fits = names[: len(shape) - 1] == shape[:-1]
        else:
            fits = names == shape
        if fits and (not entry.imports or any(machine.imports(fn.module, name) for name in entry.imports)):
            return entry
    return None


def decorator_paths(machine: Machine, module: Any, name: str) -> list[str]:
    """Paths a decorator may be known under: resolved, as written, and by its last name."""
    head, _, rest = name.partition(".")
    paths = []
    value = (module.env or {}).get(head)
    if value is not None and value.path:
        paths.append(f"{value.path}.{rest}" if rest else value.path)
    resolved = machine.program.type_of(module, name)
    if isinstance(resolved, str):
        paths.append(resolved)
    matcher = machine.matchers[module.language]
    paths = [matcher.normal(path) for path in paths]
    last = name.rsplit(".", 1)[-1]
    return [*paths, name, f"*.{last}"]


def one_text(language: str, item: Any) -> Any:
    """Java: ``{"select a", "from b"}`` is read as one text."""
    texts = language == "java" and item.__class__ is list and all(part.__class__ is str for part in item)
    return " ".join(item) if texts else item


def check_decorator(machine: Machine, fn: Any, decorator: ir.Decorator, match: MatchModel) -> None:
    """A rule on a decorator: conditions see its constant arguments."""
    frame = machine.new_frame(fn, None, None)
    given = [(name, one_text(fn.module.language, item)) for name, item in decorator.args]
    pos = [Value(item) for name, item in given if not name and item.__class__ is not list]
    kw = {name: Value(item) for name, item in given if name and item.__class__ is not list}
    if conditions.all_hold(frame, match, None, Arguments(pos, kw)):
        machine.report_rule(
            match.rule, fn, decorator.span, {"name": decorator.name, "sink": decorator.name}, match.confidence
        )
