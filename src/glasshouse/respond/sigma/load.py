"""Rule sets from folders: read, compiled once, kept in a cache of plain msgpack keyed by content."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from importlib import metadata
from pathlib import Path

import msgspec

from glasshouse.respond.sigma.ir import FORMAT, RuleSet
from glasshouse.words.errors import PathError, SigmaRuleError
from glasshouse.words.incident import RuleProblem
from glasshouse.words.named_file import read_named

MAX_RULE_FILES = 100_000
MAX_FILE_BYTES = 1_000_000
STARTER = Path(__file__).resolve().parent.parent / "data" / "rules"
SIGMAHQ = "https://github.com/SigmaHQ/sigma/blob/master/"
SIGMAHQ_FOLDERS = frozenset({"rules", "rules-emerging-threats", "rules-threat-hunting"})
SOURCES, COMPILED = "sources.msgpack", "compiled.msgpack"


class RuleText(msgspec.Struct, frozen=True):
    """A rule file: its path below the folder, its text and where people can read it."""

    path: str
    text: str
    link: str = ""


class Imported(msgspec.Struct, frozen=True):
    """Rules that a user brought in: the texts themselves, since the folder may go away."""

    name: str
    imported: str
    files: tuple[RuleText, ...]


def read_folder(folder: Path, link_base: str = "") -> Iterator[RuleText]:
    """The rule files below a folder (or one file), in order of path.

    A folder laid out like the SigmaHQ repository gets links to that repository, unless ``link_base`` says otherwise.
    """
    if not folder.exists():
        raise PathError("no such file or folder", where=str(folder))
    root = folder if folder.is_dir() else folder.parent
    base = link_base or _link_base(root)
    files = sorted(_rule_files(folder)) if folder.is_dir() else [folder]
    for file in files[:MAX_RULE_FILES]:
        path = file.relative_to(root).as_posix()
        try:
            text = read_named(file, MAX_FILE_BYTES).decode("utf-8", "replace")
        except OSError as error:
            raise PathError(f"cannot read: {error.strerror}", where=str(file)) from error
        yield RuleText(path, text, base + path if base else "")


def _rule_files(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(place, name) for name in names if name.endswith((".yml", ".yaml")))


def _link_base(root: Path) -> str:
    """The SigmaHQ address when ``root`` is that repository or a folder directly in it."""
    if sum((root / name).is_dir() for name in SIGMAHQ_FOLDERS) >= 2:
        return SIGMAHQ
    parent = root.parent
    if root.name in SIGMAHQ_FOLDERS and sum((parent / name).is_dir() for name in SIGMAHQ_FOLDERS) >= 2:
        return f"{SIGMAHQ}{root.name}/"
    return ""


def rule_set(
    texts: Iterable[RuleText], cache: Path | None, placeholders: Mapping[str, tuple[str, ...]] | None = None
) -> RuleSet:
    """The compiled rules of some files, from the cache when it has them."""
    files = list(texts)
    key = _key(files, placeholders or {})
    place = cache / f"sigma-{key}.msgpack" if cache is not None else None
    if place is not None:
        known = read_compiled(place)
        if known is not None:
            return known
    from glasshouse.respond.sigma.compile import RuleFile, compile_rules

    made = compile_rules((RuleFile(file.path, file.text, file.link) for file in files), placeholders)
    if place is not None:
        write_file(place, msgspec.msgpack.encode(made))
    return made


def _key(files: list[RuleText], placeholders: Mapping[str, tuple[str, ...]]) -> str:
    digest = hashlib.sha256(f"{FORMAT} {metadata.version('pysigma')}".encode())
    digest.update(msgspec.msgpack.encode(sorted(placeholders.items())))
    for file in files:
        digest.update(msgspec.msgpack.encode(file))
    return digest.hexdigest()[:32]


def read_compiled(place: Path) -> RuleSet | None:
    """A compiled rule set, or None when there is none that this version can use."""
    try:
        found = msgspec.msgpack.decode(place.read_bytes(), type=RuleSet)
    except (OSError, msgspec.DecodeError):
        return None
    return found if found.format == FORMAT else None


def write_file(place: Path, data: bytes) -> None:
    """Writes at once: a reader sees the old file or the new one.  A cache that cannot be written is no failure."""
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=place.parent)
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
        os.replace(name, place)
    except OSError:
        return


def store_imported(home: Path, name: str, files: list[RuleText], imported: str) -> RuleSet:
    """Keeps rules under ``home/rules/name`` and compiles them; raises when no file holds a usable rule."""
    made = rule_set(files, None)
    if not made.rules and not made.correlations:
        raise SigmaRuleError(f"none of {len(files):,} files holds a usable rule", where=name)
    folder = home / "rules" / name
    folder.mkdir(parents=True, exist_ok=True)
    write_file(folder / SOURCES, msgspec.msgpack.encode(Imported(name, imported, tuple(files))))
    write_file(folder / COMPILED, msgspec.msgpack.encode(made))
    if read_compiled(folder / COMPILED) is None:
        raise PathError("the imported rules could not be written", where=str(folder))
    return made


def imported_sets(home: Path | None) -> Iterator[tuple[str, RuleSet]]:
    """Every imported set by name; compiled again when this version of Glasshouse compiles differently."""
    if home is None or not (home / "rules").is_dir():
        return
    for folder in sorted((home / "rules").iterdir()):
        found = read_compiled(folder / COMPILED)
        if found is None:
            found = _compiled_again(folder)
        if found is not None:
            yield folder.name, found


def _compiled_again(folder: Path) -> RuleSet | None:
    try:
        stored = msgspec.msgpack.decode((folder / SOURCES).read_bytes(), type=Imported)
    except (OSError, msgspec.DecodeError):
        problem = RuleProblem(folder.name, "", "unreadable", f"the imported rules in {folder} cannot be read")
        return RuleSet(FORMAT, (), (), (), (problem,))
    made = rule_set(stored.files, None)
    write_file(folder / COMPILED, msgspec.msgpack.encode(made))
    return made
