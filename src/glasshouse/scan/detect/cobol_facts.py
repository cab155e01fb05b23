"""What the analysis of a COBOL program found, by check: the front end leaves it in the IR as calls of ``$cobol``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from glasshouse.scan import ir
from glasshouse.scan.detect.interface import Hit
from glasshouse.scan.language.cobol.frontend import FACT


def find_facts(file: ir.File, options: Mapping[str, Any]) -> Iterator[Hit]:
    """Hits of the check that the rule names."""
    if file.language != "cobol":
        return
    for index, function in enumerate(file.functions):
        for instruction in function.body:
            if instruction[0] != ir.CALL or instruction[3] != FACT:
                continue
            check, name, source, mode = (function.consts[-1 - operand] for operand in instruction[4])
            if check == options["check"]:
                details = {"name": name, "sink": name, "source": source, "value": name}
                yield Hit(instruction[1], index, details, None, mode)
