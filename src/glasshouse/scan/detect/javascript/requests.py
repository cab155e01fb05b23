"""Which values of a JavaScript file come from a request, as far as one file tells."""

from __future__ import annotations

import re
from collections.abc import Iterator

from glasshouse.scan import ir
from glasshouse.scan.detect.javascript.values import Facts, Follow, Origin, same

_REQUEST = re.compile(r"^(req|request|ctx|context|ctx\.request|ctx\.req|event|\$p\d+)$")
PARSED = frozenset({"query", "body", "payload", "queryStringParameters"})  # may hold lists and objects
ALL = PARSED | {"params", "cookies", "headers", "pathParameters", "files", "signedCookies"}


def request_reads(
    facts: Facts, function: int, operand: ir.Operand, names: frozenset[str], follow: Follow = same, callers: bool = True
) -> Iterator[Origin]:
    """Places where the operand is read out of a request (``req.query``, ``ctx.request.body``, ...)."""
    for origin in facts.origins(function, operand, follow, callers):
        site = origin.site
        if site is None or site.instr[0] != ir.ATTR or site.instr[4] not in names:
            continue
        if is_request(facts, site.function, site.instr[3]):
            yield origin


def is_request(facts: Facts, function: int, operand: ir.Operand) -> bool:
    """The operand is the request object of a handler: by name, or the first parameter of a route callback."""
    path = facts.path(function, operand)
    if _REQUEST.match(path) and not path.startswith("$p"):
        return True
    place = facts.parameter(function, operand)
    return place is not None and place[1] == 0 and is_route_handler(facts, place[0])


def is_route_handler(facts: Facts, function: int) -> bool:
    """The function is given to ``app.get(path, handler)`` or the like."""
    for callback in facts.callbacks.get(function, ()):
        site = callback.site
        if site.instr[0] == ir.CALL_METHOD and site.instr[4] in ROUTE_METHODS and callback.position >= 1:
            first = facts.constant(site.function, site.instr[5][0]) if not isinstance(site.instr[5][0], list) else None
            if isinstance(first, str) and (first.startswith("/") or first in ("*", "")):
                return True
    return False


ROUTE_METHODS = frozenset({"get", "post", "put", "patch", "delete", "del", "all", "use", "head", "options"})
