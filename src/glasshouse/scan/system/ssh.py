"""The SSH server's settings: the first value of a keyword holds, files of sshd_config.d where they are included."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from glasshouse.scan.system.model import Hit, System, setting_lines

MAIN, FOLDER = "etc/ssh/sshd_config", "etc/ssh/sshd_config.d"
_LISTS = ("ciphers", "macs", "kexalgorithms", "hostkeyalgorithms", "pubkeyacceptedalgorithms")
WEAK = frozenset(
    "3des-cbc arcfour arcfour128 arcfour256 blowfish-cbc cast128-cbc aes128-cbc aes192-cbc aes256-cbc "
    "rijndael-cbc@lysator.liu.se hmac-md5 hmac-md5-96 hmac-sha1-96 hmac-ripemd160 umac-32@openssh.com "
    "hmac-md5-etm@openssh.com hmac-sha1-96-etm@openssh.com none diffie-hellman-group1-sha1 "
    "diffie-hellman-group14-sha1 diffie-hellman-group-exchange-sha1 ssh-dss ssh-rsa1".split()
)


class Setting(NamedTuple):
    """A keyword's value where it stands; ``matched``: inside a Match block."""

    path: str
    line: int
    keyword: str
    value: str
    text: str
    matched: bool


def ssh(system: System) -> Iterator[Hit]:
    """What the server allows that it should not."""
    settings = list(_settings(system))
    effective: dict[str, Setting] = {}
    for each in settings:
        if not each.matched:
            effective.setdefault(each.keyword, each)
    judged = [*effective.values(), *(each for each in settings if each.matched)]
    for each in judged:
        yield from _judge(each)
    if system.lines(MAIN) and "passwordauthentication" not in effective:
        shown = "PasswordAuthentication is not set; the server's own default is yes"
        yield Hit(
            "system-ssh-password-login",
            MAIN,
            "PasswordAuthentication is not set",
            1,
            shown,
            "default",
            confidence="low",
        )


def _judge(each: Setting) -> Iterator[Hit]:
    value = each.value.lower()
    rules = {
        ("permitrootlogin", "yes"): "system-ssh-root-login",
        ("passwordauthentication", "yes"): "system-ssh-password-login",
        ("permitemptypasswords", "yes"): "system-ssh-empty-passwords",
        ("hostbasedauthentication", "yes"): "system-ssh-trusts-hosts",
        ("ignorerhosts", "no"): "system-ssh-trusts-hosts",
        ("strictmodes", "no"): "system-ssh-trusts-hosts",
        ("permituserenvironment", "yes"): "system-ssh-trusts-hosts",
    }
    rule = rules.get((each.keyword, value))
    if each.keyword == "protocol" and "1" in value.replace(" ", "").split(","):
        rule = "system-ssh-old-protocol"
    if rule:
        yield Hit(rule, each.path, each.text, each.line, each.text, each.keyword)
    if each.keyword in _LISTS and not value.startswith("-"):
        weak = [name for name in value.lstrip("+^").replace(" ", "").split(",") if name in WEAK]
        if weak:
            yield Hit("system-ssh-weak-algorithms", each.path, ", ".join(weak[:10]), each.line, each.text, each.keyword)


def _settings(system: System) -> Iterator[Setting]:
    lines = system.lines(MAIN)
    included = any(text.lower().startswith("include") and "sshd_config.d" in text for _, text in setting_lines(lines))
    if included:
        for node in sorted(system.inside(FOLDER, "*.conf"), key=lambda node: node.path):
            yield from _of(node.path, system.lines(node.path))
    yield from _of(MAIN, lines)


def _of(path: str, lines: list[str]) -> Iterator[Setting]:
    matched = False
    for number, text in setting_lines(lines, "#"):
        keyword, _, value = text.replace("=", " ", 1).partition(" ")
        keyword = keyword.lower()
        if keyword == "match":
            matched = value.strip().lower() != "all"
        else:
            yield Setting(path, number, keyword, value.strip().strip('"'), text, matched)
