"""What can be asked for, with which input, on which targets; the only list of capabilities that this API offers."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from glasshouse.words.act import Target

MAX_PATHS = 100
Place = Annotated[str, msgspec.Meta(min_length=1, max_length=4_096, pattern=r"^/[^\x00]*$")]
Places = Annotated[tuple[Place, ...], msgspec.Meta(min_length=1, max_length=MAX_PATHS)]
CveId = Annotated[str, msgspec.Meta(pattern=r"^CVE-[0-9]{4}-[0-9]{4,10}$")]


class ScanInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Find weaknesses below ``paths``: absolute folders or files on this machine, in the key's scope.

    ``subject``: their source code, the dependencies that they list (and those of images), or the hardening of a
    system (the root of a file system, or an image).
    """

    paths: Places
    subject: Literal["code", "dependencies", "system"] = "code"
    mode: Literal["application", "library", "both"] = "both"
    languages: tuple[str, ...] = ()


class RespondInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Turn the log files ``logs`` into incidents: absolute paths on this machine, in the key's scope.

    They come gravest first; among those of a severity, what is exploited and what runs on their hosts decides.
    ``services``: a table (CSV) of services and their hosts, an absolute path in the key's scope, or nothing.
    """

    logs: Places
    min_level: Literal["informational", "low", "medium", "high", "critical"] = "low"
    services: Annotated[str, msgspec.Meta(max_length=4_096, pattern=r"^(/[^\x00]*)?$")] = ""


class ForecastInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Say how likely each of ``cves`` is to be exploited within 30, 90 and 365 days from ``as_of``."""

    cves: Annotated[tuple[CveId, ...], msgspec.Meta(min_length=1, max_length=1_000)]
    as_of: Annotated[str, msgspec.Meta(pattern=r"^([0-9]{4}-[0-9]{2}-[0-9]{2})?$")] = ""


class Work(msgspec.Struct, frozen=True):
    """One capability of the API.  ``run`` yields results and is called in a process of its own."""

    capability: str
    title: str
    input: type[msgspec.Struct]
    targets: Callable[[Any], tuple[Target, ...]]
    run: Callable[[Any, Path], Iterator[msgspec.Struct]]


def _scan(given: ScanInput, home: Path) -> Iterator[msgspec.Struct]:
    paths = [Path(each) for each in given.paths]
    if given.subject == "dependencies":
        from glasshouse.forecast.known import known_flaws
        from glasshouse.scan.dependencies import scan_dependencies

        with known_flaws(home / "forecast.db", dt.datetime.now(dt.UTC).date()) as known:
            yield from scan_dependencies(paths, known)
    elif given.subject == "system":
        from glasshouse.scan.system import scan_system

        yield from scan_system(paths)
    else:
        from glasshouse.scan import ScanSettings, scan_tree

        settings = ScanSettings(mode=given.mode, languages=given.languages, cache_dir=home / "cache")
        yield from scan_tree(paths, settings)


def _respond(given: RespondInput, home: Path) -> Iterator[msgspec.Struct]:
    from functools import partial

    from glasshouse.forecast.incidents import forecasts, host_stakes
    from glasshouse.respond.group.incidents import incidents_of
    from glasshouse.respond.read.inputs import read_logs
    from glasshouse.respond.run import Settings, detect
    from glasshouse.respond.sigma.join import joined
    from glasshouse.respond.sigma.load import STARTER, imported_sets, read_folder, rule_set
    from glasshouse.respond.sigma.signs import sign_rules
    from glasshouse.respond.stake import with_stakes
    from glasshouse.respond.threat import with_threats

    store = home / "forecast.db"
    stakes, rows_not_read = host_stakes(store, Path(given.services)) if given.services else ({}, [])
    cache = home / "cache"
    sets = [rule_set(read_folder(STARTER), cache), *(found for _, found in imported_sets(home)), sign_rules(cache)]
    with open(os.devnull, "rb") as nothing:
        run = detect(read_logs([Path(each) for each in given.logs], nothing), joined(sets), Settings(given.min_level))
    look_up = partial(forecasts, store, dt.datetime.now(dt.UTC).date())
    incidents = with_threats(incidents_of(run.detections, run.sightings).incidents, look_up)
    yield from with_stakes(incidents, stakes) if given.services else incidents
    yield from run.not_read
    yield from rows_not_read
    yield from run.problems


def _forecast(given: ForecastInput, home: Path) -> Iterator[msgspec.Struct]:
    from glasshouse.forecast.facts import day
    from glasshouse.forecast.query import Query, answer
    from glasshouse.forecast.store import FactStore

    as_of = day(given.as_of or dt.datetime.now(dt.UTC).date().isoformat())
    with FactStore(home / "forecast.db") as store:
        yield from answer(store, Query(cves=given.cves), as_of)


def _code(given: ScanInput) -> tuple[Target, ...]:
    return tuple(Target("code", os.path.realpath(each)) for each in given.paths)


def _files(given: RespondInput) -> tuple[Target, ...]:
    named = (*given.logs, given.services) if given.services else given.logs
    return tuple(Target("file", os.path.realpath(each)) for each in named)


def _records(given: ForecastInput) -> tuple[Target, ...]:
    return tuple(Target("record", each) for each in given.cves)


_ALL = (
    Work("code.scan", "Find weaknesses in code, dependencies and systems", ScanInput, _code, _scan),
    Work("events.respond", "Turn events into incidents", RespondInput, _files, _respond),
    Work("vulnerability.forecast", "Forecast exploitation", ForecastInput, _records, _forecast),
)
WORKS = {each.capability: each for each in _ALL}
