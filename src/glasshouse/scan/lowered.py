"""What a worker makes of one source file: its IR and everything that can be told from the file alone."""

from __future__ import annotations

import functools
import gc
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import GenericAlias
from typing import Any, NamedTuple

import msgspec

from glasshouse.scan import ir
from glasshouse.scan.detect.interface import Detector
from glasshouse.scan.discover import ReadLimits, SourceFile, read_source
from glasshouse.scan.language.interface import LowerLimits, ReadsNeighbours
from glasshouse.scan.languages import INTERPRETED, front_end
from glasshouse.scan.memory.links import Links
from glasshouse.scan.rules.loader import RuleSet, load_rules
from glasshouse.scan.suppress import Ignore, find_ignores
from glasshouse.words.finding import NotAnalysed

MAX_NOTES = 50  # per file
MAX_LITERAL_HITS = 200  # per file and rule


class LocalHit(msgspec.Struct, frozen=True, array_like=True):
    """A finding of a detector or literal rule.  ``function`` is an index into the file's functions."""

    rule: str
    span: int
    function: int
    details: dict[str, str]
    confidence: str | None = None
    mode: str = "application"
    inside: tuple[str, int] | None = None  # in a function of another file, which is called here


class Lowered(msgspec.Struct, frozen=True, array_like=True):
    """The result for one file: either ``file`` or, in ``problems``, why there is none."""

    file: ir.File | None
    hits: tuple[LocalHit, ...] = ()
    ignores: tuple[Ignore, ...] = ()
    problems: tuple[NotAnalysed, ...] = ()
    stable: bool = True  # the file did not change while it was read: may be kept
    links: Links | None = None  # of C and C++: what other files may want to know


class Task(msgspec.Struct, frozen=True):
    """One file to lower, with what it takes."""

    source: SourceFile
    max_file_bytes: int
    max_file_seconds: float
    rule_paths: tuple[Path, ...]
    rule_selection: tuple[str, ...]
    cache_dir: Path | None
    headers: tuple[SourceFile, ...] = ()  # of C and C++: what it includes
    joined: bool = False  # it may be analysed together with other files


@functools.lru_cache(maxsize=8)
def rules_for(language: str, extra: tuple[Path, ...], selection: tuple[str, ...], cache_dir: Path | None) -> RuleSet:
    """The rules of one language (kept per process; forked workers inherit them)."""
    return load_rules([language], extra, selection, cache_dir=cache_dir, lenient=True)


def lower_task(task: Task) -> bytes:
    """Read, parse and lower one file; MessagePack of ``Lowered``."""
    return ENCODER.encode(lower(task))


def lower(task: Task) -> Lowered:
    source = task.source
    data = read_source(source, ReadLimits(task.max_file_bytes, not source.named, not source.named))
    if isinstance(data, NotAnalysed):
        return Lowered(None, problems=(data,))
    collecting = gc.isenabled()
    gc.disable()
    try:
        limits = LowerLimits(max_seconds=task.max_file_seconds)
        reader = front_end(source.language)
        if isinstance(reader, ReadsNeighbours):
            file = reader.lower_at(data, source.path, limits, source.absolute)
        elif source.language == "c":
            return lower_c(task, data, limits)
        else:
            file = reader.lower(data, source.path, limits)
    finally:
        if collecting:
            gc.enable()
    known = (source.language, task.rule_paths, task.rule_selection, task.cache_dir)
    hits = [*detector_hits(file, detectors_for(*known)), *literal_hits(data, literals_for(*known))]
    stable = unchanged(source) and not file.imports if source.language == "cobol" else unchanged(source)
    if source.language not in INTERPRETED:
        file = shortened(file, {hit.function for hit in hits})
    return Lowered(file, tuple(hits), tuple(find_ignores(data)), tuple(problems_of(file)), stable)


def lower_c(task: Task, data: bytes, limits: LowerLimits) -> Lowered:
    """A file of C or C++.  What is part of a program of several files is not analysed yet: they wait for each other."""
    from glasshouse.scan.memory import checks, links, program
    from glasshouse.scan.surroundings import outside_of

    source = task.source
    outside = outside_of(task.headers)
    reader: Any = front_end("c")
    file = reader.lower_with(data, source.path, limits, outside.constants)
    known = (source.language, task.rule_paths, task.rule_selection, task.cache_dir)
    hits = literal_hits(data, literals_for(*known))
    ignores, stable = tuple(find_ignores(data)), unchanged(source)
    if task.joined and file.package == ir.PART_PACKAGE:
        hits = [*detector_hits(file, alone(detectors_for(*known))), *hits]
        return Lowered(file, tuple(hits), ignores, (), stable, links.waiting(file))
    checks.surround(program.FileFacts(file, outside if task.headers else None))
    hits = [*detector_hits(file, detectors_for(*known)), *hits]
    found = checks.links_for(file)
    file = shortened(file, {hit.function for hit in hits})
    return Lowered(file, tuple(hits), ignores, tuple(problems_of(file)), stable, found)


def alone(detectors: Sequence[DetectorRun]) -> list[DetectorRun]:
    """The detectors that look at one file only."""
    from glasshouse.scan.memory.checks import find_memory

    return [run for run in detectors if run.find is not find_memory]


def shortened(file: ir.File, named: set[int]) -> ir.File:
    """What the reports need of a file that no other file's analysis looks into: names of functions with hits."""
    for index, function in enumerate(file.functions):
        function.body, function.consts, function.params = [], [], []
        if index not in named:
            function.name = function.qualname = function.returns = ""
    file.classes = []
    return file


def unchanged(source: SourceFile) -> bool:
    """Whether the file is still as discovery saw it."""
    try:
        found = os.stat(source.absolute)
    except OSError:
        return False
    return (found.st_size, found.st_mtime_ns) == (source.size, source.mtime_ns)


def problems_of(file: ir.File) -> list[NotAnalysed]:
    """Regions that did not parse and bounds that were reached."""
    found = []
    if file.errors:
        lines = sorted({ir.unpack_span(span)[0] for span in file.errors})
        places = ", ".join(str(line) for line in lines[:5]) + (", ..." if len(lines) > 5 else "")
        reason = f"syntax error at line {places}; the rest of the file was analysed"
        incomplete = True
        if file.language == "c":  # macros that only a build could expand: expected, and told
            incomplete = False
            reason = f"could not be parsed without its macros at line {places}; the rest of the file was analysed"
        found.append(NotAnalysed(file.path, "syntax-error", reason, incomplete=incomplete, line=lines[0]))
    notes = set(file.notes) or {
        f"`{function.qualname or 'the module'}` was lowered only in part: {function.capped}"
        for function in file.functions
        if function.capped
    }
    found.extend(NotAnalysed(file.path, "limit", note, incomplete=True) for note in sorted(notes)[:MAX_NOTES])
    return found


class DetectorRun(NamedTuple):
    """One detector with its options, and the rules that report what it finds."""

    find: Detector
    options: Mapping[str, Any]
    rules: list[str]


@functools.lru_cache(maxsize=8)
def detectors_for(
    language: str, extra: tuple[Path, ...], selection: tuple[str, ...], cache_dir: Path | None
) -> tuple[DetectorRun, ...]:
    """The detectors of a language's rules; one that several rules use with the same options runs once."""
    from glasshouse.scan.detect.registry import detector

    runs: dict[tuple[str, str], DetectorRun] = {}
    for rule in rules_for(language, extra, selection, cache_dir).rules.values():
        if rule.detector:
            key = (rule.detector, repr(sorted(rule.options.items())))
            runs.setdefault(key, DetectorRun(detector(rule.detector), rule.options, [])).rules.append(rule.id)
    return tuple(runs.values())


def detector_hits(file: ir.File, detectors: Sequence[DetectorRun]) -> list[LocalHit]:
    """What the detectors find in one file."""
    found: list[LocalHit] = []
    for run in detectors:
        for hit in run.find(file, run.options):
            for rule in run.rules:
                found.append(
                    LocalHit(rule, hit.span, hit.function_index, hit.message_args, hit.confidence, hit.mode, hit.inside)
                )
    return found


@functools.lru_cache(maxsize=512)
def compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


@functools.lru_cache(maxsize=512)
def opening(pattern: str) -> str:
    """Text that everything the pattern finds begins with; "" if that is not plain to see."""
    found = OPENING.match(pattern)
    if found is None:
        return ""
    rest, count = CLASSES.sub("", pattern[found.start(1) :]), 1
    while count:
        rest, count = GROUPS.subn("", rest)
    if "|" in rest:
        return ""
    text, after = found[1].replace("\\", ""), pattern[found.end() : found.end() + 1]
    return "" if after == ")" else text[:-1] if after in QUANTIFIERS else text


OPENING = re.compile(r"(?:\(\?P<secret>)?((?:[\w:/-]|\\\.)+)")
CLASSES = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]")
GROUPS = re.compile(r"\([^()]*\)")
QUANTIFIERS = ("{", "?", "*", "+")


class Literal(NamedTuple):
    """A pattern of known tokens, text that all of them begin with, and the rule that reports them."""

    rule: str
    pattern: str
    opening: str


@functools.lru_cache(maxsize=8)
def literals_for(
    language: str, extra: tuple[Path, ...], selection: tuple[str, ...], cache_dir: Path | None
) -> tuple[Literal, ...]:
    """The patterns of a language's rules, in their order."""
    rules = rules_for(language, extra, selection, cache_dir).rules.values()
    return tuple(Literal(rule.id, pattern, opening(pattern)) for rule in rules for pattern in rule.literal)


def literal_hits(data: bytes, literals: Sequence[Literal]) -> list[LocalHit]:
    """Known token formats anywhere in the text; the secret itself never leaves ``literal_places``."""
    found: list[LocalHit] = []
    text = data.decode("utf-8", "replace")
    known: dict[str, list[tuple[int, str]]] = {}
    for rule, pattern, start in literals:
        if start in text:
            places = known.get(pattern)
            if places is None:
                places = known[pattern] = literal_places(text, pattern)
            found.extend(LocalHit(rule, span, 0, {"value": shown, "name": "text"}) for span, shown in places)
    return found


def literal_places(text: str, pattern: str) -> list[tuple[int, str]]:
    """Span and redacted text of what a pattern finds."""
    from glasshouse.scan.detect.secrets import is_placeholder, redact

    places: list[tuple[int, str]] = []
    for match in compiled(pattern).finditer(text):
        secret = match["secret"] if "secret" in match.re.groupindex else match.group()
        if not is_placeholder(secret):
            places.append((span_of(text, match), redact(secret)))
            if len(places) >= MAX_LITERAL_HITS:
                break
    return places


def span_of(text: str, match: re.Match[str]) -> int:
    start = text.rfind("\n", 0, match.start()) + 1
    line = text.count("\n", 0, match.start()) + 1
    column = len(text[start : match.start()].encode())
    width = len(match.group().partition("\n")[0].encode())
    return ir.pack_span(line, column, line, column + width)


def decode(data: bytes) -> Lowered:
    return DECODER.decode(data)


def decode_lazily(data: bytes) -> Lowered:
    """The same, where most functions are not looked into: large fields are decoded when they are first read."""
    found: Lowered = LAZY_DECODER.decode(data)
    return found


def decoded_on_use(field: str, decoder: msgspec.msgpack.Decoder[Any]) -> Any:
    """A field of ``Stored`` that holds encoded data until it is read."""
    slot = getattr(Stored, field)
    get, put = slot.__get__, slot.__set__

    def read(function: ir.Function) -> Any:
        value = get(function)
        if value.__class__ is msgspec.Raw:
            value = decoder.decode(value)
            put(function, value)
        return value

    return property(read, put)


ENCODER = msgspec.msgpack.Encoder()
DECODER: msgspec.msgpack.Decoder[Lowered] = msgspec.msgpack.Decoder(Lowered)
LATE: dict[str, msgspec.msgpack.Decoder[Any]] = {
    "params": msgspec.msgpack.Decoder(list[ir.Param]),
    "body": msgspec.msgpack.Decoder(ir.Block),
    "consts": msgspec.msgpack.Decoder(list[Any]),
}
Stored = msgspec.defstruct("Stored", [(field, msgspec.Raw) for field in LATE], bases=(ir.Function,), array_like=True)
LazyFunction = type(
    "LazyFunction", (Stored,), {field: decoded_on_use(field, late) for field, late in LATE.items()}, array_like=True
)
LazyFile = msgspec.defstruct(
    "LazyFile", [("functions", GenericAlias(list, (LazyFunction,)))], bases=(ir.File,), array_like=True
)
LazyLowered = msgspec.defstruct(
    "LazyLowered", [("file", LazyFile | None)], bases=(Lowered,), array_like=True, frozen=True
)
LAZY_DECODER: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(LazyLowered)
