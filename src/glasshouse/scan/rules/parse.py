"""One YAML rule file in, one checked ``RuleFile`` out; anything wrong is a ``RuleError`` with file, line and field.

Bounds: ``MAX_BYTES`` per file, ``MAX_DEPTH`` of nesting, and ``MAX_VALUES`` values after aliases are followed, so that
a small file cannot expand into a large one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import msgspec
import yaml

from glasshouse.scan.rules.check import problems
from glasshouse.scan.rules.schema import RuleFile
from glasshouse.words.errors import RuleError
from glasshouse.words.yaml_text import bound_depth

MAX_BYTES = 2_000_000
MAX_VALUES = 400_000
MAX_DEPTH = 60
_MAX_SHOWN = 12

_Fast: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PLACE = re.compile(r"(?P<what>.*?)(?: - at `(?:key` in `)?(?P<path>.*)`)?", re.DOTALL)
_STEP = re.compile(r"\.(\w+)|\[(\d+|\.\.\.)\]")


class _Loader(_Fast):  # type: ignore[misc]
    """A safe loader that takes no key twice: of two settings the first would be lost without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise yaml.MarkedYAMLError(
                        problem=f"the key {key.value!r} is there twice", problem_mark=key.start_mark
                    )
                seen.add(key.value)
        made: dict[Any, Any] = super().construct_mapping(node, deep)
        return made


def parse_rules(text: bytes, name: str, taint_classes: Iterable[str] = (), *, built_in: bool) -> RuleFile:
    """Decode and check one file.  ``name`` is used in messages; ``taint_classes`` are those declared elsewhere."""
    if len(text) > MAX_BYTES:
        raise RuleError(f"the rule file has {len(text)} bytes; at most {MAX_BYTES} are read", where=name)
    raw = _load(text, name)
    try:
        document = msgspec.convert(raw if raw is not None else {}, RuleFile)
    except msgspec.ValidationError as error:
        raise _schema_error(str(error), text, raw, name) from None
    faults = problems(document, taint_classes, built_in=built_in)
    if faults:
        shown = faults[:_MAX_SHOWN]
        more = [f"and {len(faults) - _MAX_SHOWN} more"] if len(faults) > _MAX_SHOWN else []
        lines = [f"line {_rule_line(text, fault)}: {fault}" for fault in shown]
        raise RuleError("\n  ".join([*lines, *more]), where=name)
    return document


def _load(text: bytes, name: str) -> Any:
    try:
        bound_depth(text.decode("utf-8"), _Loader, MAX_DEPTH)
        raw = yaml.load(text.decode("utf-8"), Loader=_Loader)  # noqa: S506 - safe, in C or Python
    except UnicodeDecodeError as error:
        raise RuleError(f"not UTF-8 at byte {error.start}", where=name) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f"line {mark.line + 1}: " if mark is not None else ""
        raise RuleError(f"{line}not YAML: {error.problem or error.context}", where=name) from None
    except (yaml.YAMLError, ValueError) as error:
        raise RuleError(f"not YAML: {error}", where=name) from None
    _bound(raw, name)
    return raw


def _bound(raw: Any, name: str) -> None:
    """Refuse documents that aliases blow up; iterative, and stops at the bound."""
    waiting, seen = [raw], 0
    while waiting:
        value = waiting.pop()
        seen += 1
        if seen > MAX_VALUES:
            raise RuleError(f"more than {MAX_VALUES} values", where=name)
        if isinstance(value, dict):
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)


def _schema_error(message: str, text: bytes, raw: Any, name: str) -> RuleError:
    """Turn "Expected `int`, got `str` - at `$.rules[2].cwe[...]`" into line, rule, field and expectation."""
    match = _PLACE.fullmatch(message)
    path = (match.group("path") or "$") if match else "$"
    what = match.group("what") if match else message
    steps: list[str | int] = []
    for key, index in _STEP.findall(path):
        if index == "...":
            break
        steps.append(int(index) if index else key)
    rule = ""
    if len(steps) > 1 and steps[0] == "rules" and isinstance(steps[1], int):
        entry = raw["rules"][steps[1]]
        identity = entry.get("id") if isinstance(entry, dict) else None
        rule = f"rule {identity!r}: " if identity else f"rule number {steps[1] + 1}: "
    field = path.removeprefix("$").lstrip(".") or "the document"
    return RuleError(f"line {_line_of(text, steps)}: {rule}field {field}: {what}", where=name)


def _line_of(text: bytes, steps: list[str | int]) -> int:
    """Line of the deepest node on the way that exists (the document is known to be valid YAML)."""
    node: Any = yaml.compose(text.decode("utf-8"), Loader=_Loader)
    line = 1
    for step in steps:
        below = None
        if isinstance(node, yaml.MappingNode):
            below = next((value for key, value in node.value if getattr(key, "value", None) == step), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            below = node.value[step]
        if below is None:
            break
        node = below
        line = int(node.start_mark.line) + 1
    return line


def _rule_line(text: bytes, fault: str) -> int:
    """Line where the rule named in ``fault`` says its id; 1 for models."""
    named = re.match(r"rule '([^']*)'", fault)
    if named is None:
        return 1
    where = re.search(rb"\bid:\s*[\"']?" + re.escape(named.group(1).encode()) + rb"[\"']?\s*$", text, re.MULTILINE)
    return text.count(b"\n", 0, where.start()) + 1 if where else 1
