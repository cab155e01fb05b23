"""Go packages of a program: the files of a folder are one package; types implement interfaces by their methods."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from glasshouse.scan import ir

if TYPE_CHECKING:
    from collections.abc import Sequence

    from glasshouse.scan.program import Cls, Module, Program

MAX_IMPLEMENTERS = 20
MAX_DEPTH = 20  # folders above one
STANDARD = frozenset(
    "archive bufio bytes cmp compress container context crypto database debug embed encoding errors expvar flag fmt go "
    "hash html image index io iter log maps math mime net os path plugin reflect regexp runtime slices sort strconv "
    "strings sync syscall testing text time unicode unique unsafe C".split()
)
"""First parts of the paths of Go's own packages."""


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
    program.go_roots = roots(program, modules)
    for module in modules:
        name_imports(program, module)
    implement(program, modules)


def roots(program: Program, modules: Sequence[Module]) -> dict[str, str]:
    """Folders that are the root of a module (of which a tree may hold several), each with the path it is imported by.

    Nobody reads ``go.mod`` here.  What the files below a folder import says which path it has: the one under which most
    of its folders are found.  A folder that has the name of the path's last part counts for more.
    """
    votes: dict[str, dict[str, set[str]]] = {}
    seen: set[tuple[str, str]] = set()
    for module in modules:
        home = posixpath.dirname(module.path)
        for entry in module.imports.values():
            if (home, entry.module) in seen or entry.module.partition("/")[0] in STANDARD:
                continue
            seen.add((home, entry.module))
            for root, path in above(program, home, entry.module):
                votes.setdefault(root, {}).setdefault(path, set()).add(entry.module)
    found = {}
    for root, paths in votes.items():
        name = root.rpartition("/")[2]
        found[root] = max(paths, key=lambda path: (path.rpartition("/")[2] == name, len(paths[path]), path))
    return found


def above(program: Program, home: str, name: str) -> list[tuple[str, str]]:
    """Folders at or above ``home``, and paths for them, that would make an import a folder of the program."""
    parts = name.split("/")
    found = []
    for _ in range(MAX_DEPTH):
        if not home:
            break  # what lies at the top is found without
        for start in range(1, len(parts)):
            if f"{home}/{'/'.join(parts[start:])}" in program.go_folders:
                found.append((home, "/".join(parts[:start])))
        home = posixpath.dirname(home)
    return found


def below_root(program: Program, module: Module, name: str) -> Sequence[Module]:
    """The files of a package of the module that a file belongs to."""
    home = posixpath.dirname(module.path)
    for _ in range(MAX_DEPTH):
        if not home:
            break
        path = program.go_roots.get(home)
        if path is not None and (name == path or name.startswith(path + "/")):
            files = program.go_folders.get(home + name[len(path) :])
            if files is not None:
                return files
        home = posixpath.dirname(home)
    return ()


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
    files = below_root(program, module, name)
    if files:
        return files
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
