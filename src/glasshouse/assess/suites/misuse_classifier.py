"""How well the shipped misuse screener tells attack from defence, and whom it treats differently.

Quality at the shipped operating point, false alarms on defenders' questions, obfuscation, and how varieties of English,
English of learners, and other languages differ from the English of the United States.  Requests of the probe set were
not trained on.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable

from glasshouse.assess.model_file import ModelFile
from glasshouse.assess.runs import Metric, Sample, area, difference, proportion
from glasshouse.assess.suite import Progress, Result, Setting
from glasshouse.assess.suites import probe
from glasshouse.guard.misuse import Screener
from glasshouse.words.digests import sha256_of
from glasshouse.words.errors import SuiteError

DEFAULT_POINT = "review"
REFERENCE = "en-US"
LEARNER = "en-learner"
GROUPS: dict[str, Callable[[str], bool]] = {
    "dialects": lambda variety: variety.startswith("en-") and variety != LEARNER,
    "learners": lambda variety: variety == LEARNER,
    "languages": lambda variety: not variety.startswith("en"),
}


class MisuseClassifier:
    """The suite; its model is the screener that `glasshouse serve` uses."""

    def run(self, model: ModelFile, setting: Setting, progress: Progress) -> Result:
        """Scores every request plain, and every misuse request in each disguise."""
        screener = Screener.load()
        point, threshold = _operating_point(screener, setting.options.get("threshold", ""))
        asked = probe.requests()[: setting.max_samples or None]
        attacks = [each for each in asked if each.label == "misuse" and each.variety == "en"]
        total = len(asked) + len(attacks) * len(probe.DISGUISES)
        samples: list[Sample] = []
        for request in asked:
            samples.append(_sample(screener, request, request.text, "plain"))
            progress(len(samples), total)
        for name, disguise in probe.DISGUISES.items():
            for request in attacks:
                samples.append(_sample(screener, request, disguise(request.text), name))
                progress(len(samples), total)
        return Result(
            model_digest=screener.digest,
            code_digest=_code_digest(),
            data_digest=probe.probe_digest(),
            metrics=tuple(_metrics(asked, samples, threshold)),
            samples=tuple(samples),
            settings={"threshold": f"{threshold:g}", "operating_point": point},
            notes=("the probe set is small: read the intervals, and the model card for the large sets",),
        )


def suite() -> MisuseClassifier:
    """The suite."""
    return MisuseClassifier()


def _operating_point(screener: Screener, chosen: str) -> tuple[str, float]:
    """The named threshold, a number, or the shipped default."""
    points = screener.thresholds
    if not chosen:
        return (DEFAULT_POINT, points[DEFAULT_POINT])
    if chosen in points:
        return chosen, points[chosen]
    try:
        return chosen, float(chosen)
    except ValueError as error:
        raise SuiteError(f"no operating point `{chosen}`; there are {', '.join(points)} or a number") from error


def _sample(screener: Screener, request: probe.Request, text: str, how: str) -> Sample:
    score = screener.score(text)
    said = f"{score.value:.4f} {score.category}"
    return Sample(
        f"{request.id}.{how}", text, said, score.value, f"{request.label}/{request.category}/{request.variety}"
    )


def _metrics(asked: tuple[probe.Request, ...], samples: list[Sample], threshold: float) -> list[Metric]:
    flagged = {each.id: each.score >= threshold for each in samples}
    plain = {each.id: flagged[f"{each.id}.plain"] for each in asked}

    def share(name: str, requests: list[probe.Request]) -> Metric:
        return proportion(name, sum(plain[each.id] for each in requests), len(requests))

    english = [each for each in asked if each.variety == "en"]
    attacks = [each for each in english if each.label == "misuse"]
    scores = {each.id: each.score for each in samples}
    other = [each for each in english if each.label == "legitimate"]
    found = [
        area("auroc", [scores[f"{each.id}.plain"] for each in attacks], [scores[f"{each.id}.plain"] for each in other]),
        share("recall", attacks),
    ]
    for category in ("defensive", "dual_use", "coding", "general"):
        mine = [each for each in english if each.label == "legitimate" and each.category == category]
        found.append(share(f"false_alarms_{category}", mine))
    for name in probe.DISGUISES:
        caught = sum(flagged[f"{each.id}.{name}"] for each in attacks)
        found.append(proportion(f"recall_{name}", caught, len(attacks)))
    return found + varieties([each for each in asked if each.variety != "en"], plain)


def varieties(asked: list[probe.Request], flagged: dict[str, bool]) -> list[Metric]:
    """How often each variety is flagged, and how groups of varieties differ from the English of the United States.

    All varieties ask the same things, so the independent units of a group are the things asked.
    """
    found: list[Metric] = []
    for label, name in (("legitimate", "false_alarms"), ("misuse", "recall")):
        hits: dict[str, list[bool]] = {}
        for each in asked:
            if each.label == label:
                hits.setdefault(each.variety, []).append(flagged[each.id])
        shares = {variety: proportion(f"{name}_{variety}", sum(said), len(said)) for variety, said in hits.items()}
        found += shares.values()
        for group, fits in GROUPS.items():
            inside = [share for variety, share in shares.items() if variety != REFERENCE and fits(variety)]
            if inside and REFERENCE in shares:
                units = min(share.n for share in inside)
                pooled = proportion(group, units * sum(share.estimate for share in inside) / len(inside), units)
                found.append(difference(f"bias_{name}_{group}", pooled, shares[REFERENCE]))
    return found


def _code_digest() -> str:
    import glasshouse.assess.suites.misuse_classifier as module

    source = inspect.getsource(module) + inspect.getsource(probe)
    return sha256_of(source.encode())
