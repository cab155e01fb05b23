"""Lowers import statements; each is an instruction (imports may be conditional) and an entry of ``File.imports``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from glasshouse.scan import ir
from glasshouse.scan.language.python import kinds as k
from glasshouse.scan.language.python.state import parts_of
from glasshouse.scan.language.python.targets import Targets

if TYPE_CHECKING:
    from tree_sitter import Node


class Imports(Targets):
    """Import statements."""

    def import_(self, node: Node) -> None:
        """``import a.b``, ``import a.b as x``."""
        if not self.afford(node):
            return
        for part in parts_of(node):
            span = self.span(part)
            if part.kind_id == k.ALIASED_IMPORT:
                name, alias = self.alias(part)
                self.bind_import(span, alias, name, "", 0)
                continue
            name = self.path_text(part)
            top, dot, _ = name.partition(".")
            if dot:
                # The whole module is loaded, but only its top package is bound.
                self.out.append([ir.IMPORT, span, self.fresh(), name, "", 0])
                self.imports.append(ir.Import(top, name, "", span))
            self.bind_import(span, top, top, "", 0)

    def import_from(self, node: Node) -> None:
        """``from ..m import n as x``, ``from m import *``."""
        parts = parts_of(node)
        if not parts or not self.afford(node):
            return
        module, level = self.module_name(parts[0])
        for part in parts[1:]:
            span = self.span(part)
            if part.kind_id == k.WILDCARD_IMPORT:
                self.out.append([ir.IMPORT, span, "", module, "*", level])
                self.imports.append(ir.Import("*", module, "*", span, level))
            elif part.kind_id == k.ALIASED_IMPORT:
                name, alias = self.alias(part)
                self.bind_import(span, alias, module, name, level)
            else:
                name = self.path_text(part)
                self.bind_import(span, name, module, name, level)

    def import_future(self, node: Node) -> None:
        """``from __future__ import x`` binds nothing of interest."""
        for part in parts_of(node):
            name = self.alias(part)[0] if part.kind_id == k.ALIASED_IMPORT else self.path_text(part)
            self.imports.append(ir.Import(name, "__future__", name, self.span(part)))

    def bind_import(self, span: int, local: str, module: str, name: str, level: int) -> None:
        self.out.append([ir.IMPORT, span, local, module, name, level])
        self.imports.append(ir.Import(local, module, name, span, level))

    def alias(self, node: Node) -> tuple[str, str]:
        """(name, alias) of an aliased import."""
        parts = parts_of(node)
        name = self.path_text(parts[0]) if parts else ""
        return name, self.word(parts[-1]) if len(parts) > 1 else name

    def module_name(self, node: Node) -> tuple[str, int]:
        """(module, number of leading dots)."""
        if node.kind_id != k.RELATIVE_IMPORT:
            return self.path_text(node), 0
        text = self.path_text(node)
        module = text.lstrip(".")
        return module, min(len(text) - len(module), 100)

    def path_text(self, node: Node) -> str:
        """A dotted name without the white space and comments that may stand in it."""
        text = self.word(node)
        return text if text.replace(".", "a").isidentifier() else "".join(text.split())
