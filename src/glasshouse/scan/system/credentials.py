"""Credentials that were left behind: keys, files of tools that log in, passwords in shell histories.  None is shown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from glasshouse.inventory.trees.model import Node
from glasshouse.scan.detect.secrets import redact
from glasshouse.scan.system.model import Hit, System

MAX_LINES = 100_000
MAX_HITS_A_FILE = 20
_KEY_NAME = re.compile(r"(?:^|/)(?:id_(?:rsa|dsa|ecdsa|ed25519)|[^/]+\.(?:pem|key|ppk))$")
_PRIVATE = re.compile(
    rb"-----BEGIN ((?:RSA |DSA |EC |OPENSSH |ENCRYPTED )?PRIVATE KEY)-----|^PuTTY-User-Key-File", re.MULTILINE
)
_LOCKED = re.compile(rb"BEGIN ENCRYPTED|Proc-Type: 4,ENCRYPTED|^Encryption: (?!none)", re.MULTILINE)
_HOST_KEY = re.compile(r"^etc/ssh/ssh_host_[a-z0-9]+_key$")
# Examples and tests that packages bring along.
_OF_PACKAGES = re.compile(
    r"^(?:usr/(?:share|lib|lib64|src|include)|lib|lib64|snap)/"
    r"|(?:^|/)(?:node_modules|site-packages|tests?|testdata|test_data|examples?|fixtures)/"
)


class _Kind(NamedTuple):
    """Files of one tool: how their paths end, and the lines that hold a secret (group 1)."""

    ends: tuple[str, ...]
    secret: re.Pattern[str]


KINDS = (
    _Kind((".aws/credentials",), re.compile(r"(?i)^\s*aws_(?:secret_access_key|session_token)\s*=\s*(\S+)")),
    _Kind((".netrc", "_netrc"), re.compile(r"\bpassword\s+(\S+)")),
    _Kind((".git-credentials", ".config/git/credentials"), re.compile(r"^[a-z]+://[^:/\s]*:([^@\s]+)@")),
    _Kind((".docker/config.json", ".dockercfg"), re.compile(r'"(?:auth|identitytoken)"\s*:\s*"([^"]+)"')),
    _Kind((".pgpass",), re.compile(r"^[^#:]*:[^:]*:[^:]*:[^:]*:(.+)$")),
    _Kind((".npmrc", ".yarnrc.yml"), re.compile(r"(?i)(?:_authToken|_password|_auth|npmAuthToken)\s*[=:]\s*(\S+)")),
    _Kind((".pypirc", ".my.cnf", ".s3cfg"), re.compile(r"(?i)^\s*(?:password|secret_key)\s*[=:]\s*(\S+)")),
    _Kind((".kube/config",), re.compile(r"^\s*(?:token|client-key-data|password):\s*(\S+)")),
    _Kind(("application_default_credentials.json",), re.compile(r'"(?:private_key|refresh_token)"\s*:\s*"([^"]+)"')),
    _Kind((".vault-token",), re.compile(r"^(\S{8,})$")),
)
_HISTORY = re.compile(r"(?:^|/)\.(?:bash|zsh|sh|ash|mysql|psql|python|rediscli|node_repl)_history$")
_IN_COMMAND = re.compile(
    r"(?i)(?:"
    r"\b\w*(?:passw(?:or)?d|secret|token|api_?key)\w*\s*[=:]\s*[\"']?(?P<a>[^\s\"'$]{4,})|"
    r"--(?:password|pass|token|secret|api-key)[= ][\"']?(?P<b>[^\s\"'$-][^\s\"']{3,})|"
    r"\b(?:mysql|mysqldump|mariadb)\b.*?\s-p(?P<c>[^\s\"'$]{4,})|"
    r"\bsshpass\s+-p\s*(?P<d>[^\s$]{4,})|"
    r"\b(?:curl|wget)\b.*?\s(?:-u|--user)[= ][^\s:]+:(?P<e>[^\s$]{4,})|"
    r"\b[a-z][a-z0-9+.-]*://[^\s:/@]+:(?P<f>[^\s@$]{4,})@|"
    r"\bIDENTIFIED\s+BY\s+[\"'](?P<g>[^\"']{4,})"
    r")"
)


def wanted(path: str) -> bool:
    """Whether a file's content may be a credential."""
    return bool(_KEY_NAME.search(path) or _HISTORY.search(path) or _HOST_KEY.match(path) or _kind(path))


def credentials(system: System) -> Iterator[Hit]:
    """Every credential file outside of what packages bring along."""
    for node in system.nodes:
        if not node.is_file or _OF_PACKAGES.search(node.path):
            continue
        if _KEY_NAME.search(node.path) or _HOST_KEY.match(node.path):
            yield from _key(system, node)
        elif _HISTORY.search(node.path):
            yield from _history(system, node.path)
        elif kind := _kind(node.path):
            yield from _tool(system, node.path, kind)


def _kind(path: str) -> _Kind | None:
    return next((kind for kind in KINDS if any(path == end or path.endswith("/" + end) for end in kind.ends)), None)


def _key(system: System, node: Node) -> Iterator[Hit]:
    content = system.tree.read(node.path, 200_000)
    match = _PRIVATE.search(content) if content else None
    if content is None or match is None:
        return
    line = content.count(b"\n", 0, match.start()) + 1
    kind = (match[1] or b"PuTTY private key").decode().lower()
    if _HOST_KEY.match(node.path):
        yield Hit("system-host-key", node.path, kind, line, f"a {kind}, not shown")
    elif _LOCKED.search(content):
        shown = f"a {kind} with a passphrase, not shown"
        yield Hit("system-private-key", node.path, f"{kind} with a passphrase", line, shown, severity="low")
    else:
        yield Hit("system-private-key", node.path, kind, line, f"a {kind}, not shown")


def _tool(system: System, path: str, kind: _Kind) -> Iterator[Hit]:
    for number, line in enumerate(system.lines(path)[:MAX_LINES], start=1):
        if match := kind.secret.search(line[:10_000]):
            shown = f"a secret, not shown: {redact(match[1])}"
            yield Hit("system-credential-file", path, path.rpartition("/")[2], number, shown)
            return


def _history(system: System, path: str) -> Iterator[Hit]:
    found = 0
    for number, line in enumerate(system.lines(path)[:MAX_LINES], start=1):
        match = _IN_COMMAND.search(line[:2_000])
        if match is None:
            continue
        secret = next(value for value in match.groups() if value)
        program = line.split(" ", 1)[0][:30] if secret not in line.split(" ", 1)[0] else "a command"
        yield Hit("system-secret-in-history", path, program, number, f"{program} ... {redact(secret)}", str(found))
        found += 1
        if found >= MAX_HITS_A_FILE:
            return
