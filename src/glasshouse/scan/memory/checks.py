"""From one lowered C or C++ file to what its rules report.

``find_memory`` is the detector that rules name; their ``options.check`` chooses what they report.  One analysis serves
all rules of a file.
"""

from __future__ import annotations

import gc
import sys
import traceback
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from glasshouse.scan import ir
from glasshouse.scan.detect.interface import Hit
from glasshouse.scan.memory.borrowed import find_borrowed
from glasshouse.scan.memory.engine import Engine, Found
from glasshouse.scan.memory.links import Links, links_of
from glasshouse.scan.memory.program import FileFacts
from glasshouse.scan.memory.syntax import find_patterns
from glasshouse.scan.memory.typed import find_typed
from glasshouse.words.finding import Mode

RECURSION = 12_000
MAX_FILE_FINDINGS = 2000


class Analysed:
    """The analysis of the latest file, kept while its rules ask for their share."""

    file: ir.File | None = None
    surroundings: tuple[ir.File, FileFacts] | None = None
    found: ClassVar[dict[str, list[Found]]] = {}
    links: Links = Links()


def find_memory(file: ir.File, options: Mapping[str, Any]) -> Iterator[Hit]:
    """Hits of one check."""
    if Analysed.file is not file:
        known = Analysed.surroundings
        facts = known[1] if known is not None and known[0] is file else FileFacts(file)
        Analysed.surroundings = None
        Analysed.found = by_check(analyse_file(file, facts))
        Analysed.file = file
    checks = options["check"]
    for check in [checks] if isinstance(checks, str) else checks:
        for found in Analysed.found.get(check, ()):
            details = {"name": found.name, "value": found.value, "source": found.value, "sink": found.name}
            mode: Mode = "library" if found.weak else "application"
            yield Hit(found.span, found.function, details, found.confidence, mode, found.inside)  # type: ignore[arg-type]


def surround(facts: FileFacts) -> None:
    """The file that is looked at next is known together with what other files say."""
    Analysed.surroundings = (facts.file, facts)


def links_for(file: ir.File) -> Links | None:
    """What a file that was just analysed tells other files, None of one that was not."""
    return Analysed.links if Analysed.file is file else None


def guarded(engine: Engine, index: int) -> None:
    """Analyse one function.  An error in it is told: the function is listed as analysed in part."""
    try:
        engine.run_function(index)
        find_patterns(engine, index)
        find_typed(engine, index)
        find_borrowed(engine, index)
    except Exception as error:  # noqa: BLE001 - recorded, never hidden: one odd function must not end the scan
        place = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{place.filename.rpartition('/')[2]}:{place.lineno}"
        name = engine.own.file.functions[index].qualname
        engine.own.file.notes.append(f"`{name}`: {type(error).__name__}: {str(error)[:200]} ({where})")


def by_check(found: list[Found]) -> dict[str, list[Found]]:
    table: dict[str, list[Found]] = {}
    for item in found:
        table.setdefault(item.check, []).append(item)
    return table


def analyse_file(file: ir.File, facts: FileFacts | None = None) -> list[Found]:
    """Everything found in one file, by place; ``facts`` where more is known than the file says."""
    engine = Engine(facts or FileFacts(file))
    limit = sys.getrecursionlimit()
    collecting = gc.isenabled()
    gc.disable()
    sys.setrecursionlimit(max(limit, RECURSION))
    try:
        for index in range(1, len(file.functions)):
            guarded(engine, index)
    finally:
        sys.setrecursionlimit(limit)
        if collecting:
            gc.enable()
    for name in engine.capped:
        file.notes.append(f"`{name}` was analysed only in part: too many paths")
    Analysed.links = links_of(engine)
    return engine.results()[:MAX_FILE_FINDINGS]
