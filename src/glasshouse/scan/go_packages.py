"""Go packages of a program: the files of a folder are one package; types implement interfaces by their methods."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from glasshouse.scan import ir

if TYPE_CHECKING:
    from collections.abc import Sequence

    from glasshouse.scan.program import Cls, Module, Program

MAX_IMPLEMENTERS = 20


def link(program: Program) -> None:
    """Make one of the files of each package, and find what implements its interfaces."""
    modules = [module for module in program.modules if module.language == "go"]
    for module in modules:
        program.go_folders.setdefault(posixpath.dirname(module.path), []).append(module)
    for files in program.go_folders.values():
        by_package: dict[str, dict[str, list[Cls]]] = {}
        for module in files:
            types = by_package.setdefault(module.file.package, {})
            for cls in module.classes:
                types.setdefault(cls.ir.name, []).append(cls)
        for types in by_package.values():
            for name, found in types.items():
                share(files, name, found)
    for module in modules:
        name_imports(program, module)
    implement(program, modules)


def name_imports(program: Program, module: Module) -> None:
    """A package is known by the name it declares, which need not be the last part of its path."""
    for entry in list(module.imports.values()):
        if entry.local != entry.module.rpartition("/")[2]:
            continue
        for target in imported(program, module, entry.module):
            if target.file.package != entry.local:
                module.imports.setdefault(target.file.package, entry)


def share(files: Sequence[Module], name: str, found: Sequence[Cls]) -> None:
    """The type that a file declares gets the methods that other files give it, and is known to all of them."""
    main = max(found, key=lambda cls: (bool(cls.ir.fields or cls.ir.flags & ir.INTERFACE), bool(cls.ir.bases)))
    for cls in found:
        if cls is main:
            continue
        for method, functions in cls.methods.items():
            for fn in functions:
                fn.cls = main
                main.methods.setdefault(method, []).append(fn)
        cls.methods = main.methods
    for module in files:
        if module.file.package == main.module.file.package:
            module.simple[name] = main


def implement(program: Program, modules: Sequence[Module]) -> None:
    """A type that has all methods of an interface is below it."""
    for module in modules:
        for interface in module.classes:
            if not interface.ir.flags & ir.INTERFACE or not interface.methods:
                continue
            first = next(iter(interface.methods))
            for fn in program.methods_named.get(first, ())[: 10 * MAX_IMPLEMENTERS]:
                cls = fn.cls
                if cls is None or cls.module.language != "go" or cls.ir.flags & ir.INTERFACE:
                    continue
                if cls not in interface.subclasses and set(interface.methods) <= set(cls.methods):
                    interface.subclasses.append(cls)
                if len(interface.subclasses) >= MAX_IMPLEMENTERS:
                    break


def imported(program: Program, module: Module, name: str) -> Sequence[Module]:
    """The files of an imported package: the folder whose path ends as the import path does, the longest such."""
    if "/" not in name and name not in program.go_folders:
        return ()
    parts = name.split("/")
    for start in range(len(parts)):
        folder = "/".join(parts[start:])
        found = program.go_folders.get(folder)
        if found is not None and (start == 0 or "." in parts[0] or start == 1):
            return found
        if start > 2 and "." not in parts[0]:
            break
    return ()


def imported_type(program: Program, module: Module, package: str, name: str) -> Cls | str:
    for item in imported(program, module, package):
        if name in item.simple:
            return item.simple[name]
    return f"{package}.{name}" if name else package
