"""Drawings as inline SVG: intervals on a logarithmic scale, lines with a band, a treemap.  Numbers in, markup out."""

from __future__ import annotations

from collections.abc import Sequence
from math import log10
from typing import NamedTuple

from glasshouse.forecast.render.page import safe

LOWEST = 1e-6


class Box(NamedTuple):
    """A rectangle."""

    x: float
    y: float
    width: float
    height: float


def interval(low: float, value: float, high: float, width: int = 180, height: int = 18) -> str:
    """A probability with its interval, from one in a million to one, logarithmic."""

    def at(probability: float) -> float:
        share = (log10(max(probability, LOWEST)) - log10(LOWEST)) / -log10(LOWEST)
        return 4 + share * (width - 8)

    middle = height / 2
    ticks = "".join(
        f'<line class="grid" x1="{at(10.0**power):.1f}" x2="{at(10.0**power):.1f}" y1="2" y2="{height - 2}"/>'
        for power in range(-6, 1)
    )
    return (
        f'<svg class="interval" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'aria-hidden="true">{ticks}'
        f'<line class="span" x1="{at(low):.1f}" x2="{at(high):.1f}" y1="{middle}" y2="{middle}"/>'
        f'<circle class="dot" cx="{at(value):.1f}" cy="{middle}" r="4"/></svg>'
    )


def series(
    values: Sequence[float],
    forecast: Sequence[tuple[float, float, float]],
    label: str,
    ends: tuple[str, str] = ("", ""),
    width: int = 560,
    height: int = 150,
) -> str:
    """Past values as a line, and (low, middle, high) of what comes as a band that opens from the last of them; ``ends``
    name the first and the last."""
    count = len(values) + len(forecast)
    top = max([*values, *(high for _, _, high in forecast), 1.0])

    def x(number: float) -> float:
        return 30 + (width - 40) * number / max(count - 1, 1)

    def y(value: float) -> float:
        return height - 18 - (height - 28) * value / top

    line = " ".join(f"{x(number):.1f},{y(value):.1f}" for number, value in enumerate(values))
    opening = [(value, value, value) for value in values[-1:] if forecast]
    start = len(values) - len(opening)
    band = [(x(start + number), *each) for number, each in enumerate([*opening, *forecast])]
    upper = " ".join(f"{at:.1f},{y(high):.1f}" for at, _, _, high in band)
    lower = " ".join(f"{at:.1f},{y(low):.1f}" for at, low, _, _ in reversed(band))
    middle = " ".join(f"{at:.1f},{y(each):.1f}" for at, _, each, _ in band)
    return (
        f'<svg class="series" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="{safe(label)}"><line class="grid" x1="30" x2="{width - 10}" y1="{y(0):.1f}" y2="{y(0):.1f}"/>'
        f'<text x="2" y="{y(top) + 8:.1f}">{top:.0f}</text><text x="2" y="{y(0):.1f}">0</text>'
        f'<text x="30" y="{height - 3}">{safe(ends[0])}</text>'
        f'<text x="{width - 10}" y="{height - 3}" text-anchor="end">{safe(ends[1])}</text>'
        f'<polygon class="band" points="{upper} {lower}"/><polyline class="line" points="{line}"/>'
        f'<polyline class="middle" points="{middle}"/></svg>'
    )


def treemap(weights: Sequence[tuple[str, str, float, str]], width: int = 960, height: int = 360) -> str:
    """Areas in proportion to weights.  Each is (name, detail, weight, class of colour); the largest come first."""
    chosen = sorted((each for each in weights if each[2] > 0), key=lambda each: -each[2])
    boxes = _squarified([each[2] for each in chosen], Box(0, 0, width, height))
    parts = []
    for (name, detail, _, kind), box in zip(chosen, boxes, strict=True):
        label = ""
        if box.width > 60 and box.height > 22:
            shown = name[: max(int(box.width / 7.2), 1)]
            label = f'<text x="{box.x + 6:.1f}" y="{box.y + 16:.1f}">{safe(shown)}</text>'
        parts.append(
            f'<g><title>{safe(name)}: {safe(detail)}</title><rect class="{safe(kind)}" x="{box.x:.1f}" y="{box.y:.1f}" '
            f'width="{max(box.width - 1, 0.5):.1f}" height="{max(box.height - 1, 0.5):.1f}"/>{label}</g>'
        )
    return (
        f'<svg class="treemap" viewBox="0 0 {width} {height}" role="img" '
        'aria-label="components by what they would hit">'
        f"{''.join(parts)}</svg>\n"
    )


def _squarified(weights: Sequence[float], box: Box) -> list[Box]:
    """Bruls, Huizing and van Wijk's layout: rows along the shorter side, as square as they get."""
    total = sum(weights)
    if total <= 0:
        return []
    scale = box.width * box.height / total
    areas = [weight * scale for weight in weights]
    found: list[Box] = []
    while areas:
        side = min(box.width, box.height)
        size = 1
        while size < len(areas) and _worst(areas[: size + 1], side) <= _worst(areas[:size], side):
            size += 1
        row, areas = areas[:size], areas[size:]
        thickness = sum(row) / max(side, 1e-9)
        offset = 0.0
        for area in row:
            length = area / max(thickness, 1e-9)
            if box.width >= box.height:
                found.append(Box(box.x, box.y + offset, thickness, length))
            else:
                found.append(Box(box.x + offset, box.y, length, thickness))
            offset += length
        if box.width >= box.height:
            box = Box(box.x + thickness, box.y, max(box.width - thickness, 0.0), box.height)
        else:
            box = Box(box.x, box.y + thickness, box.width, max(box.height - thickness, 0.0))
    return found


def _worst(row: Sequence[float], side: float) -> float:
    whole = sum(row)
    square = max(side * side, 1e-12)
    return max(square * max(row) / (whole * whole), whole * whole / (square * max(min(row), 1e-12)))
