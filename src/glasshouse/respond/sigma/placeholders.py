"""Values for the placeholders of the modifier ``expand``, given by the user."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sigma.rule import SigmaDetection, SigmaDetectionItem, SigmaRule
from sigma.types import Placeholder, SigmaString


def with_placeholders(rule: SigmaRule, values: Mapping[str, tuple[str, ...]]) -> None:
    """Replaces in ``rule`` every placeholder that has values; the others stay, and the compiler reports them."""
    if values:
        for detection in rule.detection.detections.values():
            _detection(detection, values)


def _detection(detection: SigmaDetection, values: Mapping[str, tuple[str, ...]]) -> None:
    for item in detection.detection_items:
        if isinstance(item, SigmaDetection):
            _detection(item, values)
        elif isinstance(item, SigmaDetectionItem):
            item.value = [each for value in item.value for each in _expanded(value, values)]


def _expanded(value: Any, values: Mapping[str, tuple[str, ...]]) -> list[Any]:
    if not isinstance(value, SigmaString) or not value.contains_placeholder():
        return [value]

    def replacement(placeholder: Placeholder) -> Iterator[str | Placeholder]:
        yield from values.get(placeholder.name, ()) or (placeholder,)

    return list(value.replace_placeholders(replacement))
