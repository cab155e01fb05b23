"""What a condition tells about the values it tests, on the way where it holds and on the way where it does not."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from glasshouse.scan import ir
from glasshouse.scan.interp import (
    access_paths,
    attributes,
    binding,
    conditions,
    contexts,
    equality,
    every_element,
    flags,
    host_tests,
    patterns,
    predicates,
    shape_tests,
)
from glasshouse.scan.interp.access_paths import assigns, definition
from glasshouse.scan.interp.go import tests as go_tests
from glasshouse.scan.interp.php import patterns as php_patterns
from glasshouse.scan.interp.values import LITERAL, NOT_CONST, Bound, Obj, Value, join_taint, with_taint, without

if TYPE_CHECKING:
    from glasshouse.scan.interp.frame import Frame
    from glasshouse.scan.interp.models import SanitizerModel

DEPTH = 6
EQUAL = frozenset(["==", "===", "is"])
UNEQUAL = frozenset(["!=", "!==", "is not"])
EQUALS_METHODS = frozenset(["equals", "equalsIgnoreCase", "contentEquals"])
SAFE_TYPES = frozenset(
    """int float bool complex Decimal UUID uuid.UUID Integer Long Short Byte Boolean Double Float Number java.util.UUID
    datetime date number boolean Date""".split()
)
MEMBER_TESTS = frozenset(["contains", "includes", "has", "containsKey", "containsValue", "hasOwnProperty", "indexOf"])
ENDING_TESTS = frozenset(["endswith", "endsWith"])
PREFIX_TESTS = frozenset(["startswith", "startsWith", "is_relative_to"])
MATCH_TESTS = frozenset(["match", "fullmatch", "matches", "test", "search", "exec", "find", "lookingAt"])


def assume(frame: Frame, block: ir.Block, index: int, cond: Any, holds: bool, depth: int = 0) -> None:
    """Take it that the condition computed before ``block[index]`` is true (or false)."""
    if depth > DEPTH:
        return
    position, ins = definition(block, index, cond)
    if ins is None or not holds:
        assume_truthy(frame, cond, holds)
    if ins is None:
        return
    op = ins[0]
    if op == ir.ATTR and not holds and host_tests.is_host(frame, ins):
        mask = host_tests.ruled_out(frame, ins)
        host_tests.passed(frame, block, position, ins[3], mask)  # an address without a host stays here
    if op == ir.UNOP and ins[3] in ("not", "!"):
        assume(frame, block, position, ins[4], not holds, depth + 1)
    elif op == ir.BINOP:
        comparison(frame, block, position, ins, holds, depth)
    elif op in (ir.CALL, ir.CALL_METHOD):
        call_test(frame, block, position, ins, holds)
    elif op == ir.IS_TYPE:
        if holds and all(text.rsplit(".", 1)[-1] in SAFE_TYPES or text in SAFE_TYPES for text in ins[4]):
            scrub(frame, block, position, ins[3], frame.machine.everything)
        elif not holds and frame.module.language == "java" and ins[4] in (["Object"], ["java.lang.Object"]):
            scrub(frame, block, position, ins[3], frame.machine.everything)  # only null is no object
        elif frame.module.language == "javascript":
            shape_tests.shape_test(frame, block, position, ins[3], holds, "Array" in ins[4])
    elif op == ir.MOVE:
        if isinstance(cond, str) and ins[3].__class__ is int and ins[3] < 0:
            flags.assume(frame, block, position, index, cond, holds, depth)
        assume(frame, block, position, ins[3], holds, depth + 1)
    elif op == ir.ITEM and frame.module.language == "go":
        go_tests.assume(frame, block, position, ins, holds)
    elif op == ir.IF and isinstance(cond, str):
        combined(frame, block, position, ins, cond, holds, depth)


def combined(frame: Frame, block: ir.Block, position: int, ins: ir.Instr, name: str, holds: bool, depth: int) -> None:
    """``a and b`` / ``a or b``: an IF on ``a`` that sets the variable to ``b`` in one of its arms."""
    _, _, cond, then, other = ins
    is_and = bool(then) and assigns(then, name) and not trivially(then, name, cond)
    is_or = bool(other) and assigns(other, name) and not trivially(other, name, cond)
    if is_and and is_or:
        return  # a conditional expression
    if is_and and holds:
        assume(frame, block, position, cond, True, depth + 1)
        assume(frame, then, len(then), name, True, depth + 1)
    elif is_or and not holds:
        assume(frame, block, position, cond, False, depth + 1)
        assume(frame, other, len(other), name, False, depth + 1)
    elif (is_and or is_or) and depth < 2:
        either(frame, (block, position, cond), (then if is_and else other, name), holds, depth)


def either(
    frame: Frame, first: tuple[ir.Block, int, Any], second: tuple[ir.Block, str], holds: bool, depth: int
) -> None:
    """One of two tests came out as ``holds``: what is harmless both ways is harmless.

    ``if (name.contains("..") && !below(base, name)) throw``: after it, the name is harmless whichever test said so.
    """
    before = frame.env
    if not any(value.taint for value in before.values()):
        return
    block, position, cond = first
    one = tried(frame, [(block, position, cond, holds)], depth)
    if one.keys() == before.keys() and all(one[name] is value for name, value in before.items()):
        return
    other = tried(frame, [(block, position, cond, not holds), (second[0], len(second[0]), second[1], holds)], depth)
    for name, value in before.items():
        left, right = one.get(name), other.get(name)
        if value.taint and left is not None and right is not None and value is not left and value is not right:
            cleaned = with_taint(value, join_taint(left.taint, right.taint))
            before[name] = cleaned
            frame.machine.refine_note(cleaned, value)


def tried(frame: Frame, tests: list[tuple[ir.Block, int, Any, bool]], depth: int) -> dict[str, Value]:
    """The variables after some tests came out as given; frame and heap stay as they are."""
    machine, before, regs = frame.machine, frame.env, list(frame.regs)
    heap, machine.heap = machine.heap, machine.heap.fork()
    frame.env = dict(before)
    for block, position, cond, holds in tests:
        assume(frame, block, position, cond, holds, depth + 1)
    after, frame.env = frame.env, before
    frame.regs[:] = regs
    machine.heap = heap
    return after


def trivially(block: ir.Block, name: str, cond: Any) -> bool:
    """An arm that only repeats the left operand or a constant."""
    return (
        len(block) == 1
        and block[0][0] == ir.MOVE
        and block[0][2] == name
        and (block[0][3] == cond or (block[0][3].__class__ is int and block[0][3] < 0))
    )


def assume_truthy(frame: Frame, cond: Any, holds: bool) -> None:
    """A plain variable that is false holds nothing dangerous."""
    if holds or not isinstance(cond, str):
        return
    value = frame.env.get(cond)
    if value is not None and value.taint and not value.refs:
        frame.env[cond] = with_taint(value, None)
        replace_same(frame, value, frame.env[cond])


def comparison(frame: Frame, block: ir.Block, position: int, ins: ir.Instr, holds: bool, depth: int) -> None:
    _, _, _, op, left, right = ins
    if op in UNEQUAL or op == "not in":
        op, holds = ("==" if op in UNEQUAL else "in"), not holds
    a, b = frame.val(left), frame.val(right)
    if frame.module.language == "php":
        php_patterns.comparison(frame, block, position, ins, op, holds)
    if op in EQUAL:
        if b.const.__class__ is bool and a.const is NOT_CONST:
            assume(frame, block, position, left, holds == b.const, depth + 1)
            return
        if b.const.__class__ is str and a.const is NOT_CONST and frame.module.language == "javascript":
            shape_tests.typeof_test(frame, block, position, left, b.const, holds)
        if b.const == -1 and b.const.__class__ is int:
            searched(frame, block, position, left, not holds)
        if b.const is None and a.const is NOT_CONST:
            equality.given_back(frame, block, position, left, not holds)
            if frame.module.language == "go":
                go_tests.failed(frame, block, position, left, holds)
        elif b.const == 0 and b.const.__class__ is int:
            equality.guard_result(frame, block, position, left, not holds)
        if not holds:
            return
        equality.common_base(frame, block, position, left)
        equality.common_base(frame, block, position, right)
        equality.inside_folder(frame, block, position, left)
        if b.const == 0:
            found_first(frame, block, position, left)
        if not b.taint and (a.taint or b.const.__class__ is str):
            host_tests.checked(frame, block, position, left)
        elif not a.taint and b.taint:
            host_tests.checked(frame, block, position, right)
        if b.const is not NOT_CONST:
            pin(frame, block, position, left, b)
        elif a.const is not NOT_CONST:
            pin(frame, block, position, right, a)
        else:
            equality.same_as_constant(frame, block, position, (left, a), (right, b))
            equality.same_as_own(frame, block, position, (left, a), (right, b))
    elif op == "in":
        if holds and allow_list(frame, b):
            host_tests.checked(frame, block, position, left)
            scrub(frame, block, position, left, frame.machine.everything)
        elif not holds and a.const in ("..", "../", "/", "\\"):
            scrub(frame, block, position, right, frame.machine.bit("path"))
        elif holds and b.const.__class__ is str:
            equality.part_of_text(frame, block, position, left, b.const)
        elif holds:
            equality.below_folder(frame, block, position, right)
    elif op in (">", ">=", "<", "<=", "!="):
        bounded(frame, block, position, left, right, op, holds)
        search_test(frame, block, position, ins, holds)


def search_test(frame: Frame, block: ir.Block, position: int, ins: ir.Instr, holds: bool) -> None:
    """``list.indexOf(x) >= 0`` and the like."""
    _, _, _, op, left, right = ins
    bound = frame.val(right).const
    found = holds if (op, bound) in ((">=", 0), (">", -1)) else not holds if (op, bound) in (("<", 0),) else None
    if found is not None:
        searched(frame, block, position, left, found)


def searched(frame: Frame, block: ir.Block, position: int, operand: Any, found: bool) -> None:
    """The operand is the place where a search found something, or -1."""
    where, call = definition(block, position, operand)
    if call is not None and call[0] == ir.CALL_METHOD and call[4] in ("indexOf", "search", "find", "findIndex"):
        member_test(frame, block, where, call, found)


def found_first(frame: Frame, block: ir.Block, position: int, operand: Any) -> None:
    """``text.indexOf("/x/") === 0`` is a test of how the text begins."""
    where, call = definition(block, position, operand)
    if call is None or call[0] != ir.CALL_METHOD or call[4] not in ("indexOf", "lastIndexOf", "find", "search"):
        return
    argument = frame.val(call[5][0]) if call[5] and call[5][0].__class__ is not list else None
    if argument is not None and (argument.const.__class__ is str or not given_by_stranger(argument)):
        prefix_test(frame, block, where, call[3], True, call[5][0])


def given_by_stranger(value: Value) -> bool:
    """Whether a value holds data of a real source (a parameter may be the folder that a caller allows)."""
    return any(label.kind == "source" for label in value.taint or ())


def bounded(frame: Frame, block: ir.Block, position: int, left: Any, right: Any, op: str, holds: bool) -> None:
    """A comparison with something untainted bounds a number."""
    machine = frame.machine
    sizes = machine.bit("memory") | machine.bit("resource")
    upper_left = (op in ("<", "<=")) == holds
    a, b = frame.val(left), frame.val(right)
    if upper_left and a.taint and not b.taint:
        scrub(frame, block, position, left, sizes)
    elif not upper_left and b.taint and not a.taint:
        scrub(frame, block, position, right, sizes)


def allow_list(frame: Frame, value: Value) -> bool:
    """Whether a container only holds data that did not come from outside."""
    if value.const.__class__ is str:
        return False
    if value.taint:
        return False
    if value.refs:
        return attributes.deep_taint(frame.machine, value) is None
    return True


def call_test(frame: Frame, block: ir.Block, position: int, ins: ir.Instr, holds: bool) -> None:
    """A call used as a condition: sanitiser guards, pattern matches, membership, prefix tests."""
    method = ins[0] == ir.CALL_METHOD
    name = ins[4] if method else ""
    operands = access_paths.operands_of(ins)
    guard_models(frame, block, position, ins, holds, operands)
    if frame.module.language == "go":
        go_tests.assume(frame, block, position, ins, holds)
    if every_element.call_test(frame, block, position, ins, holds):
        return
    if any(frame.val(item).taint for item in operands) or (method and asks_itself(frame, ins)):
        predicates.assume(frame, block, position, ins, holds, operands)
    if not method:
        if frame.module.language == "php":
            php_patterns.call_test(frame, block, position, ins, holds)
        return
    if name in EQUALS_METHODS and holds and operands:
        receiver, argument = frame.val(ins[3]), frame.val(operands[0])
        if argument.const is not NOT_CONST:
            pin(frame, block, position, ins[3], argument)
        elif receiver.const is not NOT_CONST:
            pin(frame, block, position, operands[0], receiver)
        else:
            equality.same_as_constant(frame, block, position, (ins[3], receiver), (operands[0], argument))
    elif name in MEMBER_TESTS and operands:
        member_test(frame, block, position, ins, holds)
    elif name in PREFIX_TESTS and operands:
        prefix_test(frame, block, position, ins[3], holds, operands[0])
        if not holds and frame.val(operands[0]).const in PARENTS:
            relative_test(frame, block, position, ins[3])
    elif name == "HasPrefix" and len(operands) > 1:  # of Go's package strings
        prefix_test(frame, block, position, operands[0], holds, operands[1])
        if not holds and frame.val(operands[1]).const in PARENTS:
            relative_test(frame, block, position, operands[0])
            if normal(frame, frame.val(operands[0])):  # cleaned, and does not lead upwards
                scrub(frame, block, position, operands[0], frame.machine.bit("path"))
    elif name in ENDING_TESTS and holds and operands and str(frame.val(operands[0]).const)[:1] == ".":
        host_tests.checked(frame, block, position, ins[3])  # a host below one of the program's own
    if name in MATCH_TESTS:
        pattern_test(frame, block, position, ins, operands, holds)


def asks_itself(frame: Frame, ins: ir.Instr) -> bool:
    """Whether a method called like a test is called on an object of the program that holds data: ``form.isValid()``."""
    if not access_paths.CHECKING.search(ins[4]):
        return False
    owner = frame.val(ins[3])
    return any(ref.__class__ is Obj and ref.cls is not None for ref in owner.refs) and contexts.holds_data(
        frame.machine, owner
    )


def member_test(frame: Frame, block: ir.Block, position: int, ins: ir.Instr, holds: bool) -> None:
    operands = [item for item in ins[5] if item.__class__ is not list]
    if not operands:
        return
    receiver, argument = frame.val(ins[3]), frame.val(operands[0])
    if receiver.taint and argument.const.__class__ is str:
        if not holds and ".." in argument.const:
            scrub(frame, block, position, ins[3], frame.machine.bit("path"))
        return
    if (
        holds
        and (argument.taint or operands[0].__class__ is int)  # which may have been looked at on one way to here
        and allow_list(frame, receiver)
        and (receiver.refs or receiver.path or not receiver.taint)
    ):
        if receiver.const.__class__ is not str:
            host_tests.checked(frame, block, position, operands[0])
            scrub(frame, block, position, operands[0], frame.machine.everything)


PARENTS = ("..", "../", "..\\")
RELATIVE = {"relative": 1, "relpath": 0, "Rel": 1}  # place of the path that is looked at


def relative_test(frame: Frame, block: ir.Block, position: int, operand: Any) -> None:
    """``!path.relative(base, file).startsWith("..")`` keeps the file below the base."""
    for _ in range(DEPTH):
        before = position
        position, ins = definition(block, position, operand)
        if ins is None:
            block, position = around(frame, block, before)
            position, ins = definition(block, position, operand)
        if ins is None:
            return
        if ins[0] == ir.MOVE:
            operand = ins[3]
            continue
        if ins[0] == ir.CALL and ins[3] == "$result":
            operand = ins[4][0]
            continue
        place = RELATIVE.get(ins[4]) if ins[0] == ir.CALL_METHOD else None
        if place is not None and place < len(ins[5]) and ins[5][place].__class__ is not list:
            scrub(frame, block, position, ins[5][place], frame.machine.bit("path"))
        return


def around(frame: Frame, block: ir.Block, position: int) -> tuple[ir.Block, int]:
    """The block that holds the arm of ``a and b`` that is looked at, and the place in it."""
    for index, ins in enumerate(frame.block):
        if ins[0] == ir.IF and (ins[3] is block or ins[4] is block):
            return frame.block, index
    return block, position


def normal(frame: Frame, value: Value) -> bool:
    """Whether data is a path without ``..`` in the middle."""
    return any(bits & frame.machine.normal_bit for bits, _ in (value.taint or {}).values())


def prefix_test(frame: Frame, block: ir.Block, position: int, operand: Any, holds: bool, prefix: Any) -> None:
    """``path.startswith(base)`` on a normalised path keeps it below the base; an address, where its host is whole."""
    value = frame.val(operand)
    machine = frame.machine
    if not holds or not value.taint:
        return
    mask = 0 if host_tests.open_after(frame, frame.val(prefix)) else machine.bit("redirect") | machine.bit("ssrf")
    if normal(frame, value):
        mask |= machine.bit("path")
    scrub(frame, block, position, operand, mask)


def guard_models(frame: Frame, block: ir.Block, position: int, ins: ir.Instr, holds: bool, operands: list[Any]) -> None:
    """Calls the rules name as guards."""
    path, receiver = callee_path(frame, ins)
    if not path:
        return
    model = frame.machine.matcher(frame).call(path)
    if model is None:
        if holds and len(operands) == 1 and frame.module.language == "javascript":
            named_check(frame, block, position, ins, path, operands[0])
        return
    for sanitizer in model.sanitizers:
        if sanitizer.guard is None or (sanitizer.guard == "true") != holds:
            continue
        if sanitizer.where and not guard_applies(frame, sanitizer, ins, receiver):
            continue
        selector = sanitizer.arg
        if selector.kind == "self" and receiver is not None:
            scrub(frame, block, position, receiver, sanitizer.mask)
        elif selector.kind == "pos" and selector.position < len(operands):
            scrub(frame, block, position, operands[selector.position], sanitizer.mask)
        elif selector.kind == "any":
            for operand in operands:
                scrub(frame, block, position, operand, sanitizer.mask)


def guard_applies(frame: Frame, sanitizer: SanitizerModel, ins: ir.Instr, receiver: Any) -> bool:
    """Whether the call meets the conditions under which it is a guard."""

    given = binding.evaluated(frame, *(ins[5:7] if ins[0] == ir.CALL_METHOD else ins[4:6]))
    owner = frame.val(receiver) if receiver is not None else None
    return all(conditions.holds(frame, item, owner, given) for item in sanitizer.where)


CHECKED = re.compile(
    r"(is|has|check|validate|verify|assert)?_?(valid|safe|allowed|permitted|whitelisted|trusted)", re.IGNORECASE
)


def named_check(frame: Frame, block: ir.Block, position: int, ins: ir.Instr, path: str, operand: Any) -> None:
    """A test that is not part of the program and says by its name that what passes is valid or safe."""
    if frame.val(ins[3]).refs and ins[0] == ir.CALL:
        return
    if CHECKED.match(path.rpartition(".")[2]):
        scrub(frame, block, position, operand, frame.machine.everything)


def callee_path(frame: Frame, ins: ir.Instr) -> tuple[str, Any]:
    if ins[0] == ir.CALL_METHOD:
        owner = frame.val(ins[3])
        return f"{owner.path or '*'}.{ins[4]}", ins[3]
    return frame.val(ins[3]).path, None


def pattern_test(frame: Frame, block: ir.Block, position: int, ins: ir.Instr, operands: list[Any], holds: bool) -> None:
    """A regular-expression test: if it only lets harmless characters through, the text is clean."""
    found = matching(frame, block, position, ins, operands)
    if found is None:
        return
    pattern, flags, subject = found
    name = ins[4]
    python = frame.module.language == "python"
    if holds:
        anchored = name in ("fullmatch", "matches")
        starts = name == "lookingAt" or (name == "match" and python)
        left = None if "m" in flags and not anchored else patterns.matched(pattern, anchored, starts)
        if "m" not in flags and patterns.local_path(pattern):
            scrub(frame, block, position, subject, frame.machine.bit("redirect") | frame.machine.bit("ssrf"))
    else:
        left = patterns.unmatched(pattern) if name not in ("fullmatch", "matches", "lookingAt") else None
    mask = patterns.harmless(frame, left) if left is not None else 0
    if mask:
        scrub(frame, block, position, subject, mask)


def matching(
    frame: Frame, block: ir.Block, position: int, ins: ir.Instr, operands: list[Any]
) -> tuple[str, str, Any] | None:
    """Pattern text, flags and subject operand of a match."""
    machine = frame.machine
    receiver, name = frame.val(ins[3]), ins[4]
    if receiver.path in ("re", "regex", "java.util.regex.Pattern") and len(operands) >= 2:
        text = frame.val(operands[0]).const
        flags = patterns.line_flag(frame.val(operands[2])) if len(operands) > 2 else ""
        known = patterns.parts(machine, frame.val(operands[0]))
        return (*known, operands[1]) if known else (text, flags, operands[1]) if text.__class__ is str else None
    if not operands:
        return matcher_object(frame, block, position, ins[3])
    known = patterns.parts(machine, receiver)
    if known is not None:
        return (*known, operands[0])
    known = patterns.parts(machine, frame.val(operands[0]))
    if known is not None:
        return (*known, ins[3])
    text = frame.val(operands[0]).const
    return (text, "", ins[3]) if text.__class__ is str and name in ("matches", "match", "search") else None


def matcher_object(frame: Frame, block: ir.Block, position: int, operand: Any) -> tuple[str, str, Any] | None:
    """Java: ``pattern.matcher(subject)``, tested later with ``matches()`` or ``find()``."""
    for _ in range(DEPTH):
        position, ins = definition(block, position, operand)
        if ins is None:
            return None
        if ins[0] == ir.MOVE:
            operand = ins[3]
            continue
        if ins[0] != ir.CALL_METHOD or ins[4] != "matcher" or len(ins[5]) != 1 or ins[5][0].__class__ is list:
            return None
        known = patterns.parts(frame.machine, frame.val(ins[3]))
        return (*known, ins[5][0]) if known is not None else None
    return None


def pin(frame: Frame, block: ir.Block, position: int, operand: Any, constant: Value) -> None:
    """The operand equals a constant."""
    if isinstance(operand, str):
        old = frame.env.get(operand)
        if old is not None and old.const is NOT_CONST:
            frame.env[operand] = Value(constant.const) if constant.const is not None else with_taint(old, None)
            replace_same(frame, old, frame.env[operand])
        return
    scrub(frame, block, position, operand, frame.machine.everything)


def scrub(frame: Frame, block: ir.Block, position: int, operand: Any, mask: int, depth: int = 0) -> None:
    """Make the operand, and what it was read from, harmless for ``mask`` from here on."""
    if depth > 4:
        return
    value = frame.val(operand)
    if value.taint:
        cleaned = with_taint(value, without(value.taint, mask))
        replace_same(frame, value, cleaned)
        if isinstance(operand, str):
            frame.env[operand] = cleaned
        elif operand >= 0:
            frame.regs[operand] = cleaned
        frame.machine.refine_note(cleaned, value)
    elif mask == frame.machine.everything and isinstance(operand, str) and value.const is NOT_CONST:
        if all(ref.__class__ is Bound for ref in value.refs):
            frame.env[operand] = Value(path=LITERAL)  # of unknown origin, but one of the program's own constants
    if isinstance(operand, str):
        if depth == 0 or frame.module.language == "java":
            where, ins = definition(block, position, operand)
            if ins is not None and ins[0] == ir.MOVE:
                scrub(frame, block, where, ins[3], mask, depth + 1)
            elif ins is None and mask == frame.machine.everything and value.taint:
                host_tests.checked(frame, block, position, operand)
        return
    where, ins = definition(block, position, operand)
    if ins is None:
        return
    if ins[0] in access_paths.READS and value.taint:
        access_paths.note(frame, block, where, ins, mask)
    if frame.module.language == "go" and go_tests.is_host(frame, ins):
        go_tests.host(frame, block, where, ins[3], mask & (frame.machine.bit("ssrf") | frame.machine.bit("redirect")))
    elif mask == frame.machine.everything and ins[0] in (ir.CALL, ir.CALL_METHOD, ir.ITEM):
        host_tests.allowed(frame, block, where, ins)
    if ins[0] in (ir.ATTR, ir.ITEM):
        scrub_field(frame, ins, mask)
    elif ins[0] == ir.CALL_METHOD and ins[4] in JOINS and frame.val(ins[3]).path in PATH_MODULES:
        for item in ins[5]:
            if item.__class__ is not list and frame.val(item).taint:
                scrub(frame, block, where, item, mask & frame.machine.bit("path"), depth + 1)
    elif ins[0] == ir.CALL_METHOD and ins[4] in SAME_TEXT:
        scrub(frame, block, where, ins[3], mask, depth + 1)
    elif ins[0] == ir.CALL_METHOD and ins[4] in SAME_PATH and ins[5] and ins[5][0].__class__ is not list:
        scrub(frame, block, where, ins[5][0], mask & frame.machine.bit("path"), depth + 1)
    elif ins[0] == ir.CALL and len(ins[4]) == 1 and frame.val(ins[3]).path in ("str", "String", "unicode"):
        scrub(frame, block, where, ins[4][0], mask, depth + 1)
    elif ins[0] in (ir.CAST, ir.AWAIT):
        scrub(frame, block, where, ins[-1], mask, depth + 1)
    elif ins[0] == ir.NEW and frame.val(ins[3]).path.rpartition(".")[2] in NAMED_BY:
        for item in ins[4][-1:]:  # ``new File(base, name)``: what holds for the file holds for the name
            names = NAMED_BY[frame.val(ins[3]).path.rpartition(".")[2]]
            scrub(frame, block, where, item, mask & sum(map(frame.machine.bit, names)), depth + 1)


NAMED_BY = {"File": ("path",), "URI": ("ssrf", "redirect"), "URL": ("ssrf", "redirect")}
SAME_TEXT = frozenset(
    """lower upper strip trim toLowerCase toUpperCase toString as_posix normalize toPath toFile toAbsolutePath
    toRealPath getCanonicalPath getCanonicalFile getAbsolutePath getAbsoluteFile getPath resolve absolute""".split()
)


JOINS = frozenset(["join", "resolve", "normalize"])
PATH_MODULES = frozenset(["path", "path.posix", "path.win32", "os.path", "posixpath"])
SAME_PATH = frozenset(["realpath", "abspath", "normpath", "normcase", "expanduser"])  # os.path.realpath(x)


def scrub_field(frame: Frame, ins: ir.Instr, mask: int) -> None:
    machine = frame.machine
    owner = frame.val(ins[3])
    name = ins[4] if ins[0] == ir.ATTR else frame.val(ins[4]).const
    if name is NOT_CONST:
        return
    if name == "origin" and owner.path == "MessageEvent" and mask == machine.everything:
        replace_same(frame, owner, Value(owner.const, None, owner.refs))  # a message of somebody who is trusted
    for ref in owner.refs:
        if ref.__class__ is Obj:
            fields = machine.fields(ref)
            if fields and name in fields:
                machine.write(ref, name, with_taint(fields[name], without(fields[name].taint, mask)))


def replace_same(frame: Frame, old: Value, new: Value) -> None:
    """Other variables that hold the very same value are refined with it."""
    if old is new:
        return
    for name, value in frame.env.items():
        if value is old:
            frame.env[name] = new
