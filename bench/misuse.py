"""How well the misuse screener tells misuse from legitimate requests: random rows, left-out sources, disguises, cost.

    python bench/misuse.py [--data misuse_dev.parquet] [--random] [--sample 30]
    python bench/misuse.py --cost                                                    the time for a score alone

Trains a screener for each fold and measures it on what that screener never saw.  The peer in the same folds is what
most guardrails start from: TF-IDF over words and pairs of words with logistic regression (scikit-learn).  Needs the
extra `train` and the data that docs/reference/misuse-data-sheet.md describes.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from measure import machine, table
from misuse_disguises import DISGUISES
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline

from glasshouse.guard.misuse import Screener, Session
from glasshouse.guard.misuse.compiled import SWITCH

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from train import misuse_rows as data
from train import misuse_validation as validation
from train.misuse_model import Table, row_weights

LEGITIMATE_TURNS = 5


def peer_parts(parts: Sequence[Any], rows: Sequence[Any], made: Table) -> list[Any]:
    """The same folds, weighed by the peer, which learns from the same rows."""
    found = []
    for each in parts:
        train = np.setdiff1d(np.arange(len(rows)), each.rows)
        model = make_pipeline(
            TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True),
            LogisticRegression(C=10, solver="liblinear"),
        )
        texts = [rows[number].text for number in train]
        model.fit(texts, made.misuse[train])
        evidence = model.decision_function([rows[number].text for number in each.rows])
        found.append(validation.Part(each.name, each.rows, evidence, model))
    return found


def quality(name: str, parts: Sequence[Any], made: Table) -> list[list[str]]:
    """A line for each fold: AUROC, recall at 1 % and at 5 % false alarms (means over its misuse sources)."""
    lines = []
    for each in parts:
        low, high = (validation.recalls(made, each, rate).values() for rate in (0.01, 0.05))
        lines.append([name, each.name, validation.area(made, each), _mean(low), _mean(high)])
    means = [_mean(line[column] for line in lines) for column in (2, 3, 4)]
    return [[*line[:2], *(f"{each:.3f}" for each in line[2:])] for line in (*lines, [name, "**mean**", *means])]


def rows_alike(name: str, parts: Sequence[Any], made: Table) -> list[list[str]]:
    """One line, means over the folds: AUROC and recalls when every row counts the same; the largest source decides."""
    found = []
    for each in parts:
        misuse = made.misuse[each.rows]
        harmful, legitimate = each.evidence[misuse], each.evidence[~misuse]
        recall = [float((harmful > np.quantile(legitimate, 1 - rate)).mean()) for rate in (0.01, 0.05)]
        found.append([roc_auc_score(misuse, each.evidence), *recall])
    return [[name, "**mean**, every row alike", *(f"{_mean(column):.3f}" for column in zip(*found, strict=True))]]


def by_source(parts: Sequence[Any], rows: Sequence[Any], made: Table) -> list[list[str]]:
    """For each source: rows, and the share above the limits that flag 5 % and 1 % of all left-out legitimate rows."""
    index = np.concatenate([each.rows for each in parts])
    found = np.concatenate([each.evidence for each in parts])
    sources, misuse = made.sources[index], made.misuse[index]
    weights = row_weights(sources, misuse, 0.0)
    limits = [validation.limit(found[~misuse], weights[~misuse], rate) for rate in (0.05, 0.01)]
    lines = []
    for misused in (False, True):
        for source in sorted(set(sources[misuse == misused])):
            mine = found[(sources == source) & (misuse == misused)]
            kind = sorted({rows[each].label for each in index[(sources == source) & (misuse == misused)]})
            shares = [f"{float((mine > limit).mean()):.3f}" for limit in limits]
            lines.append([", ".join(kind), source, str(len(mine)), *shares])
    return lines


def disguised(parts: Sequence[Any], rows: Sequence[Any], made: Table, sample: int) -> list[list[str]]:
    """Recall at 5 % false alarms on cyber misuse in each disguise, each row scored by a screener that never saw it."""
    chance = random.Random(1)
    caught: dict[str, list[bool]] = {name: [] for name in DISGUISES}
    for each in parts:
        limit = validation.fold_limit(made, each, 0.05)
        cyber = [number for number in each.rows if rows[number].label == "malicious" and rows[number].domain == "cyber"]
        for number in chance.sample(cyber, min(sample, len(cyber))):
            for name, disguise in DISGUISES.items():
                caught[name].append(validation.evidence(each.screener, disguise(rows[number].text)) > limit)
    return [[name, str(len(hits)), f"{_mean(hits):.3f}"] for name, hits in caught.items()]


def conversations(parts: Sequence[Any], rows: Sequence[Any], made: Table, sample: int) -> list[list[str]]:
    """Misuse asked for sentence by sentence, against conversations of legitimate requests of one source."""
    chance = random.Random(2)
    found: dict[str, tuple[list[float], list[float]]] = {"turn by turn": ([], []), "with the session": ([], [])}
    for each in parts:
        for source in sorted(set(made.sources[each.rows])):
            mine = [rows[number] for number in each.rows if rows[number].source == source]
            for _ in range(sample):
                if mine[0].misuse:
                    turns = _split(chance.choice(mine).text)
                else:
                    turns = [row.text for row in chance.choices(mine, k=LEGITIMATE_TURNS)]
                if len(turns) > 1:
                    for name, highest in _highest(each.screener, turns).items():
                        found[name][mine[0].misuse].append(highest)
    lines = []
    for name, (legitimate, misuse) in found.items():
        at = [float(np.quantile(legitimate, 1 - rate)) for rate in (0.01, 0.05)]
        recall = [f"{float((np.array(misuse) > limit).mean()):.3f}" for limit in at]
        lines.append([name, str(len(legitimate)), str(len(misuse)), *recall])
    return lines


def cost(peer: Any, rows: Sequence[Any]) -> list[list[str]]:
    """CPU time for 200 characters, on rows of 150 to 250 characters, words remembered from earlier texts; with the
    compiled half of the screener where it was built, and in Python alone."""
    lines = []
    screener, in_python = Screener.load(), _in_python()
    for name, misused in (("legitimate", False), ("misuse", True)):
        texts = [row.text for row in rows if 150 <= len(row.text) <= 250 and row.misuse == misused][:400]
        ours, python = _time(screener.score, texts), _time(in_python.score, texts)
        theirs = _time(lambda text: peer.decision_function([text]), texts)
        lines.append([name, str(len(texts)), f"{ours:.0f}", f"{python:.0f}", f"{theirs:.0f}", f"{theirs / ours:.1f}x"])
    return lines


def _in_python() -> Screener:
    with mock.patch.dict(os.environ, {SWITCH: "0"}):
        return Screener.load()


def _time(score: Callable[[str], object], texts: Sequence[str]) -> float:
    """Microseconds of CPU for 200 characters; the quickest of five rounds."""
    best = float("inf")
    for _ in range(5):
        start = time.process_time()
        for text in texts:
            score(text)
        best = min(best, time.process_time() - start)
    return best / sum(map(len, texts)) * 200 * 1e6


def _highest(screener: Screener, turns: Sequence[str]) -> dict[str, float]:
    session, together = Session(), 0.0
    for turn in turns:
        session, score = screener.turn(session, turn)
        together = max(together, score.value)
    return {"turn by turn": max(screener.score(turn).value for turn in turns), "with the session": together}


def _split(text: str) -> list[str]:
    return [each.strip() for each in text.replace("? ", "?|").replace(". ", ".|").split("|") if each.strip()][:8]


def _mean(values: Iterable[float]) -> float:
    return float(np.mean(list(values)))


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=data.DEVELOPMENT, help="labelled rows, see the data sheet")
    parser.add_argument("--random", action="store_true", help="also folds of random rows, which cost most of the time")
    parser.add_argument("--sample", type=int, default=30, help="rows of a fold that are disguised")
    parser.add_argument("--cost", action="store_true", help="only the time for a score")
    options = parser.parse_args()
    rows = data.development_rows(options.data) + data.written_rows()
    made = Table(rows, data.lexicon())
    print(machine())
    real = [row for row in rows if not row.written]
    times = ["texts", "number", "us", "us in Python alone", "TF-IDF us", "ratio"]
    if options.cost:
        every = np.arange(len(rows))
        ours = Screener.load()
        (peer,) = peer_parts([validation.Part("none", every[:1], every[:1], ours)], rows, made)
        print(table(times, cost(peer.screener, real)))
        return
    sources = list(validation.left_out_sources(made, rows))
    peers = peer_parts(sources, rows, made)
    lines = quality("glasshouse, left-out sources", sources, made) + quality("TF-IDF, left-out sources", peers, made)
    print(table(["model", "left out", "AUROC", "recall at 1 %", "recall at 5 %"], lines))
    print(table(["label", "source, left out", "rows", "flagged at review", "at deny"], by_source(sources, rows, made)))
    print(table(["disguise", "rows", "recall at 5 %"], disguised(sources, rows, made, options.sample)))
    head = ["conversations", "legitimate", "misuse", "recall at 1 %", "recall at 5 %"]
    print(table(head, conversations(sources, rows, made, options.sample)))
    print(table(times, cost(peers[0].screener, real)))
    if options.random:
        drawn = list(validation.left_out_rows(made, rows))
        lines = []
        for name, measured in (("glasshouse", drawn), ("TF-IDF", peer_parts(drawn, rows, made))):
            lines += quality(f"{name}, random rows", measured, made)[-1:]
            lines += rows_alike(f"{name}, random rows", measured, made)
        print(table(["model", "left out", "AUROC", "recall at 1 %", "recall at 5 %"], lines))


if __name__ == "__main__":
    main()
