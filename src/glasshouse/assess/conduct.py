"""Running a suite on a model and making the record of it; clock and log stay with the caller."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from glasshouse.assess.model_file import ModelFile
from glasshouse.assess.records import RunRecorded
from glasshouse.assess.runs import Run, measured
from glasshouse.assess.suite import Progress, Result, Setting, draw, load_suite, samples_digest
from glasshouse.words.errors import SuiteError


def conduct(
    name: str, model: ModelFile, setting: Setting, clock: Callable[[], dt.datetime], progress: Progress
) -> RunRecorded:
    """Runs one suite.  Raises `SuiteError` when the weights that ran are not those that the model file names."""
    started = clock()
    result = load_suite(name).run(model, setting, progress)
    if result.model_digest != model.identity.digest:
        raise SuiteError(
            f"suite {name} ran on {result.model_digest}, but the model file names {model.identity.digest}",
            hint="Correct the digest in the model file, or install the weights that it names.",
        )
    run = Run(
        suite=name,
        model=model.identity.name,
        model_digest=result.model_digest,
        code_digest=result.code_digest,
        data_digest=result.data_digest,
        started=started,
        ended=clock(),
        seed=setting.seed,
        settings=result.settings | setting.options,
        metrics=measured(result.metrics),
        samples_digest=samples_digest(result.samples),
        samples=len(result.samples),
        repeats=result.repeats,
        safeguards=result.safeguards,
        notes=(*result.notes, *_once(setting, result)),
    )
    return RunRecorded(run, result.samples, draw(result.samples, setting.seed))


def _once(setting: Setting, result: Result) -> tuple[str, ...]:
    asked = setting.repeats > result.repeats
    return ("the same input gives the same output here, so each question was asked once",) if asked else ()
