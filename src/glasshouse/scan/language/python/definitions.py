"""Lowers functions, lambdas and classes: their bodies to functions of the file, their definitions to instructions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from glasshouse.scan import ir
from glasshouse.scan.ir import Class, Decorator, Function, Operand, Param
from glasshouse.scan.language.python import kinds as k
from glasshouse.scan.language.python.patterns import Patterns
from glasshouse.scan.language.python.state import parts_of
from glasshouse.scan.type_text import split_outside

if TYPE_CHECKING:
    from tree_sitter import Node

# Decorators that say what a method is and leave the function as it is.
_MARKERS = {
    "staticmethod": ir.STATIC,
    "classmethod": ir.CLASS_METHOD,
    "property": ir.PROPERTY,
    "cached_property": ir.PROPERTY,
    "functools.cached_property": ir.PROPERTY,
    "abstractmethod": ir.ABSTRACT,
    "abc.abstractmethod": ir.ABSTRACT,
    "abstractproperty": ir.ABSTRACT | ir.PROPERTY,
    "abc.abstractproperty": ir.ABSTRACT | ir.PROPERTY,
}
_ACCESSORS = frozenset(("setter", "deleter", "getter"))
_IMPLICIT = {"__init_subclass__": ir.CLASS_METHOD, "__class_getitem__": ir.CLASS_METHOD, "__init__": ir.CONSTRUCTOR}
_ENUMS = frozenset(("Enum", "IntEnum", "StrEnum", "Flag", "IntFlag", "TextChoices", "IntegerChoices"))
_WRAPPED_TYPE = re.compile(
    r"(?:typing\.)?(?:Optional|Annotated|ClassVar|Final|Required|NotRequired|Union)\[(.*)\]\Z", re.DOTALL
)
MAX_TYPE = 200  # characters of a type text
MAX_ANNOTATION = 600  # characters of an annotation that is kept whole


class Definitions(Patterns):
    """Functions and classes."""

    # --- opening and closing functions -----------------------------------------------------------------------------

    def open(self, function: Function) -> tuple[Any, ...]:
        """Make a new function the open one; ``close`` takes what is returned."""
        saved = (
            self.fn,
            self.fn_index,
            self.out,
            self.consts,
            self.const_index,
            self.temps,
            self.serial,
            self.left,
            self.loop,
            self.in_switch,
        )
        self.functions.append(function)
        self.fn, self.fn_index = function, len(self.functions) - 1
        self.out, self.consts, self.const_index = function.body, function.consts, {}
        self.temps = self.serial = 0
        self.left = self.limits.max_function_nodes
        self.loop, self.in_switch = None, False
        return saved

    def close(self, saved: tuple[Any, ...]) -> None:
        self.fn.temps = self.temps
        (
            self.fn,
            self.fn_index,
            self.out,
            self.consts,
            self.const_index,
            self.temps,
            self.serial,
            self.left,
            self.loop,
            self.in_switch,
        ) = saved

    def qualified(self, name: str) -> str:
        return f"{self.fn.qualname}.{name}" if self.fn.qualname else name

    def scope_index(self) -> int:
        """The function whose variables a function defined here can see (never a class body)."""
        return self.fn.parent if self.fn.kind == "class" else self.fn_index

    # --- functions -------------------------------------------------------------------------------------------------

    def function_definition(self, node: Node) -> None:
        self.define_function(node, [])

    def define_function(self, node: Node, decorators: list[Node]) -> None:
        parts = node.named_children
        if len(parts) < 2 or parts[0].kind_id != k.IDENTIFIER or not self.may_nest():
            return
        name = self.word(parts[0])
        listed = [self.decorator(each) for each in decorators]
        method = self.fn.kind == "class"
        flags = self.test_flag | (_IMPLICIT.get(name, 0) if method else 0)
        accessor = ""
        called: list[Node] = []
        for each, info in zip(decorators, listed, strict=True):
            owner, _, last = info.name.rpartition(".")
            if info.name in _MARKERS and (method or info.name not in ("staticmethod", "classmethod")):
                flags |= _MARKERS[info.name]
            elif owner == name and last in _ACCESSORS:
                accessor = last
            else:
                called.append(each)
        if self.source.startswith(b"async", node.start_byte):
            flags |= ir.ASYNC
        if self.is_exported(name, method):
            flags |= ir.EXPORTED
        index = len(self.functions)
        returns = next((part for part in parts[1:] if part.kind_id == k.TYPE), None)
        function = Function(
            name=name,
            qualname=self.qualified(f"{name}.{accessor}" if accessor else name),
            kind="method" if method else "function",
            params=[],
            body=[],
            consts=[],
            temps=0,
            span=self.span(node),
            cls=self.fn.cls if method else -1,
            parent=self.scope_index(),
            flags=flags,
            decorators=listed,
            returns=self.type_text(returns) if returns is not None else "",
        )
        if method:
            self.classes[self.fn.cls].methods.append((f"{name}.{accessor}" if accessor else name, index))
        self.function_body(function, parts[1:], method and not flags & ir.STATIC)
        self.bind_definition(ir.CLOSURE, index, parts[0], "" if accessor else name, called)

    def function_body(self, function: Function, parts: list[Node], receiver: bool) -> None:
        saved = self.open(function)
        for part in parts:
            if part.kind_id == k.PARAMETERS:
                self.parameters(part, receiver)
            elif part.kind_id == k.BLOCK:
                self.suite(part)
        self.close(saved)

    def is_exported(self, name: str, method: bool) -> bool:
        public = not name.startswith("_") or (name.startswith("__") and name.endswith("__"))
        if method:
            return public and bool(self.classes[self.fn.cls].flags & ir.EXPORTED)
        return public and self.fn_index == 0

    def bind_definition(self, op: int, index: int, at: Node, name: str, decorators: list[Node]) -> None:
        """The function or class as a value goes through its decorators, from the inside out, into its name."""
        span = self.span(at)
        value = self.temp()
        self.out.append([op, span, value, index])
        for decorator in reversed(decorators):
            parts = parts_of(decorator)
            if not parts or not self.afford(decorator):
                continue
            callee = self.expr(parts[0])
            t = self.temp()
            self.out.append([ir.CALL, self.span(decorator), t, callee, [value], []])
            value = t
        if name:
            self.out.append([ir.MOVE, span, self.names[name.encode()], value])

    def lambda_(self, node: Node) -> Operand:
        parts = parts_of(node)
        if not parts:
            return self.unknown(node)
        span = self.span(node)
        index = len(self.functions)
        function = Function(
            name="<lambda>",
            qualname=self.qualified("<lambda>"),
            kind="lambda",
            params=[],
            body=[],
            consts=[],
            temps=0,
            span=span,
            parent=self.scope_index(),
            flags=self.test_flag,
        )
        left = self.left
        saved = self.open(function)
        self.left = left  # its nodes were counted with the statement it stands in
        hidden: list[tuple[bytes, str]] = []
        if parts[0].kind_id == k.LAMBDA_PARAMETERS:
            self.parameters(parts[0], receiver=False)
            hidden = self.unhide(function.params)
        if parts[-1].kind_id != k.LAMBDA_PARAMETERS:
            value = self.expr(parts[-1])
            self.out.append([ir.RETURN, self.span(parts[-1]), value])
        for text, name in reversed(hidden):
            self.names[text] = name
        self.close(saved)
        t = self.temp()
        self.out.append([ir.CLOSURE, span, t, index])
        return t

    def unhide(self, params: list[Param]) -> list[tuple[bytes, str]]:
        """Parameters of a lambda inside a comprehension keep their names; gives what to restore."""
        if not self.renamed:
            return []
        hidden: list[tuple[bytes, str]] = []
        for param in params:
            text = param.name.encode()
            hidden.append((text, self.names[text]))
            self.names[text] = param.name
        return hidden

    # --- parameters ------------------------------------------------------------------------------------------------

    def parameters(self, node: Node, receiver: bool) -> None:
        kind = "pos"
        for child in node.named_children:
            which = child.kind_id
            if which == k.IDENTIFIER:
                self.parameter(child, "self" if receiver and not self.fn.params else kind)
            elif which == k.KEYWORD_SEPARATOR:
                kind = "kw"
            elif which in (k.DEFAULT_PARAMETER, k.TYPED_DEFAULT_PARAMETER, k.TYPED_PARAMETER):
                if self.annotated_parameter(child, "self" if receiver and not self.fn.params else kind):
                    kind = "kw"
            elif which == k.SPLAT_PATTERN or which == k.DICTIONARY_SPLAT_PATTERN:
                self.rest_parameter(child, None)
                kind = "kw"
            elif which == k.TUPLE_PATTERN:
                # Python 2 unpacks a parameter in place.
                name = self.fresh()
                self.fn.params.append(Param(name, kind, "", self.span(child)))
                self.assign(child, name)

    def parameter(self, name: Node, kind: str, annotation: Node | None = None, has_default: bool = False) -> None:
        type_text = self.type_text(annotation) if annotation is not None else ""
        noted = self.annotation(annotation) if annotation is not None else []
        self.fn.params.append(Param(self.word(name), kind, type_text, self.span(name), noted, has_default))

    def annotation(self, node: Node) -> list[Decorator]:
        """What ``Annotated[type, ...]`` says beside the type, as written: what a framework checks or depends on."""
        raw = self.source[node.start_byte : min(node.end_byte, node.start_byte + MAX_ANNOTATION)]
        if b"Annotated[" not in raw[:28]:
            return []
        return [Decorator("Annotated", [("", raw.decode("utf-8", "replace"))], self.span(node))]

    def annotated_parameter(self, node: Node, kind: str) -> bool:
        """A parameter with a type or a default; true if it takes the rest of the positional arguments."""
        parts = parts_of(node)
        if not parts:
            return False
        annotation = next((part for part in parts if part.kind_id == k.TYPE), None)
        first = parts[0]
        if first.kind_id in (k.SPLAT_PATTERN, k.DICTIONARY_SPLAT_PATTERN):
            self.rest_parameter(first, annotation)
            return True
        has_default = node.kind_id != k.TYPED_PARAMETER
        if first.kind_id == k.IDENTIFIER:
            self.parameter(first, kind, annotation, has_default)
            name = self.word(first)
        else:
            name = self.fresh()
            self.fn.params.append(Param(name, kind, "", self.span(first), [], has_default))
        if has_default and len(parts) > 1:
            outer, self.out = self.out, []
            operand = self.expr(parts[-1])
            block, self.out = self.out, outer
            self.out.append([ir.DEFAULT, self.span(first), name, block, operand])
        if first.kind_id == k.TUPLE_PATTERN:
            self.assign(first, name)
        return False

    def rest_parameter(self, node: Node, annotation: Node | None) -> None:
        names = parts_of(node)
        if names and names[0].kind_id == k.IDENTIFIER:
            self.parameter(names[0], "*" if node.kind_id == k.SPLAT_PATTERN else "**", annotation)

    # --- types and decorators --------------------------------------------------------------------------------------

    def type_text(self, node: Node) -> str:
        """An annotation's text; optional and wrapped types give the type inside."""
        raw = self.source[node.start_byte : min(node.end_byte, node.start_byte + 8 * MAX_TYPE)]
        found = self.types.get(raw)
        if found is None:
            found = self.types[raw] = plain_type(raw.decode("utf-8", "replace"))
        return found

    def decorator(self, node: Node) -> Decorator:
        parts = parts_of(node)
        target = parts[0] if parts else node
        inside = target.named_children
        args: list[tuple[str, Any]] = []
        if target.kind_id == k.CALL and inside and inside[-1].kind_id == k.ARGUMENT_LIST:
            for part in parts_of(inside[-1])[:50]:
                pair = parts_of(part) if part.kind_id == k.KEYWORD_ARGUMENT else []
                if len(pair) == 2:
                    args.append((self.word(pair[0]), self.literal(pair[1])))
                    if args[-1] in (("type", None), ("response_class", None)):
                        args.append((f"${args[-1][0]}", self.dotted(pair[1])))
                elif not pair:
                    args.append(("", self.literal(part)))
        return Decorator(self.dotted(target), args, self.span(node))

    def decorated_definition(self, node: Node) -> None:
        parts = parts_of(node)
        decorators = [part for part in parts if part.kind_id == k.DECORATOR]
        for part in parts:
            if part.kind_id == k.FUNCTION:
                self.define_function(part, decorators)
            elif part.kind_id == k.CLASS:
                self.define_class(part, decorators)

    # --- classes ---------------------------------------------------------------------------------------------------

    def class_definition(self, node: Node) -> None:
        self.define_class(node, [])

    def define_class(self, node: Node, decorators: list[Node]) -> None:
        parts = parts_of(node)
        if not parts or parts[0].kind_id != k.IDENTIFIER or not self.may_nest():
            return
        name = self.word(parts[0])
        span = self.span(node)
        index, body_index = len(self.classes), len(self.functions)
        bases = self.base_names(next((part for part in parts if part.kind_id == k.ARGUMENT_LIST), None))
        inside_class = self.fn.kind == "class"
        lasts = {base.rpartition(".")[2] for base in bases}
        flags = self.test_flag | (ir.ENUM if lasts & _ENUMS else 0) | (ir.INTERFACE if "Protocol" in lasts else 0)
        if self.is_exported(name, inside_class):
            flags |= ir.EXPORTED
        qualname = self.qualified(name)
        listed = [self.decorator(each) for each in decorators]
        parent = self.fn.cls if inside_class else -1
        self.classes.append(Class(name, qualname, bases, [], [], span, body_index, -1, parent, flags, listed))
        function = Function(
            name=name,
            qualname=qualname,
            kind="class",
            params=[],
            body=[],
            consts=[],
            temps=0,
            span=span,
            cls=index,
            parent=self.scope_index(),
            flags=self.test_flag,
        )
        saved = self.open(function)
        if parts[-1].kind_id == k.BLOCK:
            self.suite(parts[-1])
        self.close(saved)
        self.bind_definition(ir.CLASS, index, parts[0], name, decorators)

    def base_names(self, node: Node | None) -> list[str]:
        """Dotted names of the bases; ``six.with_metaclass(M, Base)`` stands for its bases."""
        names: list[str] = []
        for part in parts_of(node) if node is not None else []:
            if part.kind_id == k.KEYWORD_ARGUMENT:
                continue
            name = self.dotted(part)
            if part.kind_id == k.CALL and name.rpartition(".")[2] == "with_metaclass":
                inside = part.named_children
                names += [self.dotted(each) for each in parts_of(inside[-1])[1:]]
            else:
                names.append(name)
        return [name for name in names if name]


def plain_type(text: str) -> str:
    """``Optional["a.B"]``, ``a.B | None`` and the like become ``a.B``; what is not simple stays as written."""
    text = " ".join(text.split())[:MAX_TYPE]
    for _ in range(8):
        if len(text) > 1 and text[0] in "\"'" and text[-1] == text[0]:
            text = text[1:-1].strip()
            continue
        choices = [each for each in split_outside(text, "|") if each != "None"]
        if len(choices) == 1 and choices[0] != text:
            text = choices[0]
            continue
        wrapped = _WRAPPED_TYPE.match(text)
        if wrapped is None:
            break
        inside = [each for each in split_outside(wrapped.group(1), ",") if each != "None"]
        if not inside or ("Union[" in text.partition("[")[0] + "[" and len(inside) > 1):
            break
        text = inside[0]
    return text
