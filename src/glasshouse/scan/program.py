"""The scanned program: modules, classes and functions of all files, and how names lead from one to another.

Pure look-ups over lowered files; nothing is interpreted here.
"""

from __future__ import annotations

import functools
import posixpath
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from glasshouse.scan import go_packages, ir
from glasshouse.scan.java_lang import JAVA_LANG
from glasshouse.scan.php_names import PhpNames

if TYPE_CHECKING:
    from glasshouse.scan.interp.summary import Summary
    from glasshouse.scan.interp.values import Value

JS_ENDINGS = (".js", ".ts", ".tsx", ".jsx", ".mjs", ".cjs", ".mts", ".cts")
MAX_SUPERS = 40
JDK = ("java.", "javax.", "org.w3c.dom.", "org.xml.sax.")


class Fn:
    """A function of the program."""

    __slots__ = ("cls", "constants", "index", "ir", "module", "parent", "summary")

    def __init__(self, module: Module, index: int, function: ir.Function, cls: Cls | None) -> None:
        self.module = module
        self.index = index
        self.ir = function
        self.cls = cls
        self.parent: Fn | None = None
        self.constants: list[Value] | None = None
        self.summary: Summary | None = None

    @property
    def names(self) -> frozenset[str]:
        """Of the parameters."""
        return frozenset(param.name for param in self.ir.params)

    @property
    def id(self) -> tuple[int, int]:
        return self.module.index, self.index

    def __repr__(self) -> str:
        return f"Fn({self.module.path}:{self.ir.qualname})"


class Cls:
    """A class of the program.  ``attrs`` are class attributes once its body has run."""

    __slots__ = ("attrs", "bases", "index", "ir", "methods", "module", "name", "ran", "state", "subclasses", "supers")

    def __init__(self, module: Module, index: int, klass: ir.Class, name: str) -> None:
        self.module = module
        self.index = index
        self.ir = klass
        self.name = name  # fully qualified
        self.methods: dict[str, list[Fn]] = {}
        self.bases: list[Cls | str] | None = None
        self.supers: tuple[list[Cls], list[str]] | None = None
        self.subclasses: list[Cls] = []
        self.attrs: dict[str, Value] = {}
        self.ran = False
        self.state: dict[str, Value] | None = None  # what constructors leave in the receiver's fields

    def __repr__(self) -> str:
        return f"Cls({self.name})"


class Module:
    """One file.  ``env`` holds its global variables once its body has run."""

    __slots__ = (
        "classes",
        "env",
        "file",
        "functions",
        "imports",
        "index",
        "language",
        "name",
        "path",
        "running",
        "simple",
        "stars",
        "types",
    )

    def __init__(self, index: int, file: ir.File, name: str) -> None:
        self.index = index
        self.file = file
        self.path = file.path
        self.language = file.language
        self.name = name
        self.functions: list[Fn] = []
        self.classes: list[Cls] = []
        self.simple: dict[str, Cls] = {}
        self.imports = {entry.local: entry for entry in file.imports if entry.local != "*"}
        self.stars = [entry for entry in file.imports if entry.local == "*"]
        self.env: dict[str, Value] | None = None
        self.running = False
        self.types: dict[str, Cls | str] = {}

    def __repr__(self) -> str:
        return f"Module({self.path})"


SOURCE_ROOTS = ("@/", "~/", "~~/", "@@/", "#/", "$lib/", "src/", "@src/", "@app/")
"""How imports of TypeScript and of bundlers begin that are meant from the folder of the sources."""


def script_name(path: str) -> str:
    """A JavaScript file's path as imports write it: no ending, no ``/index``."""
    stem = next((path[: -len(ending)] for ending in JS_ENDINGS if path.endswith(ending)), path)
    return stem.removesuffix("/index")


def module_name(path: str) -> str:
    """Dotted name of a Python file below the scan root (``a/b/__init__.py`` is ``a.b``)."""
    stem = path.rsplit(".", 1)[0]
    if stem.endswith("/__init__") or stem == "__init__":
        stem = stem[: -len("/__init__")] if "/" in stem else ""
    return stem.replace("/", ".")


class Program:
    """All modules, with indexes by name."""

    def __init__(self, files: Sequence[ir.File], known_types: frozenset[str] = frozenset()) -> None:
        self.known_types = known_types  # full names of Java's library classes that rules and models speak of
        self.modules: list[Module] = []
        self.by_path: dict[str, Module] = {}
        self._by_last: dict[str, list[Module]] = {}
        self._scripts: dict[str, list[Module]] = {}
        self.class_names: dict[str, list[Cls]] = {}
        self.packages: dict[tuple[str, str], Cls] = {}
        self.methods_named: dict[str, list[Fn]] = {}
        self.go_folders: dict[str, list[Module]] = {}
        self.go_roots: dict[str, str] = {}  # folders of modules, and the path that each is imported by
        self.php = PhpNames()
        for file in files:
            self._add(file)
        self._link()

    # --- building -----------------------------------------------------------------------------------------------

    def _add(self, file: ir.File) -> None:
        name = module_name(file.path) if file.language == "python" else file.path
        module = Module(len(self.modules), file, name)
        self.modules.append(module)
        self.by_path[file.path] = module
        if file.language == "python":
            self._by_last.setdefault(name.rsplit(".", 1)[-1], []).append(module)
        elif file.language == "javascript":
            self._scripts.setdefault(script_name(file.path).rpartition("/")[2], []).append(module)
        for index, klass in enumerate(file.classes):
            self._add_class(module, index, klass)
        classes, count = module.classes, len(module.classes)
        functions = module.functions = [
            Fn(module, index, function, classes[function.cls] if 0 <= function.cls < count else None)
            for index, function in enumerate(file.functions)
        ]
        for fn in functions:
            parent = fn.ir.parent
            if 0 <= parent < len(functions):
                fn.parent = functions[parent]
        for cls in module.classes:
            for method, index in cls.ir.methods:
                if 0 <= index < len(module.functions):
                    fn = module.functions[index]
                    cls.methods.setdefault(method, []).append(fn)
                    self.methods_named.setdefault(method, []).append(fn)

    def _add_class(self, module: Module, index: int, klass: ir.Class) -> None:
        package = module.file.package if module.language == "java" else module.name
        full = f"{package}.{klass.qualname}" if package else klass.qualname
        cls = Cls(module, index, klass, full)
        module.classes.append(cls)
        if klass.name:
            module.simple.setdefault(klass.name, cls)
            self.class_names.setdefault(klass.name, []).append(cls)
            if module.language == "java":
                self.packages.setdefault((module.file.package, klass.name), cls)
                self.packages.setdefault((module.file.package, klass.qualname), cls)

    def _link(self) -> None:
        go_packages.link(self)
        self.php.link(self)
        for module in self.modules:
            for cls in module.classes:
                for base in self.bases(cls):
                    if base.__class__ is Cls:
                        base.subclasses.append(cls)

    # --- classes ------------------------------------------------------------------------------------------------

    def bases(self, cls: Cls) -> list[Cls | str]:
        """Direct bases: classes of the program, or external paths."""
        if cls.bases is None:
            cls.bases = []
            for text in cls.ir.bases:
                base = self.type_of(cls.module, text)
                if base is not cls:
                    cls.bases.append(base)
        return cls.bases

    def supers(self, cls: Cls) -> tuple[list[Cls], list[str]]:
        """The class and the program classes above it, nearest first, and the external paths above them."""
        if cls.supers is None:
            classes: list[Cls] = []
            external: list[str] = []
            queue: list[Cls | str] = [cls]
            while queue and len(classes) < MAX_SUPERS:
                item = queue.pop(0)
                if isinstance(item, str):
                    if item not in external:
                        external.append(item)
                elif item not in classes:
                    classes.append(item)
                    queue.extend(self.bases(item))
            cls.supers = classes, external
        return cls.supers

    def find_method(self, cls: Cls, name: str, arity: int = -1) -> Fn | None:
        """The method that a call on an instance of ``cls`` runs; overloads are told apart by arity."""
        for item in self.supers(cls)[0]:
            found = item.methods.get(name)
            if found:
                return pick_overload(found, arity)
        return None

    def overrides(self, cls: Cls, name: str, arity: int, cap: int) -> list[Fn]:
        """Methods of that name in the classes below ``cls``, at most ``cap``.

        An interface that nothing implements may only gather others (repositories of Spring Data): then it is those
        below the one that declares the method.
        """
        found: list[Fn] = []
        queue = list(cls.subclasses)
        seen: set[Cls] = set()
        while queue and len(found) < cap:
            item = queue.pop(0)
            if item in seen:
                continue
            seen.add(item)
            methods = item.methods.get(name)
            if methods:
                fn = pick_overload(methods, arity)
                if not fn.ir.flags & ir.ABSTRACT:
                    found.append(fn)
            queue.extend(item.subclasses)
        declared = None if found or not cls.ir.flags & ir.INTERFACE else self.find_method(cls, name, arity)
        if declared is not None and declared.cls not in (None, cls) and declared.ir.flags & ir.ABSTRACT:
            assert declared.cls is not None
            return self.overrides(declared.cls, name, arity, cap)
        return found

    def type_of(self, module: Module, text: str) -> Cls | str:
        """What a type or base name written in ``module`` means: a class of the program or an external path."""
        found = module.types.get(text)
        if found is None:
            found = module.types[text] = self._type_of(module, text)
        return found

    def _type_of(self, module: Module, text: str) -> Cls | str:
        head, _, rest = text.partition(".")
        if module.language == "java":
            return self._java_type(module, text, head, rest)
        if module.language == "php":
            return self.php.type_of(text)
        local = module.simple.get(head)
        if local is not None and not rest:
            return local
        entry = module.imports.get(head)
        if entry is None:
            if module.language == "python":
                for star in module.stars:
                    target = self.python_module(module, star.module, star.level)
                    if target is not None and head in target.simple:
                        return target.simple[head]
            return text
        return self._imported_type(module, entry, rest)

    def _imported_type(self, module: Module, entry: ir.Import, rest: str, depth: int = 0) -> Cls | str:
        name = f"{entry.name}.{rest}".strip(".") if rest else entry.name
        if module.language == "go":
            return go_packages.imported_type(self, module, entry.module, rest)
        target = self.find_module(module, entry.module, entry.level)
        if target is None and entry.name and module.language == "python":
            target = self.find_module(module, f"{entry.module}.{entry.name}".lstrip("."), entry.level)
            name = rest if target is not None else name
        if target is None:
            return external_path(module.language, entry.module, name)
        last = name.rsplit(".", 1)[-1]
        if last in target.simple:
            return target.simple[last]
        if last == "default" and module.language == "javascript" and target.classes:
            return target.classes[0]
        again = target.imports.get(last)
        if again is not None and depth < 5:
            return self._imported_type(target, again, "", depth + 1)
        return f"{target.name}.{name}"

    def _java_type(self, module: Module, text: str, head: str, rest: str) -> Cls | str:
        package = module.file.package
        if rest and not head[:1].isupper():
            owner, _, simple = text.rpartition(".")
            return self.packages.get((owner, simple), text)
        last = rest or head
        if head in module.simple and not rest:
            return module.simple[head]
        entry = module.imports.get(head)
        if entry is not None and not entry.static:
            owner, _, simple = entry.module.rpartition(".")
            full = f"{simple}.{rest}" if rest else simple
            found = self.packages.get((owner, full)) or self.packages.get((owner, last.rsplit(".", 1)[-1]))
            return found or (f"{entry.module}.{rest}" if rest else entry.module)
        found = self.packages.get((package, text)) or module.simple.get(last.rsplit(".", 1)[-1])
        if found is not None:
            return found
        for star in module.stars:
            found = self.packages.get((star.module, text))
            if found is not None:
                return found
        if head in JAVA_LANG:
            return f"java.lang.{text}"
        return self.java_star(module, text)

    def java_star(self, module: Module, text: str) -> str:
        """An external simple name under on-demand imports: known libraries decide (see ``known_types``)."""
        for star in module.stars:
            full = f"{star.module}.{text}"
            if not star.static and (
                full in self.known_types or full.replace("jakarta.", "javax.", 1) in self.known_types
            ):
                return full
        outside = [star for star in module.stars if not star.static]
        if outside:
            return f"{outside[0].module}.{text}" if len(outside) == 1 else text
        if not module.file.imports and not module.file.package:  # code that is shown without its imports
            return self.simple_types.get(text, text)
        return text

    @functools.cached_property
    def simple_types(self) -> dict[str, str]:
        """Full names of known library classes by simple name; of several, the JDK's own, else none."""
        found: dict[str, list[str]] = {}
        for path in sorted(self.known_types):
            owner, _, name = path.rpartition(".")
            if owner and name[:1].isupper() and owner.rpartition(".")[2][:1].islower() and "(" not in path:
                found.setdefault(name, []).append(path)
        own = {name: [path for path in paths if path.startswith(JDK)] for name, paths in found.items()}
        return {name: (own[name] or paths)[0] for name, paths in found.items() if len(own[name] or paths) == 1}

    # --- modules ------------------------------------------------------------------------------------------------

    def find_module(self, module: Module, name: str, level: int = 0) -> Module | None:
        """The module that an import in ``module`` names, if it is part of the program."""
        if module.language == "python":
            return self.python_module(module, name, level)
        return self.script_module(module, name) if module.language == "javascript" else None

    def python_module(self, module: Module, name: str, level: int) -> Module | None:
        if level:
            package = module.name if module.path.endswith("__init__.py") else module.name.rpartition(".")[0]
            for _ in range(level - 1):
                package = package.rpartition(".")[0]
            name = f"{package}.{name}".strip(".") if name else package
            return next((item for item in self._by_last.get(name.rsplit(".", 1)[-1], ()) if item.name == name), None)
        best: Module | None = None
        score = -1
        for item in self._by_last.get(name.rsplit(".", 1)[-1], ()):
            if item.name == name or item.name.endswith("." + name):
                common = len(posixpath.commonprefix([item.path, module.path]))
                if common > score:
                    best, score = item, common
        return best

    def script_module(self, module: Module, name: str) -> Module | None:
        if not name.startswith("."):
            return self.aliased_module(module, name)
        base = posixpath.normpath(posixpath.join(posixpath.dirname(module.path), name))
        candidates = [base, *(base + ending for ending in JS_ENDINGS), *(f"{base}/index{e}" for e in JS_ENDINGS)]
        if base.endswith(".js"):
            candidates += [base[:-3] + ".ts", base[:-3] + ".tsx"]
        return next((self.by_path[path] for path in candidates if path in self.by_path), None)

    def aliased_module(self, module: Module, name: str) -> Module | None:
        """The file that ``@/lib/db`` and the like mean: of those whose path ends so, the one nearest to ``module``."""
        root = next((item for item in SOURCE_ROOTS if name.startswith(item)), None)
        if root is None:
            return None
        wanted = script_name(name[len(root) :] if root != "$lib/" and root != "src/" else name.removeprefix("$"))
        best: Module | None = None
        score = -1
        for item in self._scripts.get(wanted.rpartition("/")[2], ()):
            known = script_name(item.path)
            if known == wanted or known.endswith("/" + wanted):
                common = len(posixpath.commonprefix([item.path, module.path]))
                if common > score:
                    best, score = item, common
        return best

    def package_of(self, module: Module) -> Sequence[Module]:
        """The files of a Go file's package."""
        return self.go_folders.get(posixpath.dirname(module.path), ())

    def go_package(self, module: Module, name: str) -> Sequence[Module]:
        """The files of a Go package of the program, by its import path."""
        return go_packages.imported(self, module, name)

    def functions(self) -> Iterable[Fn]:
        for module in self.modules:
            yield from module.functions


def external_path(language: str, module: str, name: str) -> str:
    """The path rules use for something imported from outside the program."""
    if language == "javascript":
        module = module.removeprefix("node:")
        if name == "default":
            name = ""
    return f"{module}.{name}" if name else module


def pick_overload(found: list[Fn], arity: int) -> Fn:
    if len(found) == 1 or arity < 0:
        return found[-1]
    for fn in found:
        params = [param for param in fn.ir.params if param.kind != "self"]
        if len(params) == arity:
            return fn
    for fn in found:
        if any(param.kind == "*" for param in fn.ir.params):
            return fn
    return found[0]


def arity_fits(fn: Fn, count: int) -> bool:
    """Whether a call with ``count`` positional arguments can run this function."""
    params = [param for param in fn.ir.params if param.kind != "self"]
    if any(param.kind in ("*", "**") for param in params):
        return True
    needed = sum(1 for param in params if not param.has_default and param.kind == "pos")
    return needed <= count <= len(params) if fn.module.language != "javascript" else count <= len(params) + 1
