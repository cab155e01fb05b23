"""The pipeline of a scan: discover, lower in workers, analyse together, report."""

from __future__ import annotations

import contextlib
import gc
import importlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from glasshouse.scan import ir, lowered, stored
from glasshouse.scan.discover import DiscoverSettings, ReadLimits, SourceFile, discover, read_source
from glasshouse.scan.execute import Done, ExecutorLimits, Outcome, chunks_by_weight, executor_for
from glasshouse.scan.includes import headers_of, with_headers
from glasshouse.scan.lowered import LocalHit, Lowered, Task, lower_task, rules_for
from glasshouse.scan.rules.schema import Rule
from glasshouse.scan.settings import ScanSettings
from glasshouse.scan.stored import Results
from glasshouse.scan.suppress import Ignore, apply_ignores
from glasshouse.words.errors import NothingToAnalyseError
from glasshouse.words.finding import NotAnalysed, Result, ScanSummary, UnusedIgnore

if TYPE_CHECKING:
    from glasshouse.scan.kept import Kept

Progress = Callable[[str, int, int], None]
SMALL = 60_000  # bytes of source below which starting workers costs more than it saves
ALONE = 300_000  # the same for a single file, which workers cannot share


def scan_tree(
    paths: Sequence[Path], settings: ScanSettings | None = None, progress: Progress | None = None
) -> Iterator[Result]:
    """Findings, files not analysed and, last, a summary.

    Raises ``PathError`` for a path that does not exist and ``NothingToAnalyseError`` when no file is in a language we
    read.  ``progress`` gets (phase, done, total).  With ``settings.cache_dir``, what has not changed since an earlier
    scan is not read or analysed again; the results are the same with and without.
    """
    settings = settings or ScanSettings()
    files, problems = discovered(paths, settings)
    if not files and not any(problem.incomplete for problem in problems):
        raise nothing_to_analyse(paths, problems)
    if settings.cache_dir is None:
        yield from scan_files(files, problems, settings, progress, None).all()
        return
    from glasshouse.scan.cache import Cache
    from glasshouse.scan.kept import Kept

    with Cache(settings.cache_dir) as cache:
        chosen = stored.settings_key(settings)
        key = stored.tree_key(chosen, files, problems)
        results = stored.known_results(cache, key)
        if results is None:
            kept = Kept(cache, chosen, stored.record_key(chosen, paths))
            results = scan_files(files, problems, settings, progress, kept)
            if not any(problem.code in PASSING for problem in results.problems):
                stored.keep_results(cache, key, results)
            cache.prune(stored.MAX_CACHE_BYTES)
    yield from results.all()


def nothing_to_analyse(paths: Sequence[Path], problems: Sequence[NotAnalysed]) -> NothingToAnalyseError:
    """The error for a tree without a source file; it says what was left out, because that is mostly why."""
    names = ", ".join(str(path) for path in paths)
    left_out = Counter(problem.reason for problem in problems)
    if not left_out:
        return NothingToAnalyseError("there is no source file in a language we read", where=names)
    (reason, count), others = left_out.most_common(1)[0], len(left_out) - 1
    what = f"no source file is left to read; {count} left out as {reason}" + (
        f", and {others} more reasons" * (others > 0)
    )
    hint = "`--no-ignore-files` reads what ignore files leave out; `glasshouse scan --help` lists the languages."
    return NothingToAnalyseError(what, where=names, hint=hint)


PASSING = frozenset(["crashed", "timeout", "error", "vanished", "unreadable"])  # reasons that may be gone next time


def scan_files(
    files: Sequence[SourceFile],
    problems: list[NotAnalysed],
    settings: ScanSettings,
    progress: Progress | None,
    kept: Kept | None,
) -> Results:
    """Lower what is not in the cache, analyse everything together, and report."""
    with without_collecting():
        results, failed = lower_all(files, settings, progress, kept)
        problems.extend(failed)
        return report(files, results, problems, settings, progress, kept)


@contextlib.contextmanager
def without_collecting() -> Iterator[None]:
    """No search for cycles of garbage: it would go through the whole program again and again, and find nothing."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def discovered(paths: Sequence[Path], settings: ScanSettings) -> tuple[list[SourceFile], list[NotAnalysed]]:
    files: list[SourceFile] = []
    problems: list[NotAnalysed] = []
    options = DiscoverSettings(
        languages=frozenset(settings.languages),
        ignore_files=settings.ignore_files,
        max_file_bytes=settings.max_file_bytes,
        max_files=settings.max_files,
    )
    for item in discover(paths, options):
        if isinstance(item, NotAnalysed):
            unwanted = item.code == "too-large" and not settings.include_tests and is_test(item.path)
            problems.append(msgspec.structs.replace(item, incomplete=False) if unwanted else item)
        elif settings.include_tests or item.named or not is_test(item.path):
            files.append(item)
    return files, problems


def is_test(path: str) -> bool:
    """Whether a path looks like test code."""
    folders, _, name = path.rpartition("/")
    parts = folders.split("/")
    return (
        any(part in ("test", "tests", "__tests__", "testing") for part in parts)
        or name.startswith("test_")
        or name.rpartition(".")[0].endswith(("_test", ".test", ".spec", "Test", "Tests"))
    )


def lower_all(
    files: Sequence[SourceFile],
    settings: ScanSettings,
    progress: Progress | None,
    kept: Kept | None,
) -> tuple[dict[int, Lowered], list[NotAnalysed]]:
    """Lower every file that the cache does not know; results by position, and the files that failed."""
    results: dict[int, Lowered] = {}
    contents: dict[int, bytes] = {}
    cache = kept.cache if kept is not None else None
    if kept is not None:
        contents = stored.content_keys(kept.cache, kept.chosen, files)
    headers = headers_of(files, contents, cache)
    if kept is not None:
        contents = kept.contents = with_headers(contents, headers)
        blobs = kept.cache.get_many("lowered", list(contents.values()))
        for position, content in contents.items():
            blob = blobs.get(content)
            if blob is not None:
                kept.lowered[content] = blob
                results[position] = lowered.decode_lazily(blob)
    missing = [position for position in range(len(files)) if position not in results]
    failed: list[NotAnalysed] = []
    with cache.keeping("lowered") if cache is not None else contextlib.nullcontext() as keep:
        for number, (position, outcome) in enumerate(lower_missing(files, missing, settings, progress, headers)):
            if number == 0:  # all cores are busy now, later one would wait for the engine
                importlib.import_module("glasshouse.scan.report")
            if not isinstance(outcome, Done):
                failed.append(NotAnalysed(files[position].path, outcome.code, outcome.reason, incomplete=True))
                continue
            decode = lowered.decode_lazily if files[position].language == "c" else lowered.decode
            made = results[position] = decode(outcome.value)
            if made.stable and position in contents and kept is not None and keep is not None:
                if len(missing) <= kept.most:
                    kept.lowered[contents[position]] = outcome.value
                keep(contents[position], outcome.value)
    if any(item.links is not None and item.links.waits for item in results.values()):
        from glasshouse.scan.joined import analyse

        failed.extend(analyse(files, results, headers, contents, settings, cache, progress))
    return results, failed


def lower_missing(
    files: Sequence[SourceFile],
    missing: Sequence[int],
    settings: ScanSettings,
    progress: Progress | None,
    headers: Mapping[int, tuple[int, ...]],
) -> Iterator[tuple[int, Outcome]]:
    """Lower files in worker processes (or here, when there is little to do)."""
    if not missing:
        return
    for language in sorted({files[position].language for position in missing}):
        rules_for(language, settings.rule_paths, settings.rules, settings.cache_dir)
    several = sum(file.language == "c" for file in files) > 1
    tasks = [
        Task(
            files[position],
            settings.max_file_bytes,
            settings.max_file_seconds,
            settings.rule_paths,
            settings.rules,
            settings.cache_dir,
            tuple(files[at] for at in headers.get(position, ())),
            several,
        )
        for position in missing
    ]
    weights = [files[position].size for position in missing]
    small = sum(weights) < (ALONE if len(weights) == 1 else SMALL)
    jobs = 1 if small and settings.jobs == 0 else settings.jobs
    executor = executor_for(jobs, ExecutorLimits(item_seconds=settings.max_file_seconds * 2 + 10), settings.cluster)
    chunks = chunks_by_weight(tasks, weights, executor.jobs, per_job=32)  # small: nobody waits for the last one
    starts = [0]
    for chunk in chunks:
        starts.append(starts[-1] + len(chunk))
    try:
        for number, outcome in enumerate(executor.map_chunks(lower_task, chunks)):
            yield missing[starts[outcome.chunk] + outcome.item], outcome
            if progress is not None:
                progress("reading", number + 1, len(missing))
    finally:
        executor.close()


def report(
    files: Sequence[SourceFile],
    results: dict[int, Lowered],
    problems: list[NotAnalysed],
    settings: ScanSettings,
    progress: Progress | None,
    kept: Kept | None,
) -> Results:
    """Analyse what was lowered together, and make the results."""
    from glasshouse.scan.analysis import analyse  # most of the engine; not needed when nothing has changed
    from glasshouse.scan.memory.links import told_apart
    from glasshouse.scan.report import Reporter

    order = [position for position in range(len(files)) if position in results]
    programs: list[ir.File] = []
    local: list[tuple[int, LocalHit]] = []
    ignores: dict[str, Sequence[Ignore]] = {}
    for position in order:
        item = results[position]
        problems.extend(item.problems)
        if item.file is None:
            continue
        local.extend((len(programs), hit) for hit in item.hits)
        if item.ignores:
            ignores[item.file.path] = item.ignores
        programs.append(item.file)
    languages = sorted({file.language for file in programs})
    rules = {name: rules_for(name, settings.rule_paths, settings.rules, settings.cache_dir) for name in languages}

    def tell(done: int, total: int) -> None:
        if progress is not None:
            progress("analysing", done, total)

    sources = [position for position in order if results[position].file is not None]
    earlier = kept.recall(sources, programs) if kept is not None else None
    analysis = analyse(programs, rules, tell, settings.jobs, earlier=earlier)
    if kept is not None and all(results[position].stable for position in sources):
        kept.keep(sources, programs)
    problems.extend(analysis.problems)
    by_path = {file.path: file for file in files}
    reporter = Reporter(analysis, lambda path: source_lines(by_path[path], settings), settings.mode)
    every: dict[str, Rule] = {}
    for found in rules.values():
        every.update(found.rules)
    if settings.mode == "both" and "c" in languages:
        local = told_apart(local, [results[position] for position in sources], every)
    findings = reporter.findings(local, every)
    unused: Sequence[UnusedIgnore] = ()
    if settings.inline_ignores:
        findings, unused = apply_ignores(findings, ignores, every)
    problems.sort(key=lambda item: (item.path, item.code, item.line))
    counted = Counter(file.language for file in programs)
    summary = ScanSummary(
        files=len(programs),
        lines=sum(file.lines for file in programs),
        functions=sum(len(file.functions) for file in programs),
        languages=dict(sorted(counted.items())),
        findings=sum(1 for item in findings if item.suppressed is None),
        suppressed=sum(1 for item in findings if item.suppressed is not None),
        not_analysed=dict(sorted(Counter(item.code for item in problems).items())),
        mode=settings.mode,
        notes=analysis.notes,
    )
    return Results(tuple(findings), tuple(unused), tuple(problems), summary)


def source_lines(file: SourceFile, settings: ScanSettings) -> list[bytes]:
    """The lines of a file, read again for the report ([] if it has gone)."""
    data = read_source(file, ReadLimits(settings.max_file_bytes, False, False))
    return [] if isinstance(data, NotAnalysed) else data.split(b"\n")
