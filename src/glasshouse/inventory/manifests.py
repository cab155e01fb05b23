"""Manifests that ask for ranges of versions: without a lock file nobody can say which versions are used."""

from __future__ import annotations

import re

_NPM = ("package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml")
_PYTHON = ("poetry.lock", "uv.lock", "pdm.lock", "pylock.toml", "pipfile.lock", "requirements.txt")
# name -> the lock files that settle it, and what shows that it asks for anything
MANIFESTS: dict[str, tuple[tuple[str, ...], re.Pattern[bytes]]] = {
    "package.json": (_NPM, re.compile(rb'"(?:dependencies|optionalDependencies)"\s*:\s*\{\s*"')),
    "pyproject.toml": (_PYTHON, re.compile(rb"(?m)^dependencies\s*=\s*\[\s*[\"']|^\[tool\.poetry\.dependencies\]")),
    "Pipfile": (_PYTHON, re.compile(rb"(?m)^\[packages\]\s*\n\s*[A-Za-z\"]")),
    "composer.json": (("composer.lock",), re.compile(rb'"require"\s*:\s*\{\s*"[^"]*/')),
    "Cargo.toml": (("cargo.lock",), re.compile(rb"(?m)^\[(?:workspace\.)?dependencies(?:\]|\.)")),
    "Gemfile": (("gemfile.lock",), re.compile(rb"(?m)^\s*gem\s")),
    "build.gradle": (("gradle.lockfile",), re.compile(rb"(?m)^dependencies\s*\{")),
    "build.gradle.kts": (("gradle.lockfile",), re.compile(rb"(?m)^dependencies\s*\{")),
}
MAX_BYTES = 2_000_000


def unlocked(path: str, content: bytes, locked: set[tuple[str, str]]) -> str:
    """Why a manifest's dependencies are not known; empty when a lock file here or above settles them, or it has none.

    ``locked`` holds folder and name (in lower case) of every inventory of the tree.
    """
    folder, _, name = path.rpartition("/")
    locks, asks = MANIFESTS[name]
    if not asks.search(content[:MAX_BYTES]):
        return ""
    while True:
        if any((folder, lock) in locked for lock in locks):
            return ""
        if not folder:
            return f"asks for ranges of versions, and there is no lock file ({', '.join(locks)}) here or above"
        folder = folder.rpartition("/")[0]
