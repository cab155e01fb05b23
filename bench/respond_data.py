"""Recordings of attacks for the benchmarks of `respond`, and the detections in them.

The folder holds ``labels.json`` (a list of id, file, events, source, platform, techniques, tactics, licence, class_),
the recordings as NDJSON compressed with zstandard, and ``sigma_rules.tar.zst`` with the SigmaHQ rules.  The recordings
come from OTRF/Security-Datasets, sbousseaden/EVTX-ATTACK-SAMPLES, invictus-ir/aws_dataset and the samples of
omerbenamram/evtx; flatten each event to one object with the names of Windows' event data.
"""

from __future__ import annotations

import io
import tarfile
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
import zstandard

from glasshouse.respond.engine.detect import Detections
from glasshouse.respond.engine.run import Engine, Match
from glasshouse.respond.engine.sightings import Sightings
from glasshouse.respond.read.classify import Classifier
from glasshouse.respond.read.inputs import read_logs
from glasshouse.respond.read.interface import Chunk
from glasshouse.respond.sigma.ir import RuleSet
from glasshouse.respond.sigma.join import joined
from glasshouse.respond.sigma.load import read_folder, rule_set
from glasshouse.respond.sigma.signs import sign_rules
from glasshouse.words.incident import LEVEL_RANK, Detection, Sighting

FOLDERS = ("rules", "rules-emerging-threats")
CACHE = Path(tempfile.gettempdir()) / "glasshouse-bench"
MAX_PER_RULE = 300


class Recording(msgspec.Struct, frozen=True):
    """One recording with its labels."""

    id: str
    file: Path
    events: int
    source: str
    platform: str
    techniques: tuple[str, ...]
    attack: bool
    tactics: tuple[str, ...]
    licence: str


def recordings(data: Path) -> list[Recording]:
    """All recordings of the folder."""
    rows = msgspec.json.decode((data / "labels.json").read_bytes())
    return [
        Recording(
            row["id"],
            data / row["file"],
            row["events"],
            row["source"],
            row["platform"],
            tuple(row["techniques"]),
            row["class_"] == "attack",
            tuple(row["tactics"]),
            row["licence"],
        )
        for row in rows
    ]


def unpacked_rules(data: Path) -> Path:
    """The folder of the SigmaHQ rules, unpacked beside the cache."""
    place = CACHE / "sigma"
    if not place.is_dir():
        place.mkdir(parents=True)
        with (data / "sigma_rules.tar.zst").open("rb") as stream:
            reader = zstandard.ZstdDecompressor().stream_reader(stream)
            with tarfile.open(fileobj=reader, mode="r|") as archive:
                archive.extractall(place, filter="data")
    return place


def rules_in(data: Path, folder: Path | None = None, folders: tuple[str, ...] = FOLDERS) -> RuleSet:
    """The compiled rules of some folders, and the signs of techniques."""
    base = folder or unpacked_rules(data)
    sets = [rule_set(read_folder(base / name), CACHE) for name in folders if (base / name).is_dir()]
    return joined([*sets, sign_rules(CACHE)])


Sighted = dict[str, tuple[Sighting, ...]]


def detections_of(
    chosen: Iterable[Recording], rules: RuleSet, sighted: Sighted | None = None
) -> dict[str, list[Detection]]:
    """The detections (low and above, some hundred per rule at most) in each recording, in order of time.

    ``sighted`` takes the signs that were seen in each.
    """
    engine, maker = Engine(rules, Classifier().tag), Detections(rules)
    wanted = [LEVEL_RANK[rule.ref.level] >= 1 for rule in rules.rules]
    found: dict[str, list[Detection]] = {}
    for each in chosen:
        counts: Counter[int] = Counter()
        detections = []
        sightings = Sightings(rules)
        for match in _matches(engine, each.file):
            if sightings.take(match):
                continue
            counts[match.rule] += 1
            if wanted[match.rule] and counts[match.rule] <= MAX_PER_RULE:
                detections.append(maker.of(match))
        if sighted is not None:
            sighted[each.id] = sightings.seen()
        whole = map(engine.lineage.with_ancestors, detections)
        found[each.id] = sorted(whole, key=lambda each: (each.time or 0.0, each.record, each.rule.id))
    return found


def _matches(engine: Engine, file: Path) -> Iterator[Match]:
    for chunk in read_logs([file], io.BytesIO()):
        if isinstance(chunk, Chunk):
            yield from engine.feed(chunk.source, chunk.first, chunk.events, chunk.size, chunk.tag)
    yield from engine.flush()
