"""Assesses the models that ship with Glasshouse and writes their documents, as any user could do for a model of theirs.

    python scripts/assess_own_models.py FOLDER [--facts forecast.db]

In FOLDER: a home of its own (its log is the evidence), a model file, a model card and a datasheet per model, the
verdicts of the gate, and one audit pack.  Without ``--facts`` the forecaster is registered but not measured.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

MODELS = ("misuse-screener", "scanner", "forecaster")


def glasshouse(home: Path, *arguments: str, accept: tuple[int, ...] = (0,)) -> str:
    """Runs a command in the home; its standard output.  Ends the script when it fails."""
    environment = {**os.environ, "GLASSHOUSE_HOME": str(home)}
    command = [sys.executable, "-m", "glasshouse", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode not in accept:
        sys.exit(f"{' '.join(arguments)}: exit {done.returncode}\n{done.stderr}")
    return done.stdout


def assess(folder: Path, name: str, facts: Path | None) -> None:
    """Model file, runs, verdict and documents of one model."""
    home, file = folder / "home", folder / f"{name}.yaml"
    file.write_text(glasshouse(home, "assess", "own", name))
    if name == "forecaster" and facts is None:
        print(f"{name}: registered, not measured (no --facts)")
        glasshouse(home, "assess", "model", str(file))
    else:
        options = ("--option", f"store={facts}") if name == "forecaster" else ()
        print(glasshouse(home, "assess", "run", str(file), *options), end="")
    verdict = glasshouse(home, "assess", "gate", str(file), "--tier", "public", accept=(0, 1))
    (folder / f"{name}.gate.txt").write_text(verdict)
    for kind in ("model-card", "datasheet"):
        for form in ("md", "html"):
            place = folder / f"{name}.{kind}.{form}"
            glasshouse(
                home, "dossier", kind, "--model", name, "--audience", "public", "--format", form, "-o", str(place)
            )


def main() -> None:
    """All three models."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--facts", type=Path)
    parser.add_argument("--only", choices=MODELS, action="append")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    folder = options.folder.resolve()
    glasshouse(folder / "home", "assess", "commit")
    for name in options.only or MODELS:
        assess(folder, name, options.facts)
    for name in options.only or MODELS:
        print(f"{name}:\n{glasshouse(folder / 'home', 'dossier', 'coverage', '--model', name)}", end="")
    pack = folder / "audit-pack.zip"
    glasshouse(folder / "home", "dossier", "audit-pack", "--model", (options.only or MODELS)[0], "-o", str(pack))
    print(f"written to {folder}")


if __name__ == "__main__":
    main()
