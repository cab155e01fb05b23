"""Regular expressions as values: ``/x/``, ``new RegExp("x")``, ``re.compile("x")``, ``Pattern.compile("x")``.

A pattern whose text is constant is an object of kind ``regex`` with the fields ``#pattern`` and ``#flags``.  Such
objects never change, so that equal patterns are one object.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from glasshouse.scan.interp.arguments import Arguments
from glasshouse.scan.interp.values import Obj, Value, with_taint, without

if TYPE_CHECKING:
    from glasshouse.scan.interp.frame import Frame
    from glasshouse.scan.interp.machine import Machine

MAKERS = frozenset(
    """RegExp re.compile regex.compile re2.compile java.util.regex.Pattern.compile regexp.Compile
    regexp.MustCompile""".split()
)
EXTRACTING = (".exec", ".match", "re.search", "re.fullmatch")
LINE_FLAGS = frozenset(["M", "MULTILINE"])


def compiled(frame: Frame, result: Value, given: Arguments) -> Value:
    """``result`` of a call of one of ``MAKERS``, with what is known of the pattern."""
    machine = frame.machine
    first = given.pos[0] if given.pos else given.kw.get("pattern")
    if first is None:
        return result
    known = parts(machine, first)
    text = first.const if known is None else known[0]
    if text.__class__ is not str:
        return result
    second = given.pos[1] if len(given.pos) > 1 else given.kw.get("flags")
    flags = known[1] if known is not None else ""
    if second is not None:
        flags = second.const if second.const.__class__ is str else line_flag(second)
    return Value(result.const, result.taint, (pattern_object(machine, text, flags),), result.path)


def extracted(frame: Frame, result: Value, receiver: Value | None, given: Arguments) -> Value:
    """What a match gives is text that the pattern can match, wherever it stood."""
    machine = frame.machine
    for value in (*given.pos[:1], *([receiver] if receiver is not None else [])):
        known = parts(machine, value)
        pattern = known[0] if known is not None else value.const if value is not receiver else None
        if pattern.__class__ is str:
            mask = harmless(frame, frozenset(char for char in SPECIAL if allows(str(pattern), char)))
            return with_taint(result, without(result.taint, mask)) if mask else result
    return result


def line_flag(value: Value) -> str:
    """Only one flag matters here: whether ``^`` and ``$`` also match at every line."""
    return "m" if value.path.rpartition(".")[2] in LINE_FLAGS else ""


def pattern_object(machine: Machine, text: str, flags: str) -> Obj:
    found = machine.patterns.get((text, flags))
    if found is None:
        found = machine.patterns[text, flags] = Obj("regex", (0, 0))
        machine.base[found] = {"#pattern": Value(text), "#flags": Value(flags)}
    return found


def parts(machine: Machine, value: Value) -> tuple[str, str] | None:
    """The text and the flags of a known pattern."""
    for ref in value.refs:
        if ref.__class__ is Obj and ref.kind == "regex":
            fields = machine.fields(ref) or {}
            text, flags = fields.get("#pattern"), fields.get("#flags")
            if text is not None and text.const.__class__ is str:
                return str(text.const), str(flags.const) if flags is not None else ""
    return None


def written(machine: Machine, value: Value) -> str | None:
    """A pattern as JavaScript writes it: ``/text/flags``."""
    found = parts(machine, value) if value.refs else None
    return f"/{found[0]}/{found[1]}" if found is not None else None


# --- what text that matches can hold ---------------------------------------------------------------------------------

CLASS = re.compile(r"\[\^?(?:\\.|[^\]\\])*\]")
SPECIAL = "'\";|&<>`$(/ \n"
CLASS_CHARACTERS = {
    "command": "'\";|&<>`$( \n",
    "xss": "'\"&<>`",
    "path": "/",
    "sql": "'\"`; (",
    "header": "\n",
    "log": "\n",
    "quote": "'",
    "ldap": "(|&",
    "xpath": "'\"",
}


def harmless(frame: Frame, left: frozenset[str]) -> int:
    """The classes for which text is safe that can hold no other special characters than these."""
    machine = frame.machine
    if not left:
        return machine.everything
    mask = 0
    for name, characters in CLASS_CHARACTERS.items():
        if left.isdisjoint(characters):
            mask |= machine.bit(name)
    return mask


def matched(pattern: str, anchored: bool, anchored_start: bool) -> frozenset[str] | None:
    """Special characters that text may hold when it matches the pattern in full; None when it need not."""
    start = anchored or anchored_start or pattern.startswith(("^", "\\A"))
    end = anchored or (pattern.endswith(("$", "\\z", "\\Z")) and not pattern.endswith("\\$"))
    if not (start and end) or (not anchored and alternatives(pattern)):
        return None
    return frozenset(char for char in SPECIAL if allows(pattern, char))


LOCAL = re.compile(r"\^\\?/(?:\[[^\]/\\^]*\](?!\*|\?)|\\?\w|\(\?!\\?/)")


def local_path(pattern: str) -> bool:
    """Whether what matches begins with one slash and something that is none: an address on the same host."""
    return LOCAL.match(pattern) is not None and not alternatives(pattern)


def alternatives(pattern: str) -> bool:
    """Whether a pattern has alternatives outside any group: ``^a|b$`` is anchored at one end only."""
    depth = 0
    for char in re.sub(r"\\.", "", CLASS.sub("", pattern)):
        depth += (char == "(") - (char == ")")
        if char == "|" and depth == 0:
            return True
    return False


def allows(pattern: str, char: str) -> bool:
    """Whether some part of a pattern may match this character."""
    body = pattern.strip("^$")
    for negated in CLASS.findall(body):
        inner = negated[1:-1]
        if inner.startswith("^"):
            if char not in inner and not (char.isspace() and "\\s" in inner):
                return True
        elif char in re.sub(r"\\[wdWDsSbB]", "", inner) or (char.isspace() and "\\s" in inner) or "\\S" in inner:
            return True
    rest = CLASS.sub("", body)
    rest = (
        rest.replace("\\w", "")
        .replace("\\d", "")
        .replace("\\.", "")
        .replace("\\A", "")
        .replace("\\Z", "")
        .replace("\\z", "")
    )
    if re.search(r"(?<!\\)\.", rest) or "\\S" in rest or "\\W" in rest or "\\D" in rest:
        return True
    if char.isspace() and "\\s" in rest:
        return True
    literal = re.sub(r"\(\?[:=!<imsx]*|[()|?*+]|\{[\d,]*\}", "", rest)
    return char in literal.replace("\\", "") and char not in "$"


def unmatched(pattern: str) -> frozenset[str] | None:
    """Special characters left in text in which ``[^a-zA-Z0-9_]`` or the like finds nothing; None for other patterns."""
    match = re.fullmatch(r"\[\^((?:\\.|[^\]\\])*)\][+*]?", pattern) or (re.fullmatch(r"\\W", pattern))
    if match is None:
        return None
    inner = match.group(1) if match.re.groups else ""
    return frozenset(char for char in SPECIAL if char in inner or (char.isspace() and "\\s" in inner))
