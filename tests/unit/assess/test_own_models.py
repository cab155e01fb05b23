"""Our own models: their records speak of the weights that ship, and their documents are here for all three."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from scripts.assess_own_models import differences

from glasshouse.assess.model_file import load_model
from glasshouse.assess.own_models import DIGESTS, model_file
from glasshouse.dossier.evidence import Training
from glasshouse.respond.group import likeness, techniques
from glasshouse.words.digests import sha256_of

ROOT = Path(__file__).resolve().parents[3]
RECORDS = sorted((ROOT / "train" / "records").glob("*.json"))
KINDS = ("model-card", "datasheet", "documentation-form", "model-report")


WITHOUT_MODEL_FILE = {"technique-ranker": techniques.MODEL, "incident-grouping": likeness.MODEL}


def shipped(name: str) -> str:
    """The digest of the weights of a model that has a record."""
    return DIGESTS[name]() if name in DIGESTS else sha256_of(WITHOUT_MODEL_FILE[name].read_bytes())


@pytest.mark.parametrize("name", DIGESTS)
def test_a_model_file_of_ours_names_the_digest_of_what_is_installed(name: str) -> None:
    found = load_model(name, model_file(name).encode())
    assert found.identity.digest == DIGESTS[name]()
    assert DIGESTS[name]() == DIGESTS[name]()


@pytest.mark.parametrize("record", RECORDS, ids=lambda path: path.stem)
def test_a_training_record_is_about_the_weights_that_ship(record: Path) -> None:
    training = msgspec.json.decode(record.read_bytes(), type=Training)
    assert training.model == record.stem
    assert training.weights_digest == shipped(record.stem)
    assert not training.labels or sum(training.labels.values()) >= sum(training.split.values())
    assert all(licence for _, licence, _ in training.sources)


def test_a_record_made_after_the_training_claims_no_time_of_it() -> None:
    for record in RECORDS:
        training = msgspec.json.decode(record.read_bytes(), type=Training)
        assert (training.started is None) == ("remark" in training.settings)
        assert (training.seconds == 0) == (training.started is None)


@pytest.mark.parametrize("name", DIGESTS)
def test_the_documents_of_each_are_shipped_and_listed(name: str) -> None:
    listed = (ROOT / "docs" / "models" / "README.md").read_text()
    for kind in KINDS:
        assert f"({name}.{kind}.md)" in listed
        assert "Evidence as of" in (ROOT / "docs" / "models" / f"{name}.{kind}.md").read_text()


def test_a_figure_or_a_basis_that_was_edited_by_hand_is_found(tmp_path: Path) -> None:
    card = (ROOT / "docs" / "models" / "misuse-screener.model-card.md").read_text()
    shipped, now = tmp_path / "shipped.md", tmp_path / "now.md"
    now.write_text(card)
    other_log = card.replace("glasshouse.invalid/", "glasshouse.invalid/0").replace("2026-", "2031-")
    shipped.write_text(other_log)
    assert differences(shipped, now) == []
    for old, new in ((" | 0.222 ", " | 0.922 "), ("_computed: entry 4", "_computed: entry 5")):
        assert old in card
        shipped.write_text(card.replace(old, new, 1))
        assert differences(shipped, now)
