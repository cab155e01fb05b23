"""How well incidents are told apart and named on made-up recordings: the grouping model and the ranker of techniques.

No set of labelled recordings may ship, so these suites play scripts of our own (`incident_scripts`).  Their authors
wrote the rules too: the figures say whether something broke and how conditions compare, not how well real attacks fare.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

from glasshouse.assess.model_file import ModelFile
from glasshouse.assess.runs import Metric, Sample, mean, proportion
from glasshouse.assess.suite import Progress, Result, Setting, digest_of
from glasshouse.assess.suites import incident_scripts
from glasshouse.assess.suites.incident_scripts import Condition, Played, Script, play, scripts
from glasshouse.respond.group import likeness, techniques
from glasshouse.respond.group.agreement import b_cubed_each, by_pause
from glasshouse.respond.group.attack import parent
from glasshouse.respond.group.incidents import incidents_of
from glasshouse.respond.group.link import grouped
from glasshouse.respond.read.interface import Chunk
from glasshouse.respond.run import Run, detect
from glasshouse.respond.sigma.ir import RuleSet
from glasshouse.respond.sigma.join import joined
from glasshouse.respond.sigma.load import STARTER, read_folder, rule_set
from glasshouse.respond.sigma.signs import sign_rules
from glasshouse.words.digests import sha256_of

CONDITIONS = (
    Condition("calm"),
    Condition("dense", hours=1.0),
    Condition("slow", slow=10.0),
    Condition("dense_and_slow", hours=4.0, slow=10.0),
    Condition("one_user", one_user=True),
)
FLEETS = 4  # of each condition
PLAYS = 4  # of each script alone
PAUSE_S = 60.0
NOTE = "synthetic: scripts of our own and our own rules; a check that nothing broke, and of how conditions compare"


class Grouping:
    """The suite of the grouping model."""

    def run(self, model: ModelFile, setting: Setting, progress: Progress) -> Result:
        """Plays fleets in each condition and compares incidents with recordings."""
        metrics: list[Metric] = []
        samples: list[Sample] = []
        fleets = [(condition, number) for condition in CONDITIONS for number in range(FLEETS)]
        found: dict[str, list[tuple[float, float]]] = {each.name: [] for each in CONDITIONS}
        plain: dict[str, list[tuple[float, float]]] = {each.name: [] for each in CONDITIONS}
        for done, (condition, number) in enumerate(fleets):
            played = play(condition, setting.seed + number)
            run = _run(played)
            truth = [played.recording[each.record] for each in run.detections]
            scored = b_cubed_each(truth, grouped(run.detections).groups)
            found[condition.name] += scored.values()
            plain[condition.name] += b_cubed_each(truth, by_pause(run.detections, PAUSE_S)).values()
            samples += _samples(f"{condition.name}.{number}", played, scored)
            progress(done + 1, len(fleets))
        for name in found:
            metrics += _agreement(name, found[name])
            metrics.append(_f1(f"f1_host_and_minute_{name}", plain[name]))
        return Result(
            model_digest=sha256_of(likeness.MODEL.read_bytes()),
            code_digest=_code_digest(),
            data_digest=_data_digest(),
            metrics=tuple(metrics),
            samples=tuple(samples[: setting.max_samples or None]),
            settings={"fleets": str(FLEETS), "recordings": str(CONDITIONS[0].recordings)},
            notes=(NOTE, "host_and_minute: a host's detections until it is quiet for a minute"),
        )


class Naming:
    """The suite of the ranker of techniques."""

    def run(self, model: ModelFile, setting: Setting, progress: Progress) -> Result:
        """Plays each attack alone and compares the techniques that its incidents name with those of the script."""
        attacks = [each for each in scripts() if each.techniques]
        precision: list[float] = []
        recall: list[float] = []
        first: list[float] = []
        samples: list[Sample] = []
        for done, script in enumerate(attacks):
            rows = [_named(script, setting.seed + number) for number in range(PLAYS)]
            hits = [sum(each in script.techniques for each in row) for row in rows]
            precision.append(sum(hits) / max(1, sum(map(len, rows))))
            recall.append(sum(hits) / (PLAYS * len(script.techniques)))
            first.append(sum(row[:1] != [] and row[0] in script.techniques for row in rows) / PLAYS)
            for number, row in enumerate(rows):
                right = sum(each in script.techniques for each in row) / max(1, len({*row, *script.techniques}))
                told = " ".join(script.techniques)
                samples.append(Sample(f"{script.id}.{number}", script.id, " ".join(row), right, told))
            progress(done + 1, len(attacks))
        shares = (("precision", precision), ("recall", recall), ("first_right", first))
        return Result(
            model_digest=sha256_of(techniques.MODEL.read_bytes()),
            code_digest=_code_digest(),
            data_digest=_data_digest(),
            metrics=tuple(proportion(name, sum(values), len(values)) for name, values in shares),
            samples=tuple(samples[: setting.max_samples or None]),
            settings={"plays": str(PLAYS)},
            notes=(NOTE, "techniques without their sub-techniques; each script counts once"),
        )


def grouping() -> Grouping:
    """The suite of the grouping model."""
    return Grouping()


def naming() -> Naming:
    """The suite of the ranker."""
    return Naming()


@lru_cache(maxsize=1)
def _rules() -> RuleSet:
    return joined([rule_set(read_folder(STARTER), None), sign_rules(None)])


def _run(played: Played) -> Run:
    events: list[dict[str, Any]] = [dict(each) for each in played.events]
    return detect([Chunk("synthetic", 0, events, 1_000, None)], _rules())


def _named(script: Script, seed: int) -> list[str]:
    """The techniques that the incidents of one recording name, the likeliest first."""
    run = _run(play(Condition("alone", recordings=1, hosts=1, hours=1.0), seed, (script,)))
    made = incidents_of(run.detections, run.sightings).incidents
    named = sorted((each for incident in made for each in incident.techniques), key=lambda each: -each.score)
    return list(dict.fromkeys(parent(each.id) for each in named))


def _agreement(name: str, found: list[tuple[float, float]]) -> Iterator[Metric]:
    yield mean(f"precision_{name}", [precision for precision, _ in found])
    yield mean(f"recall_{name}", [recall for _, recall in found])
    yield _f1(f"f1_{name}", found)


def _f1(name: str, found: Iterable[tuple[float, float]]) -> Metric:
    """The mean over recordings of the harmonic mean of precision and recall."""
    return mean(name, [2 * precision * recall / (precision + recall) for precision, recall in found])


def _samples(fleet: str, played: Played, scored: dict[int, tuple[float, float]]) -> Iterator[Sample]:
    for recording, (precision, recall) in sorted(scored.items()):
        said = f"precision {precision:.3f}, recall {recall:.3f}"
        script = played.scripts[recording]
        kind = "ordinary work" if script.ordinary else "attack"
        yield Sample(f"{fleet}.{recording}", script.id, said, min(precision, recall), kind)


def _data_digest() -> str:
    rules = [each.read_bytes() for each in sorted(STARTER.glob("*.yml"))]
    return digest_of([incident_scripts.FILE.read_bytes(), *rules])


def _code_digest() -> str:
    import glasshouse.assess.suites.incidents as module

    return sha256_of((inspect.getsource(module) + inspect.getsource(incident_scripts)).encode())
