"""Trains the misuse model and writes the weights that ship, with their digest.  Needs the extra `train`.

python train/misuse.py --data ../shared/data/misuse/misuse_dev.parquet
"""

from __future__ import annotations

import argparse
import hashlib
from collections import Counter
from pathlib import Path

import msgspec
import numpy as np
import pyarrow.parquet
import yaml
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import normalize

from glasshouse.guard.misuse.features import Lexicon, features, stem, tokens
from glasshouse.guard.misuse.model import FORMAT, Manifest, Weights
from glasshouse.guard.misuse.verdicts import CATEGORIES

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "src" / "glasshouse" / "guard" / "misuse" / "data"
POSITIVE = {"malicious", "jailbreak", "injection"}
LICENCE = "Apache-2.0; trained on rows under MIT, Apache-2.0 and CC0-1.0, see docs/reference/misuse-data-sheet.md"


class Row(msgspec.Struct, frozen=True):
    """One labelled request."""

    text: str
    label: str
    source: str
    category: str
    domain: str

    @property
    def misuse(self) -> bool:
        """Whether the label is one of the positive class."""
        return self.label in POSITIVE


def read_rows(path: Path) -> list[Row]:
    """The rows of a parquet file in the columns of the data sheet."""
    return msgspec.convert(pyarrow.parquet.read_table(path).to_pylist(), list[Row])


def read_lexicon() -> dict[str, list[str]]:
    """Concept -> words and phrases."""
    raw = yaml.safe_load((ROOT / "train" / "misuse_lexicon.yaml").read_text())
    return {concept: [each.strip() for each in words.split(",") if each.strip()] for concept, words in raw.items()}


def category_of(row: Row) -> str:
    """The category of a misuse row, from its source's own categories."""
    said = row.category.lower()
    if row.label == "jailbreak":
        return "jailbreak"
    if row.label == "injection":
        return "prompt-injection"
    if row.domain == "general":
        return "other-harm"
    for part, category in (
        ("malware", "malware"),
        ("evasion", "evasion"),
        ("persistence", "malware"),
        ("execution", "malware"),
        ("c2", "malware"),
        ("exfil", "exfiltration"),
        ("collection", "exfiltration"),
        ("social engineering", "fraud"),
        ("cryptographic", "credential-theft"),
    ):
        if part in said:
            return category
    return "intrusion"


def weights_by_source(rows: list[Row], power: float = 0.5) -> np.ndarray:
    """Row weights: a source counts as its size to the ``power``, the two classes count the same."""
    sizes = Counter(row.source for row in rows)
    weights = np.array([sizes[row.source] ** (power - 1) for row in rows])
    misuse = np.array([row.misuse for row in rows])
    for side in (misuse, ~misuse):
        weights[side] *= len(rows) / 2 / weights[side].sum()
    return weights


def train(rows: list[Row]) -> Weights:
    """The weights for the rows."""
    lexicon = read_lexicon()
    concepts = Lexicon(lexicon)
    shown = [features([stem(word) for word in tokens(row.text)], concepts) for row in rows]
    sources: dict[str, set[str]] = {}
    count: Counter[str] = Counter()
    for row, found in zip(rows, shown, strict=True):
        count.update(found)
        for each in found:
            sources.setdefault(each, set()).add(row.source)
    vocabulary = sorted(each for each, n in count.items() if n >= 3 and len(sources[each]) >= 3)
    column = {each: number for number, each in enumerate(vocabulary)}
    indices = [[column[each] for each in found if each in column] for found in shown]
    pointers = np.cumsum([0, *map(len, indices)])
    flat = np.concatenate([np.array(each, dtype=np.int32) for each in indices])
    matrix = normalize(sparse.csr_matrix((np.ones(len(flat)), flat, pointers), shape=(len(rows), len(vocabulary))))
    target = np.array([row.misuse for row in rows])
    weights = weights_by_source(rows)
    misuse = LogisticRegression(C=1.0, solver="liblinear").fit(matrix, target, sample_weight=weights)
    harm = [number for number, row in enumerate(rows) if row.misuse]
    named = np.array([category_of(rows[number]) for number in harm])
    sorts = LogisticRegression(C=1.0, max_iter=500, class_weight="balanced").fit(matrix[harm], named)
    order = [list(sorts.classes_).index(each) if each in sorts.classes_ else -1 for each in CATEGORIES]
    table = [sorts.coef_[each] if each >= 0 else np.zeros(len(vocabulary)) for each in order]
    scale = float(np.abs(misuse.coef_).max() / 32_000)
    category_scale = float(max(np.abs(row).max() for row in table) / 127)
    return Weights(
        format=FORMAT,
        name="glasshouse-misuse-0",
        vocabulary=vocabulary,
        misuse=[round(float(each) / scale) for each in misuse.coef_[0]],
        misuse_scale=scale,
        bias=float(misuse.intercept_[0]),
        slope=1.0,
        offset=0.0,
        categories=list(CATEGORIES),
        category_weights=[[round(float(each) / category_scale) for each in row] for row in table],
        category_scale=category_scale,
        category_bias=[float(sorts.intercept_[each]) if each >= 0 else -9.0 for each in order],
        lexicon=lexicon,
        known=known_words(rows, lexicon),
        ordinary=ordinary_words(rows),
        thresholds={"review": 0.5, "deny": 0.9},
    )


def known_words(rows: list[Row], lexicon: dict[str, list[str]]) -> list[str]:
    """Words that disguises are undone to: those of the lexicon, and those that several sources use."""
    sources: dict[str, set[str]] = {}
    for row in rows:
        for word in set(tokens(row.text)):
            sources.setdefault(word, set()).add(row.source)
    often = {word for word, seen in sources.items() if len(seen) >= 3 and word.isalpha() and len(word) > 1}
    named = {word for phrases in lexicon.values() for phrase in phrases for word in tokens(phrase) if word.isalpha()}
    return sorted(often | named | {"a", "i"})


def ordinary_words(rows: list[Row]) -> list[str]:
    """The words that most rows use, by which plain English is told from a cipher."""
    count = Counter(word for row in rows for word in set(tokens(row.text)))
    return [word for word, _ in count.most_common(400) if word.isalpha() and len(word) > 1]


def write(weights: Weights) -> None:
    """The weights file and its manifest, in the package."""
    raw = msgspec.msgpack.encode(weights)
    DATA.mkdir(exist_ok=True)
    (DATA / "weights.msgpack").write_bytes(raw)
    manifest = Manifest(file="weights.msgpack", sha256=hashlib.sha256(raw).hexdigest(), licence=LICENCE)
    (DATA / "manifest.json").write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data" / "misuse" / "misuse_dev.parquet")
    write(train(read_rows(parser.parse_args().data)))
