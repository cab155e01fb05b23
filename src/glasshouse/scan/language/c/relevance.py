"""Which functions can matter, decided on their text before anything is lowered.

Ordinary code: nearly every function with memory, a resource or an unwritten variable.  Kernel code is large, so there a
function must allocate, free, lock, read what user space sends, declare a buffer, use a pointer before it tests it, or
use a variable outside the blocks that give it a value.
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
DECLARED = re.compile(
    rb"\n\t+(?!return|goto|else|case|extern|static)"
    rb"(?:(?:unsigned|struct|enum|const|long|register|volatile)\s+)*\w+[ \t]+\**(\w+(?:\s*,\s*\**\w+)*);"
)


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
    return _tested_late(source, start, end) or _unwritten(source, start, end)


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


def _unwritten(source: bytes, start: int, end: int) -> bool:
    """A variable is declared without a value and used further out than wherever it was given one before."""
    for match in itertools.islice(DECLARED.finditer(source, start, min(end, start + MAX_BACK)), MAX_LOOKS):
        for name in match.group(1).replace(b"*", b"").split(b",")[:MAX_LOOKS]:
            if _used_outside(source, name.strip(), match.end(), end):
                return True
    return False


def _used_outside(source: bytes, word: bytes, start: int, end: int) -> bool:
    """Indentation stands for nesting: kernel code is indented by tabs."""
    written = 99
    place = start
    size = len(word)
    for _ in range(40):
        place = source.find(word, place, end)
        if place < 0:
            return False
        before, after = source[place - 1 : place], source[place + size : place + size + 3]
        first = place
        place += size
        if before.isalnum() or before in (b"_", b".", b">") or after[:1].isalnum() or after[:1] == b"_":
            continue
        if before == b"&":
            return False
        line = source.rfind(b"\n", start, first) + 1
        depth = _tabs(source, line)
        if after.startswith(b" = "):
            written = min(written, depth)
        elif depth < written:
            text = source[line:first]
            return not (b"each" in text or b"irq" in text or b"lock" in text or b"sizeof" in text)
    return False


def _tabs(source: bytes, line: int) -> int:
    count = 0
    while source[line + count : line + count + 1] == b"\t":
        count += 1
    return count


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
