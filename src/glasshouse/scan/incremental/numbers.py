"""Stable numbers for modules, functions, classes and sinks, kept from one analysis to the next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from glasshouse.scan import ir
from glasshouse.scan.interp.matcher import Matcher, SinkModel
from glasshouse.scan.program import Cls, Fn, Module, Program

MODULE_RANGE = 1 << 20  # functions and classes of one module, at most


class Numbers:
    """A module's number is its place in ``paths``; functions and classes are numbered inside their module."""

    def __init__(self, program: Program, matchers: dict[str, Matcher], paths: Sequence[str] = ()) -> None:
        self.program = program
        self.paths = list(paths)
        known = {path: number for number, path in enumerate(self.paths)}
        self.by_index: list[int] = []
        self.modules: list[Module | None] = [None] * len(self.paths)
        for module in program.modules:
            number = known.get(module.path)
            if number is None:
                number = len(self.paths)
                self.paths.append(module.path)
                self.modules.append(None)
            self.by_index.append(number)
            self.modules[number] = module
        self.functions: dict[Fn, int] = {}
        self.classes: dict[Cls, int] = {}
        self.fn_of: dict[int, Fn] = {}
        self.cls_of: dict[int, Cls] = {}
        self.sinks: list[SinkModel] = []
        self.sink_numbers: dict[int, int] = {}
        for name in sorted(matchers):
            matcher = matchers[name]
            for model in matcher.calls.values():
                self.sinks.extend(model.sinks)
            for models in matcher.assign_sinks.values():
                self.sinks.extend(models)
        for number, sink in enumerate(self.sinks):
            self.sink_numbers.setdefault(id(sink), number)

    def add(self, module: Module, functions: Sequence[int] | None = None, classes: Sequence[int] | None = None) -> None:
        """Number what a module defines: in order, or as given."""
        start = self.by_index[module.index] * MODULE_RANGE
        for fn in module.functions:
            number = start + (fn.index if functions is None else functions[fn.index])
            self.functions[fn] = number
            self.fn_of[number] = fn
        for cls in module.classes:
            number = start + (cls.index if classes is None else classes[cls.index])
            self.classes[cls] = number
            self.cls_of[number] = cls

    def module_number(self, index: int) -> int:
        return self.by_index[index]

    def sink(self, sink: SinkModel) -> int:
        return self.sink_numbers[id(sink)]


def function_shape(file: ir.File, fn: ir.Function) -> tuple[Any, ...]:
    """All of a function that others may look at without running it (no places)."""
    owner = file.classes[fn.cls].qualname if 0 <= fn.cls < len(file.classes) else ""
    parent = file.functions[fn.parent].qualname if 0 <= fn.parent < len(file.functions) else ""
    params = tuple((p.name, p.kind, p.type, p.has_default, decorated(p.decorators)) for p in fn.params)
    return (
        fn.name,
        fn.qualname,
        fn.kind,
        params,
        owner,
        parent,
        fn.flags,
        decorated(fn.decorators),
        tuple(fn.outer),
        fn.returns,
    )


def class_shape(file: ir.File, cls: ir.Class) -> tuple[Any, ...]:
    """All of a class that others may look at without running its body (no places)."""
    outer = file.classes[cls.parent].qualname if 0 <= cls.parent < len(file.classes) else ""
    methods = tuple(
        (name, function_shape(file, file.functions[at])) for name, at in cls.methods if at < len(file.functions)
    )
    fields = tuple((name, text) for name, text in cls.fields)
    return (
        cls.name,
        cls.qualname,
        tuple(cls.bases),
        methods,
        fields,
        outer,
        cls.flags,
        decorated(cls.decorators),
        cls.body >= 0,
        cls.init >= 0,
    )


def decorated(decorators: Sequence[ir.Decorator]) -> str:
    return repr([(item.name, item.args) for item in decorators])


def file_shape(file: ir.File) -> tuple[Any, ...]:
    """All of a file that name look-ups use."""
    imports = tuple((item.local, item.module, item.name, item.level, item.static) for item in file.imports)
    return (
        file.language,
        file.package,
        imports,
        tuple(function_shape(file, fn) for fn in file.functions),
        tuple(class_shape(file, cls) for cls in file.classes),
    )


def matched(old: Sequence[tuple[Any, ...]], new: Sequence[tuple[Any, ...]], first: int) -> list[int]:
    """For each new shape, the position of the same old one, or a new number from ``first`` on."""
    places: dict[tuple[Any, ...], list[int]] = {}
    for position, shape in enumerate(old):
        places.setdefault(shape, []).append(position)
    result = []
    for shape in new:
        have = places.get(shape)
        if have:
            result.append(have.pop(0))
        else:
            result.append(first)
            first += 1
    return result
