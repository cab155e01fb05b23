"""WordPress actions that change something and do not ask where the request came from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from glasshouse.scan import ir
from glasshouse.scan.detect.interface import Hit
from glasshouse.scan.detect.php.checks import callee, constant, flat

HOOK = re.compile(r"wp_ajax_(?!nopriv_)\w|admin_post_(?!nopriv_)\w|admin_action_\w")  # whoever is logged in
CHECK = re.compile(r"(?i)nonce|referer|csrf")
CHANGES = re.compile(
    r"(update|add|delete|set)_(option|site_option|post_meta|user_meta|term_meta|comment_meta|metadata|transient|user|blog_option)|"
    r"wp_(insert|update|delete|set|create|trash|remove)_\w+|(activate|deactivate|delete)_plugins?|move_uploaded_file|unlink|file_put_contents"
)
WRITES = frozenset(["query", "insert", "update", "delete", "replace"])
MAX_FUNCTIONS = 40  # of one file, looked through from one action


def find_missing_nonces(file: ir.File, options: Mapping[str, Any]) -> Iterator[Hit]:
    """Callbacks of actions for people who are logged in, which write and check no nonce on the way."""
    bodies: list[list[ir.Instr]] | None = None
    seen: set[int] = set()
    for index, function in enumerate(file.functions):
        if not any(isinstance(item, str) and HOOK.match(item) for item in function.consts):
            continue
        bodies = [flat(item) for item in file.functions] if bodies is None else bodies
        for ins in bodies[index]:
            if callee(ins) != "add_action" or len(ins[4]) < 2:
                continue
            hook = constant(function, ins[4][0]) if ins[4][0].__class__ is int else None
            if not isinstance(hook, str) or not HOOK.match(hook):
                continue
            for target in targets(file, function, bodies[index], ins[4][1]):
                if target not in seen:
                    seen.add(target)
                    place = writing(file, bodies, target)
                    if place:
                        name = file.functions[target].name
                        yield Hit(place, target, {"name": f"`{name}` ({hook})", "sink": name, "value": ""})


def targets(file: ir.File, function: ir.Function, body: list[ir.Instr], operand: Any) -> list[int]:
    """The functions of this file that an operand names: a text, ``[$this, 'method']``, a closure."""
    made = {ins[2]: ins for ins in body if ins[0] in (ir.CALL, ir.MAKE, ir.CLOSURE) and ins[2].__class__ is int}
    ins = made.get(operand)
    if ins is not None and ins[0] == ir.CALL and ins[3] == "$callable" and ins[4]:
        operand = ins[4][0]
        ins = made.get(operand)
    if ins is not None and ins[0] == ir.CLOSURE:
        return [ins[3]]
    wanted = constant(function, operand)
    if ins is not None and ins[0] == ir.MAKE and len(ins[4]) == 2 and ins[4][1].__class__ is list:
        wanted = constant(function, ins[4][1][1])
    if not isinstance(wanted, str):
        return []
    name = wanted.rpartition("::")[2].lower()
    return [index for index, item in enumerate(file.functions) if item.name.lower() == name and item.kind != "module"]


def writing(file: ir.File, bodies: list[list[ir.Instr]], start: int) -> int:
    """Where a function, or one of this file that it calls, changes something; 0 if it does not or checks a nonce."""
    by_name: dict[str, list[int]] = {}
    for index, item in enumerate(file.functions):
        by_name.setdefault(item.name.lower(), []).append(index)
    place = 0
    pending, seen = [start], {start}
    while pending and len(seen) <= MAX_FUNCTIONS:
        for ins in bodies[pending.pop(0)]:
            name = str(ins[4]) if ins[0] == ir.CALL_METHOD else callee(ins)
            if not name:
                continue
            if CHECK.search(name):
                return 0
            if not place and (CHANGES.fullmatch(name) or (ins[0] == ir.CALL_METHOD and writes(ins))):
                place = ins[1]
            for index in by_name.get(name.lower(), ()):
                if index not in seen:
                    seen.add(index)
                    pending.append(index)
    return place


def writes(ins: ir.Instr) -> bool:
    return ins[4] in WRITES and ins[3] == "wpdb"
