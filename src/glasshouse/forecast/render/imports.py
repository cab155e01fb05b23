"""What an import did, and what the store holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from glasshouse.forecast.facts import iso
from glasshouse.forecast.importers.run import ImportReport
from glasshouse.forecast.store import Feed
from glasshouse.words.display import counted, visible

SHOWN = 20


def text(report: ImportReport) -> Iterator[str]:
    """One line, and the records that were left out."""
    yield (
        f"{report.kind}: {counted(report.facts, 'new fact')}, "
        f"{counted(report.advisories, 'new advisory', 'new advisories')} "
        f"from {counted(report.documents, 'document')} ({report.known:,} known already)\n"
    )
    if report.rejected:
        yield f"{counted(report.rejected, 'record')} left out:\n"
        for item in report.listed[:SHOWN]:
            yield f"  {visible(item.where)}: {visible(item.why)}\n"
        if report.rejected > SHOWN:
            yield f"  and {report.rejected - SHOWN:,} more\n"


def feeds(found: Sequence[Feed]) -> Iterator[str]:
    """A line for each source."""
    yield f"{'source':<28} {'facts':>12}  first known  last known\n"
    for feed in found:
        yield f"{visible(feed.source):<28} {feed.facts:>12,}  {iso(feed.first)}   {iso(feed.last)}\n"
