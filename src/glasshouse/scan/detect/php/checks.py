"""Checks of PHP by names and shapes: secrets that can be guessed or are compared loosely, models without a guard."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from glasshouse.scan import ir
from glasshouse.scan.detect.interface import Hit
from glasshouse.scan.detect.secrets import credential_name, looks_like_secret, redact

SECRET = re.compile(
    r"(?i)(.*_)?(tokens?|secrets?|pass(word|wd|phrase)?|pwd|nonces?|salts?|otp|api_?key|reset_?key|csrf|hmac|signature|"
    r"session_?id|activation_?(key|code)|verification_?code)\d?|.*(Token|Secret|Password|Nonce|ApiKey|Signature)"
)
COMPARED = re.compile(
    r"(?i)(.*_)?(token|secret|pass(word|wd)?|pwd|hmac|signature|digest|csrf|api_?key|(pass(word)?_?)?hash|mac)|"
    r".*(Token|Secret|Password|Hash|Signature)"
)
COMPUTED = re.compile(r"(HMAC|SIGNATURE|DIGEST|HASH|MAC)$")
"""What is computed of a message is in no constant: a constant of that name marks a file format."""
AGAIN = re.compile(r"(?i)confirm|again|repeat|retype|chk|check|verify|[a-z]2$")  # what a form asks for twice
GUESSABLE = frozenset(["rand", "mt_rand", "uniqid", "lcg_value", "str_shuffle", "array_rand", "shuffle", "microtime"])
STRONG = frozenset(["random_bytes", "random_int", "openssl_random_pseudo_bytes", "wp_generate_password"])
DIGESTS = frozenset(["md5", "sha1", "hash", "hash_hmac", "crypt"])
MAX_BEHIND = 60  # instructions looked at behind one value
DEFINES = frozenset([ir.MOVE, ir.ATTR, ir.ITEM, ir.CALL, ir.CALL_METHOD, ir.BINOP, ir.UNOP, ir.TEMPLATE, ir.CAST])


def flat(function: ir.Function) -> list[ir.Instr]:
    """All instructions of a function, in the order of the source."""
    found: list[ir.Instr] = []
    pending: list[Any] = list(reversed(function.body))
    while pending:
        ins = pending.pop()
        found.append(ins)
        inner: list[Any] = []
        for place in ir.BLOCK_FIELDS.get(ins[0], ()):
            inner.extend(ins[place])
        if ins[0] == ir.TRY:
            inner.extend(item for handler in ins[3] for item in handler[2])
        elif ins[0] == ir.SWITCH:
            inner.extend(item for _, block in ins[4] for item in block)
        pending.extend(reversed(inner))
    return found


def definitions(instructions: list[ir.Instr]) -> dict[Any, list[ir.Instr]]:
    made: dict[Any, list[ir.Instr]] = {}
    for ins in instructions:
        if ins[0] in DEFINES:
            made.setdefault(ins[2], []).append(ins)
    return made


def read_by(ins: ir.Instr) -> list[Any]:
    """The operands that an instruction's result is made of."""
    op = ins[0]
    if op in (ir.MOVE, ir.ATTR):
        return [ins[3]]
    if op == ir.TEMPLATE:
        return list(ins[3])
    if op in (ir.CALL, ir.CALL_METHOD):
        args = ins[4] if op == ir.CALL else ins[5]
        return [item for item in args if item.__class__ is not list]
    return [ins[-1]] if op in (ir.CAST, ir.UNOP) else list(ins[3:5]) if op == ir.ITEM else list(ins[4:6])


def callee(ins: ir.Instr) -> str:
    """The name of the function that an instruction calls, in lower case; "" for none."""
    if ins[0] != ir.CALL or ins[3].__class__ is not str or ins[3][:1] != "\\":
        return ""
    return str(ins[3]).rpartition("\\")[2].lower()


def functions_behind(made: Mapping[Any, list[ir.Instr]], operand: Any) -> set[str]:
    """Functions whose results a value is made of."""
    found: set[str] = set()
    pending, seen = [operand], {operand}
    while pending and len(seen) < MAX_BEHIND:
        for ins in made.get(pending.pop(), ()):
            name = callee(ins)
            if name:
                found.add(name)
            for item in read_by(ins):
                if item not in seen and not (item.__class__ is int and item < 0):
                    seen.add(item)
                    pending.append(item)
    return found


def named_values(function: ir.Function, instructions: list[ir.Instr]) -> Iterator[tuple[str, Any, int]]:
    """(name, value, span) where a value is given a name."""
    for ins in instructions:
        op = ins[0]
        if op == ir.MOVE and ins[2].__class__ is str and ins[2][:1] not in "$\\":
            yield ins[2], ins[3], ins[1]
        elif op == ir.SET_ATTR:
            yield ins[3], ins[4], ins[1]
        elif op == ir.SET_ITEM and isinstance(constant(function, ins[3]), str):
            yield str(constant(function, ins[3])), ins[4], ins[1]
        elif op == ir.RETURN and function.kind in ("function", "method"):
            yield function.name, ins[2], ins[1]


def constant(function: ir.Function, operand: Any) -> Any:
    if operand.__class__ is int and operand < 0 and -operand <= len(function.consts):
        return function.consts[-1 - operand]
    return None


def find_weak_random(file: ir.File, options: Mapping[str, Any]) -> Iterator[Hit]:
    """Secrets, by their names, that are made with ordinary generators or the clock."""
    for index, function in enumerate(file.functions):
        instructions = flat(function)
        if not any(callee(ins) in GUESSABLE for ins in instructions):
            continue
        made = definitions(instructions)
        seen: set[int] = set()
        for name, operand, span in named_values(function, instructions):
            if span in seen or not SECRET.fullmatch(name):
                continue
            behind = functions_behind(made, operand)
            if behind & GUESSABLE and not behind & STRONG:
                seen.add(span)
                yield Hit(span, index, {"name": f"`{name}`", "sink": min(behind & GUESSABLE), "value": ""})


LANGUAGE_FILE = re.compile(r"(?i)(^|/)(lang|langs|languages?|locales?|translations?|i18n|l10n)/")
WORDS = re.compile(r"[^\W\d_]+(?:[\W_]+[^\W\d_]+)*[.:!?]*")  # letters: a label, a rule or a message


def find_hardcoded_credentials(file: ir.File, options: Mapping[str, Any]) -> Iterator[Hit]:
    """Constant texts given to credential-like names; as elements of arrays only what is no plain word."""
    if LANGUAGE_FILE.search(file.path):
        return
    for index, function in enumerate(file.functions):
        seen: set[int] = set()
        for ins in flat(function):
            for name, operand, element in given_by(function, ins):
                value = constant(function, operand)
                if not isinstance(value, str) or ins[1] in seen or (element and WORDS.fullmatch(value[:200])):
                    continue
                if credential_name(name) and looks_like_secret(name, value)[0]:
                    seen.add(ins[1])
                    yield Hit(ins[1], index, {"name": name, "value": redact(value), "source": name, "sink": name})


def given_by(function: ir.Function, ins: ir.Instr) -> list[tuple[str, Any, bool]]:
    """(name, value, whether it is an array's element) where an instruction gives a value a name."""
    op = ins[0]
    if op == ir.MOVE and ins[2].__class__ is str and ins[2][:1] != "$":
        return [(ins[2].removeprefix("\\#"), ins[3], False)]
    if op == ir.SET_ATTR:
        return [(str(ins[3]), ins[4], False)]
    if op == ir.DEFAULT:
        return [(str(ins[2]), ins[4], False)]
    if op == ir.NOP and len(ins) == 4:
        return [(str(constant(function, ins[2])), ins[3], True)]
    if op == ir.SET_ITEM and isinstance(constant(function, ins[3]), str):
        return [(str(constant(function, ins[3])), ins[4], True)]
    return []


def find_loose_comparisons(file: ir.File, options: Mapping[str, Any]) -> Iterator[Hit]:
    """``==`` on hashes and secrets, and ``strcmp`` on secrets compared with ``==``."""
    for index, function in enumerate(file.functions):
        instructions = flat(function)
        made: dict[Any, list[ir.Instr]] | None = None
        for ins in instructions:
            if ins[0] != ir.BINOP or ins[3] not in ("==", "!="):
                continue
            made = definitions(instructions) if made is None else made
            name = compared(function, made, ins[4], ins[5]) or compared(function, made, ins[5], ins[4])
            if name:
                yield Hit(ins[1], index, {"name": name, "sink": "==", "value": ""})


def compared(function: ir.Function, made: Mapping[Any, list[ir.Instr]], operand: Any, other: Any) -> str:
    """What makes a comparison one of secrets; "" if nothing does."""
    ins = next(iter(made.get(operand, ())), None)
    if ins is not None and callee(ins) == "strcmp":
        names = [name_of(function, made, item) for item in read_by(ins)]
        secret = next((name for name in names if COMPARED.fullmatch(name)), "")
        return f"`strcmp` of `{secret}`" if secret and constant(function, other) == 0 else ""
    if is_constant(other):
        return ""
    if ins is not None and callee(ins) in DIGESTS:
        return f"the result of `{callee(ins)}`"
    name = name_of(function, made, operand)
    if AGAIN.search(name) or AGAIN.search(name_of(function, made, other)) or COMPUTED.search(name):
        return ""
    return f"`{name}`" if COMPARED.fullmatch(name) else ""


def is_constant(operand: Any) -> bool:
    return (operand.__class__ is int and operand < 0) or (operand.__class__ is str and operand[:2] == "\\#")


def name_of(function: ir.Function, made: Mapping[Any, list[ir.Instr]], operand: Any) -> str:
    """The name of the variable, property or key that an operand reads."""
    if operand.__class__ is str:
        return "" if operand[:1] in "$\\" else operand
    ins = next(iter(made.get(operand, ())), None)
    if ins is not None and ins[0] == ir.ATTR:
        return str(ins[4])
    if ins is not None and ins[0] == ir.CALL_METHOD and ins[5] and ins[5][0].__class__ is int:
        asked = constant(function, ins[5][0])  # `$input->get('name')`
        return asked if isinstance(asked, str) else ""
    if ins is not None and ins[0] == ir.ITEM:
        key = constant(function, ins[4])
        return key if isinstance(key, str) else ""
    return ""


def find_unguarded_models(file: ir.File, options: Mapping[str, Any]) -> Iterator[Hit]:
    """Laravel models whose ``$guarded`` is empty."""
    for cls in file.classes:
        if not any(base.endswith(("Eloquent\\Model", "Foundation\\Auth\\User")) for base in cls.bases):
            continue
        if not 0 <= cls.init < len(file.functions):
            continue
        empty: set[Any] = set()
        for ins in file.functions[cls.init].body:
            if ins[0] == ir.MAKE and not ins[4]:
                empty.add(ins[2])
            elif ins[0] == ir.SET_ATTR and ins[3] == "guarded" and ins[4] in empty:
                yield Hit(ins[1], cls.init, {"name": cls.name, "sink": "$guarded", "value": ""})
