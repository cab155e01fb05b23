"""Abstract values: what the interpreter knows of one run-time value.

A ``Value`` holds a constant (if it is one), taint, references to things of the scanned program, and an external path
or type.  Values are immutable; whatever changes over time (fields of objects) lives in the machine's heap.

Taint is a dict from ``Label`` (where the data comes from) to ``(mask, step)``: the weakness classes for which it is
still dangerous (one bit each) and the last step of its way here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from glasshouse.scan.interp.frame import Frame
    from glasshouse.scan.program import Cls, Fn, Module

LITERAL = "$literal"  # path of text made of nothing but constants (though which is not known)
MAX_PATH = 3  # access-path depth of parameter labels
MAX_REFS = 8  # references kept per value
MAX_LABELS = 6  # parameter labels kept per value


class Label:
    """Where tainted data comes from; interned, compared by identity.

    kind ``param``: parameter ``index`` (or ``this``: -1) of the function being summarised, field ``path`` of it.
    kind ``private``: a source for one rule only (``source`` is its id).  kind ``source``: a real source; ``source`` is
    its kind, ``text`` its description, ``place`` (file index, span).
    """

    __slots__ = ("index", "kind", "path", "place", "source", "text")

    def __init__(
        self, kind: str, index: int, path: tuple[str, ...], source: str, text: str, place: tuple[int, int]
    ) -> None:
        self.kind = kind
        self.index = index
        self.path = path
        self.source = source
        self.text = text
        self.place = place

    def key(self) -> tuple[Any, ...]:
        return (self.kind, self.index, self.path, self.source, self.text, self.place)


class Step(NamedTuple):
    """One step of the way of tainted data; steps form a linked list back to the source.

    ``inner`` is the way inside a summarised callee, after this step.
    """

    file: int
    span: int
    text: str
    before: Step | None
    inner: Step | None = None


Mark = tuple[int, Step | None]
Taint = dict[Label, Mark]


class Obj:
    """An object the scanned code makes (or is given); its fields are in the heap, keyed by this object.

    kind: ``list`` ``tuple`` ``set`` ``dict`` ``instance`` ``param``.  ``open``: there may be fields we have not seen.
    """

    __slots__ = ("cls", "home", "kind", "label", "library", "open", "outer", "proto", "site")

    def __init__(
        self,
        kind: str,
        site: tuple[int, int],
        cls: Cls | None = None,
        open: bool = False,  # noqa: A002 - the word for an object with fields not seen
        label: Label | None = None,
        proto: FuncRef | None = None,
    ) -> None:
        self.kind = kind
        self.site = site
        self.cls = cls
        self.open = open
        self.label = label
        self.proto = proto
        self.home: Frame | None = None  # the frame a nested class was defined in
        self.outer: Value | None = None  # the instance that an inner class's instance belongs to
        self.library = ""  # which kind of object of the language's own library it is

    def copy(self) -> Obj:
        """Another object that is like this one."""
        made = Obj(self.kind, self.site, self.cls, self.open, self.label, self.proto)
        made.home, made.outer, made.library = self.home, self.outer, self.library
        return made


class FuncRef:
    """A function of the scanned program as a value, with the frame it closes over and its bound receiver."""

    __slots__ = ("fn", "frame", "this")

    def __init__(self, fn: Fn, frame: Frame | None = None, this: Value | None = None) -> None:
        self.fn = fn
        self.frame = frame
        self.this = this


class ClassRef:
    """A class of the scanned program as a value."""

    __slots__ = ("cls", "frame")

    def __init__(self, cls: Cls, frame: Frame | None = None) -> None:
        self.cls = cls
        self.frame = frame


class ModuleRef:
    """A module of the scanned program as a value."""

    __slots__ = ("module",)

    def __init__(self, module: Module) -> None:
        self.module = module


class Bound(NamedTuple):
    """A method of something external or built in, not yet called: ``f = items.append``."""

    receiver: Value
    name: str


class SuperRef(NamedTuple):
    """``super``: methods of the classes above ``cls``, on ``this``."""

    cls: Cls
    this: Value


Ref = Any  # Obj | FuncRef | ClassRef | ModuleRef | Bound | SuperRef; told apart by exact class, for speed


class _NotConst:
    __slots__ = ()

    def __repr__(self) -> str:
        return "NOT_CONST"


NOT_CONST = _NotConst()


class Value:
    """See the module docstring.  ``path`` is an external path or type name ("" unknown)."""

    __slots__ = ("const", "path", "refs", "taint")

    def __init__(
        self, const: Any = NOT_CONST, taint: Taint | None = None, refs: tuple[Ref, ...] = (), path: str = ""
    ) -> None:
        self.const = const
        self.taint = taint
        self.refs = refs
        self.path = path

    def __repr__(self) -> str:
        labels = [label.text or label.kind for label in self.taint or ()]
        return f"Value(const={self.const!r}, taint={labels}, refs={len(self.refs)}, path={self.path!r})"


UNKNOWN = Value()
NONE = Value(None)
NEVER = Value()  # of a call that does not come back
TRUE = Value(True)
FALSE = Value(False)


def ref_key(ref: Ref) -> object:
    """What makes two references the same when values meet."""
    if ref.__class__ is FuncRef:
        return ref.fn, id(ref.frame), id(ref.this)
    if ref.__class__ is ClassRef:
        return ref.cls
    if ref.__class__ is ModuleRef:
        return ref.module
    if ref.__class__ is Obj:
        return ref
    return id(ref)


def join_refs(a: tuple[Ref, ...], b: tuple[Ref, ...]) -> tuple[Ref, ...]:
    if not b or a is b:
        return a
    if not a:
        return b
    seen = {ref_key(ref) for ref in a}
    more = [ref for ref in b if ref_key(ref) not in seen]
    return (*a, *more)[:MAX_REFS] if more else a


def join_taint(a: Taint | None, b: Taint | None) -> Taint | None:
    """Union; where both have a label, its classes add up and the first way is kept."""
    if a is b or not b:
        return a
    if not a:
        return b
    result: Taint | None = None
    for label, mark in b.items():
        have = a.get(label)
        if have is None:
            if len(result if result is not None else a) >= MAX_LABELS and label.kind == "param":
                continue
            if result is None:
                result = dict(a)
            result[label] = mark
        elif mark[0] & ~have[0]:
            if result is None:
                result = dict(a)
            result[label] = (have[0] | mark[0], have[1])
    return a if result is None else result


def join(a: Value, b: Value) -> Value:
    """What is known when either may be the value."""
    if a is b:
        return a
    const = a.const if a.const.__class__ is b.const.__class__ and a.const == b.const else NOT_CONST
    if b.taint is None and const is a.const and b.path == a.path and not b.refs:
        return a
    path = a.path or b.path
    if const is NOT_CONST and (path == LITERAL or (a.const.__class__ is str and b.const.__class__ is str)):
        path = joined_literals(a, b)
    return Value(const, join_taint(a.taint, b.taint), join_refs(a.refs, b.refs), path)


def joined_literals(a: Value, b: Value) -> str:
    """The path when different constant texts meet, or one meets something else."""
    if (a.const.__class__ is str or a.path == LITERAL) and (b.const.__class__ is str or b.path == LITERAL):
        return LITERAL
    return b.path if a.path == LITERAL else a.path


def join_all(values: Iterable[Value]) -> Value:
    result: Value | None = None
    for value in values:
        result = value if result is None else join(result, value)
    return UNKNOWN if result is None else result


def without(taint: Taint | None, mask: int) -> Taint | None:
    """Taint with the classes in ``mask`` made harmless."""
    if not taint:
        return None
    kept = {}
    for label, (bits, step) in taint.items():
        left = bits & ~mask
        if left:
            kept[label] = (left, step)
    return kept or None


def clean(value: Value, mask: int) -> Value:
    """The value with the classes in ``mask`` made harmless (its own taint; not what its fields hold)."""
    if not value.taint:
        return value
    return Value(value.const, without(value.taint, mask), value.refs, value.path)


def with_taint(value: Value, taint: Taint | None) -> Value:
    return value if value.taint is taint else Value(value.const, taint, value.refs, value.path)
