"""Puts what was learned into the form that the package reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from glasshouse.guard.misuse.features import tokens
from glasshouse.guard.misuse.model import FORMAT, Weights
from glasshouse.guard.misuse.verdicts import CATEGORIES
from train.misuse_model import Fitted, Table, fit_categories, words_of_sources
from train.misuse_rows import Row, category_of

NAME = "glasshouse-misuse-3"
SENTENCE_MARGIN = 2.0
ORDINARY_WORDS = 400
KNOWN_ROWS = 3
"""A word that so many rows show is no misspelling."""
GUARDED_LETTERS = 7
"""Shorter words are one letter away from too many others: `herein` is no drug, and `corpus` no body."""
GUARDED_SOURCES = 3


def assemble(
    table: Table, learned: Fitted, train: np.ndarray, rows: Sequence[Row], *, sorted_too: bool = True
) -> Weights:
    """Weights without calibration, with categories and word lists learned from the ``train`` rows alone.

    ``sorted_too`` false leaves the categories out, which take most of the time and say nothing of the value.
    """
    kept = np.flatnonzero(learned.weights)
    harm = train[table.misuse[train]]
    if sorted_too:
        names, sorts, sort_bias = fit_categories(table, harm, [category_of(rows[each]) for each in harm], kept)
    else:
        names, sorts, sort_bias = [], np.ones((1, len(kept))), np.zeros(1)
    order = [names.index(each) if each in names else -1 for each in CATEGORIES]
    scale = float(np.abs(learned.weights).max() / 32_000)
    sort_scale = float(np.abs(sorts).max() / 127)
    known, ordinary = vocabulary([rows[each] for each in train], table.concepts)
    none = [0] * len(kept)
    return Weights(
        format=FORMAT,
        name=NAME,
        vocabulary=[table.names[each] for each in kept],
        misuse=[round(float(learned.weights[each]) / scale) for each in kept],
        misuse_scale=scale,
        bias=learned.bias,
        sentence_margin=SENTENCE_MARGIN,
        slope=1.0,
        offset=0.0,
        categories=list(CATEGORIES),
        category_weights=[[round(float(w) / sort_scale) for w in sorts[n]] if n >= 0 else none for n in order],
        category_scale=sort_scale,
        category_bias=[float(sort_bias[n]) if n >= 0 else -9.0 for n in order],
        lexicon=table.concepts,
        known=known,
        guarded=guarded([rows[each] for each in train], table.concepts),
        ordinary=ordinary,
        thresholds={},
    )


def vocabulary(rows: Sequence[Row], concepts: dict[str, list[str]]) -> tuple[list[str], list[str]]:
    """Words that disguises are undone to (of the lexicon, or of two sources), and the commonest English ones."""
    words = [[word for word in tokens(row.text) if word.isalpha()] for row in rows]
    shared = {each for each, seen in words_of_sources(rows, words).items() if len(seen) >= 2 and len(each) > 1}
    named = {word for phrases in concepts.values() for phrase in phrases for word in tokens(phrase) if word.isalpha()}
    counts = Counter(word for found in words for word in dict.fromkeys(found) if len(word) > 1)  # same ties each time
    often = {word for word, count in counts.items() if count >= KNOWN_ROWS}
    return sorted(shared | often | named | {"a", "i"}), [word for word, _ in counts.most_common(ORDINARY_WORDS)]


def guarded(rows: Sequence[Row], concepts: dict[str, list[str]]) -> list[str]:
    """The longer words of the lexicon and of several sources, whose misspellings are read as they are meant."""
    found = {word for phrases in concepts.values() for phrase in phrases for word in tokens(phrase)}
    sources = words_of_sources(rows, [tokens(row.text) for row in rows])
    found.update(word for word, seen in sources.items() if len(seen) >= GUARDED_SOURCES)
    return sorted(word for word in found if word.isalpha() and len(word) >= GUARDED_LETTERS)
