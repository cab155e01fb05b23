"""Bars as inline SVG: coloured by variables of the page, named for screen readers, equal bytes for equal figures."""

from __future__ import annotations

from html import escape

from glasshouse.dossier.document import Chart
from glasshouse.words.display import visible

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 720, 220, 48, 34, 26
MAX_LABELS = 12


def svg(chart: Chart) -> str:
    """The chart as a ``<figure>``; nothing for a chart without labels."""
    if not chart.labels:
        return ""
    top = max((value for values in chart.series.values() for value in values), default=0.0) or 1.0
    parts = [*_axis(top), *_bars(chart, top), *_labels(chart), *_legend(chart)]
    title = escape(visible(chart.title))
    said = "; ".join(f"{name}: {', '.join(f'{value:g}' for value in values)}" for name, values in chart.series.items())
    return (
        f'<figure><figcaption>{title}</figcaption><svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{title}: {escape(visible(said))}">{"".join(parts)}</svg></figure>'
    )


def _axis(top: float) -> list[str]:
    lines = []
    for share in (0.0, 0.5, 1.0):
        y = _y(share * top, top)
        lines.append(f'<line class="axis" x1="{LEFT}" x2="{WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>')
        lines.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{share * top:.3g}</text>')
    return lines


def _y(value: float, top: float) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * value / top


def _slot(chart: Chart) -> float:
    return (WIDTH - LEFT) / len(chart.labels)


def _bars(chart: Chart, top: float) -> list[str]:
    slot, many = _slot(chart), max(1, len(chart.series))
    width = slot * 0.8 / many
    bars = []
    for number, values in enumerate(chart.series.values()):
        for place, value in enumerate(values):
            x, y = LEFT + slot * (place + 0.1) + width * number, _y(value, top)
            height = HEIGHT - BOTTOM - y
            size = f'width="{width * 0.92:.1f}" height="{height:.1f}"'
            bars.append(f'<rect class="s{number % 3}" x="{x:.1f}" y="{y:.1f}" {size}/>')
    return bars


def _labels(chart: Chart) -> list[str]:
    slot, step = _slot(chart), -(-len(chart.labels) // MAX_LABELS)
    return [
        f'<text x="{LEFT + slot * (place + 0.5):.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">'
        f"{escape(visible(label))}</text>"
        for place, label in enumerate(chart.labels)
        if place % step == 0
    ]


def _legend(chart: Chart) -> list[str]:
    shown, x = [], float(LEFT)
    for number, name in enumerate(chart.series):
        shown.append(f'<rect class="s{number % 3}" x="{x:.0f}" y="4" width="10" height="10"/>')
        shown.append(f'<text x="{x + 15:.0f}" y="13">{escape(visible(name))}</text>')
        x += 32 + 6.5 * len(name)
    return shown
