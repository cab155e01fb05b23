"""What is wrong with a call by itself or with the data it is given: commands, paths, sizes, locks, banned functions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from glasshouse.scan import ir
from glasshouse.scan.memory import api, bounds
from glasshouse.scan.memory.lifetime import dereference, shown
from glasshouse.scan.memory.values import MAYBE, STRONG, WEAK, State, V

if TYPE_CHECKING:
    from glasshouse.scan.memory.calls import Call
    from glasshouse.scan.memory.engine import Engine

OWN = ("a command-line argument", "an environment variable")
PRIVILEGE = {
    "setuid": 2,
    "seteuid": 2,
    "setreuid": 2,
    "setresuid": 2,
    "setgid": 1,
    "setegid": 1,
    "setregid": 1,
    "setresgid": 1,
    "setgroups": 1,
    "initgroups": 1,
}
TEXT_ALLOCATORS = frozenset(["malloc", "xmalloc", "g_malloc", "kmalloc", "alloca", "operator new[]"])
SHELL = re.compile(r"(^|/)(env|sudo|xargs|nohup|(ba|da|z|c|tc|k)?sh|python|perl|cmd|powershell)[\w.]*$")
MAX_FLAGS = 20  # parts of `a | b | ...`
CHECKS_PATH = frozenset("access stat lstat stat64 lstat64 faccessat".split())
USES_PATH = frozenset(
    "open fopen unlink chmod chown rename creat remove mkdir rmdir execv execl system opendir truncate freopen".split()
)


def at_call(engine: Engine, state: State, made: Call) -> None:
    """Sinks for data from outside, and calls that go wrong together."""
    name = made.name
    handler = SINKS.get(name)
    if handler is not None:
        check, numbers = handler
        program = made.arg(0).text if name in api.STARTERS else None
        if program is not None and not SHELL.search(program):
            numbers = ()  # one program, whatever it is told to work on
        for number in numbers:
            sink(engine, state, made, check, number)
    if name in api.COPIES or name in ("memcmp", "strncmp", "read", "recv", "fread"):
        sizeof_pointer(engine, made)
    if name in CHECKS_PATH or name in USES_PATH:
        path_race(engine, state, made)
    if engine.facts.kernel and state.locks:
        sleeping(engine, state, made)
    if name in STREAM_USERS:
        for number, value in enumerate(made.args):
            if value.null == MAYBE and value.type == "FILE*":
                dereference(engine, state, value, made.operand(number), made.span)
    if name in PRIVILEGE:
        privilege(engine, state, made)
    if name in ("alloca", "ALLOCA", "_alloca", "__builtin_alloca"):
        stack_size(engine, state, made, made.arg(0))
    if name in ("umask", "chmod", "fchmod", "open", "creat", "mkdir"):
        permissions(engine, made)


def sink(engine: Engine, state: State, made: Call, check: str, number: int) -> None:
    """Data from outside, or a parameter, in a place where it does harm."""
    if number >= len(made.args):
        return
    value = made.arg(number)
    if value.text is not None:
        return
    taint, origin = bounds.content_taint(state, value)
    if value.checked and check == "path-traversal":
        return  # a function of this program looked at it
    if not taint & STRONG and (value.checked or (check == "path-traversal" and not built(state, value))):
        return
    if taint & STRONG and not origin.startswith("a random"):
        chosen = check == "path-traversal" and origin.startswith(OWN)  # by whoever runs the program
        engine.report(check, made.span, made.name, origin, "low" if chosen else "high")
    elif taint & WEAK:
        engine.report(check, made.span, made.name, origin, "low", weak=True)


def built(state: State, value: V) -> bool:
    """Whether a path was put together: a parameter that is a whole path is meant to name any file."""
    if value.built:
        return True
    content = state.field(value.reg, "*") if value.reg is not None else None
    return content is not None and content.built


def text_size(engine: Engine, made: Call, size: V) -> None:
    """Memory of exactly the length of a text has no room for its end."""
    if size.parts is not None and size.parts[0] == "+":
        exact = all(one.strlen_of is not None and one.parts is None for one in size.parts[1:])
        if exact and made.name in TEXT_ALLOCATORS:
            engine.report("no-room-for-nul", made.span, made.name, "", "medium")
        return
    factors = size.parts[1:] if size.parts is not None and size.parts[0] == "*" else (size,)
    exact = any(one.strlen_of is not None and one.parts is None for one in factors)
    if exact and all(one.strlen_of is not None or one.const() is not None for one in factors):
        engine.report("no-room-for-nul", made.span, made.name, "", "medium")


def take_method(engine: Engine, state: State, made: Call) -> None:
    take_lock(engine, state, made, made.name)


def _sinks() -> dict[str, tuple[str, tuple[int, ...]]]:
    table: dict[str, tuple[str, tuple[int, ...]]] = {}
    table.update({name: ("path-traversal", numbers) for name, numbers in api.PATHS.items()})
    table.update({name: ("command-injection", numbers) for name, numbers in api.COMMANDS.items()})
    table.update({name: ("library-loading", (number,)) for name, number in api.LIBRARIES.items()})
    table.update({name: ("sql-injection", (number,)) for name, number in api.SQL.items()})
    return table


SINKS = _sinks()


def allocation_size(engine: Engine, state: State, made: Call, size: V, spec: api.Alloc) -> None:
    """A size whose computation may have wrapped, or that nothing bounds."""
    if spec.number >= 0 or size.const() is not None:
        if size.const() is not None and size.const() == 0 and size.parts is None and made.name != "realloc":
            pass
        return
    if size.checked:
        return
    parts = size.parts
    if parts is not None and parts[0] in ("*", "+", "-"):
        for value in parts[1:]:
            if value.const() is None and value.taint and value.hi is None and value.below is None and not value.checked:
                if value.strlen_of is not None:
                    continue
                strong = bool(value.taint & STRONG)
                if parts[0] == "*" or strong:
                    engine.report(
                        "allocation-overflow",
                        made.span,
                        made.name,
                        value.source,
                        "high" if strong else "low",
                        weak=not strong,
                    )
                    return
    if size.taint & STRONG and size.hi is None and size.below is None:
        engine.report("outside-allocation", made.span, made.name, size.source, "medium")
    elif size.taint & STRONG and size.lo is None:
        engine.report("outside-allocation", made.span, made.name, size.source, "medium")


def stack_size(engine: Engine, state: State, made: Call, size: V) -> None:
    """``alloca`` and variable-length arrays with a size that others choose, or in a loop."""
    if (
        size.const() is None
        and not size.checked
        and size.taint
        and (size.hi is None or size.hi > 65536)
        and size.below is None
    ):
        strong = bool(size.taint & STRONG)
        engine.report(
            "stack-allocation",
            made.span,
            made.name.removeprefix("$"),
            size.source,
            "high" if strong else "low",
            weak=not strong,
        )
    elif engine.frame.loops and made.name != "$vla":
        engine.report("alloca-in-loop", made.span, made.name, "", "medium")


def array_new(engine: Engine, made: Call, count: V) -> None:
    if count.taint & STRONG and count.hi is None and count.below is None and not count.checked:
        engine.report("outside-allocation", made.span, made.name, count.source, "medium")


def sizeof_pointer(engine: Engine, made: Call) -> None:
    """``memset(p, 0, sizeof(p))`` clears eight bytes."""
    spec = api.COPIES.get(made.name)
    number = spec.length if spec is not None else 2
    length = made.arg(number)
    if number < 0 or not length.size_of.endswith("*"):
        return
    for position, value in enumerate(made.args[:2]):
        if position != number and value.type and value.type == length.size_of and not value.type.endswith("**"):
            engine.report("sizeof-pointer", made.span, shown(value, made.operand(position)), made.name, "high")
            return


STREAM_USERS = frozenset(
    "fread fwrite fgets fputs fputc fgetc getc putc fprintf vfprintf fscanf fseek ftell rewind fclose feof ferror "
    "fileno ungetc getline readdir closedir".split()
)
SPINNING = ("spin_unlock", "raw_spin_unlock", "read_unlock", "write_unlock")
SLEEPING = frozenset(
    "msleep ssleep usleep_range mutex_lock down schedule wait_for_completion synchronize_rcu flush_work vmalloc "
    "vzalloc cancel_work_sync copy_from_user copy_to_user kthread_stop msleep_interruptible".split()
)


def sleeping(engine: Engine, state: State, made: Call) -> None:
    """What may sleep is called while a spinning lock is held."""
    if made.name not in SLEEPING and not (made.name in api.ALLOCATORS and "GFP_KERNEL" in made.operands):
        return
    for key, (depth, _) in state.locks.items():
        if depth > 0 and key.startswith(SPINNING):
            engine.report("sleep-in-atomic", made.span, made.name, key.partition("(")[2][:-1], "medium")
            return


def path_race(engine: Engine, state: State, made: Call) -> None:
    """A file is looked at by name and then used by name."""
    value = made.arg(0)
    key = ("path", value.reg if value.reg is not None else value.text or id(value))
    if value.text is not None:
        key = ("path", value.text)
    if made.name in CHECKS_PATH:
        state.facts[key] = made.name
    elif made.name == "open" and _refuses_taken(engine, made.operand(1)):
        return
    elif key in state.facts:
        engine.report("check-then-use", made.span, made.name, str(state.facts.pop(key)), "medium")


def _refuses_taken(engine: Engine, operand: Any) -> bool:
    """Whether ``O_EXCL`` is among the flags: ``open`` then fails where the name is taken."""
    defs = engine.facts.functions[engine.frame.index].defs
    pending = [operand]
    for _ in range(MAX_FLAGS):
        if not pending:
            break
        item = pending.pop()
        if item == "O_EXCL":
            return True
        ins = defs.get(item) if item.__class__ is int and item >= 0 else None
        if ins is not None and ins[0] == ir.BINOP and ins[3] == "|":
            pending.extend(ins[4:6])
    return False


def privilege(engine: Engine, state: State, made: Call) -> None:
    """User before group: once the user is dropped, the groups can no longer be."""
    dropped = state.facts.get("dropped")
    if PRIVILEGE[made.name] == 1 and dropped and not made.arg(0).taint:
        engine.report("privilege-order", made.span, made.name, str(dropped), "high")
    elif PRIVILEGE[made.name] == 2 and made.arg(0).const() != 0:
        state.facts["dropped"] = made.name


def permissions(engine: Engine, made: Call) -> None:
    mode = made.arg({"open": 2, "fchmod": 1, "chmod": 1, "creat": 1, "mkdir": 1}.get(made.name, 0)).const()
    if made.name == "umask":
        if mode == 0 and made.args:
            engine.report("world-writable", made.span, made.name, "umask(0)", "medium")
        return
    if made.name == "open":
        flags = made.arg(1)
        if len(made.args) == 2 and flags.const() is not None and flags.const() & 0o100 and not flags.name:  # type: ignore[operator]
            engine.report("open-without-mode", made.span, made.name, "", "high")
    if mode is not None and mode & 0o002 and not mode & 0o1000:
        engine.report("world-writable", made.span, made.name, oct(mode), "medium")


# --- locks ------------------------------------------------------------------------------------------------------------


def lock_name(made: Call, unlock: str) -> str:
    value = made.arg(0)
    region = value.reg
    target = region.name if region is not None and region.name else value.name
    if not made.args:
        return unlock
    return f"{unlock}({target or made.operand(0)})"


def take_lock(engine: Engine, state: State, made: Call, unlock: str) -> None:
    key = lock_name(made, unlock)
    depth, _ = state.locks.get(key, (0, 0))
    region = made.arg(0).reg
    recursive = made.arg(0).type or (region.type if region is not None else "")
    if "recursive" in recursive or "guard" in recursive or "unique_lock" in recursive:
        return
    if depth > 0 and made.args and not unlock.startswith(("rcu", "read", "up", "preempt", "local", "release", "sem")):
        engine.report("double-lock", made.span, key.partition("(")[2][:-1], made.name, "medium")
    state.locks = {**state.locks, key: (depth + 1, made.span)}
    engine.locked(key)


def drop_lock(engine: Engine, state: State, made: Call) -> None:
    key = lock_name(made, made.name)
    depth, span = state.locks.get(key, (0, 0))
    if depth <= 0:  # the same lock by another name
        for other, (held, _) in state.locks.items():
            if held > 0 and other.partition("(")[0] == made.name:
                state.locks = {**state.locks, other: (held - 1, made.span)}
                engine.unlocked(other)
                return
    state.locks = {**state.locks, key: (max(depth - 1, 0), span)}
    if depth <= 0 and span and not made.name.startswith(("rcu", "up", "sem")):
        engine.report("double-unlock", made.span, key.partition("(")[2][:-1], made.name, "medium")
    engine.unlocked(key)
