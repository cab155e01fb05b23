"""Which functions can matter, decided on their text before anything is lowered.

Ordinary code: nearly every function with memory, a resource or an unwritten variable.  Kernel code is large, so there a
function must allocate, free, lock, read what user space sends, declare a buffer, or use a pointer before it tests it.
(Compilers warn of variables that are not written; in the functions that are lowered they are reported too.)
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

MAX_LOOKS = 60
MAX_BACK = 20_000  # bytes: bounds on what one function costs here, whatever is in it
ANY = re.compile(
    rb"\[|\*\s*\w+\s*=|alloc|free|mem(?:cpy|set|move|cmp|dup)|str(?:n?c|len|dup|tok|to)|printf|scanf|copy_|lock|get|put|"
    rb"open|close|read|recv|send|write|exec|system|(?<![\w.])(?:new|delete)\b|[%/]|rand|->|signal|uid|crypt|md5|MD5|sha|"
    rb"path|\bgoto\b|access|stat\b|temp|tmp|alloca|_init|release|chmod|mask|EVP_|DES|RC4|::|\.begin\(|erase|push_|setopt|c_str|"
    rb"[\n{;][ \t]*(?:unsigned |struct |const )*\w+[ \t*]+\w+(?:, *\**\w+)*;"
)
RESOURCE = re.compile(
    rb"\b(?:k[vmzc]*alloc\w*|kmemdup\w*|kstrn?dup\w*|kasprintf|memdup_user\w*|v[mz]alloc\w*|kv?z?free\w*|vfree|alloca|"
    rb"kmem_cache_\w*alloc|kmem_cache_free|(?:netdev_|dev_)?alloc_skb\w*|skb_clone|(?:gen|n)lmsg_new|kfree_skb\w*|"
    rb"consume_skb|dev_kfree_skb\w*|nlmsg_free|free|malloc|calloc|realloc|filp_open|filp_close)\("
)
INPUT = re.compile(
    rb"\b(?:_*copy_(?:from|to)_user|_*get_user|strncpy_from_user|copy_from_sockptr\w*|nla_get_[us]\d+|nla_data|"
    rb"simple_strto\w+|kernel_read|call_usermodehelper|str(?:cpy|cat)|v?sprintf|gets|sscanf|signal|MD5\w*|SHA1\w*)\("
)
LOCK = re.compile(rb"\b(?:mutex_lock|spin_lock|spin_lock_\w+|(?:read|write)_lock\w*|down(?:_read|_write)?|lock_sock)\(")
LEAVE = re.compile(rb"\breturn\b|\bgoto\b")
BUFFER = re.compile(rb"[\n{;][ \t]*(?:unsigned |struct |const )*\w+[ \t*]+\w+\[[^\]\n]*[\w)]\][\[\]\w]*\s*[;=,]")
# Words of which one stands in whatever the expression finds: looking for them is quicker.
IN_RESOURCE = (b"alloc", b"free", b"dup", b"asprintf(", b"skb_clone(", b"lmsg_new(", b"consume_skb(", b"filp_")
IN_INPUT = (
    *(b"_user", b"_sockptr", b"nla_", b"simple_strto", b"kernel_read(", b"call_usermodehelper(", b"strc", b"sprintf("),
    *(b"gets(", b"sscanf(", b"signal(", b"MD5", b"SHA1"),
)
NEGATED = re.compile(rb"!(\w+)\b(?![-.(\[])")
IS_NULL = re.compile(rb" == NULL\b")
NAME_AT_END = re.compile(rb"\b\w+\Z")
LONGEST_NAME = 100


def matters(source: bytes, start: int, end: int, *, kernel: bool) -> bool:
    """Whether the function whose body is ``source[start:end]`` is lowered."""
    if not kernel:
        return ANY.search(source, start, end) is not None
    body = source[start:end]
    if any(word in body for word in IN_RESOURCE) and RESOURCE.search(source, start, end):
        return True
    if any(word in body for word in IN_INPUT) and INPUT.search(source, start, end):
        return True
    if b"[" in body and BUFFER.search(source, start, end):
        return True
    lock = LOCK.search(source, start, end) if b"lock" in body or b"down" in body else None
    if lock is not None:
        leaving = LEAVE.search(source, lock.end(), end)
        if leaving is not None and LEAVE.search(source, leaving.end(), end) is not None:
            return True
    return b"->" in body and _tested_late(source, start, end)


def _tested_late(source: bytes, start: int, end: int) -> bool:
    """A name is tested for null after ``name->`` was written."""
    for name, test in itertools.islice(_tests(source, start, end), MAX_LOOKS):
        place = source.find(name + b"->", max(start, test - MAX_BACK), test)
        if place >= 0 and source[place - 1 : place] in (b" ", b"(", b"\t", b"&", b"!", b"*", b"-"):
            between = source[place:test]
            if name + b" = " not in between and b"(" + name not in between:
                return True
    return False


def _tests(source: bytes, start: int, end: int) -> Iterator[tuple[bytes, int]]:
    """Names that are tested for null, each with the place of the test."""
    for match in NEGATED.finditer(source, start, end):
        at = match.start()
        if source[at - 4 : at] == b"if (" or source[at - 3 : at] in (b"&& ", b"|| "):
            yield match.group(1), at
    for match in IS_NULL.finditer(source, start, end):
        at = match.start()
        name = NAME_AT_END.search(source, max(start, at - LONGEST_NAME), at)
        if name is not None:
            yield name.group(), name.start()


MAX_INDENT = 200


def without_the_rest(source: bytes, *, declarations: bool = False) -> bytes:
    """Kernel source without comments that have lines of their own, and with empty bodies for the functions that cannot
    matter (or for all, where only ``declarations`` do): parsing is what costs; lines stay."""
    return _without_bodies(_without_comments(source), declarations)


def _without_comments(source: bytes) -> bytes:
    pieces: list[bytes] = []
    done = 0
    start = source.find(b"/*")
    while start >= 0:
        end = source.find(b"*/", start + 2) + 2
        if end < 2:
            break
        line = source.rfind(b"\n", max(done, start - MAX_INDENT), start)
        if line >= 0 and source[end : end + 1] == b"\n" and not source[line:start].strip():
            pieces.append(source[done:line])
            pieces.append(b"\n" * source.count(b"\n", line, end))
            done = end
        start = source.find(b"/*", end)
    pieces.append(source[done:])
    return b"".join(pieces)


def _without_bodies(source: bytes, declarations: bool) -> bytes:
    pieces: list[bytes] = []
    done = 0
    start = source.find(b"\n{")
    while start >= 0:
        end = source.find(b"\n}", start)
        if end < 0:
            break
        end += 2
        if declarations or not matters(source, start, end, kernel=True):
            pieces.append(source[done : start + 2])
            pieces.append(b"\n" * (source.count(b"\n", start + 2, end)))
            done = end - 1
        start = source.find(b"\n{", end)
    if not pieces:
        return source
    pieces.append(source[done:])
    return b"".join(pieces)
