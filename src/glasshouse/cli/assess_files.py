"""The files that `glasshouse assess` is given: what a model is, and a framework of thresholds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from glasshouse.cli.evidence import read_file
from glasshouse.words.digests import sha256_of

if TYPE_CHECKING:
    from glasshouse.assess.framework import Framework
    from glasshouse.assess.model_file import ModelFile


def load(file: Path) -> tuple[ModelFile, str]:
    """A model file and the digest of its bytes."""
    from glasshouse.assess.model_file import load_model

    text = read_file(file)
    return load_model(str(file), text), sha256_of(text)


def load_framework(file: Path | None) -> Framework:
    """The framework of a file, or the shipped one."""
    from glasshouse.assess.framework import load_framework as from_text
    from glasshouse.assess.framework import shipped_framework

    return shipped_framework() if file is None else from_text(str(file), read_file(file))
