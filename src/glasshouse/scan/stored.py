"""What a scan keeps between runs: lowered files by content, and whole results by the state of the tree.

Three namespaces: ``state`` (path -> size, time, content key), ``lowered`` (content key -> what a worker made of it) and
``results`` (state of everything -> the results).  Every key contains the engine's stamp, so that a new version, rule or
grammar starts afresh.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from glasshouse import __version__
from glasshouse.scan.cache import Cache
from glasshouse.scan.discover import SourceFile
from glasshouse.scan.includes import read_bounded
from glasshouse.scan.ir import IR_VERSION
from glasshouse.scan.settings import ScanSettings
from glasshouse.words.errors import RuleError
from glasshouse.words.finding import Finding, NotAnalysed, Result, ScanSummary, UnusedIgnore
from glasshouse.words.named_file import open_named

GRAMMARS = (
    "tree_sitter",
    "tree_sitter_python",
    "tree_sitter_javascript",
    "tree_sitter_typescript",
    "tree_sitter_java",
    "tree_sitter_go",
    "tree_sitter_php",
    "tree_sitter_c",
    "tree_sitter_cpp",
)
MAX_CACHE_BYTES = 2_000_000_000


class Results(msgspec.Struct, frozen=True, array_like=True):
    """Everything ``scan_tree`` yields, by kind, in order."""

    findings: tuple[Finding, ...]
    unused: tuple[UnusedIgnore, ...]
    problems: tuple[NotAnalysed, ...]
    summary: ScanSummary

    def all(self) -> Iterator[Result]:
        """In the order in which ``scan_tree`` yields them."""
        yield from self.findings
        yield from self.unused
        yield from self.problems
        yield self.summary


class State(msgspec.Struct, frozen=True, array_like=True):
    """A file as an earlier scan saw it."""

    size: int
    mtime_ns: int
    content: bytes


ENCODER = msgspec.msgpack.Encoder()
RESULTS: msgspec.msgpack.Decoder[Results] = msgspec.msgpack.Decoder(Results)
STATE: msgspec.msgpack.Decoder[State] = msgspec.msgpack.Decoder(State)


@functools.cache
def engine_stamp() -> bytes:
    """Changes when the engine's code, its rules or a grammar changes (file sizes and times, read once per process)."""
    digest = hashlib.blake2b(f"{__version__}/{IR_VERSION}".encode(), digest_size=16)
    roots = [Path(__file__).parent]
    for name in GRAMMARS:
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.origin:
            roots.append(Path(spec.origin).parent)
    for root in roots:
        for folder, names, files in os.walk(root):
            names.sort()
            for name in sorted(files):
                if name.endswith((".py", ".yaml", ".json", ".so", ".pyd")):
                    found = os.stat(os.path.join(folder, name))
                    digest.update(f"{name}/{found.st_size}/{found.st_mtime_ns};".encode())
    return digest.digest()


def _digest_of_rules(file: Path) -> str:
    """What is told by a digest must be there: results that are kept must not hide that a named file is not."""
    try:
        with open_named(file) as stream:
            return hashlib.file_digest(stream, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
    except OSError as error:
        raise RuleError(f"cannot read the rule file: {error.strerror}", where=str(file)) from None


def settings_key(settings: ScanSettings) -> bytes:
    """The choices that results depend on (not the number of jobs, not where the cache is)."""
    extra = []
    for path in settings.rule_paths:
        inside = [file for file in sorted(path.rglob("*")) if file.is_file()] if path.is_dir() else [path]
        extra += [_digest_of_rules(file) for file in inside]
    chosen = (
        settings.mode,
        settings.languages,
        settings.rules,
        settings.inline_ignores,
        settings.max_file_bytes,
        settings.max_file_seconds,
        settings.include_tests,
        extra,
    )
    return hashlib.blake2b(ENCODER.encode(chosen), key=engine_stamp(), digest_size=20).digest()


def tree_key(chosen: bytes, files: Sequence[SourceFile], problems: Sequence[NotAnalysed]) -> bytes:
    """The state of everything a scan reads."""
    digest = hashlib.blake2b(chosen, digest_size=20)
    for file in files:
        line = f"{file.path}\0{file.absolute}\0{file.size}\0{file.mtime_ns}\0{file.language}\0{file.named}\n"
        digest.update(line.encode("utf-8", "surrogatepass"))
    digest.update(ENCODER.encode([(item.path, item.code, item.reason) for item in problems]))
    return digest.digest()


def content_key(chosen: bytes, file: SourceFile, data: bytes) -> bytes:
    """The key of what a worker makes of this content at this path."""
    digest = hashlib.blake2b(chosen, digest_size=20)
    digest.update(f"{file.path}\0{file.language}\0{file.named}\0".encode("utf-8", "surrogatepass"))
    digest.update(data)
    return digest.digest()


def path_key(file: SourceFile) -> bytes:
    """The key under which a file's content key is remembered: all that `content_key` reads besides the content.

    One file has another report path when another folder above it is scanned.
    """
    text = f"{file.absolute}\0{file.path}\0{file.language}\0{file.named}"
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=20).digest()


def known_results(cache: Cache, key: bytes) -> Results | None:
    """The results of an earlier scan of exactly this state."""
    blob = cache.get_many("results", [key]).get(key)
    return RESULTS.decode(blob) if blob is not None else None


def keep_results(cache: Cache, key: bytes, results: Results) -> None:
    cache.put_many("results", [(key, ENCODER.encode(results))])


def record_key(chosen: bytes, paths: Sequence[Path]) -> bytes:
    """The key of the last analysis of these paths."""
    named = sorted(os.path.abspath(path) for path in paths)
    digest = hashlib.blake2b(chosen, digest_size=20)
    digest.update("\0".join([os.getcwd(), *named]).encode("utf-8", "surrogateescape"))
    return digest.digest()


def content_keys(cache: Cache, chosen: bytes, files: Sequence[SourceFile]) -> dict[int, bytes]:
    """The content key of every file that can be read: remembered where size and time are as before, else computed."""
    keys = [path_key(file) for file in files]
    states = cache.get_many("state", [chosen + key for key in keys])
    found: dict[int, bytes] = {}
    fresh: list[tuple[bytes, bytes]] = []
    for position, (file, key) in enumerate(zip(files, keys, strict=True)):
        blob = states.get(chosen + key)
        state = STATE.decode(blob) if blob is not None else None
        if state is not None and (state.size, state.mtime_ns) == (file.size, file.mtime_ns):
            found[position] = state.content
            continue
        data = read_bounded(file)
        if data is None:
            continue
        content = found[position] = content_key(chosen, file, data)
        fresh.append((chosen + key, ENCODER.encode(State(file.size, file.mtime_ns, content))))
    if fresh:
        cache.put_many("state", fresh)
    return found
