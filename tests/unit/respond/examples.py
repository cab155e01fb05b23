"""Hand-made detections and incidents."""

from __future__ import annotations

from typing import Any

from glasshouse.words.incident import Detection, Entity, Incident, Level, RuleRef, Technique

START = 1_700_000_000.0


def rule(name: str = "tool", level: Level = "high", tags: tuple[str, ...] = ("attack.t1003.001",)) -> RuleRef:
    """A rule with author, id and link."""
    return RuleRef(f"id-{name}", f"Rule {name}", "A. Tester", f"https://rules.example/{name}", level, "", tags)


def detection(offset: float = 0.0, *, by: RuleRef | None = None, host: str = "ws1", **more: Any) -> Detection:
    """A detection some seconds after the start; ``more`` are entities by kind."""
    found = [Entity("host", host)] if host else []
    for kind, names in more.items():
        scope = host if kind in ("process", "session", "file", "service") else ""
        found += [Entity(kind, name, scope) for name in ([names] if isinstance(names, str) else names)]  # type: ignore[arg-type]
    evidence = (("CommandLine", "tool.exe <script>alert(1)</script>"),)
    return Detection(by or rule(), START + offset, host, "log.json", int(offset), tuple(found), evidence)


def incident(*detections: Detection, severity: Level = "critical", techniques: tuple[str, ...] = ()) -> Incident:
    """An incident of some detections."""
    from glasshouse.respond.group.attack import attack

    known = attack()
    named = tuple(Technique(each, known.name(each), known.tactics(each), 0.9, ()) for each in techniques)
    group = detections or (detection(),)
    entities = tuple(dict.fromkeys(entity for each in group for entity in each.entities))
    hosts = tuple(dict.fromkeys(each.host for each in group if each.host))
    times = [each.time for each in group if each.time is not None]
    return Incident(
        "INC-12345678",
        "Something on ws1",
        severity,
        20.0,
        min(times),
        max(times),
        hosts,
        entities,
        group,
        (),
        named,
        (),
    )
