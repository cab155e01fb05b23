"""A comparison of rankings as text."""

from __future__ import annotations

from collections.abc import Iterator

from glasshouse.forecast.compare import Comparison
from glasshouse.forecast.evaluate import Interval


def text(found: Comparison) -> Iterator[str]:
    """A line for each ranking, with 90 % intervals."""
    yield f"Listed within {found.horizon_days} days of {found.day}: {found.observed}, expected {found.expected:.1f} "
    yield f"(Brier skill {found.brier_skill:+.4f})\n\n"
    yield f"{'ranking':<20} {'rows':>9} {'listed':>7}  {'ROC-AUC':<20} {'found in first 5 %':<20} "
    yield "ours on the same rows\n"
    for row in found.rows:
        own = f"{_shown(row.ours_roc_auc)}, {_shown(row.ours_coverage_5)}"
        theirs = f"{_shown(row.roc_auc):<20} {_shown(row.coverage_5):<20}"
        yield f"{row.name:<20} {row.rows:>9,} {row.listed:>7}  {theirs} {own}\n"
    for caveat in found.caveats:
        yield f"note: {caveat}\n"


def _shown(found: Interval) -> str:
    return f"{found.value:.2f} [{found.low:.2f}, {found.high:.2f}]"
