"""Assesses the models that ship with Glasshouse and writes their documents, as any user could do for a model of theirs.

    python scripts/assess_own_models.py FOLDER [--facts forecast.db]   everything, with home, log and audit pack
    python scripts/assess_own_models.py --write                       renew docs/models
    python scripts/assess_own_models.py --check                       are docs/models what the commands make now?

In FOLDER: a home of its own (its log is the evidence), a model file, model card, datasheet, Model Documentation Form
and Model Report per model, the verdicts of the gate, and one audit pack.  Without ``--facts`` the forecaster is
measured over the sample in scripts/data, which its training saw.

The check compares texts and bases, without days and without what names the log.  A document speaks of the digest that
it names: where a model has moved on since, that is said, and fails only with ``--release``.
"""

from __future__ import annotations

import argparse
import difflib
import gzip
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec

ROOT = Path(__file__).resolve().parents[1]
SHIPPED = ROOT / "docs" / "models"
RECORDS = ROOT / "train" / "records"
SAMPLE = ROOT / "scripts" / "data" / "forecast_sample.ndjson.gz"
MODELS = ("misuse-screener", "scanner", "forecaster", "technique-ranker", "incident-grouping")
KINDS = ("model-card", "datasheet", "documentation-form", "model-report")
TIER = "public"
_DAY = re.compile(r"\d{4}-\d\d-\d\d(T[\d:.]+(\+00:00|Z)?)?")
_LOG = re.compile(r"(?m)^.*checkpoint .*$")
_WEIGHTS = re.compile(r"Digest of what was assessed[^\n]*?(sha256:[0-9a-f]{64})")


def glasshouse(home: Path, *arguments: str, accept: tuple[int, ...] = (0,)) -> str:
    """Runs a command in the home; its standard output.  Ends the script when it fails."""
    environment = {**os.environ, "GLASSHOUSE_HOME": str(home)}
    command = [sys.executable, "-m", "glasshouse", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode not in accept:
        sys.exit(f"{' '.join(arguments)}: exit {done.returncode}\n{done.stderr}")
    return done.stdout


def sampled_facts(folder: Path) -> Path:
    """The sample as a store of facts."""
    from glasshouse.forecast.facts import Fact
    from glasshouse.forecast.store import FactStore

    place = folder / "sample.db"
    lines = gzip.decompress(SAMPLE.read_bytes()).splitlines()
    with FactStore(place) as store:
        store.add(msgspec.json.decode(line, type=Fact) for line in lines)
    return place


def assess(folder: Path, name: str, facts: Path) -> None:
    """Model file, training record, runs and verdict of one model."""
    home, file = folder / "home", folder / f"{name}.yaml"
    file.write_text(glasshouse(home, "assess", "own", name))
    record = RECORDS / f"{name}.json"
    if record.exists():
        glasshouse(home, "assess", "training", str(record))
    options = ("--option", f"store={facts}") if name == "forecaster" else ()
    print(glasshouse(home, "assess", "run", str(file), *options), end="")
    verdict = glasshouse(home, "assess", "gate", str(file), "--tier", TIER, accept=(0, 1))
    (folder / f"{name}.gate.txt").write_text(verdict)


def document(folder: Path, name: str, kind: str, form: str) -> Path:
    """One document of one model; where it lies."""
    place = folder / f"{name}.{kind}.{form}"
    options = ("--model", name, "--audience", "public" if kind in ("model-card", "datasheet") else "ai-office")
    glasshouse(folder / "home", "dossier", kind, *options, "--format", form, "-o", str(place))
    return place


def made(folder: Path, models: tuple[str, ...], facts: Path | None) -> None:
    """Everything about some models, in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    glasshouse(folder / "home", "assess", "commit")
    for name in models:
        assess(folder, name, facts or sampled_facts(folder))
    for name in models:
        for kind in KINDS:
            document(folder, name, kind, "md")


def comparable(text: str) -> str:
    """A document without its days and without what names the log."""
    return _DAY.sub("DAY", _LOG.sub("LOG", text))


def weights(text: str) -> str:
    """The digest of the model that a model card speaks of."""
    found = _WEIGHTS.search(text)
    return found.group(1) if found is not None else ""


def differences(shipped: Path, now: Path) -> list[str]:
    """The lines that differ between a shipped document and the one made now; nothing where they say the same."""
    before = comparable(shipped.read_text()) if shipped.exists() else ""
    after = comparable(now.read_text())
    return list(difflib.unified_diff(before.splitlines(), after.splitlines(), shipped.name, "now", lineterm="", n=0))


def check(folder: Path, release: bool) -> int:
    """0 when what is shipped is what the commands make; what differs is printed."""
    made(folder, MODELS, None)
    bad = 0
    for name in MODELS:
        old = {kind: SHIPPED / f"{name}.{kind}.md" for kind in KINDS}
        cards = [place.read_text() for place in (old["model-card"], folder / f"{name}.model-card.md") if place.exists()]
        if len(cards) == 2 and weights(cards[0]) != weights(cards[1]):
            print(f"{name}: docs/models speaks of {weights(cards[0])}, the model is {weights(cards[1])} now")
            bad += release
            continue
        for kind, place in old.items():
            shown = differences(place, folder / place.name)
            print("\n".join(shown[:40]) if shown else f"{name}: {kind} is what the commands make")
            bad += bool(shown)
    if bad:
        print("renew them: python scripts/assess_own_models.py --write", file=sys.stderr)
    return 1 if bad else 0


def write(folder: Path) -> None:
    """Renews docs/models."""
    made(folder, MODELS, None)
    SHIPPED.mkdir(exist_ok=True)
    for name in MODELS:
        for kind in KINDS:
            (SHIPPED / f"{name}.{kind}.md").write_bytes((folder / f"{name}.{kind}.md").read_bytes())
    print(f"written to {SHIPPED}")


def main() -> int:
    """Assesses, and writes or checks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--facts", type=Path)
    parser.add_argument("--only", choices=MODELS, action="append")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--release", action="store_true")
    options = parser.parse_args()
    if options.write or options.check:
        with tempfile.TemporaryDirectory(prefix="glasshouse-own-") as temporary:
            if options.check:
                return check(Path(temporary), options.release)
            write(Path(temporary))
        return 0
    if options.folder is None:
        parser.error("name a folder, or give --write or --check")
    folder, models = options.folder.resolve(), tuple(options.only or MODELS)
    made(folder, models, options.facts)
    for name in models:
        for kind in KINDS:
            document(folder, name, kind, "html")
        print(f"{name}:\n{glasshouse(folder / 'home', 'dossier', 'coverage', '--model', name)}", end="")
    glasshouse(folder / "home", "dossier", "audit-pack", "--model", models[0], "-o", str(folder / "audit-pack.zip"))
    print(f"written to {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
