"""What a scan yields: findings, files that were not analysed, and the closing summary."""

from __future__ import annotations

from typing import Literal

import msgspec

from glasshouse.words.dependency import Dependency, PublishedFlaw
from glasshouse.words.location import Location

Severity = Literal["low", "medium", "high", "critical"]
Confidence = Literal["low", "medium", "high"]
Mode = Literal["application", "library"]
Status = Literal["new", "unchanged", "fixed"]

SEVERITIES: tuple[Severity, ...] = ("low", "medium", "high", "critical")
CONFIDENCES: tuple[Confidence, ...] = ("low", "medium", "high")


class Step(msgspec.Struct, frozen=True):
    """One step of a data-flow path; ``snippet`` is the source line, stripped and bounded."""

    location: Location
    message: str
    snippet: str = ""


class Fix(msgspec.Struct, frozen=True):
    """A mechanical replacement of one region of text."""

    description: str
    location: Location
    replacement: str


class Finding(msgspec.Struct, frozen=True):
    """One weakness at one place.

    ``mode`` is ``application`` when the data comes from a real source and ``library`` when it comes from a parameter
    of an exported function.  ``fingerprint`` (32 hex digits) survives moved lines.  ``path`` runs from source to sink
    and is empty for findings that are not about data flow.  ``suppressed`` holds the reason given in the code.
    ``probability`` (0 to 1; None: not judged) is the ranker's, that a reviewer would confirm it at equal numbers of
    weak and safe places, and ``because`` what moved it up (``+ ...``) or down (``- ...``) most.
    ``flaw`` is the published flaw of a dependency.
    """

    rule_id: str
    message: str
    location: Location
    severity: Severity
    confidence: Confidence
    cwe: tuple[int, ...]
    mode: Mode = "application"
    language: str = ""
    function: str = ""
    snippet: str = ""
    reasons: tuple[str, ...] = ()
    path: tuple[Step, ...] = ()
    fix: Fix | None = None
    fingerprint: str = ""
    suppressed: str | None = None
    status: Status = "new"
    probability: float | None = None
    because: tuple[str, ...] = ()
    flaw: PublishedFlaw | None = None


class NotAnalysed(msgspec.Struct, frozen=True):
    """A file or region that was not analysed, and why.

    ``code`` is stable (``too-large``, ``binary``, ``ignored``, ``generated``, ``syntax-error``, ``timeout``, ...).
    ``incomplete`` tells whether a user would expect it to have been analysed (then the exit code is 5).
    """

    path: str
    code: str
    reason: str
    incomplete: bool
    line: int = 0


class UnusedIgnore(msgspec.Struct, frozen=True):
    """An inline suppression that suppressed nothing.  ``problem`` says why when it is written wrongly."""

    location: Location
    rules: tuple[str, ...]
    problem: str = ""


class ScanSummary(msgspec.Struct, frozen=True):
    """Counts of a whole scan; the last result that ``scan_tree`` yields."""

    files: int
    lines: int
    functions: int
    languages: dict[str, int]
    findings: int
    suppressed: int
    not_analysed: dict[str, int]
    mode: str
    notes: tuple[str, ...] = ()
    components: dict[str, int] = {}  # by ecosystem, in a scan of dependencies
    looked_at: int = 0  # files of systems, in a scan of systems


Result = Finding | NotAnalysed | UnusedIgnore | Dependency | ScanSummary
