"""Which functions can matter, decided on their text before anything is lowered.

Ordinary code: nearly every function with memory, a resource or an unwritten variable.  Kernel code is large, so there a
function must allocate, free, lock, read what user space sends, declare a buffer, or use a pointer before it tests it.
(Compilers warn of variables that are not written; in the functions that are lowered they are reported too.)
"""

from __future__ import annotations

import itertools
import re

MAX_LOOKS = 60
MAX_BACK = 20_000  # bytes: bounds on what one function costs here, whatever is in it
KERNEL = re.compile(rb'#\s*include\s*[<"](?:linux|asm|net|uapi)/')
ANY = re.compile(
    rb"\[|\*\s*\w+\s*=|alloc|free|mem(?:cpy|set|move|cmp|dup)|str(?:n?c|len|dup|tok|to)|printf|scanf|copy_|lock|get|put|"
    rb"open|close|read|recv|send|write|exec|system|(?<![\w.])(?:new|delete)\b|[%/]|rand|->|signal|uid|crypt|md5|MD5|sha|"
    rb"path|\bgoto\b|access|stat\b|temp|tmp|alloca|_init|release|chmod|mask|EVP_|DES|RC4|::|"
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
TESTED = re.compile(rb"(?:if \(|&& |\|\| )!(\w+)\b(?![-.(\[])|\b(\w+) == NULL\b")


def matters(source: bytes, start: int, end: int, *, kernel: bool) -> bool:
    """Whether the function whose body is ``source[start:end]`` is lowered."""
    if not kernel:
        return ANY.search(source, start, end) is not None
    if RESOURCE.search(source, start, end) or INPUT.search(source, start, end) or BUFFER.search(source, start, end):
        return True
    lock = LOCK.search(source, start, end)
    if lock is not None:
        leaving = LEAVE.search(source, lock.end(), end)
        if leaving is not None and LEAVE.search(source, leaving.end(), end) is not None:
            return True
    return _tested_late(source, start, end)


def _tested_late(source: bytes, start: int, end: int) -> bool:
    """A name is tested for null after ``name->`` was written."""
    for match in itertools.islice(TESTED.finditer(source, start, end), MAX_LOOKS):
        name = match.group(1) or match.group(2)
        place = source.find(name + b"->", max(start, match.start() - MAX_BACK), match.start())
        if place >= 0 and source[place - 1 : place] in (b" ", b"(", b"\t", b"&", b"!", b"*", b"-"):
            between = source[place : match.start()]
            if name + b" = " not in between and b"(" + name not in between:
                return True
    return False


def without_the_rest(source: bytes) -> bytes:
    """Kernel source with empty bodies for the functions that cannot matter: parsing is what costs; lines stay."""
    pieces: list[bytes] = []
    done = 0
    start = source.find(b"\n{")
    while start >= 0:
        end = source.find(b"\n}", start)
        if end < 0:
            break
        end += 2
        if not matters(source, start, end, kernel=True):
            pieces.append(source[done : start + 2])
            pieces.append(b"\n" * (source.count(b"\n", start + 2, end)))
            done = end - 1
        start = source.find(b"\n{", end)
    if not pieces:
        return source
    pieces.append(source[done:])
    return b"".join(pieces)
