"""Code that shows that what a rule warns of is meant: an option asks for it, it is undone, it protects nothing.

A rule names the contexts that spare it in ``options.spares``.  Read from the lines around a place, by their layout:
what cannot be seen there spares nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

MAX_LINES_BEFORE = 60
MAX_LINE_BYTES = 400
CONTROL = re.compile(rb"^[\s}]*(?:if|elif|else if|unless|case|when)\b(.*)")
OPTION = re.compile(
    rb"(?i)in_?secure|skip|no_?(check|verif|valid)|verif|allow_?(invalid|unsafe|insecure|untrusted)|unsafe|untrusted"
    rb"|disabl|self_?sign|trust_?all|ignore_?(cert|ssl|tls)|validat|strict|legacy|compat|min(imum)?_?(tls|version|proto)"
)
UMASK = re.compile(rb"(\w+)\s*=\s*(?:os\.)?umask\s*\(\s*0*\s*\)\s*;?")
OWN_ADDRESS = rb"(?:\w+\.)*location\.(?:href|pathname|origin)\b(?!\.(?:search|hash|split|match|replace))"
SAME_PAGE = re.compile(
    rb"location(?:\.href)?\s*(?:\+=|=\s*" + OWN_ADDRESS + rb")|location\.(?:replace|assign)\(\s*" + OWN_ADDRESS
)
HASHED = re.compile(
    rb"(?i)cache|e_?tag\b|check_?sum|md5_?sum|gravatar|dedup|content_?(hash|md5)|bucket|shard|file_?name|temp|tmp|retire"
    rb"|hasher\b|block_?hash|hash_?(md5|sha1)\b|(md5|sha_?1)_?(sum|hash)|chunk|upload"
    rb"|unique|anchor|colou?r|\bhash_?key|version"
)
SECRET = re.compile(
    rb"(?i)passw|passphrase|pwd|secret|token|sign|auth|hmac|cert|nonce|salt|session|csrf|cookie|credential"
)


def spared(contexts: Sequence[str], lines: Sequence[bytes], line: int, last: int) -> bool:
    """Whether one of the contexts holds at lines ``line`` to ``last`` (from 1)."""
    if not 1 <= line <= len(lines):
        return False
    return any(TESTS[name](lines, line, max(last, line)) for name in contexts if name in TESTS)


def by_option(lines: Sequence[bytes], line: int, last: int) -> bool:
    """Whether it stands inside an ``if`` about an option that asks for it (``if opts.Insecure``)."""
    return any(OPTION.search(condition) for condition in conditions(lines, line))


def conditions(lines: Sequence[bytes], line: int) -> Iterator[bytes]:
    """The conditions around a line, the nearest first, by indentation; not beyond the function."""
    width = indentation(lines[line - 1])
    for item in reversed(lines[max(line - 1 - MAX_LINES_BEFORE, 0) : line - 1]):
        item = item[:MAX_LINE_BYTES]
        if not item.strip() or indentation(item) >= width:
            continue
        width = indentation(item)
        found = CONTROL.match(item)
        if found is not None:
            yield found.group(1)
        if width == 0:
            return


def put_back(lines: Sequence[bytes], line: int, last: int) -> bool:
    """Whether the umask is only read, by setting it and putting it back in the next statement."""
    found = UMASK.search(lines[line - 1][:MAX_LINE_BYTES])
    after = b" ".join(item[:MAX_LINE_BYTES].strip() for item in lines[line : line + 2])
    return found is not None and re.match(rb"(?:os\.)?umask\s*\(\s*" + found.group(1) + rb"\s*\)", after) is not None


def names_only(lines: Sequence[bytes], line: int, last: int) -> bool:
    """Whether a hash makes a name, a key of a cache or a check sum, and nothing around it speaks of a secret."""
    around = b"\n".join(item[:MAX_LINE_BYTES] for item in lines[max(line - 3, 0) : min(last, line + 4) + 1])
    return HASHED.search(around) is not None and SECRET.search(around) is None


def same_page(lines: Sequence[bytes], line: int, last: int) -> bool:
    """Whether the new address of a page begins with its own (``location.href += "#top"``)."""
    return SAME_PAGE.search(lines[line - 1][:MAX_LINE_BYTES]) is not None


def indentation(line: bytes) -> int:
    expanded = line.expandtabs(8)
    return len(expanded) - len(expanded.lstrip())


TESTS = {"option": by_option, "put-back": put_back, "name": names_only, "same-page": same_page}
