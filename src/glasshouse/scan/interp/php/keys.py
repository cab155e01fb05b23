"""Keys of PHP's arrays, and of objects that are read like arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from glasshouse.scan.interp.values import Value

if TYPE_CHECKING:
    from glasshouse.scan.interp.frame import Frame


def named_key(frame: Frame, key: Value) -> Value:
    """PHP: a constant of an extension as a key (``CURLOPT_URL``) stands for itself.  JavaScript: celebrate's names."""
    if key.path.startswith("celebrate.Segments."):
        return Value(key.path.rpartition(".")[2].lower())
    if frame.module.language == "php" and key.path.isupper() and not key.taint:
        return Value(key.path)
    return key


def is_array_like(frame: Frame, value: Value, name: str) -> bool:
    """PHP: an object of a library whose keys are read like its fields: ``$request['name']``."""
    return frame.module.language == "php" and frame.machine.matcher(frame).read(f"{value.path}.{name}") is not None
