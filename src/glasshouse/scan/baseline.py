"""Baselines: which findings were known before, so that a scan can tell new from unchanged and fixed.

A baseline file holds fingerprints, rule ids and paths, nothing of the source.  A fingerprint is made from what a
finding is about (rule, path, function, text of the line, how many alike come before it), not from line numbers.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import msgspec

from glasshouse.words.errors import BaselineError
from glasshouse.words.finding import Finding
from glasshouse.words.named_file import open_named

SCHEMA = "glasshouse-baseline/1"
MAX_BASELINE_BYTES = 256_000_000
FINGERPRINT_HEX_DIGITS = 32


class BaselineEntry(msgspec.Struct, frozen=True, order=True):
    """One known finding."""

    path: str
    rule: str
    fingerprint: str


class Baseline(msgspec.Struct, frozen=True):
    """Known findings, sorted; one that occurs twice stands here twice."""

    schema: str
    findings: tuple[BaselineEntry, ...]


def finding_fingerprint(rule_id: str, path: str, function: str, sink_text: str, occurrence: int) -> str:
    """32 hex digits.  ``sink_text`` is the source line (white space does not count), ``occurrence`` counts from 0."""
    digest = hashlib.blake2b(digest_size=FINGERPRINT_HEX_DIGITS // 2, person=b"gh-finding-1")
    for field in (rule_id, path, function, " ".join(sink_text.split()), str(occurrence)):
        data = field.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()


def with_fingerprints(findings: Sequence[Finding]) -> list[Finding]:
    """The findings in their order, each with its fingerprint.

    ``snippet`` is taken as the text of the line.  Alike findings (same rule, path, function and text) are counted in
    the order of their places, so the result does not depend on the order of ``findings``.
    """
    order = sorted(range(len(findings)), key=lambda index: (findings[index].location, findings[index].message))
    seen: Counter[tuple[str, str, str, str]] = Counter()
    results = list(findings)
    for index in order:
        finding = findings[index]
        text = " ".join(finding.snippet.split())
        key = (finding.rule_id, finding.location.path, finding.function, text)
        fingerprint = finding_fingerprint(*key, seen[key])
        seen[key] += 1
        results[index] = msgspec.structs.replace(finding, fingerprint=fingerprint)
    return results


def baseline_of(findings: Iterable[Finding]) -> Baseline:
    """The baseline that accepts these findings; suppressed ones need none."""
    entries = [_entry(finding) for finding in findings if finding.suppressed is None]
    return Baseline(SCHEMA, tuple(sorted(entries)))


def write_baseline(findings: Iterable[Finding]) -> bytes:
    """The baseline file: JSON, sorted, one field a line, so that it is easy to review in version control."""
    return msgspec.json.format(msgspec.json.encode(baseline_of(findings)), indent=1) + b"\n"


def read_baseline(path: Path) -> Baseline:
    """The baseline in a file.  Raises BaselineError when it cannot be read or is no baseline of ours."""
    try:
        with open_named(path) as file:
            if os.fstat(file.fileno()).st_size > MAX_BASELINE_BYTES:
                raise BaselineError(f"larger than {MAX_BASELINE_BYTES} bytes", where=str(path))
            data = file.read(MAX_BASELINE_BYTES)
    except OSError as error:
        raise BaselineError(f"cannot read the baseline: {error.strerror}", where=str(path)) from error
    return parse_baseline(data, where=str(path))


def parse_baseline(data: bytes, where: str = "") -> Baseline:
    """The baseline in ``data``; same errors as ``read_baseline``."""
    try:
        baseline = msgspec.json.decode(data, type=Baseline)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BaselineError(f"not a baseline file: {error}", where=where) from error
    if baseline.schema != SCHEMA:
        raise BaselineError(f"has schema {baseline.schema[:80]!r}, this version reads {SCHEMA!r}", where=where)
    return baseline


def compare(
    findings: Sequence[Finding], baseline: Baseline, covered: Callable[[str], bool] | None = None
) -> tuple[list[Finding], list[BaselineEntry]]:
    """The findings as ``new`` or ``unchanged``, and the entries of the baseline that are gone.

    Each entry stands for one finding: a second alike is new.  ``covered`` tells which paths this scan looked at
    (None: all); entries of other paths are not called fixed.
    """
    known = Counter(entry.fingerprint for entry in baseline.findings)
    results: list[Finding] = []
    for finding in findings:
        old = known[finding.fingerprint] > 0
        if old:
            known[finding.fingerprint] -= 1
        results.append(msgspec.structs.replace(finding, status="unchanged" if old else "new"))
    fixed: list[BaselineEntry] = []
    for entry in sorted(baseline.findings):
        if known[entry.fingerprint] > 0 and (covered is None or covered(entry.path)):
            known[entry.fingerprint] -= 1
            fixed.append(entry)
    return results, fixed


def _entry(finding: Finding) -> BaselineEntry:
    return BaselineEntry(finding.location.path, finding.rule_id, finding.fingerprint)
