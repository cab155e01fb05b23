"""Evaluation runs as recorded: what ran on which model with which data, and what came out with its uncertainty."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

Z95 = 1.959963984540054


class Metric(msgspec.Struct, frozen=True):
    """An estimate with its 95 % interval; ``n`` is the number of independent samples behind it."""

    name: str
    estimate: float
    low: float
    high: float
    n: int


class Sample(msgspec.Struct, frozen=True):
    """One sample: what went in (by digest when it must not be kept), what came out, how it was scored, if it was."""

    id: str
    input: str
    output: str
    score: float
    detail: str = ""
    scored: bool = True


class Run(msgspec.Struct, frozen=True):
    """One run of one suite.  ``entry`` is its index in the log, -1 before it is recorded.

    Digests are written sha256:<hex>.  ``safeguards`` tells whether the gateway's safeguards were on.
    """

    suite: str
    model: str
    model_digest: str
    code_digest: str
    data_digest: str
    started: dt.datetime
    ended: dt.datetime
    seed: int
    settings: dict[str, str]
    metrics: tuple[Metric, ...]
    samples_digest: str
    samples: int
    repeats: int = 1
    safeguards: bool = False
    source: Literal["glasshouse", "inspect"] = "glasshouse"
    notes: tuple[str, ...] = ()
    entry: int = -1

    def metric(self, name: str) -> Metric | None:
        """The metric with that name."""
        return next((each for each in self.metrics if each.name == name), None)


def proportion(name: str, successes: float, n: int) -> Metric:
    """A share with Wilson's 95 % interval (E. B. Wilson, JASA 22, 1927); the interval is [0, 1] without samples.

    ``successes`` is no whole number where each of the ``n`` units counts by the share of its own samples.
    """
    if n <= 0:
        return Metric(name, math.nan, 0.0, 1.0, 0)
    share = successes / n
    scale = 1 + Z95**2 / n
    middle = (share + Z95**2 / (2 * n)) / scale
    half = Z95 * math.sqrt(share * (1 - share) / n + Z95**2 / (4 * n * n)) / scale
    return Metric(name, share, min(share, max(0.0, middle - half)), max(share, min(1.0, middle + half)), n)


def difference(name: str, one: Metric, other: Metric) -> Metric:
    """One share minus another, with Newcombe's 95 % interval (method 10, Statistics in Medicine 17, 1998).

    It leaves pairing out of account, so that paired samples make it wider than need be; it is never of no width.
    """
    n = min(one.n, other.n)
    if not n:
        return Metric(name, math.nan, -1.0, 1.0, 0)
    gap = one.estimate - other.estimate
    down = math.hypot(one.estimate - one.low, other.high - other.estimate)
    up = math.hypot(one.high - one.estimate, other.estimate - other.low)
    return Metric(name, gap, max(-1.0, gap - down), min(1.0, gap + up), n)


def mean(name: str, values: Sequence[float]) -> Metric:
    """A mean with its normal 95 % interval over independent values; one value has an unbounded interval."""
    n = len(values)
    if n == 0:
        return Metric(name, math.nan, -math.inf, math.inf, 0)
    middle = math.fsum(values) / n
    if n == 1:
        return Metric(name, middle, -math.inf, math.inf, 1)
    half = Z95 * math.sqrt(math.fsum((value - middle) ** 2 for value in values) / (n - 1) / n)
    return Metric(name, middle, middle - half, middle + half, n)


def area(name: str, positive: Sequence[float], negative: Sequence[float]) -> Metric:
    """The area under the ROC curve: how often a positive outranks a negative, ties counting half.

    The 95 % interval is Hanley and McNeil's (Radiology 143, 1982), cut to [0, 1].
    """
    many, few = len(positive), len(negative)
    if not many or not few:
        return Metric(name, math.nan, 0.0, 1.0, 0)
    wins = sum((one > other) + 0.5 * (one == other) for one in positive for other in negative)
    share = wins / (many * few)
    above, below = share / (2 - share), 2 * share * share / (1 + share)
    variance = share * (1 - share) + (many - 1) * (above - share * share) + (few - 1) * (below - share * share)
    half = Z95 * math.sqrt(max(0.0, variance) / (many * few))
    return Metric(name, share, max(0.0, share - half), min(1.0, share + half), many + few)


def measured(metrics: Iterable[Metric]) -> tuple[Metric, ...]:
    """The metrics that say something: without samples, or with an interval without end, nothing was measured."""
    return tuple(each for each in metrics if all(map(math.isfinite, (each.estimate, each.low, each.high))))


def latest(runs: Sequence[Run], suite: str, model_digest: str) -> Run | None:
    """The newest recorded run of a suite on exactly that model."""
    fitting = [run for run in runs if run.suite == suite and run.model_digest == model_digest]
    return max(fitting, key=lambda run: (run.ended, run.entry), default=None)
