"""Which files of a scanned tree each C or C++ file includes, directly and through others.

Worked out from the names of the scanned files and from their ``#include`` lines alone, so that it is the same however
many processes work and whatever a cache knows.  Nothing outside the tree is looked for.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING

from glasshouse.scan.discover import SourceFile

if TYPE_CHECKING:
    from glasshouse.scan.cache import Cache

KERNEL = re.compile(rb'#\s*include\s*[<"](?:linux|asm|net|uapi)/')
MAX_NAMES = 300  # include lines of one file
MAX_HEADERS = 48  # files that one file includes, directly and through others
MAX_HEADER_BYTES = 1_500_000  # of one file's headers together
MAX_INDENT = 80  # bytes before the word
MAX_ABOVE = 12  # folders above a file in which a name is looked for
LINE = re.compile(rb'include[ \t]*(["<])([\w./+-]{1,200})[">]')
BLANKS = b" \t"
FOLDERS = ("include", "inc", "src", "lib")
STANDARD = frozenset(
    "assert complex ctype errno fenv float inttypes iso646 limits locale math setjmp signal stdalign stdarg stdbool "
    "stddef stdint stdio stdlib string strings tgmath threads time uchar wchar wctype unistd fcntl malloc memory "
    "getopt poll".split()
)
"""Headers of the C library: a file of that name in the tree replaces one on other systems."""
Names = tuple[str, ...]


def included(data: bytes) -> Names:
    """What a file includes, as written: names in quotes, and in angle brackets with ``<`` before them.

    Of operating-system code only names in quotes: what ``<linux/...>`` brings would be most of the tree for each file.
    """
    kernel = KERNEL.search(data, 0, 8_000) is not None
    found: dict[str, None] = {}
    for match in LINE.finditer(data):
        before = data[max(0, match.start() - MAX_INDENT) : match.start()].rstrip(BLANKS)
        if not before.endswith(b"#") or before[:-1].rpartition(b"\n")[2].strip(BLANKS):
            continue
        name = match[2].decode("ascii")
        if match[1] == b'"':
            found.setdefault(name)
        elif not kernel and (stem := name.removesuffix(".h")) not in STANDARD and not stem.startswith("sys/"):
            found.setdefault("<" + name)
        if len(found) >= MAX_NAMES:
            break
    return tuple(found)


class Tree:
    """The files of a tree as names in ``#include`` lines can mean them."""

    def __init__(self, files: Sequence[SourceFile], positions: Iterable[int]) -> None:
        self.files = files
        self.by_path: dict[str, int] = {}
        self.by_name: dict[str, list[int]] = {}
        for position in positions:
            absolute = files[position].absolute
            self.by_path[absolute] = position
            self.by_name.setdefault(absolute.rpartition("/")[2], []).append(position)

    def find(self, folder: str, name: str) -> int | None:
        """The file that ``name`` in a file of ``folder`` means, None if none or no single one."""
        quoted = not name.startswith("<")
        name = name.removeprefix("<")
        candidates = self.by_name.get(name.rpartition("/")[2])
        if not candidates:
            return None
        if ".." in name or "./" in name:
            return self.by_path.get(os.path.normpath(f"{folder}/{name}")) if quoted else None
        if quoted:
            at = self.by_path.get(f"{folder}/{name}")
            if at is not None:
                return at
        above = folder
        for _ in range(MAX_ABOVE):
            for part in FOLDERS:
                at = self.by_path.get(f"{above}/{part}/{name}")
                if at is not None:
                    return at
            above = above.rpartition("/")[0]
            if not above:
                break
            at = self.by_path.get(f"{above}/{name}") if quoted or "/" in name else None
            if at is not None:
                return at
        ending = "/" + name
        found = [at for at in candidates if self.files[at].absolute.endswith(ending)]
        return found[0] if len(found) == 1 and (quoted or "/" in name) else None


def headers_of(
    files: Sequence[SourceFile], contents: Mapping[int, bytes], cache: Cache | None
) -> dict[int, tuple[int, ...]]:
    """For each C file of a tree: positions of the files of the tree that it includes, nearest first, within bounds.

    What a file includes is remembered under its content key, where one is known.
    """
    wanted = [position for position, file in enumerate(files) if file.language == "c"]
    if len(wanted) < 2:
        return {}
    keys = {position: contents[position] for position in wanted if position in contents}
    known = cache.get_many("includes", list(keys.values())) if cache is not None else {}
    names: dict[int, Names] = {}
    fresh: list[tuple[bytes, bytes]] = []
    for position in wanted:
        blob = known.get(keys.get(position, b""))
        if blob is None:
            data = read_bounded(files[position])
            if data is None:
                continue
            blob = "\n".join(included(data)).encode()
            if position in keys:
                fresh.append((keys[position], blob))
        names[position] = tuple(blob.decode().split("\n")) if blob else ()
    if cache is not None and fresh:
        cache.put_many("includes", fresh)
    return closures(files, names)


def read_bounded(file: SourceFile) -> bytes | None:
    """The bytes of a regular file, None if it cannot be read (whoever analyses it will say why)."""
    from glasshouse.scan.discover.opening import read_regular

    try:
        return read_regular(file.absolute, max(file.size, 1))
    except OSError:
        return None


def closures(files: Sequence[SourceFile], names: Mapping[int, Names]) -> dict[int, tuple[int, ...]]:
    """For each C file with ``names`` of what it includes: positions of the files that it gets, nearest first."""
    tree = Tree(files, names)
    direct: dict[int, tuple[int, ...]] = {}
    known: dict[tuple[str, str], int | None] = {}
    for position, own in names.items():
        folder = files[position].absolute.rpartition("/")[0]
        found: dict[int, None] = {}
        for name in own:
            key = (folder, name)
            if key not in known:
                known[key] = tree.find(folder, name)
            at = known[key]
            if at is not None and at != position:
                found.setdefault(at)
        if found:
            direct[position] = tuple(found)
    return {position: closure(files, direct, position) for position in direct}


def closure(files: Sequence[SourceFile], direct: Mapping[int, tuple[int, ...]], start: int) -> tuple[int, ...]:
    """The files that one file gets, nearest first, within bounds."""
    found: dict[int, None] = {}
    size = 0
    row = direct[start]
    while row:
        following: dict[int, None] = {}
        for at in row:
            if at == start or at in found:
                continue
            size += files[at].size
            if len(found) >= MAX_HEADERS or size > MAX_HEADER_BYTES:
                return tuple(found)
            found[at] = None
            following.update(dict.fromkeys(direct.get(at, ())))
        row = tuple(following)
    return tuple(found)


def with_headers(contents: Mapping[int, bytes], closures: Mapping[int, tuple[int, ...]]) -> dict[int, bytes]:
    """Content keys that also stand for what a file includes (without one where a header's is not known)."""
    found = dict(contents)
    for position, headers in closures.items():
        if position not in contents:
            continue
        keys = [contents.get(at) for at in headers]
        if None in keys:
            del found[position]
            continue
        digest = blake2b(contents[position], digest_size=20)
        for key in keys:
            digest.update(key or b"")
        found[position] = digest.digest()
    return found
