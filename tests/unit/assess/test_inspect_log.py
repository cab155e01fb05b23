"""Inspect logs made elsewhere: read as they are, bounded, and only for the model that they are about."""

from __future__ import annotations

import contextlib
import json
import struct
import zipfile
from pathlib import Path
from typing import Any

import msgspec
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from glasshouse.assess.inspect_log import read_inspect_log
from glasshouse.assess.model_file import ModelFile, load_model
from glasshouse.assess.records import RunRecorded
from glasshouse.words.errors import SuiteError

DIGEST = "sha256:" + "1a" * 32
MODEL: ModelFile = load_model(
    "m.yaml",
    f"identity: {{name: m, version: '1', weights_digest: '{DIGEST}'}}\nprovider: P\nintended_use: U\n"
    "placing: {on_union_market: false}".encode(),
)


def sample(number: int, value: object) -> dict[str, Any]:
    """A sample as Inspect writes it, with more than we read."""
    return {
        "id": f"q{number}",
        "epoch": 1,
        "input": [{"role": "user", "content": "2+2?"}],
        "output": {"model": "m", "completion": "4", "choices": []},
        "scores": {"match": {"value": value, "answer": "4"}},
        "events": [],
    }


def log(status: str = "success", metadata: dict[str, str] | None = None, model: str = "provider/m") -> dict[str, Any]:
    """The head of a log."""
    return {
        "version": 2,
        "status": status,
        "eval": {
            "created": "2026-11-20T10:00:00+00:00",
            "model": model,
            "task": "sums",
            "metadata": metadata,
            "dataset": {"name": "sums", "samples": 3},
            "config": {"epochs": 1},
            "revision": {"commit": "abc"},
        },
        "stats": {"started_at": "2026-11-20T10:00:01+00:00", "completed_at": "2026-11-20T10:00:09+00:00"},
    }


SAMPLES = [sample(1, "C"), sample(2, "I"), sample(3, "C")]


def as_json(path: Path, head: dict[str, Any], samples: list[dict[str, Any]] = SAMPLES) -> Path:
    """The log as one JSON file."""
    path.write_text(json.dumps(head | {"samples": samples}))
    return path


def as_archive(path: Path, head: dict[str, Any], method: int = zipfile.ZIP_DEFLATED) -> Path:
    """The log as an archive."""
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("header.json", json.dumps(head))
        for number, each in enumerate(SAMPLES):
            archive.writestr(f"samples/{number}_epoch_1.json", json.dumps(each))
    return path


def as_zstd(path: Path, head: dict[str, Any]) -> Path:
    """An archive whose members are in Zstandard (method 93), as newer Inspect writes it."""
    members = {"header.json": head} | {f"samples/{n}_epoch_1.json": each for n, each in enumerate(SAMPLES)}
    packed = {name: zstandard.ZstdCompressor().compress(json.dumps(body).encode()) for name, body in members.items()}
    stored = path.with_suffix(".stored")
    with zipfile.ZipFile(stored, "w", zipfile.ZIP_STORED) as archive:
        for name, body in packed.items():
            archive.writestr(name, body)
    raw = bytearray(stored.read_bytes())
    for signature, at in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        place = raw.find(signature)
        while place >= 0:
            raw[place + at : place + at + 2] = struct.pack("<H", 93)
            place = raw.find(signature, place + 4)
    path.write_bytes(raw)
    return path


@pytest.mark.parametrize("write", [as_json, as_archive, as_zstd])
def test_a_finished_log_about_this_model_becomes_a_run(write: Any, tmp_path: Path) -> None:
    record = read_inspect_log(write(tmp_path / "x.eval", log()), "imported-sums", MODEL)
    accuracy = record.run.metric("accuracy")
    assert accuracy is not None
    assert round(accuracy.estimate, 3) == 0.667
    assert (accuracy.n, record.run.model_digest) == (3, DIGEST)
    assert (record.run.source, record.run.suite, len(record.draw)) == ("inspect", "imported-sums", 3)


def test_the_digest_in_the_metadata_decides_over_the_name(tmp_path: Path) -> None:
    other = log(metadata={"glasshouse_model_digest": "sha256:" + "2b" * 32})
    with pytest.raises(SuiteError, match="2b2b"):
        read_inspect_log(as_json(tmp_path / "x.json", other), "s", MODEL)
    mine = log(metadata={"glasshouse_model_digest": DIGEST}, model="anything/else")
    assert read_inspect_log(as_json(tmp_path / "y.json", mine), "s", MODEL).run.model == "m"


@pytest.mark.parametrize(
    ("head", "samples", "says"),
    [
        (log(status="error"), SAMPLES, "ended as `error`"),
        (log(model="provider/other"), SAMPLES, "not about `m`"),
        (log(), [], "no samples"),
        ({"version": 2}, SAMPLES, "not an Inspect"),
    ],
)
def test_a_log_that_is_no_evidence_for_this_model_is_refused(
    head: dict[str, Any], samples: list[dict[str, Any]], says: str, tmp_path: Path
) -> None:
    with pytest.raises(SuiteError, match=says):
        read_inspect_log(as_json(tmp_path / "x.json", head, samples), "s", MODEL)


def test_graded_scores_are_a_mean_and_unscored_samples_are_counted(tmp_path: Path) -> None:
    graded = [sample(1, 0.25), sample(2, 0.75), sample(3, {"odd": 1})]
    run = read_inspect_log(as_json(tmp_path / "x.json", log(), graded), "s", MODEL).run
    assert [(each.name, each.estimate) for each in run.metrics] == [
        ("accuracy", 0.5),
        ("unscored", pytest.approx(1 / 3)),
    ]


def test_a_run_with_unscored_samples_or_one_sample_alone_comes_back_from_its_record(tmp_path: Path) -> None:
    for samples in ([sample(1, 0.25)], [sample(1, {"odd": 1})], [sample(1, 0.25), sample(2, {"odd": 1})]):
        record = read_inspect_log(as_json(tmp_path / "x.json", log(), samples), "s", MODEL)
        assert msgspec.json.decode(msgspec.json.encode(record), type=RunRecorded) == record
    assert [each.scored for each in record.samples] == [True, False]


@given(cut=st.integers(0, 900), flip=st.integers(0, 900))
def test_a_damaged_file_gives_one_clear_error(cut: int, flip: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = as_zstd(tmp_path_factory.mktemp("x") / "x.eval", log())
    raw = bytearray(path.read_bytes())
    raw[flip % len(raw)] ^= 0xFF
    path.write_bytes(raw[: len(raw) - cut % len(raw)])
    with contextlib.suppress(SuiteError):
        read_inspect_log(path, "s", MODEL)
