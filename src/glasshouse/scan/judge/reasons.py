"""What moved a finding up or down, in words."""

from __future__ import annotations

from collections.abc import Mapping

from glasshouse.scan.judge.model import Model

SHOWN = 3
LEAST = 0.1
"""Log odds below which a pull is not worth a line."""
EVEN = 0.5
WORDS: dict[str, tuple[str, str]] = {
    "confidence": ("the rule is one that is rarely wrong", "the rule is one that is often wrong"),
    "severity": ("the weakness is severe", "the weakness is minor"),
    "library": ("the data comes from a parameter whose callers are not known", "the callers are known"),
    "stranger": ("the data comes from outside", "the data does not come from a stranger"),
    "built": ("the data is put into constant text", "the data is used as it came"),
    "distance": ("source and sink are far apart", "source and sink are close together"),
    "guards": ("conditions before it test the data", "no condition before it tests the data"),
    "ordered": ("a condition before it compares sizes", "no condition before it compares sizes"),
    "leaving": ("a test of the data leaves before it", "no test of the data leaves before it"),
    "inside": ("it stands inside a condition on the data", "no condition on the data is around it"),
    "same rule in file": ("the rule fires often in this file", "the rule fires seldom in this file"),
    "broken": ("code near it could not be parsed", "all code near it was parsed"),
    "capped": ("the function was analysed only in part", "the function was analysed in full"),
    "widened": ("the function has calls with unknown targets", "all calls have known targets"),
    "test code": ("it stands in test code", "it is not test code"),
    "own": ("the data comes from whoever runs the program", "the data does not come from whoever runs the program"),
    "developer's script": ("it stands among scripts of developers", "it is no developer's script"),
    "example": ("it stands in an example or a sample", "it is no example"),
}
"""Feature -> what a value above, and one below, the usual says."""
CLASSES = {"language": "findings in {}", "group": "weaknesses of the kind `{}`", "kind": "findings by {}"}
KINDS = {
    "flow": "data flow",
    "pattern": "a pattern of calls",
    "detector": "a detector",
    "literal": "the form of a text",
}


def reasons(model: Model, features: Mapping[str, float]) -> tuple[str, ...]:
    """The strongest pulls, each with + (more likely confirmed) or - before it; what the rank follows comes first."""
    found: list[str] = []
    for name, value, pull in model.pulls(features):
        if abs(pull) < LEAST or len(found) == SHOWN:
            break
        found.append(f"{'+' if pull > 0 else '-'} {phrase(name, value > model.usual.get(name, 0.0), pull)}")
    first = "+" if model.probability(features) >= EVEN else "-"
    return tuple(sorted(found, key=lambda text: not text.startswith(first)))


def phrase(name: str, above: bool, pull: float) -> str:
    if name in WORDS:
        return WORDS[name][0 if above else 1]
    sort, _, value = name.partition(" ")
    often = "more" if pull > 0 else "less"
    return f"{CLASSES[sort].format(KINDS.get(value, value))} are confirmed {often} often than others"
