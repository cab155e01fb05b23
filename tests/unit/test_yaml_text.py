"""YAML from outside cannot take the process down: neither by nesting nor by aliases, wherever it is read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from glasshouse.access.engagement_file import read_engagement
from glasshouse.assess.model_file import ModelFile
from glasshouse.assess.yaml_file import decode
from glasshouse.forecast.facts import Day
from glasshouse.forecast.importers.interface import Document as Imported
from glasshouse.forecast.importers.osv import OsvImporter
from glasshouse.inventory.read import parse_inventory
from glasshouse.respond.sigma.compile import RuleFile, compile_rules
from glasshouse.words.errors import AccessError, InventoryError, ModelFileError
from glasshouse.words.yaml_text import MAX_DEPTH, one_plain_yaml, plain_yaml

DEEP = {
    "flow": "[" * 100_000,
    "maps": "{a: " * 100_000,
    "lists": "- " * 100_000,
    "just too deep": "[" * (MAX_DEPTH + 1),
}


@pytest.mark.parametrize("text", DEEP.values(), ids=DEEP)
def test_what_is_nested_too_deep_is_refused_before_anything_is_built(text: str) -> None:
    with pytest.raises(yaml.YAMLError, match="deep"):
        plain_yaml(text)


def test_what_people_write_is_read() -> None:
    deep = "[" * MAX_DEPTH + "]" * MAX_DEPTH
    assert one_plain_yaml(deep) is not None
    assert plain_yaml("a: 1\n---\nb: 2\n") == [{"a": 1}, {"b": 2}]
    assert one_plain_yaml("") is None
    with pytest.raises(yaml.YAMLError, match="one document"):
        one_plain_yaml("a: 1\n---\nb: 2\n")


def engagement(folder: Path, text: str) -> None:
    """An engagement's file."""
    (folder / "e.yaml").write_text(text)
    with pytest.raises(AccessError):
        read_engagement(folder / "e.yaml")


def model(_: Path, text: str) -> None:
    """A model's file."""
    with pytest.raises(ModelFileError):
        decode("model.yaml", text.encode(), ModelFile, ModelFileError)


def rule(_: Path, text: str) -> None:
    """A Sigma rule."""
    assert [each.code for each in compile_rules([RuleFile("r.yml", text)]).problems] == ["yaml"]


def lock_file(_: Path, text: str) -> None:
    """A lock file of a tree that is scanned."""
    with pytest.raises(InventoryError, match="deep"):
        parse_inventory("pnpm-lock.yaml", text.encode())


def advisory(_: Path, text: str) -> None:
    """An advisory of a database that others keep."""
    (found,) = OsvImporter().read(Imported("a.yaml", text.encode()), Day(0))
    assert "deep" in str(found)


@pytest.mark.parametrize("read", [engagement, model, rule, lock_file, advisory])
def test_every_reader_of_yaml_refuses_what_is_nested_too_deep(
    tmp_path: Path, read: Callable[[Path, str], None]
) -> None:
    read(tmp_path, DEEP["flow"])
