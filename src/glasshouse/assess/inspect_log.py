"""Inspect AI evaluation logs made elsewhere, as runs: read without Inspect, bounded, checked against the model file.

An ``.eval`` file is a zip archive with ``header.json`` and one JSON file per sample; a ``.json`` log is one document.
Format: Inspect AI's published log schema, version 2.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import math
import struct
import zipfile
from pathlib import Path
from typing import Any

import msgspec

from glasshouse.assess.model_file import ModelFile
from glasshouse.assess.records import RunRecorded
from glasshouse.assess.runs import Metric, Run, Sample, mean, measured, proportion
from glasshouse.assess.suite import draw, samples_digest
from glasshouse.words.digests import sha256_of
from glasshouse.words.errors import SuiteError
from glasshouse.words.named_file import read_named

MAX_FILE_BYTES = 512 << 20
MAX_MEMBER_BYTES = 64 << 20
MAX_SAMPLES = 100_000
MAX_TEXT = 4_000
ZIP_ZSTD = 93
LOCAL_HEADER = struct.Struct("<26xHH")
VALUES = {"C": 1.0, "I": 0.0, "P": 0.5, "N": 0.0}  # Inspect's letters for correct, incorrect, partial, no answer
DIGEST_KEY = "glasshouse_model_digest"


class _Eval(msgspec.Struct):
    created: str
    model: str
    task: str = ""
    task_version: int | str = 0
    run_id: str = ""
    metadata: dict[str, Any] | None = None
    dataset: dict[str, Any] = {}
    config: dict[str, Any] = {}
    revision: dict[str, Any] | None = None


class _Header(msgspec.Struct):
    version: int
    status: str
    eval: _Eval
    stats: dict[str, Any] = {}
    samples: list[dict[str, Any]] | None = None


def read_inspect_log(path: Path, suite: str, model: ModelFile) -> RunRecorded:
    """The run of a log.

    Raises `SuiteError` when the file is no such log, the evaluation did not succeed, or it names another model: its
    metadata must carry ``glasshouse_model_digest``, or its model name must be that of the model file.
    """
    header, raw_samples, digest = _read(path)
    if header.status != "success":
        raise SuiteError(f"the evaluation ended as `{header.status}`; only a finished one is evidence", where=str(path))
    _check_model(path, header, model)
    samples = tuple(_sample(each, number) for number, each in enumerate(raw_samples))
    if not samples:
        raise SuiteError("the log holds no samples", where=str(path))
    started = _time(header.stats.get("started_at") or header.eval.created, path)
    run = Run(
        suite=suite,
        model=model.identity.name,
        model_digest=model.identity.digest,
        code_digest=sha256_of(json.dumps(header.eval.revision, sort_keys=True).encode()),
        data_digest=sha256_of(json.dumps(header.eval.dataset, sort_keys=True).encode()),
        started=started,
        ended=_time(header.stats.get("completed_at") or header.eval.created, path),
        seed=int(header.eval.config.get("seed") or 0),
        settings={"task": header.eval.task, "file": digest, "inspect_model": header.eval.model},
        metrics=measured(_metrics(samples)),
        samples_digest=samples_digest(samples),
        samples=len(samples),
        repeats=int(header.eval.config.get("epochs") or 1),
        source="inspect",
    )
    return RunRecorded(run, samples, draw(samples, run.seed))


def _read(path: Path) -> tuple[_Header, list[dict[str, Any]], str]:
    try:
        raw = read_named(path, MAX_FILE_BYTES)
    except OSError as error:
        raise SuiteError(f"cannot be read: {error.strerror}", where=str(path)) from error
    if len(raw) > MAX_FILE_BYTES:
        raise SuiteError(f"larger than {MAX_FILE_BYTES >> 20} MiB", where=str(path))
    try:
        if raw[:2] == b"PK":
            header, samples = _from_archive(path)
        else:
            header = msgspec.json.decode(raw, type=_Header)
            samples = header.samples or []
    except (msgspec.MsgspecError, zipfile.BadZipFile, KeyError, NotImplementedError, RecursionError) as error:
        raise SuiteError(f"not an Inspect evaluation log: {str(error)[:200]}", where=str(path)) from error
    if len(samples) > MAX_SAMPLES:
        raise SuiteError(f"{len(samples):,} samples; at most {MAX_SAMPLES:,} are read", where=str(path))
    return header, samples, sha256_of(raw)


def _from_archive(path: Path) -> tuple[_Header, list[dict[str, Any]]]:
    with zipfile.ZipFile(path) as archive:
        names = [each for each in archive.namelist() if each.startswith("samples/") and each.endswith(".json")]
        header = msgspec.json.decode(_member(archive, "header.json", path), type=_Header)
        bodies = (_member(archive, name, path) for name in sorted(names)[: MAX_SAMPLES + 1])
        return header, [msgspec.json.decode(body, type=dict[str, Any]) for body in bodies]


def _member(archive: zipfile.ZipFile, name: str, path: Path) -> bytes:
    """One member, never more than its limit whatever the directory of the archive claims."""
    info = archive.getinfo(name)
    if info.compress_type == ZIP_ZSTD:
        body = _unzstd(path, info)
    else:
        with archive.open(info) as member:
            body = member.read(MAX_MEMBER_BYTES + 1)
    if len(body) > MAX_MEMBER_BYTES:
        raise SuiteError(f"{name} is larger than {MAX_MEMBER_BYTES >> 20} MiB", where=str(path))
    return body


def _unzstd(path: Path, info: zipfile.ZipInfo) -> bytes:
    """A member in Zstandard, which `zipfile` does not know before Python 3.14: its local header, then its stream."""
    import zstandard

    with path.open("rb") as file:
        file.seek(info.header_offset)
        header = file.read(LOCAL_HEADER.size)
        if len(header) < LOCAL_HEADER.size:
            raise zipfile.BadZipFile("a local header is cut off")
        names, extra = LOCAL_HEADER.unpack(header)
        file.seek(names + extra, 1)
        raw = io.BytesIO(file.read(min(info.compress_size, MAX_MEMBER_BYTES)))
    try:
        return zstandard.ZstdDecompressor().stream_reader(raw).read(MAX_MEMBER_BYTES + 1)
    except zstandard.ZstdError as error:
        raise zipfile.BadZipFile(f"{info.filename}: {error}") from error


def _check_model(path: Path, header: _Header, model: ModelFile) -> None:
    named = (header.eval.metadata or {}).get(DIGEST_KEY)
    if named is not None:
        if named != model.identity.digest:
            raise SuiteError(f"the log is about {named}, not about {model.identity.digest}", where=str(path))
        return
    if header.eval.model.rpartition("/")[2] != model.identity.name and header.eval.model != model.identity.endpoint:
        raise SuiteError(
            f"the log is about the model `{header.eval.model}`, not about `{model.identity.name}`",
            where=str(path),
            hint=f"Run the evaluation with metadata {DIGEST_KEY}={model.identity.digest}, or correct the model file.",
        )


def _sample(raw: dict[str, Any], number: int) -> Sample:
    score, detail = _score(raw.get("scores") or {})
    output = raw.get("output") or {}
    text = output.get("completion", "") if isinstance(output, dict) else output
    name = f"{raw.get('id', number)}.{raw.get('epoch', 1)}"
    asked, said = _text(raw.get("input", "")), _text(text)
    return Sample(str(name)[:120], asked, said, score or 0.0, detail, scored=score is not None)


def _text(value: Any) -> str:
    shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return shown[:MAX_TEXT]


def _score(scores: dict[str, Any]) -> tuple[float | None, str]:
    """The first scorer's value as a number, with its name; None for one that is none."""
    for name, score in scores.items():
        value = score.get("value") if isinstance(score, dict) else score
        if isinstance(value, bool | int | float) and math.isfinite(value):
            return float(value), name
        if isinstance(value, str) and value in VALUES:
            return VALUES[value], name
    return None, next(iter(scores), "")


def _metrics(samples: tuple[Sample, ...]) -> tuple[Metric, ...]:
    """``accuracy`` as a share when every score is 0 or 1, else as a mean; unscored samples count as an extra metric."""
    scored = [each.score for each in samples if each.scored]
    if all(value in (0.0, 1.0) for value in scored):
        accuracy = proportion("accuracy", int(sum(scored)), len(scored))
    else:
        accuracy = mean("accuracy", scored)
    return (accuracy, proportion("unscored", len(samples) - len(scored), len(samples)))


def _time(text: str, path: Path) -> dt.datetime:
    try:
        at = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise SuiteError(f"`{text[:40]}` is not a time", where=str(path)) from error
    return at if at.tzinfo is not None else at.replace(tzinfo=dt.UTC)
