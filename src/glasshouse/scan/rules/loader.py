"""Gives the engine its rules and models: ``load_rules`` for some languages, plus the user's own files.

Files: ``data/classes.yaml`` (taint classes), ``data/<language>/*.yaml`` and ``data/shared/*.yaml`` (several languages).
Each folder is a *section* with a digest of its bytes, of the taint classes and of the schema.  A section comes from the
first of: the file shipped with the package (``data/compiled.msgpack``), the caller's cache directory, the YAML itself.
Only the last one imports yaml, and only there are the checks of ``parse_rules`` made.
"""

from __future__ import annotations

import contextlib
import difflib
import fnmatch
import functools
import hashlib
import os
import tempfile
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import get_args

import msgspec

from glasshouse.scan.rules import schema
from glasshouse.scan.rules.schema import Language, Models, Rule, RuleFile, Subject
from glasshouse.words.errors import RuleError
from glasshouse.words.named_file import read_named

LANGUAGES: tuple[str, ...] = get_args(Language)
SUBJECTS: tuple[str, ...] = get_args(Subject)
EVERYTHING = (*LANGUAGES, *SUBJECTS)
SECTIONS: tuple[str, ...] = (*EVERYTHING, "shared")
DATA = Path(__file__).parent / "data"
COMPILED = DATA / "compiled.msgpack"
_DIGEST_BYTES = 16
_MAX_EXTRA_FILES = 500
MAX_RULE_BYTES = 5_000_000


class RuleSet(msgspec.Struct, frozen=True):
    """The rules of a scan.  ``taint_classes`` is in bit order; ``digest`` changes whenever any finding could."""

    rules: dict[str, Rule]
    models: tuple[Models, ...]
    taint_classes: tuple[str, ...]
    digest: str


class Section(msgspec.Struct, frozen=True):
    """The contents of one folder of rule files, decoded."""

    rules: tuple[Rule, ...] = ()
    models: tuple[Models, ...] = ()
    taint_classes: tuple[str, ...] = ()


class Stored(msgspec.Struct, frozen=True):
    """A section in the compiled file: unpacked (zlib, MessagePack) only when its digest is the wanted one."""

    digest: str
    body: bytes


class SourceFile(msgspec.Struct, frozen=True):
    """One YAML file: ``name`` for messages (stable across machines for built-in files), and its bytes."""

    name: str
    text: bytes


def load_rules(
    languages: Iterable[str] = LANGUAGES,
    extra: Sequence[Path] = (),
    select: Sequence[str] = (),
    *,
    cache_dir: Path | None = None,
    lenient: bool = False,
) -> RuleSet:
    """Rules and models of ``languages``, the user's files in ``extra`` (files or folders), reduced to ``select``.

    ``lenient``: a selection that names nothing here is no mistake (it may name rules of another language).

    ``select`` holds rule ids, patterns (``py-*``) and ``cwe-89``; a leading ``-`` or ``!`` leaves rules out.  Raises
    ``RuleError`` when a file does not follow the schema, an id occurs twice or a selection names nothing.
    """
    wanted = _known_languages(languages)
    classes_file = _read(DATA / "classes.yaml", "classes.yaml")
    names = [name for name in SECTIONS if name in wanted or name == "shared"]
    shipped = _read_shipped()
    sections: list[Section] = []
    digests: list[str] = []
    fresh = False
    for name, files in [*((name, section_files(name)) for name in names), ("extra", _extra_files(extra))]:
        if name == "extra" and not files:
            continue
        digest = section_digest(files, classes_file)
        section = _from_stored(shipped.get(name), digest) or _from_cache(cache_dir, digest)
        if section is None:
            section, fresh = parse_section(files, classes_file, built_in=name != "extra"), True
            _to_cache(cache_dir, digest, section)
        sections.append(section)
        digests.append(digest)
    return _assemble(sections, digests, wanted, select, check_references=fresh, lenient=lenient)


def section_files(name: str) -> list[SourceFile]:
    """The built-in YAML files of one section, in name order."""
    folder = DATA / name
    return [_read(path, f"{name}/{path.name}") for path in sorted(folder.glob("*.yaml"))]


def section_digest(files: Sequence[SourceFile], classes_file: SourceFile) -> str:
    """Digest over schema, taint classes and the files (names and bytes)."""
    state = hashlib.blake2b(schema_signature().encode(), digest_size=_DIGEST_BYTES)
    for file in (classes_file, *files):
        state.update(f"\0{file.name}\0{len(file.text)}\0".encode())
        state.update(file.text)
    return state.hexdigest()


@functools.cache
def schema_signature() -> str:
    """Names and types of all fields of the schema, so that a changed schema makes every stored section stale."""
    structs = [item for item in vars(schema).values() if isinstance(item, type) and issubclass(item, msgspec.Struct)]
    return ";".join(
        f"{item.__name__}:{','.join(f'{k}={v}' for k, v in item.__annotations__.items())}" for item in structs
    )


def parse_section(files: Sequence[SourceFile], classes_file: SourceFile, *, built_in: bool) -> Section:
    """Parse and check YAML files (slow: imports yaml)."""
    from glasshouse.scan.rules.parse import parse_rules

    classes: dict[str, str] = dict(parse_rules(classes_file.text, classes_file.name, built_in=True).taint_classes)
    known = tuple(classes)
    documents: list[RuleFile] = []
    for file in files:
        document = parse_rules(file.text, file.name, classes, built_in=built_in)
        classes.update(document.taint_classes)
        documents.append(document)
    return Section(
        rules=tuple(rule for document in documents for rule in document.rules),
        models=tuple(document.models for document in documents if document.models is not None),
        taint_classes=(*known, *(name for name in classes if name not in known)),
    )


def compile_shipped() -> bytes:
    """The bytes of ``compiled.msgpack`` for the YAML files as they are now."""
    classes_file = _read(DATA / "classes.yaml", "classes.yaml")
    stored: dict[str, Stored] = {}
    for name in SECTIONS:
        files = section_files(name)
        section = parse_section(files, classes_file, built_in=True)
        stored[name] = Stored(section_digest(files, classes_file), zlib.compress(msgspec.msgpack.encode(section), 6))
    return msgspec.msgpack.encode(stored)


def _known_languages(languages: Iterable[str]) -> tuple[str, ...]:
    chosen = tuple(languages)
    for language in chosen:
        if language not in EVERYTHING:
            raise RuleError(f"no rules for language {language!r}; known: {', '.join(EVERYTHING)}")
    return tuple(language for language in EVERYTHING if language in chosen)


def _read(path: Path, name: str) -> SourceFile:
    try:
        content = read_named(path, MAX_RULE_BYTES)
    except OSError as error:
        raise RuleError(f"cannot read the rule file: {error.strerror}", where=str(path)) from None
    if len(content) > MAX_RULE_BYTES:
        raise RuleError(f"a rule file larger than {MAX_RULE_BYTES:,} bytes", where=str(path))
    return SourceFile(name, content)


def _extra_files(paths: Sequence[Path]) -> list[SourceFile]:
    files: list[Path] = []
    for path in paths:
        inside = (item for item in path.rglob("*") if item.suffix in {".yaml", ".yml"} and item.is_file())
        files.extend(sorted(inside) if path.is_dir() else [path])
    if len(files) > _MAX_EXTRA_FILES:
        raise RuleError(f"{len(files)} rule files given; at most {_MAX_EXTRA_FILES} are read")
    return [_read(path, str(path)) for path in files]


def _read_shipped() -> dict[str, Stored]:
    """The compiled file; one that is absent or from another version is as good as none: the YAML is complete."""
    try:
        return msgspec.msgpack.decode(COMPILED.read_bytes(), type=dict[str, Stored])
    except (OSError, msgspec.MsgspecError):
        return {}


def _from_stored(stored: Stored | None, digest: str) -> Section | None:
    if stored is None or stored.digest != digest:
        return None
    try:
        return msgspec.msgpack.decode(zlib.decompress(stored.body), type=Section)
    except (msgspec.MsgspecError, zlib.error):
        return None


def _from_cache(cache_dir: Path | None, digest: str) -> Section | None:
    if cache_dir is None:
        return None
    try:
        return msgspec.msgpack.decode((cache_dir / f"rules-{digest}.msgpack").read_bytes(), type=Section)
    except (OSError, msgspec.MsgspecError):
        return None


def _to_cache(cache_dir: Path | None, digest: str, section: Section) -> None:
    """Write beside the target and rename; a cache that cannot be written only costs time."""
    if cache_dir is None:
        return
    with contextlib.suppress(OSError):
        cache_dir.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=cache_dir, prefix=".rules-")
        with os.fdopen(handle, "wb") as file:
            file.write(msgspec.msgpack.encode(section))
        os.replace(temporary, cache_dir / f"rules-{digest}.msgpack")


def _assemble(
    sections: Sequence[Section],
    digests: Sequence[str],
    languages: tuple[str, ...],
    select: Sequence[str],
    *,
    check_references: bool,
    lenient: bool,
) -> RuleSet:
    rules: dict[str, Rule] = {}
    for section in sections:
        for rule in section.rules:
            if rule.id in rules:
                raise RuleError(f"rule {rule.id!r}: the id is used twice")
            rules[rule.id] = rule
    if check_references:
        _check_references(rules)
    rules = {key: rule for key, rule in rules.items() if any(item in languages for item in rule.languages)}
    kept = _selected(rules, select, lenient)
    models = tuple(
        model for section in sections for model in section.models if any(item in languages for item in model.languages)
    )
    classes = tuple(dict.fromkeys(name for section in sections for name in section.taint_classes))
    text = "\0".join([*digests, ",".join(languages), *sorted(kept)])
    digest = hashlib.blake2b(text.encode(), digest_size=_DIGEST_BYTES).hexdigest()
    return RuleSet(kept, models, classes, digest)


def _check_references(rules: dict[str, Rule]) -> None:
    """Every taint rule has a place where it can be reported."""
    for rule in rules.values():
        if rule.taint and not rule.sinks:
            raise RuleError(f"rule {rule.id!r}: field sinks: expected at least one sink")


def _selected(rules: dict[str, Rule], select: Sequence[str], lenient: bool) -> dict[str, Rule]:
    if not select:
        return rules
    wanted = [text for text in select if not text.startswith(("!", "-"))]
    chosen = {key for text in wanted for key in _named(rules, text, lenient)} if wanted else set(rules)
    dropped = {key for text in select if text.startswith(("!", "-")) for key in _named(rules, text[1:], lenient)}
    return {key: rule for key, rule in rules.items() if key in chosen and key not in dropped}


def _named(rules: dict[str, Rule], text: str, lenient: bool) -> list[str]:
    """Ids that a selection word means; a word that means nothing is a mistake worth stopping for."""
    word = text.lower()
    if word.startswith("cwe-") and word[4:].isdigit():
        return [key for key, rule in rules.items() if int(word[4:]) in rule.cwe]
    found = [key for key in rules if fnmatch.fnmatchcase(key, word)]
    if not found and not lenient and not any(mark in word for mark in "*?["):
        near = difflib.get_close_matches(word, rules, n=1)
        raise RuleError(f"there is no rule {text!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
    return found
