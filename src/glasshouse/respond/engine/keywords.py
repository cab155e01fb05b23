"""Keywords: literals that may stand anywhere in an event.

All events of a group are searched as one text by one automaton (RE2, linear time); only events with a hit are looked at
again, exactly.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from glasshouse.respond.engine.columns import Column
from glasshouse.respond.engine.globs import longest_literal
from glasshouse.respond.engine.texts import Event, joined
from glasshouse.respond.sigma.ir import Predicate

MAX_PATTERN_BYTES = 1 << 26


def pattern(predicates: Iterable[Predicate]) -> Any | None:
    """A search that finds every event that may contain one of the keywords; None when it would find all."""
    import re2

    literals = {longest_literal(each.value) for each in predicates}
    if not literals or "" in literals:
        return None
    options = re2.Options()
    options.max_mem = MAX_PATTERN_BYTES
    options.case_sensitive = False
    options.log_errors = False
    return re2.compile("|".join(re2.escape(each) for each in sorted(literals)), options)


def candidates(events: Sequence[Event], search: Any) -> Column:
    """The keyword column of the events that ``search`` finds something in."""
    texts = [joined(event) for event in events]
    ends: list[int] = []
    parts: list[bytes] = []
    at = 0
    for text in texts:
        data = text.encode("utf-8", "replace")
        at += len(data) + 1
        ends.append(at)
        parts.append(data)
    cells: defaultdict[str, list[int]] = defaultdict(list)
    last = -1
    for found in search.finditer(b"\n".join(parts)):
        row = bisect_right(ends, found.start())
        if row != last:
            cells[texts[row]].append(row)
            last = row
    return Column(cells, len(events))
