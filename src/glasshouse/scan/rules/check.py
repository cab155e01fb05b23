"""What the types of the schema cannot say about a rule file: names, paths, selectors and completeness.

``problems`` returns one sentence per fault, each naming the rule (or model entry), the field and what is expected.
It never raises on a decoded ``RuleFile``; the caller adds the file name and turns the list into a ``RuleError``.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterable, Iterator

from glasshouse.scan.rules.schema import (
    Condition,
    Entry,
    Match,
    Models,
    PrivateSource,
    Protocol,
    Rule,
    RuleFile,
    Sanitizer,
    Sink,
)

_BUILT_IN_ID = re.compile(r"(py|js|java|c|go|php|cobol|gen|dependency|system)-[a-z0-9]+(-[a-z0-9]+)*")
_ID = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)+")
_OWASP = re.compile(r"(A(0[1-9]|10):20\d\d|LLM\d\d:20\d\d) \S.*")
_SEGMENT = r"[^\s().,|]+(\(\))?"
_CALLEE = re.compile(rf"{_SEGMENT}(\.{_SEGMENT})*")
_STEP = r"(-?\d+\+?|\*\*|[A-Za-z_$@][\w$@:-]*)(\.([\w$@:-]+|\*))*"
_SELECTOR = re.compile(rf"{_STEP}(\|{_STEP})*")
_PARAM = re.compile(r"\d+|\*|@[\w.$]+|[\w$]+")
_PLACEHOLDERS = {"source", "sink", "name", "value"}
_MAX_CWE = 2000


def problems(document: RuleFile, taint_classes: Iterable[str], *, built_in: bool) -> list[str]:
    """Every fault of one file, in the file's order."""
    classes = set(taint_classes) | set(document.taint_classes)
    found: list[str] = []
    for rule in document.rules:
        found.extend(f"rule {rule.id!r}: {fault}" for fault in _rule(rule, classes, built_in))
    if document.models is not None:
        found.extend(f"models: {fault}" for fault in _models(document.models, classes))
    return found


def _rule(rule: Rule, classes: set[str], built_in: bool) -> Iterator[str]:
    yield from _head(rule, built_in)
    kinds = [kind for kind in ("taint", "matches", "protocol", "detector", "literal") if getattr(rule, kind)]
    if len(kinds) != 1 and kinds != ["taint", "protocol"]:
        given = ", ".join(kinds) or "none"
        yield f"expected exactly one of taint, matches, protocol, detector, literal; given: {given}"
    if rule.taint and rule.taint not in classes:
        yield f"field taint: {rule.taint!r} is not a taint class (data/classes.yaml lists them)"
    if rule.sinks and not rule.taint:
        yield "field sinks: only rules with `taint` have sinks"
    if rule.sources and not rule.taint:
        yield "field sources: only rules with `taint` have sources of their own"
    for index, source in enumerate(rule.sources):
        yield from _private_source(source, f"sources[{index}]")
    for index, sink in enumerate(rule.sinks):
        yield from _sink(sink, f"sinks[{index}]")
    for index, cleaner in enumerate(rule.sanitizers):
        yield from _sanitizer(cleaner, f"sanitizers[{index}]", classes)
    for index, match in enumerate(rule.matches):
        yield from _match(match, f"matches[{index}]")
    for index, protocol in enumerate(rule.protocol):
        yield from _protocol(protocol, f"protocol[{index}]")
    for index, pattern in enumerate(rule.literal):
        yield from _pattern(pattern, f"literal[{index}]")
    for index, edit in enumerate(rule.edits):
        yield from _pattern(edit.pattern, f"edits[{index}].pattern")
    if rule.detector and not re.fullmatch(r"[a-z][a-z0-9-]*", rule.detector):
        yield f"field detector: {rule.detector!r} is not a lower-case dashed name"


def _head(rule: Rule, built_in: bool) -> Iterator[str]:
    """Identity and prose: everything a reader of a finding needs."""
    if not (_BUILT_IN_ID if built_in else _ID).fullmatch(rule.id):
        expected = (
            "py-, js-, java-, c-, go-, php-, cobol-, gen-, dependency- or system- and lower-case dashed words"
            if built_in
            else "lower-case dashed words"
        )
        yield f"field id: expected {expected}"
    if not rule.languages:
        yield "field languages: expected at least one language"
    if not rule.cwe:
        yield "field cwe: expected at least one CWE number"
    for number in rule.cwe:
        if not 0 < number < _MAX_CWE:
            yield f"field cwe: {number} is not a CWE number (1 to {_MAX_CWE - 1})"
    if not _OWASP.fullmatch(rule.owasp):
        yield f'field owasp: {rule.owasp!r} should look like "A03:2021 Injection"'
    texts = {"title": rule.title, "message": rule.message, "why": rule.why, "fix.text": rule.fix.text}
    texts |= {"fix.before": rule.fix.before, "fix.after": rule.fix.after}
    for name, text in texts.items():
        if not text.strip():
            yield f"field {name}: expected text, it is empty"
    yield from _placeholders(rule.message)
    for side, snippets in (("positive", rule.tests.positive), ("negative", rule.tests.negative)):
        if not snippets or not all(snippet.strip() for snippet in snippets):
            yield f"field tests.{side}: expected at least one snippet, none of them empty"


def _placeholders(message: str) -> Iterator[str]:
    try:
        names = {name for _, name, _, _ in string.Formatter().parse(message) if name is not None}
    except ValueError as error:
        yield f"field message: {error}"
        return
    for name in sorted(names - _PLACEHOLDERS):
        yield f"field message: unknown placeholder {{{name}}}; use {{source}}, {{sink}}, {{name}} or {{value}}"


def _private_source(source: PrivateSource, place: str) -> Iterator[str]:
    if not (source.names or source.call or source.read or source.put_into):
        yield f"field {place}: expected `names`, `call`, `read` or `put_into`"
    for pattern in (source.names, source.not_names, source.not_after):
        yield from _pattern(pattern, place)
    yield from _callees(source.call, f"{place}.call")
    yield from _callees(source.read, f"{place}.read")


def _sink(sink: Sink, place: str) -> Iterator[str]:
    if not sink.call and not sink.assign:
        yield f"field {place}: expected `call` or `assign`"
    yield from _callees(sink.call, f"{place}.call")
    yield from _callees(sink.assign, f"{place}.assign")
    yield from _selectors(sink.args, f"{place}.args")
    yield from _conditions(sink.where, f"{place}.where")
    yield from _conditions(sink.safe_when, f"{place}.safe_when")
    yield from _pattern(sink.safe_prefix, f"{place}.safe_prefix")


def _sanitizer(cleaner: Sanitizer, place: str, classes: set[str]) -> Iterator[str]:
    if not cleaner.call and not cleaner.read:
        yield f"field {place}.call: expected at least one callee"
    if not cleaner.classes:
        yield f'field {place}.classes: expected taint classes or "*"'
    yield from _classes(cleaner.classes, f"{place}.classes", classes)
    yield from _callees((*cleaner.call, *cleaner.read), f"{place}.call")
    yield from _selectors((cleaner.arg, *cleaner.cleans), f"{place}.arg")
    yield from _conditions(cleaner.where, f"{place}.where")
    yield from _pattern(cleaner.safe_prefix, f"{place}.safe_prefix")


def _match(match: Match, place: str) -> Iterator[str]:
    if not (match.call or match.assign or match.decorator or match.read):
        yield f"field {place}: expected one of call, assign, decorator, read"
    for name in ("call", "decorator", "read"):
        yield from _callees(getattr(match, name), f"{place}.{name}")
    for index, pattern in enumerate(match.assign):
        yield from _pattern(pattern, f"{place}.assign[{index}]")
    yield from _conditions(match.where, f"{place}.where")
    yield from _conditions(match.unless, f"{place}.unless")


def _protocol(protocol: Protocol, place: str) -> Iterator[str]:
    if not protocol.create:
        yield f"field {place}.create: expected at least one callee"
    yield from _callees(protocol.create, f"{place}.create")
    yield from _callees(protocol.use, f"{place}.use")
    yield from _callees(protocol.derive, f"{place}.derive")
    yield from _selectors((protocol.use_arg,), f"{place}.use_arg")
    yield from _selectors((protocol.derive_arg,), f"{place}.derive_arg")
    if protocol.outside:
        yield from _selectors((protocol.outside,), f"{place}.outside")
    if any(not 0 <= number < len(protocol.secured) for numbers in protocol.enough for number in numbers):
        yield f"field {place}.enough: expected numbers of `secured` matches"
    yield from _conditions(protocol.where, f"{place}.where")
    yield from _conditions(protocol.use_where, f"{place}.use_where")
    for name in ("secured", "unsafe"):
        for index, match in enumerate(getattr(protocol, name)):
            yield from _match(match, f"{place}.{name}[{index}]")


def _models(models: Models, classes: set[str]) -> Iterator[str]:
    if not models.languages:
        yield "field languages: expected at least one language"
    for source in models.sources:
        place = f"source {source.id!r}"
        if not (source.read or source.call):
            yield f"{place}: expected `read` or `call`"
        yield from _callees(source.read, f"{place}.read")
        yield from _callees(source.call, f"{place}.call")
        yield from _selectors(source.taints, f"{place}.taints")
        yield from _conditions(source.where, f"{place}.where")
    for entry in models.entries:
        yield from _entry(entry, classes)
    for store in models.stores:
        yield from _callees((*store.fields, *store.get, *store.set, *store.put, *store.make), f"store {store.id!r}")
    for index, cleaner in enumerate(models.sanitizers):
        yield from _sanitizer(cleaner, f"sanitizers[{index}]", classes)
    for index, mover in enumerate(models.propagators):
        yield from _callees(mover.call, f"propagators[{index}].call")
        selectors = (*mover.frm, *mover.to, *mover.callback_args, mover.callback, mover.callback_to)
        yield from _selectors([text for text in selectors if text], f"propagators[{index}]")
        yield from _callees(mover.callback_types, f"propagators[{index}].callback_types")
    for index, model in enumerate(models.types):
        yield from _callees((model.returns, *model.call, *model.read), f"types[{index}]")
    for index, text in enumerate(models.texts):
        if not text.type.startswith("$"):
            yield f"texts[{index}]: the type of a text starts with $"
        yield from _pattern(text.matches, f"texts[{index}]")
    for below, above in models.hierarchy.items():
        yield from _callees((below, *above), f"hierarchy {below!r}")
    yield from _callees([*models.aliases, *models.aliases.values()], "aliases")


def _entry(entry: Entry, classes: set[str]) -> Iterator[str]:
    place = f"entry {entry.id!r}"
    ways = (entry.decorator, entry.class_decorator, entry.registers, entry.bases, entry.shape, entry.functions)
    if not (any(ways) or entry.methods):
        yield f"{place}: expected one of decorator, class_decorator, registers, bases, methods, shape, functions"
    for name in ("decorator", "class_decorator", "registers", "bases"):
        yield from _callees(getattr(entry, name), f"{place}.{name}")
    if entry.result and not entry.result.startswith("$"):
        yield f"{place}: the call that stands for what becomes of the result starts with $"
    for param in entry.params:
        if not _PARAM.fullmatch(param.param):
            yield f"{place}: param {param.param!r} should be an index, a name, * or @Name"
        if not param.type and param.source is None:
            yield f"{place}: param {param.param!r} needs `type` or `source`"


def _classes(names: Iterable[str], place: str, classes: set[str]) -> Iterator[str]:
    for name in names:
        if name != "*" and name not in classes:
            yield f"field {place}: {name!r} is not a taint class (data/classes.yaml lists them)"


def _callees(paths: Iterable[str], place: str) -> Iterator[str]:
    for path in paths:
        if not _CALLEE.fullmatch(path):
            yield f"field {place}: {path!r} is not a dotted path (no spaces, commas or parentheses except `()`)"


def _selectors(selectors: Iterable[str], place: str) -> Iterator[str]:
    for selector in selectors:
        if not _SELECTOR.fullmatch(selector):
            yield f"field {place}: {selector!r} is not an argument selector (such as 0, cmd, self, 0.url, 1+, 0|cmd)"


def _conditions(conditions: Iterable[Condition], place: str) -> Iterator[str]:
    for index, condition in enumerate(conditions):
        here = f"{place}[{index}]"
        yield from _selectors((condition.arg,), f"{here}.arg")
        tests: tuple[object, ...] = (
            condition.equals,
            condition.unequal,
            condition.matches,
            condition.unmatched,
            condition.below,
            condition.bits,
        )
        tests = (*tests, condition.absent, condition.present, condition.constant, condition.type)
        tests = (*tests, condition.overrides, condition.gives)
        if all(test is None for test in tests):
            yield f"field {here}: expected a test such as equals, matches, below, absent, present, constant or type"
        for pattern in (condition.matches, condition.unmatched):
            if pattern is not None:
                yield from _pattern(pattern, here)


def _pattern(pattern: str, place: str) -> Iterator[str]:
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        yield f"field {place}: {pattern!r} is not a regular expression: {error}"
