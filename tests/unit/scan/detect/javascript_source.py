"""Runs one detector on JavaScript text."""

from __future__ import annotations

from glasshouse.scan import ir
from glasshouse.scan.detect.interface import Hit
from glasshouse.scan.detect.registry import detector
from glasshouse.scan.language.interface import LowerLimits
from glasshouse.scan.language.javascript import JavaScriptFrontEnd


def hits(name: str, text: str, path: str = "a.js") -> list[Hit]:
    """What the detector of that name finds in one file."""
    file = JavaScriptFrontEnd().lower(text.encode(), path, LowerLimits())
    return list(detector(name)(file, {}))


def lines(name: str, text: str) -> list[int]:
    """The first lines of the hits."""
    return sorted(ir.unpack_span(hit.span)[0] for hit in hits(name, text))
