"""The pipeline of a scan: discover, lower in workers, analyse together, report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec

from glasshouse.scan import lowered
from glasshouse.scan.analysis import analyse
from glasshouse.scan.discover import DiscoverSettings, ReadLimits, SourceFile, discover, read_source
from glasshouse.scan.execute import Done, ExecutorLimits, chunks_by_weight, executor_for
from glasshouse.scan.lowered import LocalHit, Lowered, Task, lower_task, rules_for
from glasshouse.scan.report import Reporter
from glasshouse.scan.rules.schema import Rule
from glasshouse.scan.settings import ScanSettings
from glasshouse.scan.suppress import Ignore, apply_ignores
from glasshouse.words.errors import NothingToAnalyseError
from glasshouse.words.finding import Finding, NotAnalysed, Result, ScanSummary

Progress = Callable[[str, int, int], None]
SMALL = 60_000  # bytes of source below which starting workers costs more than it saves


def scan_tree(
    paths: Sequence[Path], settings: ScanSettings | None = None, progress: Progress | None = None
) -> Iterator[Result]:
    """Findings, files not analysed and, last, a summary.

    Raises ``PathError`` for a path that does not exist and ``NothingToAnalyseError`` when no file is in a language we
    read.  ``progress`` gets (phase, done, total).
    """
    settings = settings or ScanSettings()
    files, problems = discovered(paths, settings)
    if not files and not any(problem.incomplete for problem in problems):
        names = ", ".join(str(path) for path in paths)
        raise NothingToAnalyseError("there is no source file in a language we read", where=names)
    results, failed = lower_all(files, settings, progress)
    problems.extend(failed)
    yield from report(files, results, problems, settings, progress)


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
            problems.append(item)
        else:
            files.append(item)
    return files, problems


def lower_all(
    files: Sequence[SourceFile], settings: ScanSettings, progress: Progress | None
) -> tuple[dict[int, Lowered], list[NotAnalysed]]:
    """Lower every file; results by position, and the files that failed."""
    for language in sorted({file.language for file in files}):
        rules_for(language, settings.rule_paths, settings.rules, settings.cache_dir)
    tasks = [
        Task(
            file,
            settings.max_file_bytes,
            settings.max_file_seconds,
            settings.rule_paths,
            settings.rules,
            settings.cache_dir,
        )
        for file in files
    ]
    total = sum(file.size for file in files)
    jobs = 1 if total < SMALL and settings.jobs == 0 else settings.jobs
    executor = executor_for(jobs, ExecutorLimits(item_seconds=settings.max_file_seconds * 2 + 10))
    chunks = chunks_by_weight(tasks, [file.size for file in files], jobs or 2)
    starts = [0]
    for chunk in chunks:
        starts.append(starts[-1] + len(chunk))
    results: dict[int, Lowered] = {}
    failed: list[NotAnalysed] = []
    try:
        for number, outcome in enumerate(executor.map_chunks(lower_task, chunks)):
            position = starts[outcome.chunk] + outcome.item
            if isinstance(outcome, Done):
                results[position] = lowered.decode(outcome.value)
            else:
                failed.append(NotAnalysed(files[position].path, outcome.code, outcome.reason, incomplete=True))
            if progress is not None:
                progress("reading", number + 1, len(files))
    finally:
        executor.close()
    return results, failed


def report(
    files: Sequence[SourceFile],
    results: dict[int, Lowered],
    problems: list[NotAnalysed],
    settings: ScanSettings,
    progress: Progress | None,
) -> Iterator[Result]:
    """Analyse what was lowered and yield the results."""
    order = [position for position in range(len(files)) if position in results]
    programs = []
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

    analysis = analyse(programs, rules, tell)
    by_path = {file.path: file for file in files}
    reporter = Reporter(analysis, lambda path: source_lines(by_path[path], settings), settings.mode)
    every: dict[str, Rule] = {}
    for found in rules.values():
        every.update(found.rules)
    findings = reporter.findings(local, every)
    unused: Sequence[Result] = ()
    if settings.inline_ignores:
        findings, unused = apply_ignores(findings, ignores, every)
    yield from findings
    yield from unused
    problems.sort(key=lambda item: (item.path, item.code, item.line))
    yield from problems
    counted = Counter(file.language for file in programs)
    yield ScanSummary(
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


def source_lines(file: SourceFile, settings: ScanSettings) -> list[bytes]:
    """The lines of a file, read again for the report ([] if it has gone)."""
    data = read_source(file, ReadLimits(settings.max_file_bytes, False, False))
    return [] if isinstance(data, NotAnalysed) else data.split(b"\n")


__all__ = ["Finding", "scan_tree"]
_ = msgspec
