"""Programs of several files of C and C++: who means which function of another file, and the analysis that knows it.

A name means the one function of that name among the files that share a folder or a header with the caller; where there
are several, it means none.  A file's result depends on itself, on what it includes and on the files that can be reached
over ``DEPTH`` such calls, and is kept under the contents of all of them.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from glasshouse.scan.discover import SourceFile
from glasshouse.scan.execute import Done, Executor, ExecutorLimits, chunks_by_weight, executor_for
from glasshouse.scan.lowered import (
    LocalHit,
    Lowered,
    detector_hits,
    detectors_for,
    problems_of,
    shortened,
)
from glasshouse.scan.memory.links import Links
from glasshouse.scan.settings import ScanSettings
from glasshouse.words.finding import NotAnalysed

if TYPE_CHECKING:
    from glasshouse.scan.cache import Cache
    from glasshouse.scan.memory.program import FileFacts, FunctionFacts

DEPTH = 3  # calls between files that are followed
MAX_HOLDERS = 40  # files that define one name, past which it means nothing
SMALL = 100_000  # bytes of source below which starting workers costs more than it saves
Meaning = dict[str, int]


class Found(msgspec.Struct, frozen=True, array_like=True):
    """What the analysis of one file tells."""

    hits: tuple[LocalHit, ...]
    problems: tuple[NotAnalysed, ...]
    links: Links | None
    named: tuple[int, ...]  # functions that the hits are in


class Job(NamedTuple):
    """Everything the analysis of any file needs."""

    files: Sequence[SourceFile]
    results: Mapping[int, Lowered]
    headers: Mapping[int, tuple[int, ...]]
    meanings: Mapping[int, Meaning]
    settings: ScanSettings


_job: list[Job] = []
"""What forked workers find in their memory."""


def analyse(
    files: Sequence[SourceFile],
    results: dict[int, Lowered],
    headers: Mapping[int, tuple[int, ...]],
    contents: Mapping[int, bytes],
    settings: ScanSettings,
    cache: Cache | None,
    progress: Callable[[str, int, int], None] | None = None,
) -> list[NotAnalysed]:
    """Analyse the files that waited for each other, in place; those that failed are told."""
    waiting = [at for at, item in results.items() if item.links is not None and item.links.waits]
    if not waiting:
        return []
    waiting.sort()
    meanings = meanings_of(files, results, headers, waiting)
    keys = {at: key for at in waiting if (key := key_of(at, contents, meanings)) is not None}
    known = cache.get_many("joined", list(keys.values())) if cache is not None else {}
    missing = [at for at in waiting if keys.get(at, b"") not in known]
    found = {at: known[keys[at]] for at in waiting if keys.get(at, b"") in known}
    failed: list[NotAnalysed] = []
    job = Job(files, results, headers, meanings, settings)
    with cache.keeping("joined") if cache is not None else contextlib.nullcontext() as keep:
        for number, (at, outcome) in enumerate(zip(missing, outcomes(job, missing), strict=True), 1):
            if isinstance(outcome, bytes):
                found[at] = outcome
                if keep is not None and at in keys:
                    keep(keys[at], outcome)
            else:
                failed.append(NotAnalysed(files[at].path, outcome[0], outcome[1], incomplete=True))
                found[at] = ENCODER.encode(Found((), (), None, ()))
            if progress is not None:
                progress("joining", number, len(missing))
    facts_at.cache_clear()
    for at in waiting:
        results[at] = completed(results[at], DECODER.decode(found[at]))
    return failed


def completed(item: Lowered, found: Found) -> Lowered:
    """A file that waited, with what its analysis found."""
    assert item.file is not None
    file = shortened(item.file, set(found.named))
    hits = (*found.hits, *item.hits)
    return msgspec.structs.replace(item, file=file, hits=hits, problems=found.problems, links=found.links)


def meanings_of(
    files: Sequence[SourceFile],
    results: Mapping[int, Lowered],
    headers: Mapping[int, tuple[int, ...]],
    waiting: Sequence[int],
) -> dict[int, Meaning]:
    """Which file's function each name means that a file calls and does not define."""
    holders: dict[str, list[int]] = {}
    for at in waiting:
        for name in links_at(results, at).defined:
            holders.setdefault(name, []).append(at)
    folders = {at: files[at].absolute.rpartition("/")[0] for at in waiting}
    shared = {at: frozenset(headers.get(at, ())) for at in waiting}
    meanings: dict[int, Meaning] = {}
    for at in waiting:
        meaning: Meaning = {}
        for name in links_at(results, at).calls:
            some = holders.get(name, ())
            if not some or len(some) > MAX_HOLDERS:
                continue
            near = [
                other for other in some if folders[other] == folders[at] or not shared[at].isdisjoint(shared[other])
            ]
            if len(near) == 1 and near[0] != at:
                meaning[name] = near[0]
        meanings[at] = meaning
    return meanings


def links_at(results: Mapping[int, Lowered], at: int) -> Links:
    return results[at].links or Links()


def key_of(start: int, contents: Mapping[int, bytes], meanings: Mapping[int, Meaning]) -> bytes | None:
    """Stands for the contents that a file's result depends on; None where one of them is not known."""
    reached: dict[int, None] = {start: None}
    row = [start]
    for _ in range(DEPTH):
        row = list({other: None for at in row for other in meanings[at].values() if other not in reached})
        reached.update(dict.fromkeys(row))
    digest = blake2b(digest_size=20)
    for at in (start, *sorted(reached)):
        if at not in contents:
            return None
        digest.update(contents[at])
        for name, other in sorted(meanings[at].items()):
            digest.update(name.encode("utf-8", "surrogatepass") + b"=" + contents.get(other, b"") + b";")
    return digest.digest()


def outcomes(job: Job, missing: Sequence[int]) -> Iterator[bytes | tuple[str, str]]:
    """What the analysis of each file tells, or code and reason why there is nothing; in order."""
    if not missing:
        return
    weights = [job.files[at].size for at in missing]
    jobs = 1 if sum(weights) < SMALL and job.settings.jobs == 0 else job.settings.jobs
    executor = workers(jobs, job.settings)
    _job[:] = [job]
    try:
        for item in executor.map_chunks(analyse_one, chunks_by_weight(missing, weights, executor.jobs)):
            yield item.value if isinstance(item, Done) else (item.code, item.reason)
    finally:
        _job.clear()
        executor.close()


def workers(jobs: int, settings: ScanSettings) -> Executor:
    """Processes that begin with the memory of this one; where there are none, this one."""
    from glasshouse.scan.execute import InProcessExecutor

    if jobs != 1:
        from glasshouse.scan.worker_pool import forks

        if not forks():
            return InProcessExecutor()
    return executor_for(jobs, ExecutorLimits(item_seconds=settings.max_file_seconds * 2 + 10))


def analyse_one(at: int) -> bytes:
    """Analyse one file; MessagePack of ``Found``."""
    from glasshouse.scan.memory import checks

    settings = _job[0].settings
    facts = facts_at(at)
    runs = [
        run
        for run in detectors_for("c", settings.rule_paths, settings.rules, settings.cache_dir)
        if run.find is checks.find_memory
    ]
    checks.surround(facts)
    hits = detector_hits(facts.file, runs)
    named = tuple(sorted({hit.function for hit in (*hits, *_job[0].results[at].hits)}))
    return ENCODER.encode(Found(tuple(hits), tuple(problems_of(facts.file)), checks.links_for(facts.file), named))


@functools.lru_cache(maxsize=120)
def facts_at(at: int) -> FileFacts:
    """The tables of one file, with its headers and with the functions of others that it means."""
    from glasshouse.scan.memory.program import FileFacts
    from glasshouse.scan.surroundings import outside_of

    job = _job[0]
    file = job.results[at].file
    assert file is not None
    outside = outside_of(tuple(job.files[header] for header in job.headers.get(at, ())))
    facts = FileFacts(file, outside if at in job.headers else None)
    facts.elsewhere = Elsewhere(job.meanings[at], outside.functions)
    return facts


class Elsewhere:
    """Functions by name that a file sees in its headers and in other files; looked up when one is called."""

    def __init__(self, meaning: Meaning, first: Mapping[str, FunctionFacts]) -> None:
        self.meaning = meaning
        self.first = first

    def get(self, name: str) -> FunctionFacts | None:
        """The function, None if there is none."""
        found = self.first.get(name)
        if found is None and name in self.meaning:
            other = facts_at(self.meaning[name])
            index = other.by_name.get(name)
            found = other.functions[index] if index is not None else None
        return found


ENCODER = msgspec.msgpack.Encoder()
DECODER: msgspec.msgpack.Decoder[Found] = msgspec.msgpack.Decoder(Found)
