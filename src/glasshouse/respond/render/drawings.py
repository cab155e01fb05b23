"""The timeline and the entity graph of an incident as inline SVG; pure functions of the incident."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator
from html import escape

from glasshouse.respond.group.attack import TACTICS, tactic_of_tag
from glasshouse.respond.report import moment
from glasshouse.words.display import visible
from glasshouse.words.incident import LEVEL_RANK, Detection, Entity, Incident

WIDTH, LEFT, RIGHT, ROW = 1100, 190, 30, 30
MAX_DOTS = 400
MAX_ENTITIES, MAX_RULES = 14, 12
MAX_LABEL = 34
OTHER = "no tactic"
_IMAGES = {
    "self": ("Image", "NewProcessName", "SourceImage"),
    "": ("Image", "NewProcessName", "SourceImage"),
    "parent": ("ParentImage", "ParentProcessName"),
    "target": ("TargetImage",),
}
"""Fields that name the program of a process in a role."""


def timeline(incident: Incident) -> str:
    """Detections over time, one row per tactic in the order of the matrix; dots are rules, their colour the level."""
    timed = [each for each in incident.detections if each.time is not None][:MAX_DOTS]
    if not timed:
        return ""
    rows = sorted({_row_of(each) for each in timed}, key=lambda name: _rank(name))
    first, last = min(each.time or 0.0 for each in timed), max(each.time or 0.0 for each in timed)
    height = 40 + ROW * len(rows)
    parts = [_open(height, f"Timeline of {incident.id}")]
    for number, name in enumerate(rows):
        y = 24 + ROW * number
        parts.append(f'<text x="10" y="{y + 4}">{escape(name.replace("-", " "))}</text>')
        parts.append(f'<line x1="{LEFT}" y1="{y}" x2="{WIDTH - RIGHT}" y2="{y}"/>')
    for each in timed:
        share = ((each.time or 0.0) - first) / (last - first) if last > first else 0.5
        x = LEFT + share * (WIDTH - LEFT - RIGHT)
        y = 24 + ROW * rows.index(_row_of(each))
        told = f"{moment(each.time)} {each.rule.level}: {visible(each.rule.title)}"
        parts.append(
            f'<circle class="dot-{each.rule.level}" cx="{x:.1f}" cy="{y}" r="{4 + LEVEL_RANK[each.rule.level]}">'
            f"<title>{escape(told)}</title></circle>"
        )
    y = height - 6
    parts.append(f'<text class="dim" x="{LEFT}" y="{y}">{moment(first)}</text>')
    if moment(first) != moment(last):
        parts.append(f'<text class="dim" text-anchor="end" x="{WIDTH - RIGHT}" y="{y}">{moment(last)}</text>')
    parts.append("</svg>")
    return "".join(parts)


def _row_of(detection: Detection) -> str:
    for tag in detection.rule.tags:
        name = tactic_of_tag(tag)
        if name:
            return name
    return OTHER


def _rank(name: str) -> int:
    return TACTICS.index(name) if name in TACTICS else len(TACTICS)


def graph(incident: Incident) -> str:
    """Which rule saw which entity: rules on the left, entities on the right, a line for every pair that occurs."""
    pairs, rules, entities = _pairs(incident)
    if not pairs:
        return ""
    height = 30 + 30 * max(len(rules), len(entities))
    parts = [_open(height, f"Entities of {incident.id}")]
    left = {rule: 24 + _spread(number, len(rules), height) for number, rule in enumerate(rules)}
    right = {entity: 24 + _spread(number, len(entities), height) for number, entity in enumerate(entities)}
    for (rule, entity), count in pairs.items():
        width = 1 + math.log1p(count) / 2
        parts.append(
            f'<line class="edge" x1="392" y1="{left[rule]:.0f}" x2="708" y2="{right[entity]:.0f}" '
            f'stroke-width="{width:.1f}"/>'
        )
    levels = {each.rule.title: each.rule.level for each in incident.detections}
    programs = _programs(incident)
    for rule, y in left.items():
        parts.append(f'<text text-anchor="end" x="376" y="{y + 4:.0f}">{escape(_short(rule))}</text>')
        parts.append(f'<circle class="dot-{levels[rule]}" cx="386" cy="{y:.0f}" r="6"/>')
    for entity, y in right.items():
        label = f"{programs.get(entity, entity.kind)} {entity.name}"
        parts.append(f'<circle class="entity" cx="714" cy="{y:.0f}" r="6"/>')
        parts.append(
            f'<text x="726" y="{y + 4:.0f}">{escape(_short(label))}<title>{escape(visible(label))}</title></text>'
        )
    parts.append("</svg>")
    return "".join(parts)


def _pairs(incident: Incident) -> tuple[Counter[tuple[str, Entity]], list[str], list[Entity]]:
    pairs: Counter[tuple[str, Entity]] = Counter()
    seen: defaultdict[Entity, set[str]] = defaultdict(set)
    for detection in incident.detections:
        for plain in {Entity(each.kind, each.name, each.scope) for each in detection.entities}:
            pairs[detection.rule.title, plain] += 1
            seen[plain].add(detection.rule.title)
    entities = sorted(seen, key=lambda each: (-len(seen[each]), each))[:MAX_ENTITIES]
    rules = list(dict.fromkeys(each.rule.title for each in incident.detections))[:MAX_RULES]
    kept = Counter({key: count for key, count in pairs.items() if key[0] in rules and key[1] in entities})
    return kept, rules, entities


def _programs(incident: Incident) -> dict[Entity, str]:
    """The file names of processes, as far as the evidence tells: an identifier alone says little."""
    found: dict[Entity, str] = {}
    for detection in incident.detections:
        evidence = dict(detection.evidence)
        for entity in detection.entities:
            if entity.kind == "process":
                fields = _IMAGES.get(entity.role, ())
                image = next((evidence[field] for field in fields if evidence.get(field)), "")
                name = image.rpartition("\\")[2].rpartition("/")[2]
                if name:
                    found.setdefault(Entity("process", entity.name, entity.scope), name)
    return found


def _spread(number: int, count: int, height: int) -> float:
    return number * (height - 48) / max(count - 1, 1) if count > 1 else (height - 48) / 2


def _short(text: str) -> str:
    shown = visible(text)
    return shown if len(shown) <= MAX_LABEL + 12 else shown[: MAX_LABEL + 11] + "\N{HORIZONTAL ELLIPSIS}"


def _open(height: int, label: str) -> str:
    return f'<svg role="img" aria-label="{escape(label)}" viewBox="0 0 {WIDTH} {height}">'


def ordered(incident: Incident) -> Iterator[Detection]:
    """Detections by tactic within the same moment, then by time."""
    yield from sorted(incident.detections, key=lambda each: (each.time or 0.0, _rank(_row_of(each))))
