"""How far groups agree with the truth, and the simple grouping that anything must beat."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from glasshouse.words.incident import Detection


def b_cubed_each(truth: Sequence[int], groups: Sequence[Sequence[int]]) -> dict[int, tuple[float, float]]:
    """Precision and recall by detection (A. Bagga and B. Baldwin, 1998), averaged within each true group."""
    group_of = {at: number for number, members in enumerate(groups) for at in members}
    pairs = Counter((true, group_of[at]) for at, true in enumerate(truth))
    trues, sizes = Counter(truth), Counter(group_of.values())
    precision: defaultdict[int, float] = defaultdict(float)
    recall: defaultdict[int, float] = defaultdict(float)
    for (true, group), count in pairs.items():
        precision[true] += count * count / sizes[group] / trues[true]
        recall[true] += count * count / trues[true] ** 2
    return {true: (precision[true], recall[true]) for true in trues}


def b_cubed(truth: Sequence[int], groups: Sequence[Sequence[int]]) -> tuple[float, float, float]:
    """Precision, recall and F1, averaged over true groups: a noisy attack counts no more than a quiet one."""
    each = b_cubed_each(truth, groups)
    p = sum(precision for precision, _ in each.values()) / len(each)
    r = sum(recall for _, recall in each.values()) / len(each)
    return p, r, 2 * p * r / (p + r)


def by_pause(detections: Sequence[Detection], pause_s: float) -> list[list[int]]:
    """A host's detections, which are in order of time, until it is quiet for ``pause_s``."""
    last: dict[str, tuple[float, int]] = {}
    groups: list[list[int]] = []
    for at, each in enumerate(detections):
        time = each.time or 0.0
        before = last.get(each.host)
        if before is None or time - before[0] > pause_s:
            groups.append([])
            number = len(groups) - 1
        else:
            number = before[1]
        groups[number].append(at)
        last[each.host] = (time, number)
    return groups
