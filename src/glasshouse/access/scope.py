"""Whether a target lies inside an engagement's scope; pure, and false for whatever is not plainly inside."""

from __future__ import annotations

import functools
import ipaddress
import posixpath
import re

from glasshouse.words.act import Target
from glasshouse.words.engagement import CodeScope, Scope

MAX_PATTERN = 512
_ANY, _ANY_NAME, _ONE, _SKIP, _SLASH, _LITERAL = "**", "*", "?", "skip", "slash", "="


def outside(scope: Scope, targets: tuple[Target, ...]) -> tuple[Target, ...]:
    """The targets that the scope does not cover, in order."""
    return tuple(target for target in targets if not covers(scope, target))


def covers(scope: Scope, target: Target) -> bool:
    """Whether the scope covers one target."""
    if not target.name or "\0" in target.name + target.path:
        return False
    match target.kind:
        case "code":
            return any(_covers_code(each, target) for each in scope.code)
        case "file":
            return any(_below(target.name, folder) for folder in scope.files)
        case "host":
            return any(_covers_host(each, target.name) for each in scope.hosts)
        case "package":
            return any(_covers_package(each, target.name) for each in scope.packages)
        case "model":
            return any(matches_glob(each, target.name) for each in scope.models)
        case "record":
            return any(matches_glob(each, target.name) for each in scope.records)


def _covers_code(scope: CodeScope, target: Target) -> bool:
    if scope.tree:
        return target.tree != "" and target.tree == scope.tree and scope.origin in ("", target.name)
    if not scope.origin:
        return False
    path = _relative(scope.origin, target)
    if path is None:
        return False
    return any(_whole(glob) or (path != "" and matches_glob(glob, path)) for glob in scope.globs)


def _relative(origin: str, target: Target) -> str | None:
    """The target's path below the origin, '' for the whole tree, None when it is another tree or leads out of it."""
    if origin.startswith("/") and target.name.startswith("/"):
        full = posixpath.normpath(posixpath.join(target.name, target.path))
        base = posixpath.normpath(origin)
        if target.path.startswith("/") or not _below(full, base):
            return None
        rest = full.removeprefix(base).lstrip("/")
        return rest if _below(full, posixpath.normpath(target.name)) else None
    if _repository(origin) != _repository(target.name):
        return None
    path = posixpath.normpath(target.path) if target.path else ""
    return None if path.startswith(("..", "/")) else path.removeprefix("./")


def _repository(origin: str) -> str:
    """One form for a repository's URL: no protocol, user, trailing slash or ``.git``; the host in lower case."""
    text = re.sub(r"^[a-z+]+://", "", origin.strip())
    text = re.sub(r"^[^/@]*@", "", text)
    text = re.sub(r"^([^/:]+):(?!\d+/)", r"\1/", text).rstrip("/").removesuffix(".git")
    host, slash, rest = text.partition("/")
    return host.lower() + slash + rest


def _below(path: str, folder: str) -> bool:
    if not path.startswith("/") or not folder.startswith("/"):
        return False
    path, folder = posixpath.normpath(path), posixpath.normpath(folder)
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _whole(glob: str) -> bool:
    return glob in ("**", "**/*")


def _covers_host(allowed: str, name: str) -> bool:
    host = name.lower().rstrip(".")
    address = _address(host)
    if address is not None:
        try:
            return address in ipaddress.ip_network(allowed, strict=False)
        except ValueError:
            return False
    allowed = allowed.lower().rstrip(".")
    if allowed.startswith("*."):
        return host.endswith(allowed[1:]) and len(host) > len(allowed) - 1
    return host == allowed


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None


def _covers_package(allowed: str, name: str) -> bool:
    if "@" in allowed.rpartition("/")[2]:
        return name == allowed
    return name == allowed or name.startswith(allowed + "@")


def matches_glob(pattern: str, text: str) -> bool:
    """Whether the glob matches the whole text: ``*`` in one folder, ``**`` across folders, ``**/`` also for nothing.

    The time is at most pattern x text, whatever either holds.  A pattern of more than 512 characters matches nothing.
    """
    if len(pattern) > MAX_PATTERN:
        return False
    tokens = _tokens(pattern)
    states = _closed(tokens, {0})
    for character in text:
        states = _closed(tokens, _after(tokens, states, character))
        if not states:
            return False
    return len(tokens) in states


@functools.lru_cache(maxsize=4096)
def _tokens(pattern: str) -> tuple[str, ...]:
    """The pattern as single characters and wildcards; ``**/`` becomes an optional ``**`` and slash."""
    tokens: list[str] = []
    for piece in re.split(r"(\*\*/|\*\*|\*|\?)", re.sub(r"\*{3,}", "**", pattern)):
        if piece == "**/":
            tokens += [_SKIP, _ANY, _SLASH]
        elif piece in (_ANY, _ANY_NAME, _ONE):
            tokens.append(piece)
        else:
            tokens += [_LITERAL + character for character in piece]
    return tuple(tokens)


def _after(tokens: tuple[str, ...], states: set[int], character: str) -> set[int]:
    following = set()
    for state in states:
        token = tokens[state] if state < len(tokens) else ""
        if token == _ANY or (token == _ANY_NAME and character != "/"):
            following.add(state)
        elif token == _LITERAL + character:
            following.add(state + 1)
        elif (token == _ONE and character != "/") or (token == _SLASH and character == "/"):
            following.add(state + 1)
    return following


def _closed(tokens: tuple[str, ...], states: set[int]) -> set[int]:
    """The states with all that are reachable without a character."""
    waiting = list(states)
    while waiting:
        state = waiting.pop()
        token = tokens[state] if state < len(tokens) else ""
        steps = (1, 3) if token == _SKIP else (1,) if token in (_ANY, _ANY_NAME) else ()
        for step in steps:
            if state + step not in states:
                states.add(state + step)
                waiting.append(state + step)
    return states
