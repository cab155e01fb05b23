"""Accounts: empty or badly hashed passwords, further roots, who may read the hashes, sudo without asking."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator

from glasshouse.scan.system.model import Hit, System, setting_lines

MAX_ACCOUNTS = 20_000
_LOCKED = ("*", "!", "x")
_OLD_HASH = re.compile(r"\$1\$|\$md5|_[./0-9A-Za-z]{19}$|[./0-9A-Za-z]{13}$")
_NOPASSWD = re.compile(r"^(\S+)\s+\S+\s*=\s*(?:\([^)]*\)\s*)?NOPASSWD:\s*ALL\b")


def accounts(system: System) -> Iterator[Hit]:
    """passwd and shadow."""
    for number, line in enumerate(system.lines("etc/passwd")[:MAX_ACCOUNTS], start=1):
        fields = line.split(":")
        if len(fields) < 7 or line.startswith("#"):
            continue
        name, password, uid = fields[0][:80], fields[1], fields[2]
        if uid.strip() == "0" and name != "root":
            yield Hit("system-second-root", "etc/passwd", name, number, f"{name} has uid 0", name)
        if not password:
            yield _empty("etc/passwd", name, number)
        elif not password.startswith(_LOCKED):
            yield Hit("system-hash-in-passwd", "etc/passwd", name, number, f"{name} has a hash in passwd", name)
    for number, line in enumerate(system.lines("etc/shadow")[:MAX_ACCOUNTS], start=1):
        fields = line.split(":")
        if len(fields) < 2 or not fields[0] or line.startswith("#"):
            continue
        name = fields[0][:80]
        if not fields[1]:
            yield _empty("etc/shadow", name, number)
        elif _OLD_HASH.match(fields[1]):
            yield Hit("system-weak-password-hash", "etc/shadow", name, number, f"{name} has an old hash", name)


def _empty(path: str, name: str, number: int) -> Hit:
    return Hit("system-empty-password", path, name, number, f"{name} has an empty password field", name)


def readable_hashes(system: System) -> Iterator[Hit]:
    """shadow and its copies, where others may read them."""
    for name in ("etc/shadow", "etc/shadow-", "etc/gshadow", "etc/gshadow-"):
        node = system.tree.node(name)
        if node is not None and node.is_file and node.mode & stat.S_IROTH:
            yield Hit("system-shadow-readable", name, "everybody", shown=f"{stat.filemode(node.mode)} {name}")


def sudo(system: System) -> Iterator[Hit]:
    """Rules that give everything without a password."""
    paths = ["etc/sudoers", *(node.path for node in system.inside("etc/sudoers.d"))]
    for path in paths:
        for number, text in setting_lines(system.lines(path), "#"):
            if match := _NOPASSWD.match(text):
                yield Hit("system-sudo-without-password", path, match[1], number, text, match[1])
