"""From raw findings to ``Finding`` values: texts, places in characters, snippets, paths, confidence and its reasons."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from glasshouse.scan import ir
from glasshouse.scan.analysis import Analysis
from glasshouse.scan.baseline import with_fingerprints
from glasshouse.scan.detect.secrets import redact
from glasshouse.scan.fixes import mechanical
from glasshouse.scan.intended import spared
from glasshouse.scan.interp.findings import Fact, Flow
from glasshouse.scan.interp.sources import TEXT
from glasshouse.scan.interp.values import Step as WayStep
from glasshouse.scan.judge.evidence import OWN, Candidate, Evidence
from glasshouse.scan.lowered import LocalHit
from glasshouse.scan.program import Fn
from glasshouse.scan.render.redact import redacted as hidden_secrets
from glasshouse.scan.rules.schema import Rule
from glasshouse.words.finding import CONFIDENCES, SEVERITIES, Confidence, Finding, Mode, Severity, Step
from glasshouse.words.location import Location

MAX_STEPS = 60
CHOSEN = frozenset([22, 23, 36, 73, 918])  # files and addresses that a program is told to use
MAX_SNIPPET = 240
Lines = Callable[[str], list[bytes]]


class Reporter:
    """Makes findings.  ``lines`` gives the lines of a file by report path (empty when it cannot be read again)."""

    def __init__(self, analysis: Analysis, lines: Lines, mode: str) -> None:
        self.analysis = analysis
        self.modules = analysis.program.modules
        self.lines = functools.lru_cache(maxsize=256)(lines)
        self.mode = mode
        self.capped = frozenset(analysis.capped)
        self.widened: dict[int, list[int]] = {}
        for file, span in analysis.widened:
            self.widened.setdefault(file, []).append(ir.unpack_span(span)[0])

    def findings(self, local: Iterable[tuple[int, LocalHit]], rules: Mapping[str, Rule]) -> list[Finding]:
        """All findings, sorted by place and rule, with fingerprints and the probability of each."""
        from glasshouse.scan.judge.ranking import judged  # nothing found, nothing to load

        candidates = self.candidates(local, rules)
        findings = judged(candidates, self.lines) if candidates else []
        return hidden_secrets(with_fingerprints(findings))

    def candidates(self, local: Iterable[tuple[int, LocalHit]], rules: Mapping[str, Rule]) -> list[Candidate]:
        """All findings, sorted by place and rule, with what the engine knows of each."""
        found: dict[tuple[str, int, int], Candidate] = {}
        if self.mode != "library":
            for flow in self.analysis.flows:
                if self.meant(flow.rule, flow.fn.module.index, flow.span):
                    continue
                found.setdefault(self.key(flow.rule, flow.fn.module.index, flow.span), self.flow(flow, "application"))
        if self.mode != "application":
            for flow in self.analysis.library:
                if self.mode == "library" or (flow.built and not alone(flow.rule)):
                    found.setdefault(self.key(flow.rule, flow.fn.module.index, flow.span), self.flow(flow, "library"))
        for fact in self.analysis.facts:
            if self.meant(fact.rule, fact.fn.module.index, fact.span):
                continue
            found.setdefault(self.key(fact.rule, fact.fn.module.index, fact.span), self.fact(fact))
        for index, hit in local:
            rule = rules.get(hit.rule)
            if rule is not None and self.mode in ("both", hit.mode):
                if self.mode == "both" and hit.mode == "library" and alone(rule):
                    continue
                if self.meant(rule, index, hit.span):
                    continue
                found.setdefault(self.key(rule, index, hit.span), self.local(index, hit, rule))
        return sorted(found.values(), key=lambda item: (item.finding.location, item.finding.rule_id))

    def meant(self, rule: Rule, file: int, span: int) -> bool:
        """Whether the code around a place shows that what the rule warns of is intended."""
        contexts = rule.options.get("spares", ())
        if not contexts:
            return False
        line, _, last, _ = ir.unpack_span(span)
        return spared(contexts, self.lines(self.modules[file].path), line, last)

    def key(self, rule: Rule, file: int, span: int) -> tuple[str, int, int]:
        return rule.id, file, span

    # --- kinds of findings --------------------------------------------------------------------------------------

    def flow(self, flow: Flow, mode: Mode) -> Candidate:
        rule = flow.rule
        details = {
            "source": flow.label.text or TEXT.get(flow.label.source, flow.label.source),
            "sink": flow.sink,
            "name": flow.sink,
        }
        steps = self.way(flow.step)
        place = self.location(flow.fn.module.index, flow.span)
        if not steps or steps[-1].location != place:
            act = f": {flow.act}" if flow.act else ""
            steps.append(Step(place, f"reaches {callee(flow.sink)}{act}", self.snippet(place)))
        confidence: Confidence = flow.confidence or rule.confidence  # type: ignore[assignment]
        reasons = [f"data flow of {len(steps)} steps from {details['source']}"]
        if mode == "library":
            confidence = lower(confidence, CONFIDENCES)
            guess = flow.label.kind == "private"
            reasons.append(
                "where the data comes from is not known"
                if guess
                else "the source is a parameter of an exported function (library mode)"
            )
        finding = self.make(
            rule, flow.fn.module.index, flow.span, flow.fn.ir.qualname, details, confidence, reasons, mode, steps
        )
        if mode == "application" and flow.label.source in OWN and CHOSEN & set(rule.cwe):
            reasons.append("whoever runs the program names the file or address")
            severity = lower(finding.severity, SEVERITIES)
            finding = msgspec.structs.replace(finding, severity=severity, reasons=tuple(reasons))
        known = self.evidence(flow.fn.module.index, flow.fn, flow.span, "flow")
        origin = "private" if flow.label.kind == "private" else flow.label.source
        return Candidate(finding, known._replace(origin=origin, built=flow.built, calls=calls(flow.step)))

    def fact(self, fact: Fact) -> Candidate:
        rule = fact.rule
        confidence: Confidence = fact.confidence or rule.confidence  # type: ignore[assignment]
        reasons = [f"matches the pattern of {rule.id}"]
        index = fact.fn.module.index
        finding = self.make(
            rule, index, fact.span, fact.fn.ir.qualname, fact.details, confidence, reasons, "application", []
        )
        return Candidate(finding, self.evidence(index, fact.fn, fact.span, "pattern"))

    def local(self, index: int, hit: LocalHit, rule: Rule) -> Candidate:
        functions = self.modules[index].functions
        fn = functions[hit.function] if 0 <= hit.function < len(functions) else None
        name = fn.ir.qualname if fn is not None else ""
        confidence: Confidence = hit.confidence or rule.confidence  # type: ignore[assignment]
        reasons = [f"found by `{rule.detector}`" if rule.detector else "has the form of a known token"]
        mode: Mode = "library" if hit.mode == "library" else "application"
        if mode == "library":
            reasons.append("the data comes from a parameter of a function that nothing here calls (library mode)")
        finding = self.make(rule, index, hit.span, name, hit.details, confidence, reasons, mode, [], bool(rule.literal))
        kind = "detector" if rule.detector else "literal"
        known = self.evidence(index, fn, hit.span, kind)
        return Candidate(finding, known._replace(origin="parameter") if mode == "library" else known)

    def evidence(self, file: int, fn: Fn | None, span: int, kind: str) -> Evidence:
        """What is known of the code around a place."""
        line = ir.unpack_span(span)[0]
        begin, end = (0, 0)
        if fn is not None and fn.ir.kind != "module":
            begin, _, end, _ = ir.unpack_span(fn.ir.span)
        errors = [ir.unpack_span(error) for error in self.modules[file].file.errors]
        near = min((max(first - line, line - last, 0) for first, _, last, _ in errors), default=-1)
        return Evidence(
            kind,
            function=(begin, end),
            capped=fn is not None and (bool(fn.ir.capped) or fn.id in self.capped),
            widened=any(begin <= at <= end for at in self.widened.get(file, ())),
            broken=near,
        )

    def make(
        self,
        rule: Rule,
        file: int,
        span: int,
        function: str,
        details: Mapping[str, str],
        confidence: Confidence,
        reasons: list[str],
        mode: Mode,
        steps: list[Step],
        secret: bool = False,
    ) -> Finding:
        place = self.location(file, span)
        severity: Severity = rule.severity if mode == "application" else lower(rule.severity, SEVERITIES)
        snippet = self.snippet(place, secret)
        if secret or is_secret_rule(rule):
            snippet = redacted(snippet)
        return Finding(
            rule_id=rule.id,
            message=fill(rule.message, details),
            location=place,
            severity=severity,
            confidence=confidence,
            cwe=rule.cwe,
            mode=mode,
            language=self.modules[file].language,
            function=function,
            snippet=snippet,
            reasons=tuple(reasons),
            path=tuple(steps),
            fix=mechanical(rule, place, self.lines(place.path)),
        )

    # --- places -------------------------------------------------------------------------------------------------

    def location(self, file: int, span: int) -> Location:
        """A packed span in characters."""
        path = self.modules[file].path
        line, column, end_line, end_column = ir.unpack_span(span)
        line = max(line, 1)
        start = self.column(path, line, column)
        return Location(path, line, start, max(end_line, line), self.column(path, max(end_line, line), end_column))

    def column(self, path: str, line: int, offset: int) -> int:
        lines = self.lines(path)
        if line > len(lines):
            return offset + 1
        return len(lines[line - 1][:offset].decode("utf-8", "replace")) + 1

    def snippet(self, place: Location, secret: bool = False) -> str:
        """The first line of a place; ``secret``: the place itself is what nobody may see."""
        lines = self.lines(place.path)
        if place.line > len(lines):
            return ""
        line = lines[place.line - 1].decode("utf-8", "replace")
        if secret:
            start, end = place.column - 1, place.end_column - 1 if place.end_line == place.line else len(line)
            line = line[:start] + redact(line[start:end]) + line[end:]
        return line.strip()[:MAX_SNIPPET]

    def way(self, step: WayStep | None) -> list[Step]:
        """A way from source to sink as a list of steps, bounded, without repeats."""
        chain = flatten(step)
        if len(chain) > MAX_STEPS:
            chain = chain[: MAX_STEPS // 2] + chain[-MAX_STEPS // 2 :]
        steps: list[Step] = []
        for item in chain:
            place = self.location(item.file, item.span)
            if steps and steps[-1].location.line == place.line and steps[-1].location.path == place.path:
                if steps[-1].message == item.text:
                    continue
            steps.append(Step(place, item.text, self.snippet(place)))
        return steps


def alone(rule: Rule) -> bool:
    """Whether a rule speaks of parameters only when asked for them: a caller who passes an address, a name or a size
    says what the function is to do; only data of strangers does harm there."""
    return bool(rule.options.get("library") == "alone")


def flatten(step: WayStep | None) -> list[WayStep]:
    """The linked steps from source to sink; a summarised callee's own steps follow the call."""
    result: list[WayStep] = []
    stack: list[WayStep | None] = [step]
    seen = 0
    while stack and seen < 2000:
        item = stack.pop()
        seen += 1
        if item is None:
            continue
        if item.inner is not None:
            stack.append(item._replace(inner=None))
            stack.append(None)
            inner = flatten(item.inner)
            result.extend(reversed(inner))
            continue
        result.append(item)
        stack.append(item.before)
    result.reverse()
    return result


def calls(step: WayStep | None) -> int:
    """Calls on a way that were followed by a summary."""
    count = seen = 0
    while step is not None and seen < 2000:
        count += step.inner is not None
        step, seen = step.before, seen + 1
    return count


def callee(path: str) -> str:
    """A callee path as people write it."""
    special = {"$jsx": "a JSX property", "$arith": "arithmetic", "$index": "an index", "$set_key": "a property name"}
    return special.get(path) or f"`{path.removeprefix('*.')}`"


def fill(message: str, details: Mapping[str, str]) -> str:
    for name in ("source", "sink", "name", "value"):
        message = message.replace("{" + name + "}", details.get(name, name))
    return message


def lower(level: Any, scale: tuple[Any, ...]) -> Any:
    return scale[max(scale.index(level) - 1, 0)]


def is_secret_rule(rule: Rule) -> bool:
    return bool({798, 259, 321} & set(rule.cwe))


def redacted(snippet: str) -> str:
    """A source line with everything inside quotes hidden (to the end of the line, where a quote does not end)."""

    def hide(match: re.Match[str]) -> str:
        inner = match.group(2)
        return match.group(1) + (redact(inner) if len(inner) > 3 else inner) + match.group(3)

    hidden = QUOTED.sub(hide, snippet)
    return hidden if hidden != snippet else redact(snippet)


QUOTED = re.compile(r"([\"'`])((?:\\.|(?!\1).)*+)(\1|$)")
