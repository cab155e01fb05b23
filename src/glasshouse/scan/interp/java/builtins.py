"""What Java's own library does: which calls make its objects, and what the methods of those objects do.

``call`` answers for constructors and static methods by path, ``method`` for methods of objects that ``call`` made
(``Obj.library`` names the table), ``inherited`` for methods that classes of the program inherit from the library, and
``class_method`` for reflection on classes of the program.  ``None`` always means: nothing is known here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from glasshouse.scan import ir
from glasshouse.scan.interp import attributes, construction, elements
from glasshouse.scan.interp.arguments import NO_ARGUMENTS, Arguments
from glasshouse.scan.interp.java import functions as java_functions
from glasshouse.scan.interp.java import text as java_text
from glasshouse.scan.interp.java.collections import ITERATOR, LIST, Method, append, content, known, make
from glasshouse.scan.interp.java.maps import ENTRY, MAP, make_entry, make_map, put_all
from glasshouse.scan.interp.java.streams import BOX, FUTURE, OPTIONAL, STREAM, collector, holder, optional
from glasshouse.scan.interp.values import NONE, NOT_CONST, UNKNOWN, ClassRef, FuncRef, Obj, Value, join_all
from glasshouse.scan.program import Cls

if TYPE_CHECKING:
    from glasshouse.scan.interp.frame import Frame

Maker = Callable[["Frame", "Arguments", int], "Value | None"]
UTIL, CONCURRENT = "java.util.", "java.util.concurrent."
COLLECTIONS: dict[str, str] = {
    **dict.fromkeys([UTIL + "ArrayList", CONCURRENT + "CopyOnWriteArrayList", UTIL + "AbstractList"], "list"),
    **dict.fromkeys([UTIL + "LinkedList"], "list"),
    **dict.fromkeys([UTIL + "Stack", UTIL + "Vector"], "stack"),
    **dict.fromkeys(
        [UTIL + "ArrayDeque"]
        + [
            CONCURRENT + name
            for name in """ConcurrentLinkedQueue ConcurrentLinkedDeque LinkedBlockingQueue LinkedBlockingDeque
            ArrayBlockingQueue LinkedTransferQueue SynchronousQueue""".split()
        ],
        "deque",
    ),
    **dict.fromkeys(
        [UTIL + "PriorityQueue", CONCURRENT + "PriorityBlockingQueue", CONCURRENT + "DelayQueue"], "priority"
    ),
    **dict.fromkeys(
        [UTIL + name for name in ("HashSet", "LinkedHashSet", "TreeSet")]
        + [CONCURRENT + name for name in ("CopyOnWriteArraySet", "ConcurrentSkipListSet")],
        "set",
    ),
}
MAPS = frozenset(
    [UTIL + name for name in "HashMap LinkedHashMap TreeMap Hashtable WeakHashMap IdentityHashMap EnumMap".split()]
    + [UTIL + "Properties", CONCURRENT + "ConcurrentHashMap", CONCURRENT + "ConcurrentSkipListMap"]
)
BOXES = frozenset(
    """java.util.concurrent.atomic.AtomicReference java.util.concurrent.atomic.AtomicStampedReference
    java.lang.ThreadLocal java.lang.InheritableThreadLocal java.lang.ref.SoftReference java.lang.ref.WeakReference
    org.apache.commons.lang3.mutable.MutableObject""".split()
)
BUFFERS = frozenset(["java.io.ByteArrayOutputStream", "java.io.CharArrayWriter"])
WRAPPERS = frozenset(
    [
        "java.io." + name
        for name in """ObjectOutputStream DataOutputStream BufferedOutputStream OutputStreamWriter BufferedWriter
        PrintWriter PrintStream""".split()
    ]
)


# --- making objects ---------------------------------------------------------------------------------------------------

MAX_CONSTANTS = 16  # of an enum, looked at one by one


def new_collection(frame: Frame, library: str, given: Arguments, span: int) -> Value:
    items: list[Value] = []
    more: Value | None = None
    if given.pos and (given.pos[0].refs or given.pos[0].taint) and not java_functions.is_function(frame, given.pos[0]):
        items, more = content(frame, given.pos[0], span)
    return make(frame, library, span, items, more)


def new_map(frame: Frame, given: Arguments, span: int) -> Value:
    made = make_map(frame, span, [])
    if given.pos and (given.pos[0].refs or given.pos[0].taint):
        put_all(frame, made.refs[0], made, given, span)
    return made


def elements_given(frame: Frame, given: Arguments, span: int) -> tuple[list[Value], Value | None]:
    """The elements of a variable-arity call: one array stands for all of them."""
    if len(given.pos) == 1 and given.rest is None:
        only = given.pos[0]
        if len(only.refs) == 1 and only.refs[0].__class__ is Obj and only.refs[0].kind == "list":
            return content(frame, only, span)
        if only.taint and not only.refs:  # a text, or an array such as `split` gives
            return [], only
    return list(given.pos), given.rest


def listed(library: str) -> Maker:
    def maker(frame: Frame, given: Arguments, span: int) -> Value:
        return make(frame, library, span, *elements_given(frame, given, span))

    return maker


def copied(library: str) -> Maker:
    def maker(frame: Frame, given: Arguments, span: int) -> Value:
        return new_collection(frame, library, given, span)

    return maker


def mapped(frame: Frame, given: Arguments, span: int) -> Value:
    return make_map(frame, span, list(zip(given.pos[::2], given.pos[1::2], strict=False)))


def map_of_entries(frame: Frame, given: Arguments, span: int) -> Value:
    pairs = []
    for item in given.pos:
        for ref in item.refs:
            fields = frame.machine.fields(ref) or {}
            pairs.append((fields.get("key", UNKNOWN), fields.get("value", UNKNOWN)))
    return make_map(frame, span, pairs)


def entry(frame: Frame, given: Arguments, span: int) -> Value | None:
    return make_entry(frame, span, given.pos[0], given.pos[1]) if len(given.pos) > 1 else None


def same(frame: Frame, given: Arguments, span: int) -> Value | None:
    return given.pos[0] if given.pos else None


def some(frame: Frame, given: Arguments, span: int) -> Value | None:
    return optional(frame, span, given.pos[0]) if given.pos else holder(frame, "optional", span, None)


def array(frame: Frame, given: Arguments, span: int) -> Value:
    """``new T[n][m]``: elements are null (or arrays) until they are set."""
    size = given.pos[0].const if given.pos else NOT_CONST
    inner = [array(frame, type(given)(given.pos[1:], {}), span)] if len(given.pos) > 1 else []
    obj = frame.machine.new_obj("list", frame, span)
    if size.__class__ is int and 0 <= size <= elements.MAX_FIELDS:
        if inner:
            inner += [array(frame, type(given)(given.pos[1:], {}), span) for _ in range(min(size, 16) - 1)]
        frame.machine.heap[obj] = {**dict(enumerate(inner[:size])), "#len": Value(size)}
    else:
        frame.machine.heap[obj] = {"*": inner[0], "#len": UNKNOWN} if inner else {"#len": UNKNOWN}
    return Value(refs=(obj,))


def array_copy(frame: Frame, given: Arguments, span: int) -> Value | None:
    """``System.arraycopy(from, at, to, at, count)``."""
    if len(given.pos) < 5:
        return None
    machine = frame.machine
    items, more = content(frame, given.pos[0], span)
    start, to, count = (given.pos[place].const for place in (1, 3, 4))
    exact = more is None and all(number.__class__ is int and 0 <= number < 1000 for number in (start, to, count))
    for ref in given.pos[2].refs:
        if ref.__class__ is not Obj:
            continue
        if exact:
            for offset, item in enumerate(items[start : start + count]):
                machine.write(ref, to + offset, item, weak=len(given.pos[2].refs) > 1)
        else:
            machine.write(ref, "*", join_all([*items, *([more] if more is not None else [])]), weak=True)
    return NONE


def fill_array(frame: Frame, given: Arguments, span: int) -> Value | None:
    for ref in given.pos[0].refs if len(given.pos) == 2 else ():
        items = known(frame, ref) if ref.__class__ is Obj and ref.kind == "list" else None
        if items is not None:
            frame.machine.heap[ref] = {**dict.fromkeys(range(len(items)), given.pos[1]), "#len": Value(len(items))}
        else:
            frame.machine.write(ref, "*", given.pos[1], weak=True)
    return NONE


def copy_range(frame: Frame, given: Arguments, span: int) -> Value | None:
    if not given.pos:
        return None
    items, more = content(frame, given.pos[0], span)
    bounds = [item.const for item in given.pos[1:3]]
    if more is None and bounds and all(bound.__class__ is int for bound in bounds):
        items = items[slice(*bounds)] if len(bounds) > 1 else items[: bounds[0]]
    return make(frame, "", span, items, more)


def add_each(frame: Frame, given: Arguments, span: int) -> Value | None:
    if not given.pos:
        return None
    target = given.pos[0]
    items, more = elements_given(frame, Arguments(given.pos[1:], {}, given.rest), span)
    for ref in target.refs:
        if ref.__class__ is Obj and ref.library:
            for item in items:
                method(frame, ref, target, "add", Arguments([item], {}), span)
            if more is not None:
                append(frame, ref, Value(), more)
    return UNKNOWN


def reordered(frame: Frame, given: Arguments, span: int) -> Value | None:
    for ref in given.pos[0].refs if given.pos else ():
        items = known(frame, ref) if ref.__class__ is Obj and ref.kind == "list" else None
        if items is not None and len(given.pos[0].refs) == 1:
            frame.machine.heap[ref] = {**dict(enumerate(items[::-1])), "#len": Value(len(items))}
    return NONE


def run_async(frame: Frame, given: Arguments, span: int) -> Value | None:
    if not given.pos or not java_functions.is_function(frame, given.pos[0]):
        return None
    return holder(frame, "future", span, java_functions.call_function(frame, given.pos[0], [], span))


def run_all(frame: Frame, given: Arguments, span: int) -> Value | None:
    items = content(frame, given.pos[0], span)[0] if given.pos else []
    futures = [holder(frame, "future", span, java_functions.call_function(frame, item, [], span)) for item in items]
    return make(frame, "list", span, futures) if futures else None


def task(frame: Frame, given: Arguments, span: int) -> Value | None:
    """``new Thread(task)``, ``new FutureTask(task)``: runs when it is started."""
    for item in given.pos:
        if item.refs and java_functions.is_function(frame, item):
            return holder(frame, "task", span, item)
    return None


def completed(frame: Frame, given: Arguments, span: int) -> Value | None:
    return holder(frame, "future", span, given.pos[0] if given.pos else None)


def local(frame: Frame, given: Arguments, span: int) -> Value | None:
    if not given.pos:
        return None
    return holder(frame, "box", span, java_functions.call_function(frame, given.pos[0], [], span))


MAKERS: dict[str, Maker] = {
    **dict.fromkeys(
        ["java.util.List.of", "java.util.Arrays.asList", "com.google.common.collect.Lists.newArrayList"], listed("list")
    ),
    **dict.fromkeys(["java.util.Collections.singletonList", "java.util.Collections.emptyList"], listed("list")),
    **dict.fromkeys(
        ["java.util.Set.of", "java.util.Collections.singleton", "java.util.Collections.emptySet"], listed("set")
    ),
    **dict.fromkeys(
        ["java.util.stream.Stream.of", "java.util.Arrays.stream", "java.util.stream.Stream.empty"], listed("stream")
    ),
    **dict.fromkeys(["java.util.List.copyOf", "com.google.common.collect.ImmutableList.copyOf"], copied("list")),
    **dict.fromkeys(["java.util.Set.copyOf", "com.google.common.collect.Sets.newHashSet"], copied("set")),
    **dict.fromkeys(["com.google.common.collect.Lists.newLinkedList"], copied("list")),
    **dict.fromkeys(
        ["com.google.common.collect.Queues.newArrayDeque", "com.google.common.collect.Queues.newLinkedBlockingQueue"],
        copied("deque"),
    ),
    **dict.fromkeys(["com.google.common.collect.ImmutableList.of"], listed("list")),
    **dict.fromkeys(["com.google.common.collect.ImmutableSet.of"], listed("set")),
    **dict.fromkeys(
        ["java.util.Map.of", "com.google.common.collect.ImmutableMap.of", "java.util.Collections.singletonMap"], mapped
    ),
    **dict.fromkeys(["java.util.Map.copyOf", "com.google.common.collect.Maps.newHashMap"], new_map),
    "java.util.Collections.emptyMap": new_map,
    "java.util.Map.ofEntries": map_of_entries,
    **dict.fromkeys(
        """java.util.Map.entry java.util.AbstractMap.SimpleEntry java.util.AbstractMap.SimpleImmutableEntry
        org.apache.commons.lang3.tuple.Pair.of org.apache.commons.lang3.tuple.ImmutablePair.of""".split(),
        entry,
    ),
    **dict.fromkeys(
        [
            "java.util.Collections." + prefix + kind
            for prefix in ("unmodifiable", "synchronized", "checked")
            for kind in ("List", "Set", "Map", "Collection", "SortedMap", "SortedSet")
        ],
        same,
    ),
    **dict.fromkeys(["java.util.Optional.of", "java.util.Optional.ofNullable", "java.util.Optional.empty"], some),
    "$array": array,
    "java.lang.System.arraycopy": array_copy,
    "java.util.Arrays.fill": fill_array,
    **dict.fromkeys(["java.util.Arrays.copyOf", "java.util.Arrays.copyOfRange"], copy_range),
    "java.util.Collections.addAll": add_each,
    "java.util.Collections.reverse": reordered,
    **dict.fromkeys(
        [CONCURRENT + "CompletableFuture.supplyAsync", CONCURRENT + "CompletableFuture.runAsync"], run_async
    ),
    **dict.fromkeys([CONCURRENT + "CompletableFuture.completedFuture", CONCURRENT + "CompletableFuture"], completed),
    **dict.fromkeys(["java.lang.Thread", CONCURRENT + "FutureTask"], task),
    "java.lang.ThreadLocal.withInitial": local,
    **dict.fromkeys(["java.lang.StringBuilder", "java.lang.StringBuffer"], java_text.new_builder),
    "java.io.StringWriter": lambda frame, given, span: java_text.builder(frame, span, Value("")),
    "java.util.StringJoiner": java_text.new_joiner,
}
TYPES = frozenset(  # names that an on-demand import may stand for
    [*COLLECTIONS, *MAPS, *BOXES, *BUFFERS, *WRAPPERS]
    + [path if path.rpartition(".")[2][:1].isupper() else path.rpartition(".")[0] for path in MAKERS]
    + [
        f"{UTIL}{name}"
        for name in """Collection List Set Queue Deque Map Iterator Enumeration Comparator Collections Arrays Objects
        NavigableMap SortedMap Optional""".split()
    ]
    + [f"java.util.stream.{name}" for name in ("Collectors", "Stream", "IntStream", "StreamSupport")]
    + [f"java.util.function.{name}" for name in ("Function", "Supplier", "Consumer", "Predicate", "BiFunction")]
    + [f"{CONCURRENT}{name}" for name in ("Executors", "ExecutorService", "Callable", "Future", "Executor")]
)
STARTING = frozenset(["submit", "execute", "schedule", "scheduleAtFixedRate", "doPrivileged", "invokeLater", "fork"])


def call(
    frame: Frame, path: str, receiver: Value | None, given: Arguments, span: int, new: bool = False
) -> Value | None:
    """The result of a constructor or function of Java's library."""
    maker = MAKERS.get(path)
    if maker is not None:
        return maker(frame, given, span)
    if new:
        return constructed(frame, path, given, span)
    computed = java_text.function(frame, path, given, span)
    if computed is not None:
        return computed
    owner, _, name = path.rpartition(".")
    if name in STARTING and given.pos:
        return run_async(frame, given, span)
    if name == "invokeAll":
        return run_all(frame, given, span)
    if owner == "java.util.stream.Collectors":
        return collector(frame, name, given, span)
    if path in ("java.lang.Class.forName", "java.lang.ClassLoader.loadClass", "*.loadClass") and given.pos:
        return class_named(frame, given.pos[0])
    return None


def constructed(frame: Frame, path: str, given: Arguments, span: int) -> Value | None:
    library = COLLECTIONS.get(path)
    if library is not None:
        return new_collection(frame, library, given, span)
    if path in MAPS:
        return new_map(frame, given, span)
    if path in BOXES:
        return holder(frame, "box", span, given.pos[0] if given.pos else None)
    if path in BUFFERS:
        obj = frame.machine.new_obj("buffer", frame, span)
        obj.library = "buffer"
        frame.machine.heap[obj] = {}
        return Value(refs=(obj,), path=path)
    if path in WRAPPERS and given.pos and given.pos[0].refs:
        return Value(taint=given.pos[0].taint, refs=given.pos[0].refs, path=path)
    return java_text.function(frame, path, given, span) if path in java_text.UNCHANGED else None


def become(frame: Frame, obj: Obj, outside: list[str]) -> None:
    """An instance of a class that extends a collection of Java's library is one, too."""
    for path in map(frame.machine.matcher(frame).normal, outside):
        if path in COLLECTIONS or path in MAPS:
            obj.kind = "list" if path in COLLECTIONS else "dict"
            obj.library = COLLECTIONS.get(path, "map")
            obj.open = False
            frame.machine.heap[obj] = {"#len": Value(0)} if obj.kind == "list" else {}
            return


# --- methods of the library's objects ---------------------------------------------------------------------------------


def start(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    function = (frame.machine.fields(obj) or {}).get("value")
    if function is None:
        return NONE
    result = java_functions.call_function(frame, function, [], span)
    frame.machine.write(obj, "result", result)
    return NONE


def task_result(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    return (frame.machine.fields(obj) or {}).get("result", UNKNOWN)


TASK: dict[str, Method] = {**dict.fromkeys(["start", "run", "call"], start), "get": task_result}


def invoke_method(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    """``method.invoke(target, args...)``."""
    from glasshouse.scan.interp import calls

    fields = frame.machine.fields(obj) or {}
    owner, name = fields.get("owner", UNKNOWN), fields.get("name", UNKNOWN).const
    args, rest = elements_given(frame, Arguments(given.pos[1:], {}, given.rest), span)
    passed = Arguments(args, {}, rest)
    target = given.pos[0] if given.pos and given.pos[0].refs else owner
    if name.__class__ is str:
        return calls.call_method(frame, target, name, passed, span, None)
    taint = attributes.deep_taint(frame.machine, join_all([*given.pos, UNKNOWN]))
    return Value(taint=taint)


def construct(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:

    args, rest = elements_given(frame, given, span)
    owner = (frame.machine.fields(obj) or {}).get("owner", UNKNOWN)
    return construction.construct(frame, owner, Arguments(args, {}, rest), span)


def read_field(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    fields = frame.machine.fields(obj) or {}
    owner, name = fields.get("owner", UNKNOWN), fields.get("name", UNKNOWN).const
    target = given.pos[0] if given.pos and given.pos[0].refs else owner
    return attributes.get_attr(frame, target, name, span) if name.__class__ is str else UNKNOWN


def write_field(frame: Frame, obj: Obj, value: Value, given: Arguments, span: int) -> Value | None:
    fields = frame.machine.fields(obj) or {}
    owner, name = fields.get("owner", UNKNOWN), fields.get("name", UNKNOWN).const
    if len(given.pos) > 1 and name.__class__ is str:
        attributes.set_attr(frame, given.pos[0] if given.pos[0].refs else owner, name, given.pos[1], span)
    return NONE


RULED = {"put": "*.put", "setProperty": "java.util.Properties.setProperty"}  # settings that rules look at
LIBRARY: dict[str, dict[str, Method]] = {
    **dict.fromkeys(["list", "stack", "deque", "priority", "set"], LIST),
    "iterator": ITERATOR,
    "stream": STREAM,
    "map": MAP,
    "entry": ENTRY,
    "optional": OPTIONAL,
    "box": BOX,
    "future": FUTURE,
    "text": java_text.TEXT,
    "task": TASK,
    "method": {"invoke": invoke_method},
    "constructor": {"newInstance": construct},
    "field": {"get": read_field, "set": write_field},
}


def method(frame: Frame, obj: Obj, value: Value, name: str, given: Arguments, span: int) -> Value | None:
    """A method of an object of the library."""
    if obj.library == "composed":
        return java_functions.composed(frame, obj, value, name, given, span)
    if obj.library == "buffer":
        return buffer_method(frame, obj, value, name, given)
    handler = LIBRARY.get(obj.library, {}).get(name)
    if handler is not None:
        try:
            return handler(frame, obj, value, given, span)
        except IndexError:  # fewer arguments than the method takes
            return None
    if obj.library == "text":
        return java_text.of_content(frame, obj, value, name, given, span)
    return None


def buffer_method(frame: Frame, obj: Obj, value: Value, name: str, given: Arguments) -> Value | None:
    """What is written into a stream in memory can be read from it."""
    if name.startswith(("write", "print", "append")):
        taint = attributes.deep_taint(frame.machine, join_all([*given.pos, UNKNOWN]))
        if taint:
            frame.machine.write(obj, "*", Value(taint=taint), weak=True)
        return value if name == "append" else NONE
    if name == "reset" and len(value.refs) == 1:
        frame.machine.heap[obj] = {}
        return NONE
    if name in ("toString", "toByteArray", "toCharArray"):
        return Value(taint=attributes.deep_taint(frame.machine, value))
    return None


# --- classes of the program and the library ---------------------------------------------------------------------------

THREADS = frozenset(["java.lang.Thread", "java.util.TimerTask"])
TASKS = frozenset(
    [CONCURRENT + name for name in ("RecursiveTask", "RecursiveAction", "ForkJoinTask", "CountedCompleter")]
)


def inherited(frame: Frame, obj: Obj, name: str, given: Arguments, span: int) -> Value | None:
    """A method that a class of the program inherits from the library and that calls back into the class."""
    from glasshouse.scan.interp import calls

    assert obj.cls is not None
    if obj.library:
        return method(frame, obj, Value(refs=(obj,)), name, given, span)
    if name in ("getClass",):
        return Value(refs=(ClassRef(obj.cls),))
    if name not in ("start", "fork", "invoke", "join"):
        return None
    outside = frame.machine.program.supers(obj.cls)[1]
    back = "run" if name == "start" and THREADS.intersection(outside) else ""
    if not back and TASKS.intersection(outside):
        back = "compute" if name != "start" else ""
    fn = frame.machine.program.find_method(obj.cls, back, 0) if back else None
    if fn is None:
        return None
    result = calls.invoke(frame, FuncRef(fn, obj.home, Value(refs=(obj,))), NO_ARGUMENTS, span)
    return Value(refs=(obj,)) if name == "fork" else result


def inner_class(frame: Frame, outer: Value, cls: Value) -> Value:
    """``outer.new Inner()``: the class is a member of the outer object's class."""
    name = cls.path.rpartition(".")[2]
    for ref in outer.refs:
        if ref.__class__ is Obj and ref.cls is not None:
            for item in frame.machine.program.supers(ref.cls)[0]:
                inner = frame.machine.inner_class(item, name)
                if inner is not None:
                    return Value(refs=(ClassRef(inner),))
    return cls


def class_named(frame: Frame, name: Value) -> Value | None:
    if name.const.__class__ is not str or name.taint:
        return None
    package, _, last = name.const.replace("$", ".").rpartition(".")
    program = frame.machine.program
    found = program.packages.get((package, last)) or program.type_of(frame.module, last)
    return Value(refs=(ClassRef(found),)) if isinstance(found, Cls) else Value(path=name.const)


def member(frame: Frame, library: str, owner: ClassRef, name: Value, span: int) -> Value:
    obj = frame.machine.new_obj("member", frame, span)
    obj.library = library
    frame.machine.heap[obj] = {"owner": Value(refs=(owner,)), "name": name}
    return Value(refs=(obj,))


def class_method(frame: Frame, ref: ClassRef, name: str, given: Arguments, span: int) -> Value | None:
    """A method of ``Class`` on a class of the program."""

    first: Value = given.pos[0] if given.pos else UNKNOWN
    if name in ("getMethod", "getDeclaredMethod"):
        return member(frame, "method", ref, first, span)
    if name in ("getField", "getDeclaredField"):
        return member(frame, "field", ref, first, span)
    if name in ("getConstructor", "getDeclaredConstructor"):
        return member(frame, "constructor", ref, UNKNOWN, span)
    if name == "newInstance":
        return construction.instantiate(frame, ref, given, span)
    if name == "cast":
        return first
    if name == "values" and ref.cls.ir.flags & ir.ENUM:
        return enum_constants(frame, ref, span)
    if name == "valueOf" and ref.cls.ir.flags & ir.ENUM and first.const.__class__ is str:
        return ref.cls.attrs.get(first.const)
    if name == "valueOf" and ref.cls.ir.flags & ir.ENUM and first.taint:
        return any_constant(frame, ref)
    return None


def any_constant(frame: Frame, ref: ClassRef) -> Value:
    """``Status.valueOf(text)``: one of the constants, whatever the text was, or an exception."""
    frame.machine.ensure_class(ref.cls)
    refs = [item for value in ref.cls.attrs.values() for item in value.refs]
    return Value(refs=tuple(item for item in refs if item.__class__ is Obj and item.cls is ref.cls)[:MAX_CONSTANTS])


def enum_constants(frame: Frame, ref: ClassRef, span: int) -> Value:
    frame.machine.ensure_class(ref.cls)
    made = [
        value
        for value in ref.cls.attrs.values()
        if any(item.__class__ is Obj and item.cls is ref.cls for item in value.refs)
    ]
    return make(frame, "", span, made)
