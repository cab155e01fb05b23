"""Monthly counts, and forecasts of counts with their distribution.  Pure functions over lists of numbers.

Monthly listings carry little: a level, perhaps a slope.  So the methods are few and simple, and which one is used
for a series is decided by its own past.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import exp, inf, lgamma, log, log1p

HORIZON = 3
MAX_COUNT = 100_000
SHORTEST = 12
SMOOTHING = 0.2
SLOPE_PRIOR = 0.01
"""Standard deviation a month that a slope is believed to have; it keeps a few lucky months from becoming a trend."""
RECENT = 12

Method = Callable[[Sequence[float], int], list[float]]


def naive(counts: Sequence[float], ahead: int) -> list[float]:
    """The last value."""
    return [float(counts[-1])] * ahead


def recent_mean(counts: Sequence[float], ahead: int) -> list[float]:
    """The mean of the last twelve months."""
    last = counts[-RECENT:]
    return [sum(last) / len(last)] * ahead


def smoothed(counts: Sequence[float], ahead: int) -> list[float]:
    """Simple exponential smoothing."""
    level = sum(counts[:6]) / len(counts[:6])
    for value in counts:
        level += SMOOTHING * (value - level)
    return [level] * ahead


def poisson_trend(counts: Sequence[float], ahead: int) -> list[float]:
    """A log-linear Poisson trend by maximum likelihood."""
    return _log_linear(counts, ahead, 0.0)


def damped_trend(counts: Sequence[float], ahead: int) -> list[float]:
    """A log-linear trend over the last two years whose slope is held near nought."""
    return _log_linear(counts[-24:], ahead, 1.0 / SLOPE_PRIOR**2)


def pooled(counts: Sequence[float], ahead: int) -> list[float]:
    """The mean of the recent mean, the smoothed level and the damped trend."""
    each = [method(counts, ahead) for method in (recent_mean, smoothed, damped_trend)]
    return [sum(values) / len(values) for values in zip(*each, strict=True)]


METHODS: dict[str, Method] = {
    "last value": naive,
    "recent mean": recent_mean,
    "smoothed": smoothed,
    "Poisson trend": poisson_trend,
    "damped trend": damped_trend,
    "pooled": pooled,
}


def _log_linear(counts: Sequence[float], ahead: int, precision: float) -> list[float]:
    """Newton's method for mean exp(a + b t), with a normal prior of this precision on b."""
    size = len(counts)
    times = [number - (size - 1) / 2 for number in range(size)]
    level, slope = log(max(sum(counts) / size, 0.05)), 0.0
    for _ in range(30):
        means = [exp(min(level + slope * time, 20.0)) for time in times]
        gradient = (
            sum(value - mean for value, mean in zip(counts, means, strict=True)),
            sum((value - mean) * time for value, mean, time in zip(counts, means, times, strict=True))
            - precision * slope,
        )
        a = sum(means)
        b = sum(mean * time for mean, time in zip(means, times, strict=True))
        c = sum(mean * time * time for mean, time in zip(means, times, strict=True)) + precision
        determinant = a * c - b * b
        if determinant <= 1e-12:
            break
        step = ((c * gradient[0] - b * gradient[1]) / determinant, (a * gradient[1] - b * gradient[0]) / determinant)
        level, slope = level + max(min(step[0], 2.0), -2.0), slope + max(min(step[1], 0.5), -0.5)
        if abs(step[0]) + abs(step[1]) < 1e-9:
            break
    return [exp(min(level + slope * ((size - 1) / 2 + number), 20.0)) for number in range(1, ahead + 1)]


def dispersion(counts: Sequence[float], method: Method) -> float:
    """The size parameter of a negative binomial around the method's forecasts.

    From its errors on the last two years.
    """
    start = max(SHORTEST, len(counts) - 24)
    squares, means = 0.0, 0.0
    for origin in range(start, len(counts)):
        mean = max(method(counts[:origin], 1)[0], 0.05)
        squares += (counts[origin] - mean) ** 2 - mean
        means += mean * mean
    if means == 0:
        return 2.0
    return inf if squares <= 0 else max(means / squares, 0.3)


def distribution(mean: float, size: float) -> list[float]:
    """The chances of 0, 1, 2, ... of a negative binomial (Poisson when ``size`` is infinite).

    To all but a millionth.
    """
    mean = min(max(mean, 1e-6), MAX_COUNT / 20)
    found: list[float] = []
    total = 0.0
    count = 0
    while total < 1 - 1e-6 and count < MAX_COUNT:
        if size == inf:
            chance = exp(count * log(mean) - mean - lgamma(count + 1))
        else:
            chance = exp(
                lgamma(count + size)
                - lgamma(size)
                - lgamma(count + 1)
                - size * log1p(mean / size)
                - count * log1p(size / mean)
            )
        found.append(chance)
        total += chance
        count += 1
    return found


def quantile(chances: Sequence[float], share: float) -> int:
    """The smallest count whose cumulative chance reaches ``share``."""
    total = 0.0
    for count, chance in enumerate(chances):
        total += chance
        if total >= share:
            return count
    return len(chances) - 1


def crps(chances: Sequence[float], observed: float) -> float:
    """Continuous ranked probability score of a distribution over counts: 0 is perfect, in units of the count."""
    total, score = 0.0, 0.0
    for count in range(max(len(chances), int(observed) + 1)):
        total += chances[count] if count < len(chances) else 0.0
        score += (total - (1.0 if count >= observed else 0.0)) ** 2
    return score
