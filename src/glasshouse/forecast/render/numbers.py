"""Numbers as people read them."""

from __future__ import annotations


def percent(value: float) -> str:
    """A probability with two or three digits that matter; never 0 % for a chance that is not zero."""
    scaled = 100 * value
    if scaled >= 99.95:
        return "100 %"
    if scaled >= 9.95:
        return f"{scaled:.0f} %"
    if scaled >= 0.995:
        return f"{scaled:.1f} %"
    if scaled >= 0.0995:
        return f"{scaled:.2f} %"
    if scaled >= 0.001:
        return f"{scaled:.3f} %"
    return "under 0.001 %" if value > 0 else "0 %"


def factor(value: float) -> str:
    """A factor of the odds: how many times more or less, with two digits that matter."""
    times = value if value >= 1 else 1 / value
    shown = f"{times:.1f}" if times < 9.95 else f"{float(f'{times:.1e}'):,.0f}"
    return f"{shown} x {'more' if value >= 1 else 'less'}"
