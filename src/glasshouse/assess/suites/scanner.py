"""How well the scanner tells weak code from safe code, per language and CWE, and whether harmless rewrites shake it.

The default data are the examples that every rule ships with: a check that nothing broke, not a figure for unseen code.
With ``--option truth=DIR`` a labelled set is used instead: ``ground_truth.csv`` (columns file, start_line, end_line,
cwe, label, language) and the sources below ``--option root=DIR``.
"""

from __future__ import annotations

import csv
import inspect
import tempfile
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import msgspec

from glasshouse.assess.model_file import ModelFile
from glasshouse.assess.runs import Metric, Sample, proportion
from glasshouse.assess.suite import Progress, Result, Setting, digest_of
from glasshouse.assess.suites.rewrites import REWRITES, applies
from glasshouse.words.digests import sha256_of
from glasshouse.words.errors import SuiteError

MAX_CASES = 200_000
MIN_WEAK = 10  # weak cases of a CWE below which no figure is given


class Case(msgspec.Struct, frozen=True):
    """One place that is weak or safe with respect to some CWEs; line 0 means anywhere in the file."""

    id: str
    file: str
    language: str
    cwe: tuple[int, ...]
    weak: bool
    first: int = 0
    last: int = 0


class Scanner:
    """The suite; its model is the engine with the shipped rules."""

    def run(self, model: ModelFile, setting: Setting, progress: Progress) -> Result:
        """Scans the data plain and in every rewrite."""
        truth = setting.options.get("truth", "")
        if truth:
            root = Path(setting.options.get("root", ""))
            cases = tuple(_labelled(Path(truth), root))[: setting.max_samples or MAX_CASES]
            found = {"plain": _scan(root, cases)}
            progress(1, 1)
            data, note = sha256_of((Path(truth) / "ground_truth.csv").read_bytes()), f"labelled set {truth}"
        else:
            with tempfile.TemporaryDirectory(prefix="glasshouse-suite-") as folder:
                cases, found = _examples(Path(folder), setting.max_samples, progress)
            data, note = scanner_digest(), "the rules' own examples: a regression check, not quality on unseen code"
        samples = tuple(_sample(case, how, hit) for how, hits in found.items() for case, hit in hits.items())
        return Result(
            model_digest=scanner_digest(),
            code_digest=_code_digest(),
            data_digest=data,
            metrics=tuple(metrics(found)),
            samples=samples,
            notes=(note,),
        )


def suite() -> Scanner:
    """The suite."""
    return Scanner()


def scanner_digest() -> str:
    """The digest of what the scanner is: the source of its engine and the compiled rules."""
    from glasshouse.scan.rules.loader import compile_shipped

    engine = Path(str(files("glasshouse.scan")))
    sources = sorted(engine.rglob("*.py"), key=lambda each: each.relative_to(engine).as_posix())
    parts = [part for each in sources for part in (each.relative_to(engine).as_posix().encode(), each.read_bytes())]
    return digest_of([*parts, compile_shipped()])


def _examples(folder: Path, limit: int, progress: Progress) -> tuple[tuple[Case, ...], dict[str, dict[Case, bool]]]:
    """The examples of all rules, laid out once plain and once per rewrite."""
    from glasshouse.scan.rules.examples import examples

    shown = list(examples())[: limit or None]
    cases: list[Case] = []
    found: dict[str, dict[Case, bool]] = {}
    for number, how in enumerate(("plain", *REWRITES)):
        mine: dict[Case, str] = {}
        for example in shown:
            text = example.text if how == "plain" else REWRITES[how](example.text, example.language)
            file = f"{how}/{example.rule}.{example.side}.{example.index}/{example.file_name}"
            case = Case(file, file, example.language, example.cwe, example.side == "positive")
            if how != "plain" and not applies(how, example.language):
                continue
            mine[case] = text
        for case, text in mine.items():
            path = folder / case.file
            path.parent.mkdir(parents=True)
            path.write_text(text, encoding="utf-8", newline="")
        found[how] = _scan(folder, tuple(mine))
        cases += mine
        progress(number + 1, 1 + len(REWRITES))
    return tuple(cases), found


def _labelled(truth: Path, root: Path) -> Iterator[Case]:
    file = truth / "ground_truth.csv"
    try:
        with file.open(newline="", encoding="utf-8") as stream:
            for row in csv.DictReader(stream):
                if not (root / row["file"]).is_file():
                    continue
                cwe = tuple(int(each) for each in row["cwe"].replace("CWE-", "").split(";") if each.strip().isdigit())
                lines = int(row["start_line"] or 0), int(row["end_line"] or 0)
                yield Case(row["case_id"], row["file"], row["language"], cwe, row["label"] == "vulnerable", *lines)
    except (OSError, KeyError, ValueError) as error:
        raise SuiteError(f"cannot be read as a labelled set: {error}", where=str(file)) from error


def _scan(root: Path, cases: tuple[Case, ...]) -> dict[Case, bool]:
    """Which cases a finding of one of their CWEs hits."""
    from glasshouse.scan import ScanSettings, scan_tree
    from glasshouse.words.finding import Finding

    by_file: dict[str, list[tuple[int, int, tuple[int, ...]]]] = {}
    for folder in sorted({case.file.partition("/")[0] for case in cases}):
        for result in scan_tree([root / folder], ScanSettings(cache_dir=None)):
            if isinstance(result, Finding):
                shown = result.location.path  # below the folder, or below its parent
                name = f"{folder}/{shown}" if (root / folder / shown).exists() else shown
                last = result.location.end_line or result.location.line
                by_file.setdefault(name, []).append((result.location.line, last, result.cwe))
    return {case: any(_hits(case, each) for each in by_file.get(case.file, ())) for case in cases}


def _hits(case: Case, found: tuple[int, int, tuple[int, ...]]) -> bool:
    first, last, cwe = found
    near = case.first == 0 or (first <= case.last and last >= case.first)
    return near and bool(set(cwe) & set(case.cwe))


def _sample(case: Case, how: str, hit: bool) -> Sample:
    label = "vulnerable" if case.weak else "safe"
    said = "reported" if hit else "silent"
    return Sample(f"{how}:{case.id}"[:200], case.file, said, float(hit == case.weak), f"{label}/{case.language}")


def metrics(found: dict[str, dict[Case, bool]]) -> Iterator[Metric]:
    plain = found["plain"]
    yield from _quality("", plain)
    for language in sorted({case.language for case in plain}):
        yield from _quality(f"_{language}", {case: hit for case, hit in plain.items() if case.language == language})
    for cwe, hits in _by_cwe(plain).items():
        yield from _quality(f"_cwe_{cwe}", hits)
    for how, hits in found.items():
        if how != "plain":
            weak = [hit for case, hit in hits.items() if case.weak]
            safe = [hit for case, hit in hits.items() if not case.weak]
            yield proportion(f"kept_{how}", sum(weak) + sum(not each for each in safe), len(weak) + len(safe))


def _by_cwe(hits: dict[Case, bool]) -> dict[int, dict[Case, bool]]:
    """The cases of each CWE that has enough weak ones to say something, by number."""
    numbers = sorted({cwe for case in hits for cwe in case.cwe})
    parts = {cwe: {case: hit for case, hit in hits.items() if cwe in case.cwe} for cwe in numbers}
    return {cwe: part for cwe, part in parts.items() if sum(case.weak for case in part) >= MIN_WEAK}


def _quality(suffix: str, hits: dict[Case, bool]) -> Iterator[Metric]:
    weak = [hit for case, hit in hits.items() if case.weak]
    safe = [hit for case, hit in hits.items() if not case.weak]
    yield proportion(f"recall{suffix}", sum(weak), len(weak))
    yield proportion(f"false_alarms{suffix}", sum(safe), len(safe))


def _code_digest() -> str:
    import glasshouse.assess.suites.rewrites as rewrites
    import glasshouse.assess.suites.scanner as module

    source = inspect.getsource(module) + inspect.getsource(rewrites)
    return sha256_of(source.encode())
