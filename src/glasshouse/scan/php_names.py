"""Names of a PHP program: functions, classes and constants are known to every file, whatever the case of letters."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Any

from glasshouse.scan import ir

if TYPE_CHECKING:
    from collections.abc import Iterable

    from glasshouse.scan.program import Cls, Fn, Module, Program

MAX_SAME = 3  # functions of one name, or files that assign one global variable
NESTED = {ir.IF: (3, 4), ir.LOOP: (5,), ir.FOREACH: (5,), ir.BLOCK: (3,), ir.TRY: (2, 4, 5)}


class PhpNames:
    """Indexes over the PHP files of one program."""

    def __init__(self) -> None:
        self.functions: dict[str, list[Fn]] = {}
        self.classes: dict[str, Cls] = {}
        self.constants: dict[str, list[Module]] = {}
        self.modules: list[Module] = []
        self._assigned: dict[str, list[Module]] | None = None
        self._files: dict[str, list[Module]] | None = None

    def link(self, program: Program) -> None:
        self.modules = [module for module in program.modules if module.language == "php"]
        for module in self.modules:
            for fn in module.functions:
                if fn.ir.kind == "function" and fn.cls is None:
                    self.functions.setdefault(fn.ir.qualname.lower(), []).append(fn)
            for cls in module.classes:
                self.classes.setdefault(cls.ir.qualname.lower(), cls)
            for entry in module.file.imports:
                if entry.name == "const":
                    self.constants.setdefault(entry.local, []).append(module)

    def type_of(self, text: str) -> Cls | str:
        """A class of the program by its full name, or the name."""
        return self.classes.get(text.lower(), text)

    def function(self, written: str) -> tuple[list[Fn], str]:
        """What the operand of a function means: functions of the program, and the path of one outside."""
        name = written[1:]
        if name[:1] == "?":
            name = name[1:]
            last = name.rpartition("\\")[2]
            found = self.functions.get(name.lower()) or self.functions.get(last.lower()) or []
            return found[:MAX_SAME], last.lower()
        path = name if "\\" in name else name.lower()
        return self.functions.get(name.lower(), [])[:MAX_SAME], path

    def global_modules(self, name: str) -> list[Module]:
        """Files whose code outside functions assigns a variable of that name."""
        if self._assigned is None:
            self._assigned = {}
            for module in self.modules:
                if module.functions:
                    for variable in assigned(module.functions[0].ir.body):
                        self._assigned.setdefault(variable, []).append(module)
        return self._assigned.get(name, [])[:MAX_SAME]

    def file(self, module: Module, path: str) -> Module | None:
        """The file that an include with a known path means: below the root, beside the file, or by its end."""
        wanted = posixpath.normpath(path.replace("\\", "/")).lstrip("/")
        if self._files is None:
            self._files = {}
            for item in self.modules:
                self._files.setdefault(posixpath.basename(item.path), []).append(item)
        same = self._files.get(posixpath.basename(wanted), [])
        beside = posixpath.normpath(posixpath.join(posixpath.dirname(module.path), wanted))
        for exact in (wanted, beside):
            for item in same:
                if item.path == exact:
                    return item
        ends = [item for item in same if item.path.endswith("/" + wanted)]
        return ends[0] if len(ends) == 1 else None


def assigned(body: ir.Block) -> Iterable[str]:
    """Variables that a body assigns."""
    found: dict[str, None] = {}
    pending: list[Any] = [body]
    while pending:
        for ins in pending.pop():
            if ins[0] == ir.MOVE and ins[2].__class__ is str and ins[2][:1] not in "$\\":
                found[ins[2]] = None
            for place in NESTED.get(ins[0], ()):
                pending.append(ins[place])
    return found
