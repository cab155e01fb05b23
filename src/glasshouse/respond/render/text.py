"""The report for a terminal: one screen per incident, the gravest first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from glasshouse.respond import stake
from glasshouse.respond.report import Report, moment, span
from glasshouse.respond.threat import told
from glasshouse.words.display import counted, visible
from glasshouse.words.incident import LEVELS, Detection, Incident

MAX_ROWS = 12
MAX_LINKS = 6
MAX_SIGNS = 3
MAX_VALUE = 110
_COLORS = {"critical": "1;35", "high": "1;31", "medium": "1;33", "low": "1;36", "informational": "2"}
_TELLING = ("CommandLine", "ScriptBlockText", "TargetObject", "TargetFilename", "QueryName", "DestinationIp", "Image",
            "eventName", "message", "api.operation")  # fmt: skip


class _Paint:
    def __init__(self, color: bool) -> None:
        self.color = color

    def level(self, text: str, level: str) -> str:
        return f"\x1b[{_COLORS[level]}m{text}\x1b[0m" if self.color else text

    def dim(self, text: str) -> str:
        return f"\x1b[2m{text}\x1b[0m" if self.color else text

    def bold(self, text: str) -> str:
        return f"\x1b[1m{text}\x1b[0m" if self.color else text


def render(report: Report, *, color: bool) -> Iterator[str]:
    """The report, line by line with line ends."""
    paint = _Paint(color)
    for incident in report.incidents:
        for line in _incident(incident, paint):
            yield line + "\n"
        yield "\n"
    for line in (*_not_analysed(report, paint), *_summary(report)):
        yield line + "\n"


def _incident(incident: Incident, paint: _Paint) -> Iterator[str]:
    head = f"{incident.severity}[{incident.id}]: "
    yield paint.level(head, incident.severity) + paint.bold(visible(incident.title))
    hosts = ", ".join(visible(host) for host in incident.hosts[:5]) or "no host named"
    more = f" and {len(incident.hosts) - 5} more" if len(incident.hosts) > 5 else ""
    yield f"  --> {hosts}{more}, {span(incident.first, incident.last)}"
    if incident.techniques:
        named = (f"{each.id} {each.name} ({each.score:.0%})" for each in incident.techniques)
        yield f"   = techniques: {', '.join(named)}"
        for each in incident.techniques:
            if each.signs:
                yield f"   = {each.id}: {' '.join(each.signs[:MAX_SIGNS])}"
    for threat in incident.threats:
        yield f"   = {threat.cve}: {visible(told(threat))}"
    yield from (f"   = {visible(stake.told(one))}" for one in incident.stakes)
    yield "   |"
    for line in _timeline(incident.detections, paint):
        yield "   | " + line
    yield "   |"
    reasons = Counter(_reason(link.reason) for link in incident.links)
    for reason, count in reasons.most_common(MAX_LINKS):
        yield paint.dim(f"   = link: {visible(reason)}{f', {count} times' if count > 1 else ''}")
    if len(reasons) > MAX_LINKS:
        more = counted(len(reasons) - MAX_LINKS, "more reason")
        yield paint.dim(f"   = and {more}; --format json has all with their weights")
    yield paint.dim(
        f"   = score {incident.score:.1f} from {counted(len({d.rule.id for d in incident.detections}), 'rule')}"
    )
    yield from _credits(incident.detections, paint)


def _reason(reason: str) -> str:
    """The reason without the seconds, so that like ones count together."""
    return f"close in time on {reason.partition(' s apart on ')[2]}" if " s apart on " in reason else reason


def _timeline(detections: tuple[Detection, ...], paint: _Paint) -> Iterator[str]:
    """First detection of each rule in order of time, with how often it came."""
    counts = Counter(each.rule.id for each in detections)
    seen: set[str] = set()
    shown = 0
    for each in detections:
        if each.rule.id in seen:
            continue
        seen.add(each.rule.id)
        if shown == MAX_ROWS:
            continue
        shown += 1
        times = f" x{counts[each.rule.id]}" if counts[each.rule.id] > 1 else ""
        time = moment(each.time)[11:] if each.time is not None else "  --    "
        level = paint.level(f"{each.rule.level:<8.8}", each.rule.level)
        yield f"{time} {level} {visible(each.rule.title)}{times}"
        told = _telling(each)
        if told:
            yield paint.dim(f"{'':18}{visible(told)[:MAX_VALUE]}")
    if len(seen) > shown:
        yield paint.dim(f"... and {counted(len(seen) - shown, 'more rule')}")


def _telling(detection: Detection) -> str:
    fields = dict(detection.evidence)
    name = next((name for name in _TELLING if name in fields), None)
    if name is None:
        return ", ".join(f"{key}={value}" for key, value in detection.evidence[:3])
    return f"{name}: {fields[name]}"


def _credits(detections: tuple[Detection, ...], paint: _Paint) -> Iterator[str]:
    """Author, id and link of every rule that is shown: the rules' licence asks for it."""
    rules = list(dict.fromkeys(each.rule for each in detections))
    for rule in rules[:MAX_ROWS]:
        author = visible(rule.author) or "unknown author"
        link = f", {visible(rule.link)}" if rule.link else ""
        yield paint.dim(f"   = rule: {visible(rule.title)} by {author}, {rule.id}{link}")


def _not_analysed(report: Report, paint: _Paint) -> Iterator[str]:
    for each in report.run.not_read:
        read = f" (read before: {counted(each.records, 'event')})" if each.records else ""
        yield f"{paint.bold('not analysed')}: {visible(each.source)}, because {visible(each.reason)}{read}"
    if report.run.unknown:
        unknown = counted(report.run.unknown, "event")
        yield (
            f"{paint.bold('not analysed')}: {unknown} of an unknown kind, because no rule can be routed there; "
            "say what they are with --source product/service"
        )
    if report.run.left_out:
        left_out = counted(report.run.left_out, "detection")
        yield f"{paint.bold('left out')}: {left_out} beyond the limits; the rules repeat"
    codes = Counter(each.code for each in report.run.problems)
    for code, count in codes.most_common():
        first = next(each for each in report.run.problems if each.code == code)
        yield (
            f"{paint.bold('rule problem')}: {count:,} {code}, such as {visible(first.title or first.rule)}: "
            f"{visible(first.reason)[:160]}"
        )


def _summary(report: Report) -> Iterator[str]:
    run = report.run
    counts = Counter(each.severity for each in report.incidents)
    parts = ", ".join(f"{counts[level]} {level}" for level in reversed(LEVELS) if counts[level])
    partial = " (partial: interrupted)" if run.partial else ""
    yield f"{counted(len(report.incidents), 'incident')}{f': {parts}' if parts else ''}{partial}"
    yield (
        f"Looked at {counted(run.events, 'event')} with {counted(run.rules, 'rule')}: "
        f"{counted(len(run.detections), 'detection')}, {len(report.loose):,} of them in no incident"
    )
